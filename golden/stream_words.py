"""Integers packed into the words of a stream of weights."""

import numpy as np
from numpy.typing import NDArray


def to_bits(values: NDArray[np.integer], width: int) -> NDArray[np.uint8]:
    """The low bits of integers [n, m], two's complement, the low ones first: [n, m*width]."""
    octets = np.ascontiguousarray(values, "<i8").view(np.uint8).reshape(*values.shape, 8)
    return np.unpackbits(octets, axis=-1, count=width, bitorder="little").reshape(len(values), -1)


def to_words(bits: NDArray[np.uint8], groups: int, wide: int) -> NDArray[np.uint64]:
    """Bits [n, m] in words of `wide` bits, each of `groups` equal parts beginning a word: [n, words]."""
    apart = bits.reshape(len(bits), groups, -1)
    pieces = -(-apart.shape[-1] // wide)
    whole = np.pad(apart, ((0, 0), (0, 0), (0, pieces * wide - apart.shape[-1])))
    octets = np.packbits(whole.reshape(len(bits), groups * pieces, wide), axis=-1, bitorder="little")
    padded = np.zeros((*octets.shape[:-1], 8), np.uint8)
    padded[..., : octets.shape[-1]] = octets
    return padded.view("<u8")[..., 0].astype(np.uint64)
