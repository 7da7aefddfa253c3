"""Small units of the network core, compiled, each alone."""

import pytest

from hw.export.verilog import export
from sim.verilator.build import build_verilog
from tests.hw.network import listed, loaded
from tests.hw.network.fed import WAYS, check_feeder, made


@pytest.mark.parametrize("name", ["terms", "query", "trace"])
def test_feeders(name: str) -> None:
    simulator = build_verilog(*export(made(name), f"{name}_feeder"), quick=True)
    for seed, how in enumerate(WAYS):
        check_feeder(simulator, name, seed, **how)


def test_weight_loader() -> None:
    simulator = build_verilog(*export(loaded.Loaded(), "weight_loader"), quick=True)
    for seed, how in enumerate(loaded.WAYS):
        loaded.check(simulator, seed, **how)


@pytest.mark.parametrize("kind", listed.KINDS)
def test_spike_list(kind: str) -> None:
    simulator = build_verilog(*export(listed.Listed(kind), "spike_list"), quick=True)
    for seed, how in enumerate(listed.WAYS):
        listed.check(simulator, kind, seed, **how)
