"""What a network core is given: descriptors and memory images of a network, and the sizes they need."""

from dataclasses import fields, replace
from itertools import zip_longest
from operator import attrgetter
from typing import Any

import numpy as np

from golden.attention.config import CoreConfig
from golden.attention.woss import MAX_RAMP_STEP
from golden.code import check_range
from golden.errors import InputError
from golden.network.blocks import largest_block
from golden.network.checks import SizeError
from golden.network.compiler import Compiler, Program
from golden.network.config import NetworkConfig, most_drains
from golden.network.descriptors import LinearOp, NormOp, Source, Target
from golden.network.limits import MAX_LANES, MAX_WORDS
from golden.network.network import Network
from golden.network.order import check_order, reads_in_turn
from golden.network.tensors import IMAGE, STREAM
from golden.widths import index_width

# Fields of `NetworkConfig` that are depths of memories
MEMORIES = (
    *("weights", "table", "offsets", "lists", "linear_ops", "norm_ops", "heads"),
    *("biases", "masks", "maps"),
)
# Bits of addresses in lists of spikes
ROOMS = ("image_room", "hidden_room")
# Largest head of an attention core, and terms of scores in a word where nothing else is said
MAX_HEAD_DIM = 256
TERMS_PER_BEAT = CoreConfig.terms_per_beat
# From so many lanes on a row of few spikes would wait for the sums of the one before, and scores for norms
MANY_LANES = 64


def compile_network(
    network: Network,
    lanes: int = 32,
    step_limit: int = MAX_RAMP_STEP,
    terms_per_beat: int = TERMS_PER_BEAT,
    *,
    streamed: bool = False,
    block: int = 0,
    shared: bool = False,
) -> Program:
    """Descriptors and memory images of a network, for a core that holds its weights or for a stream of them.

    Args:
        block, shared: as in `NetworkConfig`.

    Raises:
        InputError: the layers are not in the order that the hardware's memories allow.
    """
    compiler = Compiler(network, lanes, step_limit, terms_per_beat, streamed, block, shared)
    check_order(network, shared)
    for layer, following in zip_longest(network.layers, network.layers[1:]):
        compiler.add_layer(layer, following)
    if not (compiler.linear and compiler.norm and compiler.attention):
        raise InputError("the hardware needs at least one linear, one norm and one attention layer")
    # the last descriptor that reads the image has no successor that reads it again
    for last in [n for n, op in enumerate(compiler.linear) if op.source is Source.image][-1:]:
        compiler.linear[last] = replace(compiler.linear[last], release=True)
    maps = np.concatenate([np.zeros((0, 2), np.int64), *(words for _, words in compiler.maps.values())])
    return Program(
        linear=[*compiler.linear[:-1], replace(compiler.linear[-1], final=True)],
        norm=[*compiler.norm[:-1], replace(compiler.norm[-1], final=True)],
        attention=[*compiler.attention[:-1], replace(compiler.attention[-1], final=True)],
        weights=np.concatenate(compiler.weights),
        table=np.concatenate(compiler.table),
        offsets=np.concatenate(compiler.offsets),
        levels=np.stack(compiler.levels),
        biases=compiler.biases.words(),
        masks=compiler.masks.words(),
        maps=maps[:, 0],
        blocks=maps[:, 1],
        tokens=network.tokens,
        streamed=streamed,
        shared=shared,
    )


