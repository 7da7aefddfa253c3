"""A cut of all-MiniLM-L6-v2 on a simulated board: pins, SDRAM, link and the driver of real boards.

python -m tests.sim.board.minilm [FOLDER]

The first block and the pooling at the end, with the trained integers of the first channels, heads and hidden
neurons: all of the block's would take most of an hour to load over the simulated line. The folder is what
`make sim NETWORK=minilm` converts. See `make soak-minilm`.
"""

import warnings
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from amaranth.hdl import UnusedElaboratable
from numpy.typing import NDArray

from golden.network.attention import Attention
from golden.network.layers import Linear, Norm, SpikingLinear, StreamLinear
from golden.network.network import Network, run_network
from golden.network.program import joint_config
from golden.network.rearrange import in_pieces, side_by_side
from golden.network.tensors import Layer
from golden.network.weights import weight_words
from models.conversion.network import shortened
from models.conversion.store import load
from sim.board.board import connect
from sim.board.simulate import compile_board, running
from sim.cores.network.core import NetworkJob, WholeNetworkCore, program_of
from studies.infer.hardware import NetworkBoard
from synth.boards import find_board

# Of 12 heads of 32 channels and 1,536 hidden neurons; rows of the core, sentences side by side in them
HEADS, HEAD_DIM, HIDDEN, ROWS, BESIDE = 2, 32, 48, 8, 2
LANES, PIECES = 16, 32
CHANNELS = HEADS * HEAD_DIM
# Five cycles per bit, so that the simulated line is not what takes the time
CLOCK = 10e6
# Seconds; a simulated board on a busy machine is slow
PATIENCE = 300


def cut(network: Network) -> Network:
    """The first block of a network and its end, of the first `HEADS`, their channels and `HIDDEN` neurons."""
    kinds = [type(layer) for layer in network.layers]
    # the second attention is that of the next block, behind its q, k and v and their norms
    second = [n for n, kind in enumerate(kinds) if kind is Attention][1]
    sums = [
        n for n, layer in enumerate(network.layers) if isinstance(layer, StreamLinear) and not layer.fresh
    ]
    block = max(n for n in sums if n < second) + 1
    end = max(n for n, kind in enumerate(kinds) if kind is Norm)
    layers: list[Layer] = []
    kept: dict[str, NDArray[np.intp]] = {}
    first = np.arange(CHANNELS)
    for number in [*range(block), *range(end, len(kinds))]:
        layer = network.layers[number]
        if isinstance(layer, Norm):
            codes = len(layer.offset) // network.width
            made = np.concatenate([n * network.width + first for n in range(codes)])
            layer = replace(layer, offset=layer.offset[made])
        elif isinstance(layer, Attention):
            made = first
            layer = replace(layer, heads=HEADS, ramp_step=layer.ramp_step[:HEADS], ratio=layer.ratio[:HEADS])
        else:
            made = first
            if isinstance(network.layers[number + 1] if number + 1 < len(kinds) else None, Attention):
                made = np.concatenate([part * network.width + first for part in range(3)])
            elif isinstance(layer, SpikingLinear):
                made = np.arange(HIDDEN)
            layer = of_neurons(layer, made, kept[layer.source])
        kept[layer.target] = made
        layers.append(layer)
    return replace(network, width=CHANNELS, layers=tuple(layers))


def of_neurons(layer: Linear, made: NDArray[np.intp], read: NDArray[np.intp]) -> Linear:
    """A layer of some of its neurons and some of its inputs."""
    parts: dict[str, Any] = {"weight": layer.weight[np.ix_(made, read)], "bias": layer.bias[..., made]}
    for name in ("offset", "shift"):
        if hasattr(layer, name):
            parts[name] = getattr(layer, name)[made]
    return replace(layer, **parts)


def reversed_neurons(network: Network) -> Network:
    """The network with the weights of each layer's neurons in the opposite order."""
    layers: list[Layer] = [
        replace(layer, weight=np.ascontiguousarray(layer.weight[::-1]))
        if isinstance(layer, Linear)
        else layer
        for layer in network.layers
    ]
    return replace(network, layers=tuple(layers))


def check(board: NetworkBoard, network: Network, seed: int, tokens: NDArray[np.int64] | None = None) -> int:
    """Scores that the board gives for random embedded tokens, each equal to golden."""
    count = 2 if tokens is None else len(tokens)
    rng = np.random.default_rng(seed)
    limit = network.limit // 2
    image = rng.integers(-limit, limit + 1, (count, network.tokens, network.width))
    job = NetworkJob(network=network, image=image, tokens=tokens)
    found, wanted = board.run(job).scores, run_network(network, image, tokens=tokens).scores
    assert (found == wanted).all(), f"{int((found != wanted).sum())} of {wanted.size} scores differ"
    return int(wanted.size)


def main(folder: Annotated[Path, typer.Argument(metavar="FOLDER")] = Path("build/minilm")) -> None:
    """A cut of all-MiniLM-L6-v2 on a simulated board."""
    warnings.simplefilter("ignore", UnusedElaboratable)  # components that a board is only asked about
    made = load(folder).conversion.network
    assert made is not None
    network = in_pieces(shortened(cut(made.network), ROWS), PIECES)
    both = side_by_side(shortened(network, ROWS // BESIDE), BESIDE)
    other = reversed_neurons(network)
    config = replace(joint_config([network, both, other], LANES, weight_stream=16), token_counts=True)
    core, compared = WholeNetworkCore(config), 0
    words = len(weight_words(program_of(network, config), config))
    typer.echo(f"{words:,} words of weights, {config.lanes} lanes, shared memories: {config.shared}")
    program = compile_board(find_board("ulx3s-85f"), core.design("minilm-cut"), CLOCK)
    lengths = np.array([ROWS, 5])
    with running(program) as port:
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            board.run(NetworkJob(network=network, load=True))
            compared += check(board, network, 1, lengths)
        # kept in another session, also for sentences side by side; then other weights in the same places
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            held = board.core.held
            assert held[0] == words
            compared += loaded(board, network, 2, lengths)
            compared += loaded(board, both, 3)
            assert board.core.held == held
            compared += loaded(board, other, 4, lengths)
            assert board.core.held != held
        # given up in the middle of loading
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            records = b"".join(board._records(NetworkJob(network=network, load=True)))
            board._streams.exchange(records[: len(records) - words], {"o_score": 0, "o_status": 0})
        with connect(WholeNetworkCore, port, patience=PATIENCE) as board:
            assert 0 < board.core.held[0] < words
            compared += loaded(board, network, 5, lengths)
    with running(program) as port, connect(WholeNetworkCore, port, patience=PATIENCE) as board:
        assert board.core.held == (0, 0)  # power was off
        compared += loaded(board, network, 6, lengths)
    typer.echo(f"{compared:,} scores compared, none different")


def loaded(board: NetworkBoard, network: Network, seed: int, tokens: NDArray[np.int64] | None = None) -> int:
    """The same after the network is loaded."""
    board.run(NetworkJob(network=network, load=True))
    return check(board, network, seed, tokens)


if __name__ == "__main__":
    typer.run(main)
