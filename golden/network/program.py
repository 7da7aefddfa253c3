"""What a network core is given: descriptors and memory images of a network, and the sizes they need.

Three units run side by side, each through its own list of descriptors: linear, norm, attention. A
unit may begin row t of a descriptor when the rows that its source has completed since the
inference began exceed `wait` + t (attention: exceed `wait`, once).
"""

from dataclasses import dataclass, fields, replace
from functools import singledispatchmethod
from itertools import product, zip_longest
from operator import attrgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.attention.config import CoreConfig
from golden.attention.woss import MAX_RAMP_STEP
from golden.code import check_range
from golden.errors import InputError
from golden.network.config import NetworkConfig
from golden.network.descriptors import KINDS, AttentionOp, LinearOp, NormOp, Source, Target, slot_of
from golden.network.layers import Attention, Linear, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.limits import MAX_LANES
from golden.network.mean import reciprocal
from golden.network.network import Network
from golden.network.order import check_order
from golden.network.tensors import IMAGE, Layer
from golden.network.terms import TermTables

# Fields of `NetworkConfig` that are depths of memories
MEMORIES = ("weights", "table", "offsets", "lists", "linear_ops", "norm_ops", "heads", "biases", "masks")
# Largest head of an attention core, and terms of scores in a word where nothing else is said
MAX_HEAD_DIM = 256
TERMS_PER_BEAT = CoreConfig.terms_per_beat


@dataclass(frozen=True, kw_only=True, eq=False)
class Program:
    """Descriptors and memory images of a network.

    Attributes:
        linear, norm, attention: descriptors.
        weights: int16 [words, lanes].
        table: int64 [entries, 3]: the fields of `Neuron` in their order.
        offsets: int64 [entries].
        levels: int64 [lists, T].
        biases: int64 [words, terms per beat], in score units; masks: the same, 1 for masked keys.
    """

    linear: list[LinearOp]
    norm: list[NormOp]
    attention: list[AttentionOp]
    weights: NDArray[np.int16]
    table: NDArray[np.int64]
    offsets: NDArray[np.int64]
    levels: NDArray[np.int64]
    biases: NDArray[np.int64]
    masks: NDArray[np.int64]


