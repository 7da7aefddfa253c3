"""What synthesis is told of a register."""

from types import MappingProxyType

# Attribute of a register that is itself and no other. Registers with the same input synthesis takes for one:
# those with which each unit of a row delays what it passes on become those of the units behind it, so that
# a unit waits for wires from the far end of the row. Yosys keeps cells by this name, and `synth.commands`
# makes it so that of a signal.
KEPT = MappingProxyType({"keep": True})
