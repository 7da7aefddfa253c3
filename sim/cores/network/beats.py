"""What goes into a network core: memory images as beats of its load stream, wide or narrow, and images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from amaranth.lib import data
from numpy.typing import NDArray

from golden.code import Spikes
from golden.descriptors import words
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.descriptors import Neuron, slot_word
from golden.network.weights import weight_words
from hw.export.verilog import describe
from hw.network import payloads
from hw.parts.load_reader import PIECE_BITS
from sim.cores.attention.driver import spike_beats
from sim.verilator.payload import Fields, pack


@dataclass(frozen=True, eq=False)
class Block:
    """Words of one memory from address 0 on.

    Attributes:
        memory, cluster: as in `payloads.load`.
        pieces: uint32 [words, pieces per word]; of streamed weights [pieces, 1].
        words: that are in the pieces.
    """

    memory: int
    cluster: int
    pieces: NDArray[np.uint32]
    words: int


def columns(ops: Sequence[Any], config: Any) -> Fields:
    """Arrays of the fields of descriptors, those that the core has."""
    names = words(type(ops[0]), config)
    return {name: np.array([getattr(op, name) for op in ops], np.int64) for name in names}


def blocks(program: Program, config: NetworkConfig) -> list[Block]:
    """Every memory, then the word that lets images in and tells their tokens."""
    held = payloads.memories(config)
    by_cluster = program.weights.astype(np.int64).reshape(-1, config.clusters, config.cluster)
    table = dict(zip(words(Neuron, config), program.table.T, strict=True))
    table["slot"] = slot_word(table["slot"], config)
    images: dict[str, list[Fields]] = {
        "linear": [columns(program.linear, config)],
        "norm": [columns(program.norm, config)],
        "attention": [columns(program.attention, config)],
        "levels": [program.levels],
        "table": [table],
        "offsets": [program.offsets],
        "weights": [by_cluster[:, n] for n in range(config.clusters)],
        "biases": [program.biases],
        "masks": [program.masks],
        "maps": [{"row": np.maximum(program.maps, 0), "none": (program.maps < 0).astype(np.int64)}],
    }
    if config.block:
        images["maps"][0]["block"] = program.blocks
    made = [
        Block(number, cluster, pieces, len(pieces))
        for number, (name, (shape, _)) in enumerate(held.items())
        for cluster, fields in enumerate(images[name])
        if len(fields)
        for pieces in [pack(describe(shape), fields, name)]
    ]
    return [*made, Block(payloads.run(config), 0, np.array([[program.tokens]], np.uint32), 1)]


def load_beats(program: Program, config: NetworkConfig) -> Fields:
    """Beats of the load stream of a network core."""
    words = payloads.load(config)["data"].shape.length
    parts = []
    for block in blocks(program, config):
        count, pieces = block.pieces.shape
        data = np.zeros((count, words), np.int64)
        data[:, :pieces] = block.pieces
        parts.append((np.full(count, block.memory), np.full(count, block.cluster), np.arange(count), data))
    memory, cluster, address, data = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {"memory": memory, "cluster": cluster, "address": address, "data": data}


def store_block(words: NDArray[np.uint64], wide: int, memory: int) -> Block:
    """Streamed weights, words of `wide` bits, on their way to the memory behind their stream, of that number:
    pieces of several words."""
    per_piece = PIECE_BITS // wide
    padded = np.pad(words, (0, -len(words) % per_piece)).reshape(-1, per_piece)
    pieces = (padded << np.arange(per_piece, dtype=np.uint64) * np.uint64(wide)).sum(axis=1)
    return Block(memory, 0, pieces.astype(np.uint32)[:, None], len(words))


def load_pieces(program: Program, config: NetworkConfig, stored: bool = True) -> NDArray[np.int64]:
    """The same for `hw.network.linked_network`.

    Args:
        stored: with streamed weights, which a memory may hold already.
    """
    store = []
    if config.weight_stream and stored:
        words = weight_words(program, config)
        store.append(store_block(words, config.weight_stream, payloads.store(config)))
    # A core stops to run with the first block; only then its memory takes words, and they are there in time
    *held, run = blocks(program, config)
    return block_pieces([*held, *store, run], payloads.load_header(config))


def block_pieces(blocks: Sequence[Block], header: data.StructLayout) -> NDArray[np.int64]:
    """Header, number of words and pieces of every block."""
    parts = []
    for block in blocks:
        pieces = block.pieces.shape[1]
        values = {"memory": block.memory, "last_piece": pieces - 1, "cluster": block.cluster}
        fields = {name: np.array([values[name]]) for name in header.members}
        parts += [
            pack(describe(header), fields, "header").reshape(-1),
            np.array([block.words]),
            block.pieces.reshape(-1),
        ]
    return np.concatenate([part.astype(np.int64) for part in parts])


def image_beats(image: Spikes | NDArray[np.int64], tokens: NDArray[np.integer] | None = None) -> Fields:
    """Beats of i_image of spikes, or integers of the stream, [images, tokens, width].

    Args:
        tokens: [images], the first rows of each that are sent; None for all.
    """
    images, rows, width = image.shape
    count = np.full(images, rows) if tokens is None else tokens
    sent = np.arange(rows) < count[:, None]
    last = np.zeros((int(count.sum()), width), np.int64)
    last[:, -1] = 1
    end = np.zeros_like(last)
    end[np.cumsum(count) - 1, -1] = 1
    ends = {"last": last.reshape(-1), "end": end.reshape(-1)}
    if not isinstance(image, Spikes):
        return {"value": image[sent].reshape(-1)} | ends
    return {"spike": spike_beats(Spikes(image.sign[sent].reshape(-1), image.phase[sent].reshape(-1)))} | ends
