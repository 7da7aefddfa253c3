"""Limits of networks and of the words of their integers: checks, messages and widths take them from here."""

from golden.network.neuron import LINEAR_FRACTION_BITS
from golden.widths import index_width

# Rows and features of any tensor
MAX_TOKENS, MAX_FEATURES = 1024, 4096
# Bits of an address among the spikes of a layer
MAX_ROOM = index_width(MAX_TOKENS) + index_width(MAX_FEATURES)
# Spikes of a pixel
MAX_PIXEL_CODES = 4
# Neurons at work at once
MAX_LANES = 256
# Of any memory of a core that is loaded
MAX_WORDS = 1 << 20
LEAST_WEIGHT_BITS, MOST_WEIGHT_BITS = 2, 8
# Potentials and the stream fit the hardware's words and float64's exact integers
POTENTIAL_BITS, STREAM_BITS = 40, 24
MAX_STREAM = (1 << (STREAM_BITS - 1)) - 1
# A bias leaves half of the word to the synapses
MAX_BIAS = (1 << (POTENTIAL_BITS - 2)) - 1
# Right shift of what is added to the stream
MAX_SHIFT = 31
# Places of first thresholds, and how far a list falls from there
OFFSET_BITS, LEVEL_BITS = 12, 13
MAX_OFFSET = (1 << (OFFSET_BITS - 1)) - 1
MAX_FALL = (1 << (LEVEL_BITS - 1)) - 1
# Octaves of a code for which an input of weight one, 2**(c + octaves), still fits a potential
MAX_OCTAVES = POTENTIAL_BITS - 2 - LINEAR_FRACTION_BITS
