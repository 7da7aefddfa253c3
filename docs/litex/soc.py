"""The attention core in a LiteX SoC for the ULX3S: a host writes and reads its streams over the serial port.

    onespike rtl -o build/ip --preset pico --axi
    python docs/litex/soc.py build/ip -o build/soc [--build] [--simulation]

Needs LiteX and LiteX-Boards. Every stream of the core becomes registers on LiteX's bus (CSRs), for a bridge
from the serial port here, for a processor as well.
"""

import argparse
import json
from pathlib import Path

from litex.build.generic_platform import Pins, Subsignal
from litex.build.lattice import LatticeECP5Platform
from litex.gen import LiteXModule
from litex.soc.cores.clock import ECP5PLL
from litex.soc.integration.builder import Builder
from litex.soc.integration.soc_core import SoCMini
from litex.soc.interconnect import stream
from litex.soc.interconnect.csr import CSRStatus, CSRStorage
from litex_boards.platforms import radiona_ulx3s
from migen import Cat, ClockDomain, ClockSignal, Instance, ResetSignal

QUEUE = 16  # beats that wait on each side of the core


class Onespike(LiteXModule):
    """The IP that `onespike rtl --axi` writes, with registers for each of its streams.

    A stream in, NAME: a write to NAME sends a beat; the host looks at NAME_room first. A stream out: a
    read of NAME takes a beat, from the lowest bit tdata, tlast, and whether there was one.
    """

    def __init__(self, platform: LatticeECP5Platform, folder: Path) -> None:
        (manifest,) = (json.loads(path.read_text()) for path in folder.glob("*_axis.json"))
        platform.add_source(str(folder / f"{manifest['name']}.v"))
        pins = {"i_aclk": ClockSignal(), "i_aresetn": ~ResetSignal()}
        for port in manifest["streams"]:
            name, width = port["name"], 8 * port["tdata_bytes"]
            layout = [("data", width + port["tlast"])]
            fifo = stream.SyncFIFO(layout, QUEUE)
            self.add_module(f"{name}_queue", fifo)
            register = self._enter if port["direction"] == "in" else self._leave
            inner = register(name, fifo, width + port["tlast"])
            data, flow = ("i", "o") if port["direction"] == "in" else ("o", "i")
            pins[f"{data}_{name}_tdata"] = inner.data[:width]
            pins[f"{data}_{name}_tvalid"] = inner.valid
            pins[f"{flow}_{name}_tready"] = inner.ready
            if port["tlast"]:
                pins[f"{data}_{name}_tlast"] = inner.data[width]
        self.specials += Instance(manifest["name"], **pins)

    def _enter(self, name: str, fifo: stream.SyncFIFO, width: int) -> stream.Endpoint:
        beat = CSRStorage(width, name=name)
        room = CSRStatus(name=f"{name}_room")
        setattr(self, name, beat)
        setattr(self, f"{name}_room", room)
        # `re` comes a cycle after the last word, when the register holds all of them
        self.comb += [fifo.sink.valid.eq(beat.re), fifo.sink.data.eq(beat.storage)]
        self.comb += room.status.eq(fifo.sink.ready)
        return fifo.source

    def _leave(self, name: str, fifo: stream.SyncFIFO, width: int) -> stream.Endpoint:
        beat = CSRStatus(width + 1, name=name)
        setattr(self, name, beat)
        self.comb += [
            beat.status.eq(Cat(fifo.source.data, fifo.source.valid)),
            fifo.source.ready.eq(beat.we),
        ]
        return fifo.sink


class Clock(LiteXModule):
    """The system's clock from the 25 MHz of the board."""

    def __init__(self, platform: LatticeECP5Platform, frequency: float) -> None:
        self.cd_sys = ClockDomain()
        self.pll = pll = ECP5PLL()
        self.comb += pll.reset.eq(platform.request("rst"))
        pll.register_clkin(platform.request("clk25"), 25e6)
        pll.create_clkout(self.cd_sys, frequency)


class SimulatedClock(LiteXModule):
    """Clock and reset of a test bench, as no simulator knows the board's PLL."""

    def __init__(self, platform: LatticeECP5Platform) -> None:
        pins = platform.request("simulation")
        self.cd_sys = ClockDomain()
        self.comb += [self.cd_sys.clk.eq(pins.clk), self.cd_sys.rst.eq(pins.rst)]


class SoC(SoCMini):
    """Bus, serial bridge and core."""

    def __init__(self, folder: Path, frequency: float, baud: int, simulation: bool) -> None:
        platform = radiona_ulx3s.Platform(device="LFE5U-85F", toolchain="trellis")
        if simulation:
            platform.add_extension(
                [("simulation", 0, Subsignal("clk", Pins("A0")), Subsignal("rst", Pins("A1")))]
            )
            self.crg = SimulatedClock(platform)
        else:
            self.crg = Clock(platform, frequency)
        SoCMini.__init__(self, platform, frequency, ident="Onespike", ident_version=False)
        self.add_uartbone(baudrate=baud)
        self.onespike = Onespike(platform, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("core", type=Path, help="folder that onespike rtl --axi wrote")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/soc"))
    parser.add_argument("--clock", type=float, default=50, help="MHz")
    parser.add_argument("--baud", type=int, default=1_000_000)
    parser.add_argument("--simulation", action="store_true", help="clock and reset are pins, no PLL")
    parser.add_argument("--build", action="store_true", help="a bitstream too, by Yosys and nextpnr on PATH")
    options = parser.parse_args()
    if len(list(options.core.glob("*_axis.json"))) != 1:
        parser.error(f"{options.core}: must be a folder that onespike rtl --axi wrote")
    soc = SoC(options.core, options.clock * 1e6, options.baud, options.simulation)
    builder = Builder(
        soc,
        output_dir=str(options.output),
        compile_software=False,
        compile_gateware=options.build,
        csr_json=str(options.output / "csr.json"),
    )
    builder.build(run=options.build, build_name="soc")


if __name__ == "__main__":
    main()
