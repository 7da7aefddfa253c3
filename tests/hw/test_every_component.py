"""Every component of the hardware runs in a cocotb bench, alone or joined to its neighbours."""

import importlib
import pkgutil
from collections.abc import Callable, Iterator

import pytest
from amaranth.hdl import Elaboratable, Fragment
from amaranth.lib import wiring

import hw
from hw.attention.core import AttentionCore
from hw.board.clock import ClockSource
from hw.board.top import BoardTop
from hw.export.axi import AxiStream
from hw.memory.pads import SdramPads
from hw.memory.stored_network import StoredNetwork
from tests.hw.attention import test_components
from tests.hw.export import test_axi
from tests.hw.integer import bench_integer_attention
from tests.hw.keyserial import bench_key_serial_attention
from tests.hw.link import test_link_benches
from tests.hw.memory import test_memory
from tests.hw.network import test_network_bench
from tests.hw.stochastic import bench_stochastic_attention, bench_stochastic_network

# What stands on a device's own cells: `sim.board` runs it, compiled with models of those cells
ON_BOARDS = {BoardTop, ClockSource, SdramPads, StoredNetwork}


def designs() -> Iterator[Elaboratable]:
    """What the benches run, one of each that differ in a configuration only."""
    yield from test_components.units(test_components.CONFIGS["T16"]).values()
    yield AttentionCore(test_components.core_config("memory"))
    yield from (make(**parameters) for make, parameters in bench_stochastic_attention.CASES.values())
    yield from map(bench_stochastic_network.core, bench_stochastic_network.CASES.values())
    yield from map(bench_integer_attention.core, bench_integer_attention.CASES.values())
    yield from map(bench_key_serial_attention.core, bench_key_serial_attention.CASES.values())
    yield AxiStream(AttentionCore(test_axi.CONFIGS["codes"]))
    yield from test_link_benches.units().values()
    yield from test_network_bench.units().values()
    yield from test_memory.units().values()
    yield from test_memory.faulty_units().values()


def components() -> set[type[wiring.Component]]:
    """The components that the modules of `hw` define."""
    modules = [importlib.import_module(info.name) for info in pkgutil.walk_packages(hw.__path__, "hw.")]
    members = [(module, member) for module in modules for member in vars(module).values()]
    return {
        member
        for module, member in members
        if isinstance(member, type)
        and issubclass(member, wiring.Component)
        and member.__module__ == module.__name__
    }


def test_every_component_has_a_bench(monkeypatch: pytest.MonkeyPatch) -> None:
    elaborated: set[type[wiring.Component]] = set()

    def noting(kind: type[wiring.Component]) -> Callable:
        elaborate = kind.elaborate

        def note(self: wiring.Component, platform: object) -> Elaboratable:
            elaborated.add(kind)
            return elaborate(self, platform)

        return note

    every = components()
    assert len(every) > 50
    for kind in every:
        monkeypatch.setattr(kind, "elaborate", noting(kind))
    for design in designs():
        Fragment.get(design, None)
    assert {kind.__qualname__ for kind in every - elaborated} == {kind.__qualname__ for kind in ON_BOARDS}
