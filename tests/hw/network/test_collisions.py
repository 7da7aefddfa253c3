"""Networks through the compiled RTL whose memories spoil what is read while it is written."""

from collections.abc import Iterator

import pytest

from hw.export.verilog import Manifest
from sim.cores.rtl import compiled
from sim.verilator import build
from sim.verilator.simulator import Simulator
from tests.hw.network.random_cores import SMALL, Checked, Scale, check_core, random_core
from tests.hw.network.test_streamed import DRAWN
from tests.hw.spoiled import spoiled

CORES = [DRAWN[1], (1003, SMALL)]


@pytest.fixture
def _spoiling(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Simulators are made of cores that spoil, and none is kept."""
    made = build.build_verilog

    def spoiling(verilog: str, manifest: Manifest, *, quick: bool = False) -> Simulator:
        return made(spoiled(verilog), manifest, quick=quick)

    monkeypatch.setattr(build, "build_verilog", spoiling)
    compiled.cache_clear()
    yield
    compiled.cache_clear()


@pytest.mark.usefixtures("_spoiling")
@pytest.mark.parametrize(("seed", "scale"), CORES)
def test_words_that_are_written_while_they_are_read_are_not_used(seed: int, scale: Scale) -> None:
    checked = Checked()
    check_core(random_core(seed, scale), seed, checked)
    assert checked.networks == scale.networks
