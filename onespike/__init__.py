"""The command line; it calls golden, sim, hw and synth and holds no logic of theirs."""

from importlib.metadata import version

__version__: str = version("onespike")
