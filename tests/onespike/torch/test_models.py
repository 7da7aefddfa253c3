"""Models of transformers and timm, of random weights: attention of every layer in golden's integers."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="attention of PyTorch needs torch")

import onespike.torch  # noqa: E402
from onespike.torch import run as runs  # noqa: E402
from onespike.torch import spikes as tensors  # noqa: E402
from onespike.torch import spiking_attention  # noqa: E402
from tests.onespike.torch.golden_twin import assert_equal  # noqa: E402

SMALL: dict[str, Any] = {"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4}
TEXT = {"vocab_size": 40, "intermediate_size": 32, **SMALL}
Made = tuple[Any, dict[str, Any]]


@pytest.fixture(scope="module")
def transformers() -> Any:
    return pytest.importorskip("transformers", reason="models of transformers")


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Jobs of everything that is computed from here on; each is compared with golden."""
    found = []

    def compute(job: Any) -> Any:
        spikes = tensors.compute(job)
        assert_equal(job, spikes)
        found.append(job)
        return spikes

    monkeypatch.setattr(runs, "compute", compute)
    return found


def tokens(*, left: bool = False) -> dict[str, Any]:
    """Two sentences, of which one is padded, on the left where a model generates."""
    torch.manual_seed(1)
    ids, mask = torch.randint(1, 40, (2, 9)), torch.ones(2, 9, dtype=torch.long)
    mask[1, : 4 if left else None] = 0 if left else 1
    if not left:
        mask[1, 5:] = 0
    return {"input_ids": ids, "attention_mask": mask}


def made(transformers: Any, config: Any, **options: Any) -> Any:
    """A model of random weights; larger ones than usual, for attention that is not uniform."""
    torch.manual_seed(0)
    config.initializer_range = 0.4
    return transformers.AutoModel.from_config(config, attn_implementation="onespike", **options).eval()


def bert(t: Any) -> Made:
    return made(t, t.BertConfig(**TEXT)), tokens()


def bert_decoder(t: Any) -> Made:
    return made(t, t.BertConfig(**TEXT, is_decoder=True)), tokens()


def vit(t: Any) -> Made:
    config = t.ViTConfig(**SMALL, intermediate_size=32, image_size=16, patch_size=4)
    torch.manual_seed(2)
    return made(t, config), {"pixel_values": torch.randn(2, 3, 16, 16)}


