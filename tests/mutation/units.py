"""Designs that are no cores: units that a core hides too well, loaders, the memory, and the link."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from amaranth.hdl import Module, Mux
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In

from golden.code import Spikes
from golden.network.config import NetworkConfig
from golden.network.limits import MAX_FALL, MAX_OFFSET
from golden.network.octave import NOWHERE, fire, octave_code, resolution
from hw.network.falling_threshold import FallingThreshold
from hw.network.octave_encoder import PLACE_BITS, OctaveEncoder
from sim.verilator.simulator import Simulator
from tests.hw.attention.wrappers import Vectors
from tests.hw.link import line, test_link_line
from tests.hw.memory import chip, sessions, test_sessions
from tests.hw.network import fed, listed, loaded, test_components
from tests.hw.parts import test_load_reader
from tests.mutation.subject import Subject


def alone(unit: Callable[[], Any]) -> Callable[[], Vectors]:
    """A unit without streams, one beat per cycle."""

    def made() -> Vectors:
        one = unit()
        return Vectors(one, one.latency)

    return made


def octave_encoder() -> Subject:
    """The encoder alone, of every value of 12 bits."""
    code, bits = test_components.CODES[0], 12
    unit = partial(OctaveEncoder, test_components.config(code), bits)
    values = np.arange(-(1 << bits - 1), 1 << bits - 1)
    places = octave_code(values, resolution(code.log2_base))

    def trial(simulator: Simulator) -> None:
        found = simulator.run({"i": {"value": values}}, {"o": len(values)})["o"]
        np.testing.assert_array_equal(found["place"], places)
        np.testing.assert_array_equal(found["negative"], values < 0)
        octave, residue = np.divmod(places[values != 0], resolution(code.log2_base))
        np.testing.assert_array_equal(found["some"], values != 0)
        np.testing.assert_array_equal(found["octave"][values != 0], octave)
        np.testing.assert_array_equal(found["residue"][values != 0], residue)

    return Subject(
        "network/octave_encoder", f"{code} {bits}", alone(unit), "octave_encoder", {"every value": trial}
    )


class Asked(wiring.Component):
    """The threshold as networks ask it: the place of a value or `NOWHERE`, and in a row of zeros the shift is
    half of that; the first level is 0, and none is above.

    Members:
        place: of a value.
        zero, zeros: the value is zero; so is its whole row.
        falls: how far the levels behind the first are below it.
        negative, offset, shift, both, spike: as of the threshold.
    """

    def __init__(self, config: NetworkConfig) -> None:
        self._unit = FallingThreshold(config)
        self.latency = self._unit.latency
        members = self._unit.signature.members
        super().__init__(
            {name: members[name] for name in ("negative", "offset", "both", "spike")}
            | {"place": In(PLACE_BITS - 2), "shift": In(PLACE_BITS - 3), "zero": In(1), "zeros": In(1)}
            | {"falls": In(data.ArrayLayout(MAX_FALL.bit_length(), config.code.steps - 1))}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.unit = unit = self._unit
        m.d.comb += [
            unit.place.eq(Mux(self.zero | self.zeros, NOWHERE, self.place)),
            unit.shift.eq(Mux(self.zeros, NOWHERE // 2, self.shift)),
            *(level.eq(-fall) for level, fall in zip(list(unit.levels)[1:], self.falls, strict=True)),
            *(getattr(unit, name).eq(getattr(self, name)) for name in ("negative", "offset", "both")),
            self.spike.eq(unit.spike),
        ]
        return m


def falling_threshold() -> Subject:
    """The threshold alone: lists of any steepness, values that lie close to a level, and far from all."""
    code, count, lists = test_components.CODES[1], 200, 40
    unit = partial(Asked, test_components.config(code))

    def beats(rng: np.random.Generator, spread: int) -> tuple[dict[str, Any], Spikes]:
        """Beats of one list, and what comes of them."""
        falls = np.append(0, np.sort(rng.choice(np.arange(1, spread), code.steps - 1, replace=False)))
        values = rng.integers(-(1 << 16), 1 << 16, count) >> rng.integers(0, 17, count)
        zeros = rng.random(count) < 0.1
        values *= ~zeros
        place = octave_code(values, resolution(code.log2_base))
        shift = rng.integers(0, 1 << PLACE_BITS - 3, count) >> rng.integers(0, PLACE_BITS - 2, count)
        shift[zeros] = NOWHERE // 2
        close = place - rng.choice(-falls, count) + rng.integers(-2, 3, count)
        far = shift + rng.integers(-MAX_OFFSET, MAX_OFFSET + 1, count)
        total = np.where((values != 0) & (rng.random(count) < 0.5), close, far)
        offset = np.clip(total - shift, -MAX_OFFSET, MAX_OFFSET)
        both = rng.integers(0, 2, count)
        one, two = (fire(values, -falls, offset + shift, code, signed=kind) for kind in (False, True))
        spikes = Spikes(np.where(both, two.sign, one.sign), np.where(both, two.phase, one.phase))
        inputs = {"place": np.maximum(place, 0), "zero": values == 0, "zeros": zeros, "negative": values < 0}
        inputs |= {"offset": offset, "shift": np.maximum(shift, 0), "both": both}
        return inputs | {"falls": np.tile(falls[1:], (count, 1))}, spikes

    def trial(spread: int, simulator: Simulator) -> None:
        rng = np.random.default_rng(spread)
        made = [beats(rng, spread) for _ in range(lists)]
        inputs = {name: np.concatenate([one[name] for one, _ in made]) for name in made[0][0]}
        # levels are looked at a cycle after the rest
        falls = inputs.pop("falls")
        held = {name: np.append(part, 0) for name, part in inputs.items()}
        held["falls"] = np.concatenate([falls[:1], falls])
        found = simulator.run({"i": held}, {"o": len(held["falls"])})["o"]["spike"]
        found = {name: part[:-1] for name, part in found.items()}
        sign, phase = (np.concatenate([getattr(one, name) for _, one in made]) for name in ("sign", "phase"))
        np.testing.assert_array_equal(found["active"], sign != 0)
        np.testing.assert_array_equal(found["negative"][sign != 0], sign[sign != 0] < 0)
        np.testing.assert_array_equal(found["phase"][sign != 0], phase[sign != 0])

    trials = {f"levels over {spread} places": partial(trial, spread) for spread in (20, 200, MAX_FALL)}
    design = f"{code}{inspect.getsource(Asked)}"
    return Subject("network/falling_threshold", design, alone(unit), "falling_threshold", trials)


def feeder(name: str) -> Subject:
    """A feeder of the attention core alone, of everything that its widths can say."""
    trials = {
        f"runs of seed {seed}, {how}": partial(fed.check_feeder, name=name, seed=seed, **how)
        for seed, how in enumerate(fed.WAYS)
    }
    file = "terms_feeder" if name == "terms" else "feeders"
    design = f"{name} {inspect.getsource(fed)}"
    return Subject(f"network/{file}", design, partial(fed.made, name), f"{name}_feeder", trials)


def weight_loader() -> Subject:
    """The loader of streamed weights alone."""
    trials = {
        f"passes of seed {seed}, {how}": partial(loaded.check, seed=seed, **how)
        for seed, how in enumerate(loaded.WAYS)
    }
    design = inspect.getsource(loaded) + inspect.getsource(fed)
    return Subject("network/weight_loader", design, loaded.Loaded, "weight_loader", trials)


def spike_list(kind: str) -> Subject:
    """A spike memory alone, looked at in every cycle."""
    trials = {
        f"rows of seed {seed}, {how}": partial(listed.check, kind=kind, seed=seed, **how)
        for seed, how in enumerate(listed.WAYS)
    }
    design = f"{kind} {inspect.getsource(listed)} {inspect.getsource(fed)}"
    return Subject("network/spike_list", design, partial(listed.Listed, kind), "spike_list", trials)


def load_reader() -> Subject:
    """What loads a core behind the link, alone."""
    trials = {
        f"blocks of seed {seed}, pauses {pauses}": partial(test_load_reader.check, seed=seed, pauses=pauses)
        for seed, pauses in enumerate(test_load_reader.PAUSES)
    }
    design = inspect.getsource(test_load_reader)
    return Subject("parts/load_reader", design, test_load_reader.load_reader, "load_reader", trials)


def memory() -> Subject:
    """A memory of weights at the model of its chip."""
    trials = {
        f"sessions of {count} words, pauses {pauses}": partial(
            sessions.check, seed=count, count=count, pauses=pauses
        )
        for count in (45, 8, 1, sessions.SMALL.words)
        for pauses in (0.0, 0.5)
    }
    trials |= {
        f"power is lost in cycle {cycle}": partial(
            sessions.check, seed=8, count=8, pauses=0.0, reset_at=cycle
        )
        for cycle in test_sessions.RESETS
    }
    made = sessions.SteppedWeights
    design = inspect.getsource(sessions) + inspect.getsource(chip)
    return Subject("memory", design, made, "stepped_weights", trials, finish=chip.with_model)


def link() -> Subject:
    """A component behind the link, from line to line."""

    def trial(session: Callable[[], line.Host], simulator: Simulator) -> None:
        line.run(session(), simulator)

    # Short ones first; the sessions of seeds 0, 4, ... begin with the board as reset left it
    sessions = [(1, 2), (0, 2), *((seed, test_link_line.STEPS) for seed in range(2, 16))]
    trials = {
        f"random session {seed}, {steps} bodies": partial(
            trial, partial(test_link_line.random_session, seed, steps)
        )
        for seed, steps in sessions
    }
    trials |= {one.__name__: partial(trial, one) for one in test_link_line.SESSIONS}
    trials["long session"] = partial(trial, test_link_line.long_session)
    return Subject("link", inspect.getsource(line), line.Line, "line", trials)
