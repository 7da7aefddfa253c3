"""Network cores in a cocotb bench."""

from pathlib import Path

from amaranth.lib import wiring

from golden.network.reader import ReaderTiming
from hw.memory.paced_reader import PacedNetwork
from hw.network.linked_network import LinkedNetwork
from tests.hw.attention.wrappers import Group
from tests.hw.cocotb.launch import run_bench
from tests.hw.network.bench_network import sample, sample_by_index, sample_of_stem, sample_streamed


def units() -> dict[str, wiring.Component]:
    paced = ReaderTiming(latency=3, interval=2, period=20, gap=5, queue=4)
    return {
        "network": LinkedNetwork(sample()[1]),
        "by_index": LinkedNetwork(sample_by_index()[1]),
        "stem": LinkedNetwork(sample_of_stem()[1]),
        "streamed": PacedNetwork(LinkedNetwork(sample_streamed()[1]), paced),
    }


def test_networks(tmp_path: Path) -> None:
    run_bench(Group(units()), "network", "tests.hw.network.bench_network", {}, tmp_path)
