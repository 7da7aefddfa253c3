"""What every AXI4-Stream port must keep to, watched at each clock edge; runs inside the simulator."""

from typing import Any

from cocotb.triggers import RisingEdge

from hw.export.axi import AxiPort


class Violation(AssertionError):
    """A rule of the AXI4-Stream specification was broken, in one line."""


async def watch_rules(dut: Any, port: AxiPort) -> None:
    """Raise Violation where a sender of the core breaks a rule (AMBA AXI4-Stream, section 2.2).

    - once asserted, TVALID stays until the transfer, and tdata and tlast do not change;
    - TVALID is low after an edge with reset asserted.
    """
    watched = [getattr(dut, signal) for signal in port.signals if not signal.endswith("_tready")]
    valid, ready = (getattr(dut, f"{port.name}_{end}") for end in ("tvalid", "tready"))
    held: list[int] | None = None
    in_reset = True
    while True:
        # After the edge registers still show what the edge saw
        await RisingEdge(dut.aclk)
        offered = int(valid.value) == 1
        if in_reset:
            in_reset = int(dut.aresetn.value) == 0
            held = None
            continue
        now = [int(signal.value) for signal in watched]
        if held is not None and not offered:
            raise Violation(f"{port.name}: tvalid fell before the transfer")
        if held is not None and now != held:
            raise Violation(f"{port.name}: tdata or tlast changed before the transfer")
        held = now if offered and not int(ready.value) else None
        in_reset = int(dut.aresetn.value) == 0
