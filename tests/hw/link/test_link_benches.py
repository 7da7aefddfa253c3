"""Halves of the link, byte stuffing, and a component behind the whole of it, in cocotb benches."""

from pathlib import Path

from amaranth.lib import wiring

from hw.link.framing import Stuffer
from hw.link.link import Link
from hw.link.receiver import FrameReceiver
from hw.link.transmitter import FrameTransmitter
from tests.hw.attention.wrappers import Group
from tests.hw.cocotb.bench_running_sum import RunningSum
from tests.hw.cocotb.launch import run_bench
from tests.hw.link import bench_link, bench_receiver, bench_transmitter
from tests.hw.link.linked import Bodies, Linked

BENCHES = ",".join(f"tests.hw.link.bench_{part}" for part in ("framing", "receiver", "transmitter", "link"))


def units() -> dict[str, wiring.Component]:
    link = Link(
        RunningSum(width=5, lanes=1),
        ident=bench_link.IDENT,
        divisor=bench_link.DIVISOR,
        receive_depth=bench_link.DEPTH,
        transmit_depth=bench_link.DEPTH,
    )
    return {
        "unstuffer": Bodies(),
        "stuffer": Stuffer(),
        "receiver": FrameReceiver(bench_receiver.DEPTH),
        "transmitter": FrameTransmitter(
            bench_transmitter.DEPTH, bench_transmitter.FRAME_BYTES, bench_transmitter.IDENT
        ),
        "linked": Linked(link),
    }


def test_units(tmp_path: Path) -> None:
    run_bench(Group(units()), "link", BENCHES, {}, tmp_path)
