"""Every layout as one network of integers: near the float model, and nearer as the code grows finer."""

import hashlib
import re
from dataclasses import fields, replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.attention import Attention
from golden.network.layers import SpikingLinear, StreamLinear
from golden.network.network import Network, run_network
from models.conversion.convert import convert
from models.conversion.network import IntegerModel, convert_network, integers_of, rows_of
from models.conversion.record import record
from models.conversion.scheme import Scheme
from models.conversion.verdicts import hardware_reasons
from models.files.tensors import read_tensors
from models.floating.bert import Bert
from models.floating.engine import FloatEngine
from models.floating.model import Model
from models.floating.recording import Moments
from models.floating.swin import Swin
from models.floating.torch_encoder import TorchEncoder
from models.layouts import Options, read_model
from models.shipped.vit_file import FOLDER, load_vit
from models.verdict import RefusedModel
from studies.data import handwritten_digits
from tests.golden.network.samples import random_images, random_transformer
from tests.models.test_engine import relative, small_encoder
from tests.models.test_libraries import FOLDERS, LAYOUT, OPTIONS, vectors

FINE = PhaseCode(steps=60, log2_base=Fraction(1, 7), trace_bits=16)
SAMPLES = 24


def read(name: str) -> Model:
    return read_model(read_tensors(FOLDERS / name), OPTIONS.get(name, Options()))[1]


def changed(model: Any, **changes: Any) -> Model:
    """With other fields in every block."""
    if isinstance(model, Swin):
        stages = [
            replace(stage, blocks=[replace(b, block=replace(b.block, **changes)) for b in stage.blocks])
            for stage in model.stages
        ]
        return replace(model, stages=stages)
    return replace(model, blocks=[replace(block, **changes) for block in model.blocks])


def drawn(model: Model, name: str) -> NDArray[Any]:
    """Random inputs, like the two or so that the library ran."""
    rng, few = np.random.default_rng(8), vectors(name)["inputs"]
    if model.samples.kind == "sentences":
        return rng.integers(4, model.samples.vocabulary, (SAMPLES, few.shape[1]))
    return rng.normal(few.mean(), few.std(), (SAMPLES, *few.shape[1:])).astype(np.float32)


def unexplained(found: NDArray[np.floating], exact: NDArray[np.floating]) -> float:
    """Error over the spread of the outputs: 1 says no more of a sample than the mean of all does."""
    return float(np.sqrt(np.square(found - exact).mean() / exact.var(axis=0).mean()))


@pytest.mark.parametrize("name", LAYOUT)
def test_every_layout_becomes_one_network_of_integers(name: str) -> None:
    """The library's own activations at the default code; without the lobe of GELU at a fine one. The network
    core has a program for it.
    """
    model = changed(read(name), query_norm=None, key_norm=None)
    batch, pairs = drawn(model, name), []
    for case, code in ((model, PhaseCode()), (changed(model, activation="relu"), FINE)):
        made = convert_network(case, [batch], code)
        pairs.append((made.run(case, batch), case.run(batch, FloatEngine())))
        assert hardware_reasons(made) == {"": "yes"}
    assert relative(*pairs[0]) < 0.55
    assert unexplained(*pairs[1]) < 0.3


def test_norms_of_queries_and_keys_are_refused_by_name() -> None:
    with pytest.raises(
        RefusedModel, match=r"^block0.query_norm: norms of queries and keys have no"
    ) as refused:
        convert_network(read("timm_registers"), [vectors("timm_registers")["inputs"]], PhaseCode())
    outcome = {verdict.node: verdict.outcome for verdict in refused.value.verdicts}
    assert (outcome["block1.query_norm"], outcome["block1.mlp2"]) == ("refused", "readable")


def test_a_node_whose_integers_leave_their_word_is_refused_by_name() -> None:
    deep = PhaseCode(steps=31, log2_base=Fraction(1))
    batch = np.random.default_rng(3).normal(size=(2, 5, 16)).astype(np.float32)
    with pytest.raises(RefusedModel, match=r"^block0.query: biases must fit potentials of 40 bits"):
        convert_network(small_encoder(7), [batch], deep)
    silent = changed(read("torch_no_bias"), activation="relu")
    found = r"^block0.query, block0.key, block0.value: the potential must fit .* must be smaller by (\d+)$"
    with pytest.raises(RefusedModel, match=found) as refused:
        convert_network(silent, [batch], deep)
    # what it advises is enough, and no more than that
    less = int(re.findall(found, str(refused.value))[0])
    convert_network(silent, [batch], replace(deep, steps=deep.steps - less))
    with pytest.raises(RefusedModel, match=r"must be smaller by 1$"):
        convert_network(silent, [batch], replace(deep, steps=deep.steps - less + 1))