class Compiler:
    """Assigns descriptors and memory to layers, in order."""

    def __init__(self, network: Network, lanes: int, step_limit: int, terms_per_beat: int) -> None:
        self.network, self.lanes, self.step_limit = network, lanes, step_limit
        self.linear: list[LinearOp] = []
        self.norm: list[NormOp] = []
        self.attention: list[AttentionOp] = []
        self.weights: list[NDArray[np.int16]] = []
        self.table: list[NDArray[np.int64]] = []
        self.offsets: list[NDArray[np.int64]] = []
        self.levels: list[NDArray[np.int64]] = []
        self.biases, self.masks = TermTables(terms_per_beat), TermTables(terms_per_beat)
        self.words = self.entries = self.norm_entries = 0
        # rows that each unit has completed; where spikes are held, and what their first row waits for
        self.linear_rows = self.norm_rows = self.attention_rows = 0
        self.held: dict[str, tuple[Source, int]] = {IMAGE: (Source.image, 0)}
        # heads whose q, k, v are computed together, and the row of the linear unit that completes them; a
        # window need not wait for the rows of those after it
        self.groups: list[tuple[range, int]] = []
        self.windows_wait = False

    def list_of(self, levels: NDArray[np.int64]) -> int:
        """Number of a threshold list, stored once."""
        for number, known in enumerate(self.levels):
            if np.array_equal(known, levels):
                return number
        self.levels.append(levels)
        return len(self.levels) - 1

    @singledispatchmethod
    def add(self, layer: Layer, following: Layer | None) -> None:
        """Descriptors of a layer; `following` is the next one."""
        raise TypeError(f"no unit of the hardware computes a {type(layer).__name__}")

    @add.register
    def _(self, layer: SpikingLinear, following: Layer | None) -> None:
        levels, everything = self.list_of(layer.levels), np.arange(layer.outputs)

        def add(target: Target, rows: NDArray[np.intp], slots: NDArray[np.int64]) -> None:
            self.add_neurons(layer, target, rows, slots, layer.offset, levels=levels, signed=layer.signed)

        if not isinstance(following, Attention):
            made = Source.hidden, self.linear_rows
            add(Target.hidden, everything, everything)
            self.held[layer.target] = made
            return
        # q, k, v of a few heads at a time, so that attention begins before all are there
        heads, head_dim = following.heads, layer.outputs // 3 // following.heads
        step = max(1, self.lanes // head_dim)
        self.groups = []
        for low in range(0, heads, step):
            group = range(low, min(low + step, heads))
            local = np.concatenate([np.arange(h * head_dim, (h + 1) * head_dim) for h in group])
            rows = np.concatenate([part * heads * head_dim + local for part in range(3)])
            slots = np.concatenate([slot_of(part, local) for part in range(3)])
            add(Target.qkv, rows, slots)
            self.groups.append((group, self.linear_rows - 1))
        self.windows_wait = self.held[layer.source][0] is Source.mixed
        if self.windows_wait:
            # attention overwrites what later groups still read: it waits for them
            self.groups = [(group, self.linear_rows - 1) for group, _ in self.groups]

    @add.register
    def _(self, layer: StreamLinear, following: Layer | None) -> None:
        everything = np.arange(layer.outputs)
        self.add_neurons(
            layer, Target.stream, everything, everything, layer.shift, levels=self.no_list, fresh=layer.fresh
        )

    @add.register
    def _(self, layer: ScoreLinear, following: Layer | None) -> None:
        everything = np.arange(layer.outputs)
        if layer.outputs > self.lanes:
            raise InputError(f"pooled classes must be at most the lanes ({self.lanes}), not {layer.outputs}")
        self.add_neurons(
            layer, Target.scores, everything, everything, 0 * everything, levels=self.no_list, pooled=True
        )

    @property
    def no_list(self) -> int:
        """Number of a list for neurons that do not fire."""
        return self.list_of(np.zeros(self.network.code.steps, np.int64))

    def add_neurons(
        self, layer: Linear, target: Target, rows: NDArray[np.intp], slots: NDArray[np.int64],
        offset: NDArray[np.int64], *, levels: int, signed: bool = True, fresh: bool = False,
        pooled: bool = False,
    ) -> None:  # fmt: skip
        """One descriptor for the outputs `rows` of a layer, with places or shifts of all its outputs."""
        count, inputs = len(rows), layer.weight.shape[1]
        passes = -(-count // self.lanes)
        padded = np.zeros((passes * self.lanes, inputs), np.int16)
        padded[:count] = layer.weight[rows]
        self.weights.append(padded.reshape(passes, self.lanes, inputs).swapaxes(1, 2).reshape(-1, self.lanes))
        bias = np.atleast_2d(layer.bias)[:, rows]
        copies = len(bias)
        entry = np.stack([bias, np.tile(offset[rows], (copies, 1)), np.tile(slots, (copies, 1))], axis=-1)
        self.table.append(entry.reshape(-1, 3))
        source, wait = self.held[layer.source]
        self.linear.append(
            LinearOp(
                source=source, target=target, rows=self.network.tokens, passes=passes, inputs=inputs,
                outputs=count, weight=self.words, table=self.entries, stride=count if copies > 1 else 0,
                levels=levels, signed=signed, fresh=fresh, pooled=pooled, wait=wait, release=False,
                final=False,
            )
        )  # fmt: skip
        self.words += passes * inputs
        self.entries += copies * count
        self.linear_rows += 1 if pooled else self.network.tokens

    @add.register
    def _(self, layer: Norm, following: Layer | None) -> None:
        width, tokens = len(layer.offset), self.network.tokens
        self.held[layer.target] = Source.norm, self.norm_rows
        mean = reciprocal(width)
        self.norm.append(
            NormOp(
                kind=KINDS[layer.kind], width=width, mean_shift=mean.shift, mean_fraction=mean.fraction,
                mean_bits=mean.bits, rows=tokens, offset=self.norm_entries,
                levels=self.list_of(layer.levels), wait=self.linear_rows - tokens, final=False,
            )
        )  # fmt: skip
        self.offsets.append(layer.offset)
        self.norm_entries += width
        self.norm_rows += tokens

    @add.register
    def _(self, layer: Attention, following: Layer | None) -> None:
        # those of q, k and v
        rows, head_dim = self.linear[-1].rows, self.linear[-1].outputs // 3 // len(self.groups[-1][0])
        size = rows // layer.groups
        stride = self.biases.stride(size)
        bias = 0 if layer.bias is None else self.biases.place(layer.bias)
        for (group, wait), window in product(self.groups, range(layer.groups)):
            later = 0 if self.windows_wait else rows - (window + 1) * size
            masked, mask = self.masks_of(layer, window)
            for head in group:
                self.attention.append(
                    AttentionOp(
                        first=head == 0, leads=head == group[0], group=len(group), span=len(group) * head_dim,
                        group_rows=len(group) * size, base=head * head_dim, features=head_dim,
                        row=window * size, tokens=size, biased=layer.bias is not None, masked=masked,
                        bias=bias + head * size * stride if layer.bias is not None else 0, mask=mask,
                        stride=stride, step=min(int(layer.ramp_step[head]), self.step_limit),
                        ratio=tuple(int(r) for r in layer.ratio[head]), wait=wait - later, final=False,
                    )
                )  # fmt: skip
        self.attention_rows += layer.heads * rows
        # row t is complete when the last head has brought it; of windows, rows before it may be so earlier
        self.held[layer.target] = Source.mixed, self.attention_rows - rows

    def masks_of(self, layer: Attention, window: int) -> tuple[bool, int]:
        """Whether a window has a mask, and where it is."""
        if layer.allowed is None:
            return False, 0
        masked = ~layer.allowed[window % len(layer.allowed)]
        return (True, self.masks.place(masked[None].astype(np.int64))) if masked.any() else (False, 0)


def compile_network(
    network: Network, lanes: int = 32, step_limit: int = MAX_RAMP_STEP, terms_per_beat: int = TERMS_PER_BEAT
) -> Program:
    """Descriptors and memory images of a network.

    Raises:
        InputError: the layers are not in the order that the hardware's memories allow.
    """
    compiler = Compiler(network, lanes, step_limit, terms_per_beat)
    check_order(network)
    for layer, following in zip_longest(network.layers, network.layers[1:]):
        compiler.add(layer, following)
    if not (compiler.linear and compiler.norm and compiler.attention):
        raise InputError("the hardware needs at least one linear, one norm and one attention layer")
    # the last descriptor that reads the image has no successor that reads it again
    last = max(n for n, op in enumerate(compiler.linear) if op.source is Source.image)
    compiler.linear[last] = replace(compiler.linear[last], release=True)
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
    )


def config_for(network: Network, lanes: int = 32, cluster: int | None = None) -> NetworkConfig:
    """The smallest core that runs a network, memories rounded up to powers of two.

    Args:
        lanes: neurons at work at once.
        cluster: of them share a memory; the largest divisor of `lanes` up to 8 when absent.

    Raises:
        InputError: a number is out of range, or the hardware cannot run the network.
    """
    check_range("NetworkConfig.lanes", lanes, 1, MAX_LANES)
    if cluster is None:
        cluster = next(size for size in range(8, 0, -1) if lanes % size == 0)
    program = compile_network(network, lanes)
    needed = needs(network, program)
    size = needed["attention.tokens"]
    core = CoreConfig(
        code=network.code, lanes=attention_lanes_for(size), tokens=size,
        head_dim=needed["attention.head_dim"], bias=needed["biases"] > 0, mask=needed["masks"] > 0,
        output="codes",
    )  # fmt: skip
    core = with_bias_limit(core, needed["attention.bias_limit"]) if core.bias else core
    sizes: dict[str, Any] = {
        name: round_up(count) if name in MEMORIES and count else count
        for name, count in needed.items()
        if not name.startswith("attention.")
    }
    return NetworkConfig(
        code=network.code, weight_bits=network.weight_bits, lanes=lanes, cluster=cluster,
        attention=core, **sizes,
    )  # fmt: skip


def needs(network: Network, program: Program) -> dict[str, int]:
    """Least sizes of a core that runs a network, by field of `NetworkConfig`, and of the attention core."""
    shapes = network.shapes()
    # q, k and v do not leave through a spike list; their memories hold the features of one of them
    features = [op.outputs for op in program.linear if op.target is not Target.qkv]
    features += [op.inputs for op in program.linear]
    features += [op.base + op.features for op in program.attention]
    return {
        "tokens": network.tokens,
        "features": max(features),
        "weights": len(program.weights),
        "table": len(program.table),
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
        "attention.head_dim": max(op.features for op in program.attention),
        # every row of a window has a lane
        "attention.tokens": max(op.tokens for op in program.attention),
        "attention.lanes": max(op.tokens for op in program.attention),
        "attention.bias_limit": int(np.abs(program.biases).max(initial=0)),
    }


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


def joint_config(networks: list[Network], lanes: int = 32, cluster: int | None = None) -> NetworkConfig:
    """The smallest core that runs each of several networks of one code and width of weights."""
    configs = [config_for(network, lanes, cluster) for network in networks]
    sizes = [f.name for f in fields(NetworkConfig) if f.name not in ("code", "attention")]
    largest = {name: max(getattr(config, name) for config in configs) for name in sizes}
    cores = [config.attention for config in configs]
    attention = replace(
        cores[0],
        lanes=max(core.lanes for core in cores),
        tokens=max(core.tokens for core in cores),
        head_dim=max(core.head_dim for core in cores),
        bias=any(core.bias for core in cores),
        mask=any(core.mask for core in cores),
    )
    joint = NetworkConfig(code=configs[0].code, attention=attention, **largest)
    for network in networks:
        check_fit(network, joint)
    return joint


def round_up(count: int) -> int:
    """The next power of two, at least 2."""
    return max(2, 1 << (count - 1).bit_length())


def check_fit(network: Network, config: NetworkConfig) -> Program:
    """The program of a network for a core, or InputError with what it needs and what there is."""
    if network.code != config.code or network.weight_bits != config.weight_bits:
        raise InputError("the network's code and weight_bits must be the core's")
    core = config.attention
    program = compile_network(network, config.lanes, core.step_limit, core.terms_per_beat)
    for name, need in needs(network, program).items():
        have = attrgetter(name)(config)
        if need > have:
            raise InputError(f"the network needs {name} = {need}, this core has {have}")
    return program
