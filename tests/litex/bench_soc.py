"""cocotb bench of the SoC of docs/litex: a host at the serial port, which knows its registers by name."""

import json
import os
from pathlib import Path
from typing import Any

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, Timer

BIT = 4  # cycles
PERIOD = 10  # ns
WRITE, READ = 1, 2


def folder() -> Path:
    """Where the files of this run are."""
    return Path(os.environ["BENCH_MANIFEST"]).parent


class Host:
    """LiteX's serial bridge: a command, number of words, address in words, words; highest byte first."""

    def __init__(self, dut: Any) -> None:
        self._dut = dut
        self._registers = json.loads((folder() / "csr.json").read_text())["csr_registers"]

    async def _send(self, *values: int) -> None:
        for value in values:
            for bit in (0, *((value >> n) & 1 for n in range(8)), 1):
                self._dut.serial_rx.value = bit
                await Timer(BIT * PERIOD, "ns")

    async def _receive(self) -> int:
        if int(self._dut.serial_tx.value):
            await FallingEdge(self._dut.serial_tx)
        await Timer(BIT * PERIOD * 3 // 2, "ns")
        value = 0
        for n in range(8):
            value |= int(self._dut.serial_tx.value) << n
            await Timer(BIT * PERIOD, "ns")
        return value

    async def write(self, name: str, value: int) -> None:
        register = self._registers[f"onespike_{name}"]
        words = register["size"]
        data = value.to_bytes(4 * words, "big")
        await self._send(WRITE, words, *(register["addr"] // 4).to_bytes(4, "big"), *data)

    async def read(self, name: str) -> int:
        register = self._registers[f"onespike_{name}"]
        await self._send(READ, register["size"], *(register["addr"] // 4).to_bytes(4, "big"))
        data = [await self._receive() for _ in range(4 * register["size"])]
        return int.from_bytes(bytes(data), "big")


def beats(name: str) -> list[int]:
    """What a stream brings, tlast above tdata, from the Verilog bench's file; behind it bits that count."""
    return [int(line.split()[0], 16) for line in (folder() / f"{name}.hex").read_text().splitlines()]


@cocotb.test(timeout_time=20, timeout_unit="ms")
async def heads_through_the_serial_port(dut: Any) -> None:
    """Two heads go in by registers, golden's contexts come out."""
    dut.serial_rx.value = 1
    dut.simulation_rst.value = 1
    cocotb.start_soon(Clock(dut.simulation_clk, PERIOD, unit="ns").start())
    await Timer(4 * PERIOD, "ns")
    dut.simulation_rst.value = 0
    await Timer(4 * PERIOD, "ns")
    manifest = json.loads((folder() / "core.json").read_text())
    ports = {port["name"]: port for port in manifest["streams"]}
    host = Host(dut)
    taken: dict[str, list[int]] = {name: [] for name, port in ports.items() if port["direction"] == "out"}

    async def drain(name: str) -> None:
        width = 8 * ports[name]["tdata_bytes"] + ports[name]["tlast"]
        while (word := await host.read(name)) >> width:
            taken[name].append(word & ((1 << width) - 1))

    for name, port in ports.items():
        if port["direction"] == "in":
            for beat in beats(name):
                while not await host.read(f"{name}_room"):
                    for output in taken:
                        await drain(output)
                await host.write(name, beat)
    for name in taken:
        await drain(name)
        assert taken[name] == beats(name)