def test_sums_that_could_leave_the_word_get_a_coarser_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = small_encoder(5), np.random.default_rng(3).normal(size=(2, 5, 16)).astype(np.float32)
    fine = convert_network(model, [batch], PhaseCode())
    bits = fine.network.shapes().residual.bit_length() - 2  # of a word that is three bits too narrow
    for module in ("golden.network.layers", "models.conversion.network"):
        monkeypatch.setattr(f"{module}.STREAM_BITS", bits)
    coarse = convert_network(model, [batch], PhaseCode())
    assert coarse.ends.scale == 8 * fine.ends.scale
    assert coarse.network.shapes().residual < 1 << bits - 1
    monkeypatch.setattr("golden.network.layers.STREAM_BITS", 8)
    monkeypatch.setattr("models.conversion.network.STREAM_BITS", 8)
    with pytest.raises(RefusedModel, match=r"^block0.projection: the residual stream must fit 8 bits"):
        convert_network(model, [batch], PhaseCode())


# --- what is learned from samples


def test_biases_make_mean_potentials_those_of_the_float_model() -> None:
    """Of every layer, over the samples: by the last one, of the outputs."""
    model = small_encoder(1)
    batch = np.random.default_rng(4).normal(size=(40, 6, 16)).astype(np.float32)
    model = replace(model, norm=None)
    ranges, _ = record(model, [batch])
    plain = integers_of(model, ranges, 6, PhaseCode(steps=8, log2_base=Fraction(3, 4)))
    learned = integers_of(model, ranges, 6, plain.network.code, samples=[batch])
    exact = model.run(batch, FloatEngine())
    drift = [np.abs((made.run(model, batch) - exact).mean(axis=(0, 1))).mean() for made in (plain, learned)]
    assert drift[1] < 0.4 * drift[0]


@pytest.mark.parametrize("name", ["sentence_mpnet", "bert", "timm_mean"])
def test_learning_helps_samples_that_were_not_seen(name: str) -> None:
    """Random tokens and images: the lobes of GELU follow what enters an MLP."""
    model, rng = read(name), np.random.default_rng(8)
    if model.samples.kind == "images":
        data = rng.normal(size=(60, *vectors(name)["inputs"].shape[1:])).astype(np.float32)
    else:
        data = rng.integers(4, model.samples.vocabulary, (60, 8))
    seen, held_out = data[:40], data[40:]
    ranges, _ = record(model, [seen])
    rows = rows_of(model, [seen])
    errors = [
        relative(
            integers_of(model, ranges, rows, FINE, samples=samples).run(model, held_out),
            model.run(held_out, FloatEngine()),
        )
        for samples in (None, [seen])
    ]
    assert errors[1] < 0.95 * errors[0]


def test_moments_find_a_linear_map() -> None:
    rng, moments = np.random.default_rng(5), Moments()
    weight, bias = rng.normal(size=(3, 6)), rng.normal(size=3)
    for _ in range(4):
        x = rng.normal(size=(2, 50, 6)) + 2
        moments.add(x, x @ weight.T + bias)
    found = moments.fit(0.01)
    np.testing.assert_allclose(found.weight, weight, atol=1e-3)
    np.testing.assert_allclose(found.bias, bias, atol=1e-2)


# --- tokens of an inference


@pytest.mark.parametrize("name", ["mpnet", "gpt2", "roberta", "electra"])
def test_fewer_tokens_are_the_first_rows(name: str) -> None:
    """A network of their number computes what a network of all tokens does with the first ones."""
    model = read(name)
    sentence = vectors(name)["inputs"][:1, :7]
    made = convert_network(model, [sentence], PhaseCode(), tokens=9)
    assert made.network.tokens == 9
    short = made.encode(model, sentence)
    assert isinstance(short, np.ndarray)
    whole = np.pad(short, ((0, 0), (0, 2), (0, 0)), constant_values=5)
    among = run_network(made.network, whole, tokens=np.array([7])).scores
    alone = run_network(made.of_rows(7), short).scores
    assert (among[:, :7] == alone if alone.ndim == 3 else among == alone).all()


def test_tokens_that_a_model_has_not() -> None:
    model, sentence = read("gpt2"), vectors("gpt2")["inputs"]
    assert convert_network(model, [sentence], PhaseCode()).network.tokens == model.samples.length
    with pytest.raises(InputError, match=r"^tokens must be an integer in 1.."):
        convert_network(model, [sentence], PhaseCode(), tokens=model.samples.length + 1)
    with pytest.raises(InputError, match=r"^tokens must be at least those of the longest sample"):
        convert_network(model, [sentence], PhaseCode(), tokens=5)
    made = convert_network(model, [sentence[:, :5]], PhaseCode(), tokens=5)
    with pytest.raises(InputError, match=r"^samples must have at most 5 tokens, not 9"):
        made.run(model, sentence)
    with pytest.raises(InputError, match=r"^images have as many tokens as patches"):
        convert_network(read("vit"), [vectors("vit")["inputs"]], PhaseCode(), tokens=3)


