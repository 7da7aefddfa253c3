"""What synthesis is told of a memory."""

from types import MappingProxyType

# Attribute of a memory of which no word is read in the cycle in which it is written, or whose word is not
# used then: each has its proof in tests/proofs/, but the memories of hw/network and hw/integer, and weights
# and biases of stochastic networks, loaded between images: those have a bench that spoils such words.
# Without it a block RAM gets a comparison of the addresses and a copy of what was written, to behave as the
# RTL does. Yosys knows the name from Verilog; `synth.commands` tells it the same of RTLIL.
NO_COLLISION = MappingProxyType({"no_rw_check": True})
# Where a memory goes, if Yosys would choose something else: LUT RAM takes six LUTs for 16 words of 4 bits
BLOCK = MappingProxyType({"ram_style": "block"})
LUT_RAM = MappingProxyType({"ram_style": "distributed"})
LOGIC = MappingProxyType({"ram_style": "logic"})
# Width and depth that a block RAM of 18 kbit may have, as on the ECP5 and the Gowin parts; the ninth bit of a
# byte is there from words of nine bits on
BLOCK_SHAPES = ((1, 16384), (2, 8192), (4, 4096), (9, 2048), (18, 1024), (36, 512))
