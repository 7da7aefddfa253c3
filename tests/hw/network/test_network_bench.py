"""Network cores in a cocotb bench."""

from pathlib import Path

from amaranth.lib import wiring

from hw.network.linked_network import LinkedNetwork
from tests.hw.attention.wrappers import Group
from tests.hw.cocotb.launch import run_bench
from tests.hw.network.bench_network import sample, sample_by_index


def units() -> dict[str, wiring.Component]:
    return {"network": LinkedNetwork(sample()[1]), "by_index": LinkedNetwork(sample_by_index()[1])}


def test_networks(tmp_path: Path) -> None:
    run_bench(Group(units()), "network", "tests.hw.network.bench_network", {}, tmp_path)