def config_for(
    network: Network, lanes: int = 32, cluster: int | None = None, weight_stream: int = 0
) -> NetworkConfig:
    """The smallest core that runs a network, memories rounded up (`round_up`).

    Args:
        lanes: neurons at work at once.
        cluster: of them share a memory; the largest divisor of `lanes` up to 8 when absent.
        weight_stream: as in `NetworkConfig`.

    Raises:
        InputError: a number is out of range, or the hardware cannot run the network.
    """
    check_range("NetworkConfig.lanes", lanes, 1, MAX_LANES)
    if cluster is None:
        cluster = next(size for size in range(8, 0, -1) if lanes % size == 0)
    streamed, block = weight_stream > 0, 0
    shared = streamed and reads_in_turn(network)
    program = compile_network(network, lanes, streamed=streamed, shared=shared)
    if streamed:
        sparse = compile_network(network, lanes, streamed=True, block=largest_block(lanes), shared=shared)
        if any(op.blocks for op in sparse.linear):
            program, block = sparse, largest_block(lanes)
    needed = needs(network, program)
    if (weights := needed["weights"]) > MAX_WORDS and not program.streamed:
        raise SizeError(
            f"the network needs weights = {weights}, a core has at most {MAX_WORDS}{streamed_need(program)}"
        )
    size = needed["attention.tokens"]
    core = CoreConfig(
        code=network.code, lanes=attention_lanes_for(size), tokens=size,
        head_dim=needed["attention.head_dim"], bias=needed["biases"] > 0, mask=needed["masks"] > 0,
        output="codes", trace_store="logic" if streamed else CoreConfig.trace_store,
    )  # fmt: skip
    core = with_bias_limit(core, needed["attention.bias_limit"]) if core.bias else core
    sizes: dict[str, Any] = {
        name: round_up(count, streamed) if name in MEMORIES and count else count
        for name, count in needed.items()
        if not name.startswith("attention.")
    }
    return NetworkConfig(
        code=network.code, weight_bits=network.weight_bits, lanes=lanes, cluster=cluster,
        attention=core, entry=network.entry, weight_stream=weight_stream, block=block, shared=shared,
        drains=most_drains(lanes, cluster) if lanes >= MANY_LANES else 1,
        norm_rows=2 if lanes >= MANY_LANES else 1, **worthwhile(sizes),
    )  # fmt: skip


def worthwhile(sizes: dict[str, Any]) -> dict[str, Any]:
    """Sizes of which those that save no memory are 0: they are as the others say."""
    tokens, features, channels = (index_width(sizes[name]) for name in ("tokens", "features", "channels"))
    found = dict(sizes, channels=sizes["channels"] if channels < features else 0)
    if index_width(sizes["stream_rows"]) == tokens:
        found["stream_rows"] = 0
    # where rows are of any number of features, lists have no gaps
    spikes = found["channels"] << tokens or 1 << (tokens + features)
    return found | {name: 0 for name in ROOMS if 1 << sizes[name] >= spikes}


def needs(network: Network, program: Program) -> dict[str, int]:
    """Least sizes of a core that runs a network, by field of `NetworkConfig`, and of the attention core."""
    shapes = network.shapes()
    # q, k and v do not leave through a spike list; their memories hold the features of one of them
    written = [
        (op.target, op.rows, int(program.table[op.table : op.table + op.outputs, 2].max()) + 1)
        for op in program.linear
        if op.target in (Target.hidden, Target.stream)
    ]
    channels = [count for _, _, count in written]
    read = {True: [0], False: channels}  # from norms, and from everything else
    for op in program.linear:
        read[op.source is Source.norm].append(op.width if op.taps else op.inputs)
    channels += [op.channels for op in program.norm]
    channels += [op.base + op.features for op in program.attention]
    norms = read[True] + [op.width for op in program.norm]
    scores = [op for op in program.linear if op.target is Target.scores]
    mixed = [(op.row + op.tokens, op.base + op.features) for op in program.attention]
    hidden = [(rows, count) for target, rows, count in written if target is Target.hidden]
    hidden += mixed if program.shared else []
    image = [(network.tokens, network.width)] if network.entry == IMAGE else []
    stream = [op.rows for op in program.linear if op.target in (Target.qkv, Target.stream)]
    stream += [op.rows for op in program.norm] + [rows for rows, _ in mixed]
    stream += [network.tokens] if network.entry == STREAM else []
    by_index: list[LinearOp | NormOp] = [*program.linear, *program.norm]
    return {
        "tokens": max(network.tokens, *(op.rows for op in by_index)),
        "features": max(channels + norms + [op.outputs for op in scores]),
        "channels": max(channels),
        "stream_rows": max(stream),
        "image_room": room_for(image),
        "hidden_room": room_for(hidden),
        "weights": max(op.inputs for op in program.linear) if program.streamed else len(program.weights),
        "table": max(op.neurons for op in program.linear) if program.streamed else len(program.table),
        "offsets": len(program.offsets),
        "lists": len(program.levels),
        "linear_ops": len(program.linear),
        "norm_ops": len(program.norm),
        "heads": len(program.attention),
        # a network may hold nothing but zeros
        "accumulator_bits": max(2, shapes.accumulator.bit_length() + 1),
        "potential_bits": max(2, shapes.potential.bit_length() + 1),
        "stream_bits": shapes.residual.bit_length() + 1,
        "windows": any(op.row for op in program.attention),
        "biases": len(program.biases),
        "masks": len(program.masks),
        "maps": len(program.maps),
        "taps": max(op.taps for op in by_index),
        "hidden_lists": 1 + max(op.write_list for op in program.linear),
        "score_parts": int(sum(op.passes * (1 if op.pooled else op.rows) for op in scores) > 1),
        "attention.head_dim": max(op.features for op in program.attention),
        # every row of a window has a lane
        "attention.tokens": max(op.tokens for op in program.attention),
        "attention.lanes": max(op.tokens for op in program.attention),
        "attention.bias_limit": int(np.abs(program.biases).max(initial=0)),
    }


