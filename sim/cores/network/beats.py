"""What goes into a network core: memory images as beats of its load stream, wide or narrow, and images."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.program import Program
from hw.export.verilog import describe
from hw.network import payloads
from sim.cores.attention.driver import spike_beats
from sim.verilator.payload import Fields, pack

Op = dict[str, int]


@dataclass(frozen=True, eq=False)
class Block:
    """Words of one memory from address 0 on.

    Attributes:
        memory, cluster: as in `payloads.load`.
        pieces: uint32 [words, pieces per word].
    """

    memory: int
    cluster: int
    pieces: NDArray[np.uint32]


def columns(ops: list[Op], layout: Any) -> Fields:
    """Arrays of the fields of descriptors."""
    return {name: np.array([op[name] for op in ops]) for name, _ in layout}


def blocks(program: Program, config: NetworkConfig) -> list[Block]:
    """Every memory, then the word that lets images in."""
    table = program.table
    by_cluster = program.weights.astype(np.int64).reshape(-1, config.clusters, config.cluster)
    images: dict[str, list[Fields]] = {
        "linear": [columns(program.linear, payloads.linear_op(config))],
        "norm": [columns(program.norm, payloads.norm_op(config))],
        "attention": [columns(program.attention, payloads.attention_op(config))],
        "levels": [program.levels],
        "table": [{"bias": table[:, 0], "offset": table[:, 1], "slot": table[:, 2]}],
        "offsets": [program.offsets],
        "weights": [by_cluster[:, n] for n in range(config.clusters)],
    }
    made = [
        Block(number, cluster, pack(describe(shape), fields, name))
        for number, (name, (shape, _)) in enumerate(payloads.memories(config).items())
        for cluster, fields in enumerate(images[name])
    ]
    return [*made, Block(payloads.RUN, 0, np.zeros((1, 1), np.uint32))]


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


def load_pieces(program: Program, config: NetworkConfig) -> NDArray[np.int64]:
    """The same for `hw.network.linked_network`: header, number of words and pieces of every block."""
    header = describe(payloads.LOAD_HEADER)
    parts = []
    for block in blocks(program, config):
        count, pieces = block.pieces.shape
        fields = {"memory": block.memory, "last_piece": pieces - 1, "cluster": block.cluster}
        parts += [
            pack(header, {name: np.array([value]) for name, value in fields.items()}, "header").reshape(-1),
            np.array([count]),
            block.pieces.reshape(-1),
        ]
    return np.concatenate([part.astype(np.int64) for part in parts])


def image_beats(image: Spikes) -> Fields:
    """Beats of i_image of spikes [images, tokens, pixels]."""
    last, end = np.zeros(image.shape, np.int64), np.zeros(image.shape, np.int64)
    last[..., -1] = 1
    end[:, -1, -1] = 1
    flat = Spikes(image.sign.reshape(-1), image.phase.reshape(-1))
    return {"spike": spike_beats(flat), "last": last.reshape(-1), "end": end.reshape(-1)}
