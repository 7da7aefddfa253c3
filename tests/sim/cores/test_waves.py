"""What a waveform is viewed with: every value has its words, every signal is there, units stand in order."""

from dataclasses import replace
from fractions import Fraction

import pytest

from golden.attention.config import PRESETS
from golden.code import PhaseCode
from hw.export.verilog import export
from sim.cores.attention.core import SpikedAttentionCore
from sim.cores.stochastic.core import StochasticCore
from sim.cores.waves import groups, state_kinds, view_files
from tests.sim.cores.views import traced

CODE = PhaseCode(steps=5, log2_base=Fraction(3, 4))
CORE = SpikedAttentionCore(replace(PRESETS["pico"], code=CODE, bias=True, taps=True))


@pytest.fixture(scope="module")
def verilog() -> str:
    return export(CORE.component(), CORE.module)[0]


@pytest.fixture(scope="module")
def files(verilog: str) -> dict[str, str]:
    return view_files(CORE, verilog, "core")


def words(files: dict[str, str], kind: str) -> dict[str, str]:
    """What every value reads as, by its bits: the same for both viewers."""
    gtkwave = dict(line.split(" ", 1) for line in files[f"{kind}.filter.txt"].splitlines())
    name, bits, *lines = files[f"{kind}.surfer.txt"].splitlines()
    assert name == f"Name = onespike-{kind}"
    width = int(bits.removeprefix("Bits = "))
    assert dict(line.removeprefix("0b").split(" ", 1) for line in lines) == gtkwave
    assert list(gtkwave) == [f"{value:0{width}b}" for value in range(1 << width)]
    return gtkwave


def test_spikes(files: dict[str, str]) -> None:
    """The lowest bit is `active`, then `negative`, then the phase."""
    spikes = words(files, "spike")
    assert len(spikes) == 32
    for bits, text in spikes.items():
        phase, negative, active = int(bits[:3], 2), bits[3] == "1", bits[4] == "1"
        if not active:
            assert text == "silent"
        else:
            assert text == ("unused" if phase >= 5 else f"{'-' if negative else '+'}B^-{phase}")


def test_attention_and_phases(files: dict[str, str]) -> None:
    attention = words(files, "attention")
    assert (attention["0111"], attention["0110"], attention["1011"]) == ("+B^-3", "silent", "unused")
    phases = ["B^-0", "B^-1", "B^-2", "B^-3", "B^-4", "unused", "unused", "unused"]
    assert list(words(files, "phase").values()) == phases


def test_states(files: dict[str, str]) -> None:
    assert list(words(files, "score.fsm_state").values()) == ["IDLE", "TERMS", "SPIKES", "TAKE"]
    assert set(state_kinds(CORE.component())) == {
        *("score.fsm_state", "terms_loader.fsm_state", "threshold.fsm_state")
    }


def test_save_file(files: dict[str, str]) -> None:
    """Every unit stands in the order of the data, each signal once, and each filter file is used."""
    shown = traced(files["core.gtkw"])
    assert len({trace.path for trace in shown}) == len(shown)
    filters = {trace.filter for trace in shown} - {None}
    assert filters == {name for name in files if name.endswith(".filter.txt")}
    units = list(dict.fromkeys(trace.group for trace in shown))
    assert units[0] == "ports"
    order = list(CORE.units)
    at = order.index("cluster")
    order[at : at + 1] = [f"cluster_{n}" for n in range(CORE.config.clusters)]
    assert units[1 : 1 + len(order)] == order
    by_path = {trace.path: trace for trace in shown}
    top = "TOP.attention_core"
    assert by_path[f"{top}.i_query__payload.spike[4:0]"].filter == "spike.filter.txt"
    assert by_path[f"{top}.ramp.o_command.data.phase[2:0]"].filter == "phase.filter.txt"
    assert by_path[f"{top}.score.fsm_state[1:0]"].filter == "score.fsm_state.filter.txt"
    assert "bin" in by_path[f"{top}.score.fsm_state[1:0]"].flags
    assert "signed" in by_path[f"{top}.o_winner__payload[{CORE.config.score_width - 1}:0]"].flags


def test_without_kinds() -> None:
    """A core without phases is shown in numbers."""
    core = StochasticCore.of_size(3, 2)
    verilog = export(core.component(), core.module)[0]
    assert core.kinds() == {}
    ports, *_ = groups(verilog, core.module, "tb.dut", core.units, core.kinds(), {})
    assert ports[1] == "tb.dut"
    assert {trace.kind for trace in ports[2]} == {None}
