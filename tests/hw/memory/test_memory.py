"""The controller and the reader at the model of a chip, and the model itself."""

from pathlib import Path

from amaranth.lib import wiring

from golden.memory import MemoryConfig
from hw.memory import controller
from tests.hw.attention.wrappers import Group
from tests.hw.cocotb.launch import run_bench
from tests.hw.memory.chip import CHIP, Commands, MemoryAtChip, with_model
from tests.hw.memory.faulty import FAULTY
from tests.proofs.property import Fault

CLOCK = 80e6
# The chip of the sound one is whole
WHOLE, SMALL = 24, 14


def units() -> dict[str, wiring.Component]:
    faulty = {
        rule.replace("-", "_"): MemoryAtChip(make(chip=CHIP, clock=CLOCK), SMALL)
        for rule, make in FAULTY.items()
    }
    config = MemoryConfig(chip=CHIP, clock=CLOCK)
    with Fault(module=controller, old="CAS << 4", new="2 << 4").planted():
        faulty["CAS"] = MemoryAtChip(config, SMALL, controller.SdramController)
    return {"sound": MemoryAtChip(config, WHOLE), "chip": Commands(), **faulty}


def test_units(tmp_path: Path) -> None:
    benches = "tests.hw.memory.bench_memory,tests.hw.memory.bench_chip"
    run_bench(Group(units()), "memory", benches, {"clock": CLOCK}, tmp_path, with_model)
