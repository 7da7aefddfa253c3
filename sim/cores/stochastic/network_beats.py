"""What goes into a core for stochastic networks, and the words of spikes that it writes."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from golden.stochastic.descriptors import Kind
from golden.stochastic.network import SpikingNetwork, Trains
from golden.stochastic.network_config import StochasticNetworkConfig
from golden.stochastic.program import Program, bit_planes
from golden.stochastic.weights import weight_words
from hw.export.verilog import describe
from hw.stochastic.network import payloads
from sim.cores.network.beats import Block, block_pieces, columns, store_block
from sim.verilator.payload import Fields, pack


def load_pieces(program: Program, config: StochasticNetworkConfig, stored: bool) -> NDArray[np.int64]:
    """Beats of the load stream: every memory, then the word that lets images in.

    Args:
        stored: with streamed weights, for the memory behind their stream.
    """
    images: dict[str, Fields] = {
        "layers": columns(program.layers, config),
        "heads": columns([program.heads], config),
        "weights": program.weights,
        "biases": program.biases,
        "maps": {"address": program.maps[:, 0], "there": program.maps[:, 1]},
    }
    packed = [
        pack(describe(shape), images[name], name) for name, (shape, _) in payloads.memories(config).items()
    ]
    # a network without a stem has no rows by index, though its core may have room for some
    blocks = [Block(number, 0, pieces, len(pieces)) for number, pieces in enumerate(packed) if len(pieces)]
    # only after the first block, with which a core stops to run, its memory takes words
    if stored:
        words = weight_words(program, config)
        blocks.append(store_block(words, config.weight_stream, payloads.store(config)))
    blocks.append(Block(payloads.run(config), 0, np.zeros((1, 1), np.uint32), 1))
    return block_pieces(blocks, payloads.load_header(config))


def words_of(trains: NDArray[np.bool_], lanes: int) -> NDArray[np.int64]:
    """Trains [..., neurons] as words [..., words, lanes], nothing behind the last neuron."""
    more = -trains.shape[-1] % lanes
    padded = np.pad(trains, [(0, 0)] * (trains.ndim - 1) + [(0, more)])
    return padded.reshape(*trains.shape[:-1], -1, lanes).astype(np.int64)


def image_beats(network: SpikingNetwork, images: NDArray[np.uint8], lanes: int) -> Fields:
    """Beats of i_image."""
    words = words_of(bit_planes(network, images), lanes).reshape(len(images), -1, lanes)
    last = np.zeros(words.shape[:2], np.int64)
    last[:, -1] = 1
    return {"spikes": words.reshape(-1, lanes), "last": last.reshape(-1)}


def written_words(program: Program, trains: Mapping[str, Trains], lanes: int) -> NDArray[np.bool_]:
    """Spikes [images, words, lanes] in the order in which the core writes them.

    Args:
        trains: by name, [steps, images, tokens, features], as `golden.stochastic.network` observes them.
    """
    words = []
    for op, names, following in zip(program.layers, program.writes, [*program.reads[1:], ""], strict=True):
        if op.kind is Kind.scores:
            continue
        layer = np.concatenate([trains[name] for name in names], axis=-1)
        # pass by pass, in each row by row
        by_pass = words_of(layer, lanes).transpose(1, 3, 2, 0, 4)
        words.append(by_pass.reshape(len(by_pass), -1, lanes))
        if op.attend:
            mixed = trains[following]
            by_head = mixed.reshape(*mixed.shape[:3], program.heads.heads, -1).transpose(1, 3, 0, 2, 4)
            words.append(words_of(by_head, lanes).reshape(len(by_head), -1, lanes))
    return np.concatenate(words, axis=1).astype(np.bool_)


def read_counts(
    program: Program, planes: NDArray[np.bool_], trains: Mapping[str, Trains]
) -> list[list[NDArray[np.int64]]]:
    """By image and layer, the spikes of the words that the layer reads, [rows, steps or planes, words].

    Args:
        planes: of the pixels (`golden.stochastic.program.bit_planes`); trains: as of `written_words`.
    """
    read = {name: train.transpose(1, 2, 0, 3) for name, train in trains.items()} | {"image": planes}
    counts = []
    for op, name, gather in zip(program.layers, program.reads, program.gathers, strict=True):
        spikes = words_of(read[name], op.per_word).sum(axis=-1)
        if gather is not None:
            # [images, rows, steps, taps * words]
            taken = np.where(gather[:, :, None, None] >= 0, spikes[:, gather], 0)
            spikes = taken.swapaxes(2, 3).reshape(*spikes.shape[:1], len(gather), op.steps, -1)
        counts.append(spikes)
    return [list(image) for image in zip(*counts, strict=True)]
