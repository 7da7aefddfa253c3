"""What counts coverage: events inside a component, and what its heads had in them."""

from dataclasses import replace

import numpy as np
from amaranth.hdl import Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from golden.attention.job import prepare
from tests.coverage.cover import of_subject
from tests.coverage.covered import Covered
from tests.coverage.table import markdown
from tests.coverage.watched import Watched
from tests.coverage.workload import Heads
from tests.hw.attention.core_cases import T8


class Halver(wiring.Component):
    """Passes every second value on; its state "never" is not reached."""

    i: In(stream.Signature(8))
    o: Out(stream.Signature(8))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        spare = Signal(8)
        m.d.comb += self.o.payload.eq(self.i.payload)
        with m.FSM():
            with m.State("drop"):
                m.d.comb += self.i.ready.eq(1)
                with m.If(self.i.valid):
                    m.next = "pass"
            with m.State("pass"):
                m.d.comb += [self.o.valid.eq(self.i.valid), self.i.ready.eq(self.o.ready)]
                with m.If(self.i.valid & self.o.ready):
                    m.next = "drop"
            with m.State("never"):
                m.d.sync += spare.eq(spare + 1)
        return m


def test_events_lines_and_bits() -> None:
    covered = Covered(Watched(Halver()), "halver")
    values = np.arange(8)
    result = covered.run({"i": values}, {"o": 4})
    np.testing.assert_array_equal(result["o"], values[1::2])
    missing = set(covered.component.events) - covered.events
    assert missing == {
        *("core state never", "core reset in never", "core reset in pass"),
        *("core i held", "core o held"),
    }
    covered.run({"i": values}, {"o": 4}, pauses={"o": 0.7}, reset_at=1)
    missing = set(covered.component.events) - covered.events
    assert missing == {"core state never", "core reset in never"}
    spare = [
        count for (kind, _, place), count in covered.counts.items() if kind == "toggle" and "spare[" in place
    ]
    assert len(spare) == 16
    assert not any(spare)
    assert all(covered.counts[point] for point in covered.counts if "i__payload[0]" in point[2])


def test_points_are_those_of_the_file_of_their_instance() -> None:
    """A mutant's design: the encoder stands alone, in a wrapper that is not of hw/."""
    (found,) = of_subject("octave encoder")["points"].items()
    assert found[0] == "network/octave_encoder.py"
    assert found[1]["line"] == found[1]["line reached"] > 10
    assert found[1]["toggle"] >= found[1]["toggle reached"] > 500


def test_the_tables_sum_over_designs_and_folders() -> None:
    counts = {"toggle": 4, "toggle reached": 1, "line": 2, "line reached": 2}
    designs = {
        name: {
            "points": {"link/ring.py": counts, "link/crc.py": counts, "memory/reader.py": {"line": 1}},
            "goals": {"events": {"cases": 3, "missing": ["a", "b"][:missing]}},
        }
        for name, missing in (("x", 1), ("y", 2))
    }
    text = markdown(designs)
    assert "| `link` | 8 of 8 (100.0 %) | none | 4 of 16 (25.0 %) |" in text
    assert "| all | 8 of 10 (80.0 %) | none | 4 of 16 (25.0 %) |" in text
    assert "| events | 3 of 6 (50.0 %) |" in text
    assert text.endswith("\n2 designs.\n")


def test_codes_that_meet() -> None:
    config = CoreConfig(code=T8, lanes=2, tokens=4, head_dim=3, cluster=2, terms_per_beat=1)
    heads = Heads(config)
    empty = {goal.name: goal.reached for goal in heads.goals()}
    assert not any(empty.values())
    q, k, v = np.random.default_rng(1).standard_normal((3, 1, 3, 3))
    job = prepare(q, k, v, config.code).job
    heads.add(job)
    goals = {goal.name: goal for goal in heads.goals()}
    assert heads.scores.sum() == 3 * 3 * 3
    assert heads.scores[0].sum() == 2 * heads.scores[1].sum()
    assert goals["groups, tokens of the last one"].missing == ("1, 2", "1, 1", "2, 2")
    silent = replace(job, q=replace(job.q, sign=job.q.sign * 0, phase=job.q.phase * 0 + 8))
    heads.add(silent)
    assert heads.scores[:, -1].sum() >= 3 * 3 * 3