def test_causal_masks_let_no_token_see_the_next() -> None:
    encoder = small_encoder(3)
    model = TorchEncoder(blocks=encoder.blocks, norm=encoder.norm, causal=True)
    batch = np.random.default_rng(2).normal(size=(1, 6, 16)).astype(np.float32)
    made = convert_network(model, [batch], PhaseCode())
    other = batch.copy()
    other[:, 4:] += 1
    assert (made.run(model, batch)[:, :4] == made.run(model, other)[:, :4]).all()


def test_a_class_token_without_an_embedding_enters_with_the_vectors() -> None:
    encoder = read("torch_module_cls")
    assert isinstance(encoder, TorchEncoder)
    model = replace(changed(encoder, activation="relu"), embedding=None)
    batch = np.random.default_rng(4).normal(size=(2, 6, 16)).astype(np.float32)
    made = convert_network(model, [batch], FINE)
    assert made.network.tokens == 7
    assert relative(made.run(model, batch), model.run(batch, FloatEngine())) < 0.1


@pytest.mark.parametrize("name", ["torch_module_mean", "torch_module_last"])
def test_pooling_counts_the_tokens(name: str) -> None:
    model, batch = read(name), vectors(name)["inputs"]
    made = convert_network(model, [batch], PhaseCode())
    with pytest.raises(InputError, match=r"^samples must have 7 tokens, not 6$"):
        made.run(model, batch[:, :6])


def test_a_mean_is_over_the_tokens_of_the_sentence() -> None:
    model = read("bert")
    assert isinstance(model, Bert)
    words = vectors("bert")["inputs"]
    made = convert_network(model, [words, words[:, :4]], FINE)
    for batch in (words, words[:, :4]):
        assert relative(made.run(model, batch), model.run(batch, FloatEngine())) < 0.1


# --- what the layers are


def layers_of(made: IntegerModel, kind: type) -> list[Any]:
    return [layer for layer in made.network.layers if type(layer) is kind]


def test_windows_go_there_and_back() -> None:
    model, batch = read("timm_swin"), vectors("timm_swin")["inputs"]
    made = convert_network(model, [batch], PhaseCode())
    shifted = [layer for layer in layers_of(made, Attention) if layer.allowed is not None]
    assert shifted
    assert all(layer.bias is not None for layer in layers_of(made, Attention))
    order = next(layer.gather[:, 0] for layer in layers_of(made, SpikingLinear) if layer.gather is not None)
    back = next(layer.gather[:, 0] for layer in layers_of(made, StreamLinear) if layer.gather is not None)
    assert (order[back] == np.arange(len(order))).all()


def test_norms_after_the_sums_set_the_stream_anew() -> None:
    made = convert_network(read("bert"), [vectors("bert")["inputs"]], PhaseCode())
    fresh = [
        node
        for layer, node in zip(made.network.layers, made.nodes, strict=True)
        if getattr(layer, "fresh", 0)
    ]
    assert fresh == [("embedding.norm",), ("block0.norm1",), ("block0.norm2",), ("block1.norm1",)]


def test_verdicts_say_what_the_network_core_computes() -> None:
    model, batch = random_transformer(2), random_images(3, 6)[:, None]
    ranges, layers = record(model, [batch])
    conversion = convert(model, ranges, layers, Scheme(), [batch])
    assert {verdict.outcome for verdict in conversion.verdicts} == {"exact", "approximate"}
    assert {verdict.hardware for verdict in conversion.verdicts} == {"yes"}
    assert (conversion.parts, conversion.linears) == (("network",), {})
    # A network that no unit computes: its first norm twice
    made = conversion.network
    assert made is not None
    order = [0, 1, *range(1, len(made.nodes))]
    twice = tuple(made.network.layers[index] for index in order)
    other = replace(
        made, network=replace(made.network, layers=twice), nodes=[made.nodes[index] for index in order]
    )
    reasons = hardware_reasons(other)
    assert reasons.pop("") == ""
    assert list(reasons) == ["block0.norm1"]
    assert reasons["block0.norm1"].startswith("a norm must follow a layer")


def digest(network: Network) -> str:
    """Of every integer of a network."""
    hashed = hashlib.sha256(repr(network.scale).encode())
    for layer in network.layers:
        for field in fields(layer):  # type: ignore[arg-type]
            value: NDArray[Any] | object = getattr(layer, field.name)
            array = isinstance(value, np.ndarray)
            hashed.update(np.ascontiguousarray(value, "<i8").tobytes() if array else repr(value).encode())
    return hashed.hexdigest()[:16]


def test_integers_of_the_shipped_digits() -> None:
    """Scores that the documents name were measured on these very integers."""
    images = handwritten_digits.load().train_images[:1000].astype(np.float64)[:, None]
    made = convert_network(load_vit(FOLDER / "digits.npz"), [images], PhaseCode())
    assert digest(made.network) == "a2e09cc87f5f2e5f"
