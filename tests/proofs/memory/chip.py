"""What the proofs of the controller share: a small chip, and what uses it."""

from dataclasses import replace
from typing import Any

from amaranth.hdl import Assume, Const, Value

from golden.memory import ULX3S_SDRAM, MemoryConfig
from tests.proofs.property import Property

# Few rows and columns, and refreshes that come often; every time between commands is that of the real chip
CHIP = replace(ULX3S_SDRAM, rows=2, columns=16, refresh_interval=450, power_up=10)
# At 100 MHz the commands of a slot are as close to each other as at any clock below
CONFIG = MemoryConfig(chip=CHIP, clock=100e6)


def held(prop: Property, i: Any) -> None:
    """Assume that what is offered stays until it is taken."""
    payload = Value.cast(i.payload)
    running = prop.later(Const(1))
    waits = prop.later(i.valid & ~i.ready)
    prop.m.d.comb += Assume(~waits | ~running | (i.valid & (payload == prop.later(payload))))
