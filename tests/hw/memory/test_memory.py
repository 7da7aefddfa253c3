"""The controller, the reader and what stores weights at the model of a chip, and the model itself."""

from pathlib import Path

from amaranth.lib import wiring

from golden.memory import MemoryConfig
from hw.memory import controller
from tests.hw.attention.wrappers import Group
from tests.hw.cocotb.launch import run_bench
from tests.hw.memory.chip import CHIP, Commands, MemoryAtChip, WeightsAtChip, with_model
from tests.hw.memory.faulty import FAULTY
from tests.proofs.property import Fault

CLOCK = 80e6
# Bits of an address; the chip of the sound one is whole
WHOLE, SMALL = 24, 14


def units() -> dict[str, wiring.Component]:
    config = MemoryConfig(chip=CHIP, clock=CLOCK)
    return {"sound": MemoryAtChip(config, WHOLE), "weights": WeightsAtChip(config, SMALL)}


def faulty_units() -> dict[str, wiring.Component]:
    faulty = {
        rule.replace("-", "_"): MemoryAtChip(make(chip=CHIP, clock=CLOCK), SMALL)
        for rule, make in FAULTY.items()
    }
    with Fault(module=controller, old="CAS << 4", new="2 << 4").planted():
        wrong = MemoryAtChip(MemoryConfig(chip=CHIP, clock=CLOCK), SMALL, controller.SdramController)
    return {"CAS": wrong, "chip": Commands(), **faulty}


def run(units: dict[str, wiring.Component], folder: Path, *benches: str) -> None:
    names = ",".join(f"tests.hw.memory.bench_{name}" for name in benches)
    run_bench(Group(units), "memory", names, {"clock": CLOCK}, folder, with_model)


def test_memory(tmp_path: Path) -> None:
    run(units(), tmp_path, "memory", "weights")


def test_what_is_faulty_is_named(tmp_path: Path) -> None:
    run(faulty_units(), tmp_path, "chip", "faulty")
