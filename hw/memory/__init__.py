"""External memory: a controller of an SDRAM chip, and an endless stream of words from it."""
