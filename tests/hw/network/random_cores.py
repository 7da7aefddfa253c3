"""Random cores over everything that `NetworkConfig` accepts, each with random networks that fit it."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

import numpy as np

from golden.attention.config import SCORE_STORES, TRACE_STORES, CoreConfig
from golden.errors import InputError
from golden.network.compiler import Program
from golden.network.config import NetworkConfig
from golden.network.counts import counted_layers
from golden.network.limits import MAX_FEATURES, MAX_TOKENS, POTENTIAL_BITS, STREAM_BITS
from golden.network.network import Network
from golden.network.order import reads_in_turn
from golden.network.program import MAX_HEAD_DIM, ROOMS, check_fit, compile_network, needs, with_bias_limit
from golden.network.reader import ReaderTiming
from golden.widths import bits_for
from hw.network.payloads import TABLES
from sim.cores.network import core as network_core
from sim.cores.network.beats import load_beats
from sim.verilator.payload import Fields
from tests.golden.network.close_calls import close
from tests.golden.network.random_networks import Drawer
from tests.golden.network.rooms import Room, random_code, some
from tests.hw.network.compare import Entry, Tokens, assert_cycles, assert_integers
from tests.hw.network.leaning import leaning
from tests.hw.network.varied import doubled, in_turn, sparse

# Groups of tokens that an attention core may be made for; a network's core uses one of them
MOST_GROUPS = 16


@dataclass(frozen=True)
class Scale:
    """How large cores and networks may be: the accepted space is the same, but for what takes long.

    `held`, `windows`, `counts`: as in `Room`; `general`: so are its other kinds of networks, each on some of
    the cores; `beside`: two drains, or two rows in the norm unit, or both; `streamed`: the weights are, from
    a reader of any timing. `spare`: some cores are larger than their networks need; `further`: so many more
    networks are drawn, of which those stay that fit a core made for the others, as many whose heads run
    back to back, and as many whose channels lie close to each other (`leaning`).
    """

    lanes: int
    tokens: int
    features: int
    heads: int
    networks: int
    held: bool = False
    windows: bool = False
    general: bool = False
    counts: bool = False
    beside: bool = False
    streamed: bool = False
    spare: bool = True
    further: int = 0


# Sizes that are as the networks need them
FIXED = (
    "channels",
    "tokens",
    "stream_rows",
    "windows",
    "attention.tokens",
    "attention.lanes",
    "attention.bias_limit",
)
# Sizes of networks that are `general`
GENERAL = ("maps", "taps", "hidden_lists", "score_parts")
# Most of a soak, a few of it (of many lanes, or of many rows and features), and what `make test` has time for
USUAL = Scale(lanes=20, tokens=20, features=48, heads=6, networks=20)
LARGE = Scale(lanes=64, tokens=64, features=256, heads=85, networks=3)
LONG = Scale(lanes=8, tokens=120, features=400, heads=4, networks=2)
SMALL = Scale(lanes=6, tokens=6, features=12, heads=3, networks=6)
# Cores that have no more room than some of so many networks need, of codes whose phases these reach: what is
# never used no test can see
FILLED = replace(SMALL, lanes=4, features=10, networks=60, spare=False)
# Which kinds the core of a seed has: parities of these bits of it
KINDS = {"held": 1, "windows": 2, "general": 4, "counts": 8, "beside": 7, "streamed": 11}


def kinds_of(seed: int) -> dict[str, bool]:
    """Kinds of `Scale`: any three of them meet in each of their eight ways in sixteen seeds that begin at a
    multiple of sixteen; the next sixteen have others for the same last bits."""
    mixed = seed ^ seed >> 4
    return {kind: (mixed & bits).bit_count() % 2 == 1 for kind, bits in KINDS.items()}


@dataclass(frozen=True)
class RandomCore:
    """A core, with taps or as it is exported, and networks with their images [images, tokens, pixels];
    `reader` of streamed weights, None where they come at full rate."""

    config: NetworkConfig
    taps: bool
    networks: list[tuple[Network, Entry]]
    reader: ReaderTiming | None


def random_lanes(rng: np.random.Generator, most: int, least: int = 1) -> tuple[int, int]:
    """(lanes, cluster): of any divisor."""
    lanes = int(rng.integers(least, max(least, most) + 1))
    divisors = [size for size in range(1, lanes + 1) if lanes % size == 0]
    return lanes, int(rng.choice(divisors))


def random_reader(rng: np.random.Generator) -> ReaderTiming | None:
    """At full rate, or of a memory of any latency, bandwidth and gaps."""
    if rng.random() < 0.3:
        return None
    period = some(rng, 100)
    return ReaderTiming(
        latency=some(rng, 200), interval=some(rng, 4), period=period, gap=int(rng.integers(period)),
        queue=1 + some(rng, 40),
    )  # fmt: skip


def largest(
    networks: list[tuple[Network, Entry]], lanes: int, terms_per_beat: int, **streamed: Any
) -> dict[str, int]:
    """What a core needs for each of some networks."""
    programs = [
        (network, compile_network(network, lanes, terms_per_beat=terms_per_beat, **streamed))
        for network, _ in networks
    ]
    needed = [needs(*program) for program in programs]
    return {name: max(sizes[name] for sizes in needed) for name in needed[0]}


def random_core(seed: int, scale: Scale) -> RandomCore:
    """A core that is as large as its random networks need, or somewhat larger."""
    rng = np.random.default_rng(seed)
    code, weight_bits = random_code(rng), int(rng.integers(2, 9))
    lanes, cluster = random_lanes(rng, scale.lanes)
    drains = norm_rows = 1
    if scale.beside:
        drains, norm_rows = ((2, 1), (1, 2), (2, 2), (2, 2))[rng.integers(4)]
    if drains > 1:
        lanes = int(rng.choice([1 << n for n in range(1, scale.lanes.bit_length())]))
        cluster = int(rng.choice([1 << n for n in range(lanes.bit_length() - 1)]))
    room = Room(
        code=code, weight_bits=weight_bits, lanes=lanes, tokens=some(rng, scale.tokens),
        features=some(rng, scale.features), head_dim=some(rng, min(scale.features, MAX_HEAD_DIM)),
        heads=some(rng, scale.heads), wide=bool(rng.random() < 0.3), held=scale.held,
        windows=scale.windows, counts=scale.counts,
    )  # fmt: skip
    if scale.counts:  # of one token there is nothing to choose
        room = replace(room, tokens=int(rng.integers(2, scale.tokens + 1)))
    head_dim = min(room.head_dim, room.features)
    most = CoreConfig(code=code, head_dim=head_dim).bias_limit
    room = replace(room, head_dim=head_dim, most_bias=min(most, room.most_bias))
    if scale.general:
        gathers, chains, parts, streams = (bool(yes) for yes in rng.random(4) < (0.7, 0.5, 0.5, 0.3))
        room = replace(room, gathers=gathers, chains=chains, parts=parts, streams=float(streams))
    networks = [Drawer(rng, room).draw() for _ in range(scale.networks)]
    turns = np.random.default_rng([seed, 3])
    if shared := scale.streamed and bool(turns.random() < 0.6):
        fitting = in_turn(networks, turns, replace(room, held=False, chains=False))
        networks, shared = fitting or networks, bool(fitting)
    block, zeros = 0, np.random.default_rng([seed, 2])
    if scale.streamed:
        networks = [(doubled(network, zeros), entry) for network, entry in networks]
    if scale.streamed and zeros.random() < 0.7:
        block = int(zeros.choice([1, 2, 4, 8]))
        networks = [(sparse(network, zeros, block), entry) for network, entry in networks]
    calls = np.random.default_rng([seed, 5])
    networks = [(close(network, entry, calls), entry) for network, entry in networks]
    how = {"streamed": scale.streamed, "block": block, "shared": shared}
    size = largest(networks, lanes, 1, **how)["attention.tokens"]
    attention_lanes, attention_cluster = random_lanes(rng, size + 3, size)
    terms_per_beat = 1
    if scale.windows:
        divisors = [n for n in range(1, attention_cluster + 1) if attention_cluster % n == 0]
        terms_per_beat = int(rng.choice([n for n in divisors if not scale.counts or n.bit_count() == 1]))
    sizes = largest(networks, lanes, terms_per_beat, **how)
    spare = [name for name in sizes if name not in FIXED and (scale.windows or name not in TABLES.values())]
    spare = [name for name in spare if scale.general or name not in GENERAL]
    spare = [name for name in spare if not shared or name != "hidden_lists"]
    if scale.spare and rng.random() < 0.5:  # somewhere
        for name in rng.choice(spare, 3):
            limit = {
                "features": MAX_FEATURES,
                "stream_bits": STREAM_BITS,
                "potential_bits": POTENTIAL_BITS,
                "hidden_lists": 2,
                "score_parts": 1,
                # a bit more is a memory twice as large
                **{room: sizes[room] + 2 for room in ROOMS},
            }.get(name, 64)
            sizes[name] = max(sizes[name], min(limit, sizes[name] + int(rng.integers(1, 20))))
    sizes["maps"] = max(sizes["maps"], sizes["taps"])
    sizes["taps"] = max(sizes["taps"], min(1, sizes["maps"]))
    groups = some(rng, MOST_GROUPS) if rng.random() < 0.3 else 1
    attention = CoreConfig(
        code=code, lanes=attention_lanes, cluster=attention_cluster, terms_per_beat=terms_per_beat,
        tokens=min(MAX_TOKENS, max(size, attention_lanes * groups - int(rng.integers(attention_lanes)))),
        head_dim=sizes["attention.head_dim"], bias=sizes["biases"] > 0, mask=sizes["masks"] > 0,
        output="codes", trace_store=TRACE_STORES[rng.integers(2)], score_store=SCORE_STORES[rng.integers(2)],
        queued_heads=int(rng.integers(1, 9)),
    )  # fmt: skip
    attention = with_bias_limit(attention, sizes["attention.bias_limit"]) if attention.bias else attention
    sizes = {name: count for name, count in sizes.items() if not name.startswith("attention.")}
    stream, reader = 0, None
    if not scale.streamed:
        sizes["channels"] = 0
    else:
        stream, reader = (
            int(rng.integers(bits_for(max(sizes["weights"], sizes["table"])), 33)),
            random_reader(rng),
        )
    config = NetworkConfig(
        code=code, weight_bits=weight_bits, lanes=lanes, cluster=cluster, attention=attention,
        entry=networks[0][0].entry, token_counts=scale.counts, drains=drains, norm_rows=norm_rows,
        weight_stream=stream, block=block if sizes["maps"] else 0, shared=shared, **sizes,
    )  # fmt: skip
    for network, _ in networks:
        check_fit(network, config)
    taps = bool(rng.random() < 0.9)
    if shared:
        room = replace(room, held=False, chains=False)
    networks += further(config, room, np.random.default_rng([seed, 6]), scale.further)
    # heads of few features, which run back to back
    several = replace(room, head_dim=max(1, lanes // 2), heads=config.heads)
    networks += further(config, several, np.random.default_rng([seed, 7]), scale.further)
    networks += further(config, room, np.random.default_rng([seed, 8]), scale.further, lean=True)
    return RandomCore(config, taps, networks, reader)


def further(
    config: NetworkConfig, room: Room, rng: np.random.Generator, count: int, *, lean: bool = False
) -> Iterator[tuple[Network, Entry]]:
    """Of so many networks that are drawn, those that fit a core; all leaning, or none."""
    for _ in range(count):
        network, entry = Drawer(rng, room).draw()
        if config.weight_stream:
            network = doubled(network, rng)
        if config.block:
            network = sparse(network, rng, config.block)
        network = leaning(network, config, rng) if lean else network
        network = close(network, entry, rng)
        with suppress(InputError):
            if reads_in_turn(network) or not config.shared:
                check_fit(network, config)
                yield network, entry


@dataclass
class Checked:
    """What was compared; `counted` networks got numbers of tokens; `cycles` are of rows and images."""

    cores: int = 0
    networks: int = 0
    counted: int = 0
    images: int = 0
    integers: int = 0
    cycles: int = 0
    resets: int = 0


@contextmanager
def loaded_in_any_order(rng: np.random.Generator) -> Iterator[None]:
    """While this lasts, the words of all memories come mixed; what one takes, no other does."""

    def mixed(program: Program, config: NetworkConfig) -> Fields:
        beats = load_beats(program, config)
        count = len(beats["memory"]) - 1  # the last one lets images in
        order = np.append(rng.permutation(count), count)
        return {name: values[order] for name, values in beats.items()}

    with patch.object(network_core, "load_beats", mixed):
        yield


def check_core(core: RandomCore, seed: int, checked: Checked) -> None:
    """Every network in the RTL, loaded in any order: integers always; cycles at full rate; some with pauses,
    some with a reset.

    Raises:
        AssertionError: an integer or a cycle differs.
    """
    with loaded_in_any_order(np.random.default_rng([seed, 4])):
        _check_networks(core, np.random.default_rng([seed, 1]), checked)


def _check_networks(core: RandomCore, rng: np.random.Generator, checked: Checked) -> None:
    checked.cores += 1
    for network, image in core.networks:
        work, taps = (network, core.config, image), core.taps
        tokens = random_tokens(rng, network, image.shape[0]) if core.config.token_counts else None
        more: dict[str, Any] = {"tokens": tokens, "reader": core.reader}
        if rng.random() < 0.3:
            pauses, pause_seed = float(rng.uniform(0.1, 0.6)), int(rng.integers(1 << 16))
            _, compared = assert_integers(*work, pauses=pauses, seed=pause_seed, taps=taps, **more)
        else:
            measured, compared = assert_integers(*work, taps=taps, **more)
            checked.cycles += assert_cycles(*work, measured, **more)
            if rng.random() < 0.3:
                cycle = int(rng.integers(1, measured.result.cycles - 1))
                again = assert_integers(*work, reset_at=cycle, taps=taps, **more)[0]
                assert_cycles(*work, again, **more)
                checked.resets += 1
        checked.networks += 1
        checked.counted += tokens is not None
        checked.images += image.shape[0]
        checked.integers += compared


def random_tokens(rng: np.random.Generator, network: Network, images: int) -> Tokens:
    """A number of tokens for each image, where the network takes one in hardware."""
    try:
        counted_layers(network)
    except InputError:
        return None
    return rng.integers(1, network.tokens + 1, images)