def gpt2(t: Any) -> Made:
    # Its logits have a scale of their own in each layer
    config = t.GPT2Config(
        vocab_size=40, n_embd=24, n_layer=2, n_head=4, n_positions=32, scale_attn_by_inverse_layer_idx=True,
        bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    return made(t, config), tokens(left=True)


def llama(t: Any) -> Made:
    return made(t, t.LlamaConfig(**TEXT, num_key_value_heads=2, bos_token_id=1, eos_token_id=2)), tokens(
        left=True
    )


def mistral(t: Any) -> Made:
    # A row attends the last three tokens
    config = t.MistralConfig(
        **TEXT, num_key_value_heads=1, head_dim=6, sliding_window=3, bos_token_id=1, eos_token_id=2
    )
    return made(t, config), tokens()


def t5(t: Any) -> Made:
    # Logits are not scaled, a learned bias is added, and the decoder attends the encoder
    config = t.T5Config(vocab_size=40, d_model=24, d_kv=6, d_ff=32, num_layers=2, num_heads=4)
    inputs = tokens()
    return made(t, config), inputs | {"decoder_input_ids": inputs["input_ids"][:, :4]}


MODELS = (bert, bert_decoder, vit, gpt2, llama, mistral, t5)


@pytest.mark.parametrize("make", MODELS, ids=lambda make: make.__name__)
def test_transformers(make: Callable[[Any], Made], transformers: Any, computed: list[Any]) -> None:
    """Integers are golden's, outputs near those of softmax, in a block and without one the same."""
    model, inputs = make(transformers)
    with torch.no_grad():
        spiking = model(**inputs).last_hidden_state
        heads = sum(job.q.sign.shape[0] for job in computed)
        with spiking_attention() as run:
            again = model(**inputs).last_hidden_state
        model.set_attn_implementation("sdpa")
        exact = model(**inputs).last_hidden_state
        with spiking_attention():
            through_torch = model(**inputs).last_hidden_state
    assert len(run.layers) == (6 if make is t5 else 2)
    assert heads == len(run.layers) * 2 * 4  # samples, heads
    attended = torch.ones(spiking.shape[:2]) > 0
    if "attention_mask" in inputs and make is not t5:
        attended = inputs["attention_mask"] > 0
    assert torch.equal(again, spiking)
    assert torch.equal(through_torch, spiking)
    for layer in run.report().to_json()["layers"]:
        assert layer["error"]["cosine"] > 0.9
    distance = (spiking - exact)[attended].norm() / exact[attended].norm()
    assert 1e-4 < distance < 0.6


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("make", [gpt2, llama], ids=lambda make: make.__name__)
def test_generation(
    make: Callable[[Any], Made], padded: bool, transformers: Any, computed: list[Any]
) -> None:
    """Token by token from a cache: one query of all keys so far, with a mask where sequences are padded."""
    model, inputs = make(transformers)
    if not padded:
        inputs["attention_mask"] = torch.ones_like(inputs["attention_mask"])
    torch.manual_seed(0)
    causal = transformers.AutoModelForCausalLM.from_config(
        model.config, attn_implementation="onespike"
    ).eval()
    with spiking_attention(scales="calibrated") as run:
        found = causal.generate(**inputs, max_new_tokens=4, min_new_tokens=4, do_sample=False, pad_token_id=0)
    assert found.shape == (2, 13)
    assert {(job.q.sign.shape[1], job.k.sign.shape[1]) for job in computed} == {
        (9, 9),
        (1, 10),
        (1, 11),
        (1, 12),
    }
    assert [layer.calls for layer in run.layers.values()] == [4, 4]
    assert len(run.calibration) == 2


def test_weights(transformers: Any) -> None:
    """`output_attentions` gives what stands in the place of softmax."""
    model, inputs = bert(transformers)
    with torch.no_grad():
        spiking = model(**inputs, output_attentions=True).attentions
        model.set_attn_implementation("eager")
        exact = model(**inputs, output_attentions=True).attentions
    assert len(spiking) == len(exact) == 2
    assert spiking[0].shape == exact[0].shape == (2, 4, 9, 9)
    assert torch.allclose(spiking[0].sum(-1), torch.ones(()), atol=1e-5)
    assert not spiking[0][1, :, :, 5:].any()
    assert (spiking[0] - exact[0]).abs().mean() < 0.1


def test_saved_models(transformers: Any, tmp_path: Path) -> None:
    """One line: a folder, and the name of the implementation."""
    model, inputs = bert(transformers)
    model.save_pretrained(tmp_path)
    loaded = transformers.AutoModel.from_pretrained(tmp_path, attn_implementation="onespike")
    with torch.no_grad():
        assert torch.equal(loaded(**inputs).last_hidden_state, model(**inputs).last_hidden_state)


def test_training_is_refused(transformers: Any) -> None:
    model, inputs = bert(transformers)
    with pytest.raises(onespike.InputError, match=r"dropout_p must be 0, not 0\.1"):
        model.train()(**inputs)


@pytest.mark.parametrize("name", ["softcap", "s_aux"])
def test_other_softmaxes_are_refused(name: str, transformers: Any) -> None:
    attention = transformers.AttentionInterface()["onespike"]
    q = torch.randn(1, 2, 3, 4)
    with pytest.raises(onespike.InputError, match=f"{name} must be absent in attention in spikes"):
        attention(torch.nn.Identity(), q, q, q, None, **{name: torch.ones(2)})


@pytest.mark.parametrize("masked", [None, "bool", "float", "causal"])
def test_position_bias(masked: str | None, transformers: Any) -> None:
    """A bias beside the mask is the sum of both."""
    attention = transformers.AttentionInterface()["onespike"]
    torch.manual_seed(3)
    q, k, v = torch.randn(3, 2, 4, 5, 6)
    bias = torch.randn(1, 4, 5, 5)
    allowed = torch.ones(5, 5).tril() > 0
    mask = {"bool": allowed, "float": torch.zeros(5, 5).masked_fill(~allowed, -torch.inf)}.get(str(masked))
    module = torch.nn.Identity()
    module.is_causal = masked == "causal"
    out, weights = attention(module, q, k, v, mask, position_bias=bias)
    whole = bias if masked is None else bias.masked_fill(~allowed, -torch.inf)
    expected = onespike.torch.scaled_dot_product_attention(q, k, v, attn_mask=whole)
    assert torch.equal(out, expected.transpose(1, 2))
    assert weights is None


def test_a_cache_of_fixed_size(transformers: Any) -> None:
    """Keys that no row attends yet are cut, as for torch."""
    attention = transformers.AttentionInterface()["onespike"]
    module = torch.nn.Identity()
    module.is_causal = True
    q, k, v = torch.randn(3, 2, 4, 5, 6)
    more = torch.randn(2, 4, 3, 6)
    out, _ = attention(module, q, torch.cat([k, more], 2), torch.cat([v, more], 2), None)
    expected = onespike.torch.scaled_dot_product_attention(q, k, v, is_causal=True)
    assert torch.equal(out, expected.transpose(1, 2))


TIMM: dict[str, tuple[dict[str, Any], str]] = {
    "vit_tiny_patch16_224": (
        {"depth": 2, "img_size": 48, "embed_dim": 24, "num_heads": 3}, "blocks.{}.attn"
    ),
    "eva02_tiny_patch14_224": (
        {"depth": 2, "img_size": 28, "embed_dim": 24, "num_heads": 2}, "blocks.{}.attn"
    ),
    # Windows of which some mask, and a bias of every pair of places
    "swin_tiny_patch4_window7_224": (
        {"depths": (2,), "img_size": 32, "window_size": 4, "embed_dim": 12, "num_heads": (2,)},
        "layers.0.blocks.{}.attn",
    ),
}  # fmt: skip


@pytest.fixture
def timm() -> Iterator[Any]:
    """timm, whose Swin attends through torch where it is asked to before it is made."""
    found = pytest.importorskip("timm", reason="models of timm")
    found.layers.set_fused_attn(experimental=True)
    yield found
    found.layers.set_fused_attn()


@pytest.mark.parametrize("name", TIMM)
def test_timm(name: str, timm: Any, computed: list[Any]) -> None:
    options, layers = TIMM[name]
    torch.manual_seed(4)
    model = timm.create_model(name, num_classes=0, **options).eval()
    image = torch.randn(2, 3, options["img_size"], options["img_size"])
    with torch.no_grad():
        exact = model(image)
        with spiking_attention(scales="calibrated", batches=2) as run:
            spiking = model(image)
    assert computed
    assert any(job.bias is not None for job in computed) == ("swin" in name)
    assert list(run.layers) == [layers.format(number) for number in range(2)]
    assert 1e-4 < (spiking - exact).norm() / exact.norm() < 0.6


def test_torchvision() -> None:
    models = pytest.importorskip("torchvision.models", reason="models of torchvision")
    torch.manual_seed(5)
    model = models.VisionTransformer(32, 16, 2, 2, 24, 32).eval()
    with torch.no_grad(), spiking_attention() as run:
        model(torch.randn(1, 3, 32, 32))
    assert list(run.layers) == [f"encoder.layers.encoder_layer_{n}.self_attention" for n in range(2)]