def room_for(layers: list[tuple[int, int]]) -> int:
    """Bits of an address in a list of spikes that holds layers of (rows, features), one after the other."""
    return max([1, *(index_width(rows) + index_width(features) for rows, features in layers)])


def with_bias_limit(core: CoreConfig, bias: int) -> CoreConfig:
    """The core, of more features if a bias of that magnitude needs them.

    Raises:
        InputError: no core takes such a bias.
    """
    larger = (replace(core, head_dim=head_dim) for head_dim in range(core.head_dim, MAX_HEAD_DIM + 1))
    found = next((core for core in larger if core.bias_limit >= bias), None)
    if found is None:
        most = max(replace(core, head_dim=head_dim).bias_limit for head_dim in range(1, MAX_HEAD_DIM + 1))
        raise InputError(f"a bias of attention must be at most {most} score units, not {bias}")
    return found


def attention_lanes_for(tokens: int) -> int:
    """Lanes of an attention core that holds every token in one group: at least 16, a multiple of 8."""
    return max(16, -(-tokens // 8) * 8)


def joint_config(
    networks: list[Network], lanes: int = 32, cluster: int | None = None, weight_stream: int = 0
) -> NetworkConfig:
    """The smallest core that runs each of several networks of one code and width of weights."""
    configs = [config_for(network, lanes, cluster, weight_stream) for network in networks]
    sizes = [f.name for f in fields(NetworkConfig) if f.name not in ("code", "attention")]
    largest = {name: max(has(config, name) for config in configs) for name in sizes}
    largest["shared"] = all(config.shared for config in configs)
    cores = [config.attention for config in configs]
    attention = replace(
        cores[0],
        lanes=max(core.lanes for core in cores),
        tokens=max(core.tokens for core in cores),
        head_dim=max(core.head_dim for core in cores),
        bias=any(core.bias for core in cores),
        mask=any(core.mask for core in cores),
    )
    joint = NetworkConfig(code=configs[0].code, attention=attention, **worthwhile(largest))
    for network in networks:
        check_fit(network, joint)
    return joint


def round_up(count: int, closer: bool = False) -> int:
    """The next power of two, at least 2; or `closer`, a multiple of a quarter of it."""
    power = max(2, 1 << (count - 1).bit_length())
    step = max(1, power // 4) if closer else power
    return max(2, -(-count // step) * step)


def streamed_need(program: Program) -> str:
    """What is said of the weights of a core that does not hold them all."""
    return f"; with weight_stream it would need {max(op.inputs for op in program.linear)}"


def has(config: NetworkConfig, name: str) -> Any:
    """A size of a core by its field, of the attention core too; where it is 0, what the others say."""
    implied = {"channels": config.features, "stream_rows": config.tokens}
    implied |= dict.fromkeys(ROOMS, config.full_room)
    value = attrgetter(name)(config)
    return value or implied.get(name, value)


def check_fit(network: Network, config: NetworkConfig) -> Program:
    """The program of a network for a core, or SizeError with what it needs and what there is.

    Raises:
        InputError: their codes, weight widths or entries differ.
    """
    if network.code != config.code or network.weight_bits != config.weight_bits:
        raise InputError("the network's code and weight_bits must be the core's")
    if network.entry != config.entry:
        raise InputError(f"the network is given the {network.entry}, this core the {config.entry}")
    core = config.attention
    program = compile_network(
        network,
        config.lanes,
        core.step_limit,
        core.terms_per_beat,
        streamed=config.weight_stream > 0,
        block=config.block,
        shared=config.shared,
    )
    for name, need in needs(network, program).items():
        have = has(config, name)
        if need > have:
            more = "" if config.weight_stream or name != "weights" else streamed_need(program)
            raise SizeError(f"the network needs {name} = {need}, this core has {have}{more}")
    return program
