"""A component behind a source and a sink, watched: shows that the rules are checked."""

import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles
from cocotbext.axi import AxiStreamBus, AxiStreamSink, AxiStreamSource

from hw.export.axi import AxiManifest
from tests.hw.export.axi_bus import watch_rules


@cocotb.test()
async def keeps_the_rules(dut: Any) -> None:
    manifest = AxiManifest.from_json(Path(os.environ["BENCH_MANIFEST"]).read_text())
    given, taken = manifest.streams
    Clock(dut.aclk, 10, unit="ns").start()
    dut.aresetn.value = 0
    getattr(dut, f"{given.name}_tvalid").value = 0
    getattr(dut, f"{taken.name}_tready").value = 0
    await ClockCycles(dut.aclk, 2)
    ways = {"reset": dut.aresetn, "reset_active_level": False}
    source = AxiStreamSource(AxiStreamBus.from_prefix(dut, given.name), dut.aclk, **ways)
    sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, taken.name), dut.aclk, **ways)
    cocotb.start_soon(watch_rules(dut, taken))
    sink.set_pause_generator(index % 5 != 4 for index in range(10_000))
    await ClockCycles(dut.aclk, 4)
    dut.aresetn.value = 1
    for value in range(40):
        await source.send(bytes([value] * given.tdata_bytes))
    await ClockCycles(dut.aclk, 300)
    assert sink.count() == 40
