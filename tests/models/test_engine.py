"""Engines: spikes approach floats as the code grows finer, and count what they do."""

from fractions import Fraction

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.errors import InputError
from models.conversion.convert import convert
from models.conversion.record import record
from models.conversion.scales import attention_of, linear_scales
from models.conversion.scheme import ATTENTION_GRANULARITIES, AttentionGranularity, Scheme
from models.floating.encoder import Block
from models.floating.engine import FloatEngine, Linear, SpikingEngine
from models.floating.functions import ACTIVATIONS, HEAD_ACTIVATIONS, Norm, apply_norm, erf, gelu
from models.floating.recording import Ranges, RecordingEngine
from models.floating.torch_encoder import TorchEncoder
from models.verdict import RefusedModel

FINE = PhaseCode(steps=64, log2_base=Fraction(1, 8), trace_bits=16)
LINEAR = Scheme(parts="linear")


def small_encoder(
    seed: int, dim: int = 16, hidden: int = 24, blocks: int = 2, norm_first: bool = True
) -> TorchEncoder:
    rng = np.random.default_rng(seed)

    def dense(outputs: int, inputs: int) -> Linear:
        weight = rng.normal(size=(outputs, inputs)) / np.sqrt(inputs)
        return Linear(weight=weight.astype(np.float32), bias=rng.normal(size=outputs).astype(np.float32) / 4)

    def norm() -> Norm:
        weight = rng.choice([-1.0, 1.0], dim) * rng.uniform(0.5, 1.5, dim)
        return Norm(
            weight=weight.astype(np.float32), bias=rng.normal(size=dim).astype(np.float32) / 4, epsilon=1e-5
        )

    def block() -> Block:
        return Block(
            heads=2,
            norm_first=norm_first,
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
    exact = model.run(batches[0], FloatEngine())
    errors = []
    for code, bits in ((PhaseCode(steps=8, log2_base=Fraction(3, 4)), 8), (PhaseCode(), 8), (FINE, 16)):
        scheme = Scheme(code=code, parts="linear", weight_bits=bits)
        conversion = convert(model, ranges, layers, scheme, batches[:1])
        errors.append(relative(model.run(batches[0], conversion.engine()), exact))
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.05


def test_verdicts_name_every_node_and_bound_the_spiking_ones() -> None:
    model = small_encoder(2, blocks=1)
    batch = np.random.default_rng(3).normal(size=(2, 5, 16)).astype(np.float32)
    ranges, layers = record(model, [batch])
    conversion = convert(model, ranges, layers, LINEAR, [batch])
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
    engine = convert(model, ranges, layers, LINEAR, [batch]).engine()
    model.run(batch, engine)
    assert engine.activity["block0.mlp1.x"].neurons == 2 * 5 * 16
    assert engine.activity["block0.attention.attention"].neurons == 2 * 2 * 5 * 5
    for counted in engine.activity.values():
        assert 0 < counted.spikes <= counted.neurons
        assert counted.steps <= counted.neurons * 16


HEADS = np.array(
    [[[1.0, 0.5], [0, 0]], [[2, 2], [2, 8]], [[4, 1], [4, 4]], [[8, 0.5], [0.001, 0.001]]], np.float32
)


def test_scales() -> None:
    ranges = Ranges(
        linear={"b.mlp1": np.array([1.0, 0.0, 4.0]), "b.projection": np.array([9.0, 9.0, 9.0, 9.0])},
        attention={"b.attention": HEADS},
    )
    scheme = LINEAR
    assert linear_scales("b.mlp1", ranges, scheme).tolist() == [1.0, 4.0 / 1024, 4.0]
    assert linear_scales("b.mlp1", ranges, Scheme(parts="linear", granularity="tensor")).tolist() == [
        4.0,
        4.0,
        4.0,
    ]
    # The projection reads the output spikes of attention, within the range of their threshold
    assert linear_scales("b.projection", ranges, scheme).tolist() == [4.0, 4.0, 4 / 256, 4 / 256]
    assert attention_of(HEADS, scheme).scales[:3].tolist() == [[1, 1], [2, 8], [4, 4]]


def test_attention_scales_per_tensor_and_channel() -> None:
    whole = attention_of(HEADS, Scheme(parts="linear", attention_granularity="tensor"))
    assert whole.scales.tolist() == [[1, 1], [8, 8], [4, 4], [4, 4]]
    fine = attention_of(HEADS, Scheme(parts="linear", attention_granularity="channel"))
    np.testing.assert_allclose(fine.balance[0] * fine.balance[1], 1.0)
    np.testing.assert_allclose(fine.scales[:2, 0], 2**0.5)
    assert fine.balance[2].tolist() == [[4, 1], [4, 4]]
    assert fine.scales[2].tolist() == [1, 1]
    ranges = Ranges(linear={"b.projection": np.ones(4)}, attention={"b.attention": HEADS})
    read = linear_scales("b.projection", ranges, Scheme(parts="linear", attention_granularity="channel"))
    assert read.tolist() == [4.0, 1.0, 4 / 256, 4 / 256]


@pytest.mark.parametrize("granularity", ["tensor", "head", "channel"])
def test_scales_of_attention_change_nothing_but_the_code(granularity: AttentionGranularity) -> None:
    """With a fine code all of them give the float network."""
    model = small_encoder(8)
    rng = np.random.default_rng(9)
    batch = rng.normal(size=(4, 10, 16)).astype(np.float32)
    ranges, layers = record(model, [batch])
    scheme = Scheme(code=FINE, parts="linear", weight_bits=16, attention_granularity=granularity)
    spikes = model.run(batch, convert(model, ranges, layers, scheme, [batch]).engine())
    assert relative(spikes, model.run(batch, FloatEngine())) < 0.06


def test_scales_per_channel_serve_channels_of_unlike_range() -> None:
    rng = np.random.default_rng(10)
    spread = np.exp2(-np.arange(8))
    q, k, v = (rng.normal(size=(1, 1, 20, 8)) * spread for _ in range(3))
    q /= spread**2  # large where k is small
    engine = RecordingEngine()
    exact = engine.attention("a", q, k, v)
    errors = {}
    for granularity in ATTENTION_GRANULARITIES:
        scheme = Scheme(parts="linear", attention_granularity=granularity)
        spiking = SpikingEngine({}, {"a": attention_of(engine.ranges.attention["a"], scheme)}, {})
        errors[granularity] = relative(spiking.attention("a", q, k, v) / spread, exact / spread)
    assert errors["channel"] < 0.7 * errors["head"]


@pytest.mark.parametrize("norm_first", [True, False])
def test_norms_in_spikes(norm_first: bool) -> None:
    model = small_encoder(11, dim=24, norm_first=norm_first)
    rng = np.random.default_rng(12)
    batch = rng.normal(size=(4, 10, 24)).astype(np.float32)
    ranges, layers = record(model, [batch])
    exact = model.run(batch, FloatEngine())
    errors = []
    for code in (PhaseCode(steps=8, log2_base=Fraction(3, 4)), PhaseCode(), FINE):
        conversion = convert(model, ranges, layers, Scheme(code=code, parts="norm", weight_bits=16), [batch])
        engine = conversion.engine()
        errors.append(relative(model.run(batch, engine), exact))
        # A dense layer that reads a norm alone is given the norm's spikes, not another code of them
        for name, (norm, _) in model.norm_readers().items():
            assert engine.activity[f"{name}.x"] == engine.activity[f"{norm}.out"]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.1
    outcome = {verdict.node: verdict.outcome for verdict in conversion.verdicts}
    assert outcome["block0.norm1"] == outcome["norm"] == "approximate"
    assert conversion.engine("linear").norms == {}


def test_no_samples_and_overflow_are_refused() -> None:
    model = small_encoder(6)
    with pytest.raises(InputError, match="calibration needs at least one sample"):
        record(model, [])
    with pytest.raises(InputError, match="out of range"):
        record(model, [np.full((1, 3, 16), np.inf, np.float32)])


def test_layers_beyond_the_exact_range_are_refused_by_name() -> None:
    model = small_encoder(7, hidden=300)
    batch = np.random.default_rng(3).normal(size=(2, 5, 16)).astype(np.float32)
    ranges, layers = record(model, [batch])
    wide = Scheme(code=PhaseCode(steps=27, log2_base=Fraction(1)), parts="linear", weight_bits=16)
    with pytest.raises(RefusedModel, match=r"block0.mlp2: a linear layer of 300 inputs") as refused:
        convert(model, ranges, layers, wide, [batch])
    outcome = {verdict.node: verdict.outcome for verdict in refused.value.verdicts}
    assert {node for node, out in outcome.items() if out == "refused"} == {"block0.mlp2", "block1.mlp2"}
    assert outcome["block0.mlp1"] == "readable"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("parts", "all", "Scheme.parts must be one of network, attention, linear, norm, not 'all'"),
        ("attention_granularity", "row", "Scheme.attention_granularity must be one of tensor, head, channel"),
        ("granularity", "head", "Scheme.granularity must be one of tensor, channel, not 'head'"),
        ("window", 17, r"Scheme.window must be an integer in 1..16, not 17"),
        ("window", 8, "Scheme.window must be absent with parts 'network', not 8"),
        ("granularity", "tensor", "Scheme.granularity must be absent with parts 'network', not 'tensor'"),
        ("tokens", 0, r"Scheme.tokens must be an integer in 1..1024, not 0"),
        ("weight_bits", 1, r"Scheme.weight_bits must be an integer in 2..8, not 1"),
    ],
)
def test_schemes_are_checked(field: str, value: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Scheme(**{field: value})  # type: ignore[arg-type]


def test_error_function_and_norm() -> None:
    from math import erf as reference

    x = np.linspace(-5, 5, 2001)
    exact = [reference(v) for v in x]
    assert (erf(x) == exact).all()
    assert np.abs(erf(x.astype(np.float32)) - exact).max() < 3e-7  # of which half is the rounding of x
    assert gelu(np.float32([0.0]))[0] == 0
    norm = Norm(weight=np.full(8, 2.0), bias=np.full(8, 3.0), epsilon=0.0)
    y = apply_norm(np.random.default_rng(0).normal(size=(4, 8)), norm)
    np.testing.assert_allclose(y.mean(axis=-1), 3.0)
    np.testing.assert_allclose(y.std(axis=-1), 2.0)


def test_norms_without_a_mean_or_a_deviation() -> None:
    x, weight, bias = np.array([[3.0, -1.0, 2.0]]), np.array([1.0, 2.0, 3.0]), np.array([0.0, 1.0, 0.0])
    rms = apply_norm(x, Norm(weight=weight, bias=bias, epsilon=0.0, kind="rms"))
    np.testing.assert_allclose(rms, x / np.sqrt(14 / 3) * weight + bias)
    fixed = apply_norm(x, Norm(weight=weight, bias=bias, epsilon=0.0, kind="fixed"))
    assert fixed.tolist() == [[3.0, -1.0, 6.0]]


def test_the_mean_of_the_lobe_is_over_all_batches() -> None:
    engine = RecordingEngine()
    layer = Linear(weight=np.ones((1, 2)))
    for batch in ([[[-1.0, 4.0]]], [[[-2.0, -1.0]], [[3.0, 1.0]]]):
        engine.linear("a", engine.activate(np.array(batch), ACTIVATIONS["gelu"]), layer)
        engine.linear("b", np.array(batch), Linear(weight=np.ones((1, 2))))
    below = gelu(np.array([[-1.0, -2.0], [-1.0, -0.5]])) - gelu(np.array(-0.5))
    np.testing.assert_allclose(engine.ranges.silent_mean("a"), below.sum(axis=1) / 3)
    assert engine.ranges.linear["a"].tolist() == gelu(np.array([3.0, 4.0])).tolist()
    assert set(engine.ranges.lobe) == {"a"}


def test_spikes_and_what_is_silent_make_up_an_activation() -> None:
    x = np.linspace(-6, 6, 97)
    for name, activation in (ACTIVATIONS | HEAD_ACTIVATIONS).items():
        if activation.odd:
            continue
        fired = np.where(x > activation.start, activation.fired(x - activation.start), 0)
        assert (np.diff(fired) >= 0).all()
        found = activation.floor + fired + activation.silent(x)
        np.testing.assert_allclose(found, activation.function(x), atol=1e-12, err_msg=name)
