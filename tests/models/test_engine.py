"""Engines: spikes approach floats as the code grows finer, and count what they do."""

from fractions import Fraction

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.conversion.convert import attention_scales, convert, linear_scales, record
from golden.conversion.run import run
from golden.conversion.scheme import Scheme
from golden.errors import InputError
from golden.models.encoder import Block
from golden.models.engine import FloatEngine, Linear, Ranges
from golden.models.functions import Norm, erf, gelu, layer_norm
from golden.models.torch_encoder import TorchEncoder

FINE = PhaseCode(steps=64, log2_base=Fraction(1, 8), trace_bits=16)


def small_encoder(seed: int, dim: int = 16, hidden: int = 24, blocks: int = 2) -> TorchEncoder:
    rng = np.random.default_rng(seed)

    def dense(outputs: int, inputs: int) -> Linear:
        weight = rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)
        return Linear(weight=weight.astype(np.float32), bias=rng.normal(size=outputs).astype(np.float32) / 4)

    def norm() -> Norm:
        return Norm(weight=np.ones(dim, np.float32), bias=np.zeros(dim, np.float32), epsilon=1e-5)

    def block() -> Block:
        return Block(
            heads=2,
            norm_first=True,
            activation="gelu",
            query=dense(dim, dim),
            key=dense(dim, dim),
            value=dense(dim, dim),
            projection=dense(dim, dim),
            mlp1=dense(hidden, dim),
            mlp2=dense(dim, hidden),
            norm1=norm(),
            norm2=norm(),
        )

    return TorchEncoder(blocks=[block() for _ in range(blocks)], norm=norm())


def relative(left: np.ndarray, right: np.ndarray) -> float:
    return float(np.sqrt(np.square(left - right).sum() / np.square(right).sum()))


def test_spikes_approach_floats_as_the_code_grows_finer() -> None:
    model = small_encoder(0)
    rng = np.random.default_rng(1)
    batches = [rng.normal(size=(4, 10, 16)).astype(np.float32) for _ in range(3)]
    ranges, layers = record(model, batches)
    exact = run(model, batches[0], FloatEngine())
    errors = []
    for code, bits in ((PhaseCode(steps=8, log2_base=Fraction(3, 4)), 8), (PhaseCode(), 8), (FINE, 16)):
        scheme = Scheme(code=code, weight_bits=bits)
        conversion = convert(model, ranges, layers, scheme, batches[:1])
        errors.append(relative(run(model, batches[0], conversion.engine()), exact))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.05


def test_verdicts_name_every_node_and_bound_the_spiking_ones() -> None:
    model = small_encoder(2, blocks=1)
    batch = np.random.default_rng(3).normal(size=(2, 5, 16)).astype(np.float32)
    ranges, layers = record(model, [batch])
    conversion = convert(model, ranges, layers, Scheme(), [batch])
    outcome = {verdict.node: verdict for verdict in conversion.verdicts}
    spiking = {"query", "key", "value", "attention", "projection", "mlp1", "mlp2"}
    assert {f"block0.{part}" for part in spiking} <= set(outcome)
    for part in spiking:
        verdict = outcome[f"block0.{part}"]
        assert verdict.outcome == "approximate"
        assert verdict.error is not None
        assert 0 < verdict.error < 0.5
    assert outcome["block0.norm1"].outcome == "float"
    assert outcome["block0.heads"].outcome == "exact"
    alone = convert(model, ranges, layers, Scheme(parts="attention"), [batch])
    assert not alone.linears
    assert {v.node for v in alone.verdicts if v.outcome == "approximate"} == {"block0.attention"}


def test_activity_counts_neurons_and_spikes() -> None:
    model = small_encoder(4, blocks=1)
    batch = np.random.default_rng(5).normal(size=(2, 5, 16)).astype(np.float32)
    ranges, layers = record(model, [batch])
    engine = convert(model, ranges, layers, Scheme(), [batch]).engine()
    run(model, batch, engine)
    assert engine.activity["block0.mlp1.x"].neurons == 2 * 5 * 16
    assert engine.activity["block0.attention.attention"].neurons == 2 * 2 * 5 * 5
    for counted in engine.activity.values():
        assert 0 < counted.spikes <= counted.neurons
        assert counted.steps <= counted.neurons * 16


def test_scales() -> None:
    ranges = Ranges(
        linear={"b.mlp1": np.array([1.0, 0.0, 4.0]), "b.projection": np.array([9.0, 9.0, 9.0, 9.0])},
        attention={"b.attention": np.array([[1, 0], [2, 2], [4, 4], [8, 0.001]])},
    )
    assert linear_scales("b.mlp1", ranges, "channel").tolist() == [1.0, 4.0 / 1024, 4.0]
    assert linear_scales("b.mlp1", ranges, "tensor").tolist() == [4.0, 4.0, 4.0]
    # The projection reads the output spikes of attention, within the range of their threshold
    assert linear_scales("b.projection", ranges, "channel").tolist() == [4.0, 4.0, 4 / 256, 4 / 256]
    assert attention_scales(ranges.attention["b.attention"])[0].tolist() == [1.0, 1.0]


def test_no_samples_and_overflow_are_refused() -> None:
    model = small_encoder(6)
    with pytest.raises(InputError, match="calibration needs at least one sample"):
        record(model, [])
    with pytest.raises(InputError, match="out of range"):
        record(model, [np.full((1, 3, 16), np.inf, np.float32)])


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("parts", "all", "Scheme.parts must be one of attention, linear, not 'all'"),
        ("granularity", "head", "Scheme.granularity must be one of tensor, channel, not 'head'"),
        ("window", 17, r"Scheme.window must be an integer in 1..16, not 17"),
        ("weight_bits", 1, r"Scheme.weight_bits must be an integer in 2..16, not 1"),
    ],
)
def test_schemes_are_checked(field: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Scheme(**{field: value})  # type: ignore[arg-type]


def test_error_function_and_norm() -> None:
    from math import erf as reference

    x = np.linspace(-5, 5, 2001)
    assert np.abs(erf(x) - [reference(v) for v in x]).max() < 1.6e-7
    assert gelu(np.float32([0.0]))[0] == 0
    norm = Norm(weight=np.full(8, 2.0), bias=np.full(8, 3.0), epsilon=0.0)
    y = layer_norm(np.random.default_rng(0).normal(size=(4, 8)), norm)
    np.testing.assert_allclose(y.mean(axis=-1), 3.0)
    np.testing.assert_allclose(y.std(axis=-1), 2.0)
