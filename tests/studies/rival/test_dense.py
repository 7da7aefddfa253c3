"""Dense layers in spikes and in 8 bits: cycles, energy and which lanes are measured."""

from onespike.cores import network_core
from studies.infer.cases import load_case
from studies.rival.dense import clusters, measured, work


def test_work_and_lanes() -> None:
    case = load_case("digits", None, None, None)
    config = network_core(case.network, None, None).config
    spiking, every = work(case.network, config, case.spikes(case.images[:2]))
    # there are fewer spikes than values
    assert 0 < spiking.cycles_per_row < every.cycles_per_row
    assert spiking.nanojoule > 0
    labels = [label for label, _, _ in clusters(config)]
    assert labels == ["spikes", "8 bits, dsp", "8 bits, table", "8 bits, logic"]
    for areas in measured().values():
        assert set(areas) <= set(labels)
        assert all((area["dsps"] > 0) == (label == "8 bits, dsp") for label, area in areas.items())
