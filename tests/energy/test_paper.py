"""The paper's energy accounting: constants, layer lists and the authors' logs."""

import pytest

from energy.layers import SHAPES, layer_list
from energy.paper import (
    FLOAT_OPERATION,
    FLOAT_OUTPUT,
    NEURON_STEP,
    SPIKE_EVENT,
    Activity,
    charges,
    float_ledger,
    float_network,
    spiking_ledger,
    spiking_network,
    total_operations,
)
from energy.published import REPRODUCTIONS, as_published, bert, swin
from golden.errors import InputError


def test_prices() -> None:
    assert pytest.approx(14.6, abs=1e-12) == FLOAT_OPERATION
    assert FLOAT_OUTPUT == 5.0
    assert pytest.approx(6.05625, abs=1e-12) == SPIKE_EVENT
    assert pytest.approx(16.55625, abs=1e-12) == NEURON_STEP


def test_bert_base_has_11_17_g_operations() -> None:
    layers = layer_list("bert-base")
    dense = 12 * 128 * (4 * 768 * 768 + 2 * 768 * 3072)
    products = 12 * 2 * 128 * 128 * 768
    other = 25 * 128 * 768 + 768 * 768 + 768 * 2
    assert sum(layer.operations for layer in layers) == dense + products + other
    assert total_operations(charges(layers)) / 1e9 == pytest.approx(11.17, abs=0.01)


def test_every_output_is_the_sum_of_its_fan_in() -> None:
    for model in SHAPES:
        for layer in layer_list(model):
            assert layer.operations == layer.outputs * layer.fan_in, layer


def test_swin_log() -> None:
    entries = {entry.quantity: entry for entry in swin().entries}
    # All dense: the log lies 0.2 % below, by zeros it does not list
    assert entries["float energy"].reproduced == pytest.approx(45.44, abs=0.005)
    assert entries["float energy"].published == 45.339
    assert 0 < entries["float energy"].reproduced - entries["float energy"].published < 0.15
    assert entries["float energy"].corrected == pytest.approx(65.72, abs=0.005)
    assert entries["float operation energy"].reproduced == pytest.approx(20.098, abs=5e-4)
    assert entries["float operation energy"].corrected == pytest.approx(20.674, abs=5e-4)
    assert entries["spiking operation energy"].reproduced == pytest.approx(2.980, abs=5e-4)
    assert entries["spiking energy"].reproduced == pytest.approx(26.383, abs=5e-4)
    assert swin().solved["synaptic events"] / 1e9 == pytest.approx(3.311, abs=5e-4)
    assert swin().solved["float density"] == pytest.approx(0.9721, abs=5e-5)
    assert swin().solved["steps per neuron"] < 40


def test_bert_log() -> None:
    entries = {entry.quantity: entry for entry in bert().entries}
    assert entries["operations"].reproduced == pytest.approx(12.989, abs=5e-4)
    assert entries["operations"].corrected == pytest.approx(11.177, abs=5e-4)
    assert entries["float energy"].reproduced == pytest.approx(189.723, abs=5e-4)
    assert entries["float energy"].corrected == pytest.approx(163.263, abs=5e-4)
    assert entries["spiking energy"].reproduced == pytest.approx(79.857, abs=5e-4)
    assert bert().solved["steps per neuron"] < 16


@pytest.mark.parametrize("model", REPRODUCTIONS)
def test_deviations_explain_the_whole_difference(model: str) -> None:
    true, counted, deviations = as_published(model)
    separate = sum(float_ledger(d.operations, d.outputs).millijoule for d in deviations)
    whole = float_network(counted).millijoule - float_network(true).millijoule
    assert whole == pytest.approx(separate, abs=1e-9)


def test_omitted_layer_of_swin() -> None:
    _, _, deviations = as_published("swin-t")
    second_mlp = next(d for d in deviations if d.where == "mlp2")
    assert second_mlp.operations == -sum(
        tokens * 4 * dim * dim * depth
        for tokens, dim, depth in ((3136, 96, 2), (784, 192, 2), (196, 384, 6), (49, 768, 2))
    )


def test_network_energy_from_measured_activity() -> None:
    counted = charges(layer_list("minilm-l6", tokens=16))
    everywhere = {charge.name: Activity(density=0.5, steps=3.0) for charge in counted}
    operations = sum(charge.operations for charge in counted)
    outputs = sum(charge.outputs for charge in counted)
    expected = spiking_ledger(operations / 2, 3 * outputs)
    assert spiking_network(counted, everywhere).millijoule == pytest.approx(expected.millijoule)


def test_unknown_model_and_length() -> None:
    with pytest.raises(InputError, match="model must be one of swin-t, bert-base"):
        layer_list("resnet")
    with pytest.raises(InputError, match="tokens cannot be set for swin-t"):
        layer_list("swin-t", tokens=64)
    with pytest.raises(InputError, match=r"tokens must be an integer in 1\.\.1024, not 0"):
        layer_list("bert-base", tokens=0)
