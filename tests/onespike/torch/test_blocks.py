"""Blocks of spiking attention: whom they reach, what they leave as it was, what they refuse."""

import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="attention of PyTorch needs torch")

import onespike.torch  # noqa: E402
from onespike.torch import spiking_attention  # noqa: E402
from onespike.torch.patches import current  # noqa: E402

functional = torch.nn.functional


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    """Whatever a test does, torch is afterwards as it was."""
    hooks = torch.nn.modules.module
    functions = (
        (functional, "scaled_dot_product_attention"),
        (functional, "multi_head_attention_forward"),
        (torch.backends.mha, "get_fastpath_enabled"),
    )
    before = [getattr(owner, name) for owner, name in functions]
    counts = len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)
    yield
    assert [getattr(owner, name) for owner, name in functions] == before
    assert (len(hooks._global_forward_hooks), len(hooks._global_forward_pre_hooks)) == counts
    assert current() is None


def inputs(seed: int = 0, tokens: int = 6) -> list[Any]:
    torch.manual_seed(seed)
    return list(torch.randn(3, 2, 4, tokens, 8))


def mha(**options: Any) -> Any:
    torch.manual_seed(1)
    return torch.nn.MultiheadAttention(32, 4, **{"batch_first": True} | options).eval()


def test_a_block_reaches_torch_and_ends() -> None:
    q, k, v = inputs()
    exact = functional.scaled_dot_product_attention(q, k, v)
    with spiking_attention():
        spiking = functional.scaled_dot_product_attention(q, k, v)
    assert torch.equal(functional.scaled_dot_product_attention(q, k, v), exact)
    assert torch.equal(spiking, onespike.torch.scaled_dot_product_attention(q, k, v))
    assert 0.01 < (spiking - exact).norm() / exact.norm() < 0.5


def test_blocks_nest_and_end_by_exceptions() -> None:
    q, k, v = inputs()
    found = []

    def fails(inner: bool) -> None:
        with spiking_attention(steps=24 if inner else 4, log2_base=Fraction(2, 7 if inner else 1)) as run:
            found.append(functional.scaled_dot_product_attention(q, k, v))
            if not inner:
                with pytest.raises(ZeroDivisionError):
                    fails(True)
                assert torch.equal(functional.scaled_dot_product_attention(q, k, v), found[0])
            assert run.calls == (1 if inner else 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails(False)
    exact = functional.scaled_dot_product_attention(q, k, v)
    coarse, fine = ((spiking - exact).norm() for spiking in found)
    assert fine < coarse / 2


def test_a_module_that_fails_leaves_the_names_right() -> None:
    class Fails(torch.nn.Module):
        def forward(self, x: Any) -> Any:
            raise ZeroDivisionError

    layer = mha()
    x = torch.randn(2, 5, 32)
    with torch.no_grad(), spiking_attention() as run:
        with pytest.raises(ZeroDivisionError):
            torch.nn.Sequential(Fails(), layer)(x)
        layer(x, x, x)
    assert list(run.layers) == ["MultiheadAttention"]


def test_a_block_holds_for_its_thread_alone() -> None:
    q, k, v = inputs()
    exact = functional.scaled_dot_product_attention(q, k, v)
    x = torch.randn(2, 5, 32)
    layer = mha()
    fast = layer(x, x, x, need_weights=False)[0]
    found: dict[str, Any] = {}
    opened, looked = threading.Event(), threading.Event()

    def outside() -> None:
        opened.wait(60)
        found["exact"] = functional.scaled_dot_product_attention(q, k, v)
        found["fast path"] = torch.backends.mha.get_fastpath_enabled()
        with torch.no_grad():
            found["mha"] = layer(x, x, x, need_weights=False)[0]
        with spiking_attention(steps=4):
            found["coarse"] = functional.scaled_dot_product_attention(q, k, v)
        looked.set()

    thread = threading.Thread(target=outside)
    thread.start()
    with spiking_attention() as run:
        opened.set()
        assert looked.wait(60)
        fine = functional.scaled_dot_product_attention(q, k, v)
        assert not torch.backends.mha.get_fastpath_enabled()
    thread.join()
    assert torch.equal(found["exact"], exact)
    assert found["fast path"]
    assert torch.allclose(found["mha"], fast, atol=1e-6)
    assert not torch.equal(found["coarse"], fine)
    assert run.calls == 1


@pytest.mark.parametrize("weights", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"batch_first": False}, {"add_zero_attn": True}, {"kdim": 8, "vdim": 8}]
)
def test_multi_head_attention(options: dict[str, Any], weights: bool) -> None:
    """Neither the kernels that fuse nor the softmax that comes with weights go past the spikes."""
    layer = mha(**options)
    torch.manual_seed(2)
    x, y = torch.randn(5, 6, 32), torch.randn(5, 6, options.get("kdim", 32))
    memory = y if "kdim" in options else x
    padding = torch.zeros((5, 6) if layer.batch_first else (6, 5)) > 0
    padding[:, -1] = True
    asked = {"need_weights": weights, "key_padding_mask": padding}
    with torch.no_grad():
        exact, exact_weights = layer(x, memory, memory, **asked)
        with spiking_attention(steps=24) as run:
            spiking, found = layer(x, memory, memory, **asked)
    assert run.calls == 1
    assert not torch.equal(spiking, exact)
    assert (spiking - exact).norm() < 0.5 * exact.norm()
    if not weights:
        assert found is exact_weights is None
    else:
        assert found.shape == exact_weights.shape
        assert torch.allclose(found.sum(-1), torch.ones(()), atol=1e-6)
        assert not found.masked_select(exact_weights == 0).any()
        assert 0 < (found - exact_weights).abs().max() < 0.2


def test_weights_of_every_head_without_a_batch() -> None:
    layer, x = mha(), torch.randn(5, 32)
    with torch.no_grad():
        exact = layer(x, x, x, average_attn_weights=False)
        with spiking_attention():
            spiking = layer(x, x, x, average_attn_weights=False)
    assert [s.shape for s in spiking] == [e.shape for e in exact] == [(5, 32), (4, 5, 5)]


@pytest.mark.parametrize("grad", [False, True])
def test_encoder_layers_leave_the_fast_path(grad: bool) -> None:
    layer = torch.nn.TransformerEncoderLayer(32, 4, 48, batch_first=True)
    encoder = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    with torch.set_grad_enabled(grad), spiking_attention() as run:
        encoder(torch.randn(2, 5, 32))
    assert list(run.layers) == ["layers.0.self_attn", "layers.1.self_attn"]


def test_training_is_refused() -> None:
    layer, x = mha(dropout=0.1).train(), torch.randn(2, 5, 32)
    with spiking_attention(), pytest.raises(onespike.InputError, match="dropout_p must be 0"):
        layer(x, x, x)
    layer = mha().train()
    with spiking_attention():
        out = layer(x, x, x)[0]
    with pytest.raises(onespike.InputError, match="attention in spikes has no gradient"):
        out.sum().backward()
    q, k, v = inputs()
    bias = torch.zeros(6, 6, requires_grad=True)
    with pytest.raises(onespike.InputError, match="attention in spikes has no gradient"):
        onespike.torch.scaled_dot_product_attention(q, k, v, attn_mask=bias).sum().backward()


def test_autocast_and_inference_mode_change_nothing() -> None:
    q, k, v = inputs()
    plain = onespike.torch.scaled_dot_product_attention(q, k, v)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(onespike.torch.scaled_dot_product_attention(q, k, v), plain)
    with torch.inference_mode():
        assert torch.equal(onespike.torch.scaled_dot_product_attention(q, k, v), plain)
    # Tables of a code that are made in inference mode serve outside of it
    with spiking_attention(steps=13) as run:
        with torch.inference_mode():
            coarse = functional.scaled_dot_product_attention(q, k, v)
        assert torch.equal(functional.scaled_dot_product_attention(q.requires_grad_(), k, v), coarse)
    assert run.calls == 2


def test_compiled_models_stay_in_spikes() -> None:
    q, k, v = inputs()

    @torch.compile(backend="eager")
    def compiled(q: Any) -> Any:
        return functional.scaled_dot_product_attention(q * 2, k, v) + 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the compiler
        with spiking_attention() as run:
            out = compiled(q)
    assert run.calls == 1
    assert torch.equal(out, onespike.torch.scaled_dot_product_attention(q * 2, k, v) + 1)


def test_a_block_without_attention_warns() -> None:
    with (
        pytest.warns(UserWarning, match="no attention was computed in spikes in this block"),
        spiking_attention(),
    ):
        torch.nn.Linear(2, 2)(torch.ones(2))


def test_calibrated_scales_freeze() -> None:
    layer = mha()
    torch.manual_seed(3)
    x = torch.randn(4, 2, 5, 32) * torch.tensor([1, 9, 3, 27])[:, None, None, None]
    with torch.no_grad(), spiking_attention(scales="calibrated", batches=3, report=False) as run:
        largest = []
        for batch in x:
            layer(batch, batch, batch)
            (scales,) = run.calibration.values()
            largest.append(scales.q)
        frozen = layer(x[0], x[0], x[0])[0]
    assert (largest[0] < largest[1]).all()
    assert (largest[1] == largest[2]).all()
    assert (largest[1] == largest[3]).all()
    with torch.no_grad(), spiking_attention(scales=run.calibration) as again:
        assert torch.equal(layer(x[0], x[0], x[0])[0], frozen)
        # a sample does not depend on those beside it, nor on what came before
        assert torch.equal(layer(x[0, :1], x[0, :1], x[0, :1])[0], frozen[:1])
    assert again.calibration == {}


def test_calibrated_rows_do_not_see_later_ones() -> None:
    """Causal attention token by token, from a cache, gives the integers of the whole sequence."""
    q, k, v = inputs()

    class Attention(torch.nn.Module):
        def forward(self, q: Any, k: Any, v: Any, causal: bool) -> Any:
            return functional.scaled_dot_product_attention(q, k, v, is_causal=causal)

    attend = Attention()
    with spiking_attention(scales="calibrated") as run:
        whole = attend(q, k, v, True)
        for row in range(6):
            one, seen = slice(row, row + 1), slice(row + 1)
            assert torch.equal(attend(q[:, :, one], k[:, :, seen], v[:, :, seen], False), whole[:, :, one])
    assert list(run.layers) == ["Attention"]


def test_layers_have_names() -> None:
    class Twice(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.cross = mha()
            self.hidden = (mha(), mha())

        def forward(self, x: Any) -> Any:
            x = functional.scaled_dot_product_attention(x, x, x)
            x = functional.scaled_dot_product_attention(x, x, x)
            return self.cross(x, x, x)[0] + sum(layer(x, x, x)[0] for layer in self.hidden)

    model, x = Twice(), torch.randn(2, 5, 32)
    with torch.no_grad(), spiking_attention() as run:
        model(x)
        mha()(x, x, x)
        functional.scaled_dot_product_attention(x, x, x)
    named = ["Twice", "Twice#2", "cross"]
    hidden = [f"MultiheadAttention@{number}" for number in (3, 4)]  # beside the model's three modules
    assert list(run.layers) == [*named, *hidden, "model 2: MultiheadAttention", "outside of modules"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"steps": 65}, "PhaseCode.steps must be an integer in 1..64, not 65"),
        ({"log2_base": "3"}, r"PhaseCode.log2_base must be a fraction a/b in \(0, 2\].*not 3"),
        ({"log2_base": "half"}, 'log2_base must be a fraction "a/b", not .half.'),
        ({"log2_base": 0.5}, 'log2_base must be a fraction "a/b", not 0.5'),
        ({"window": 17}, "window must be an integer in 1..16, not 17"),
        ({"batches": 0}, "batches must be an integer in 1..1048576, not 0"),
        ({"scales": "static"}, "scales must be dynamic, calibrated, or .*, not 'static'"),
    ],
)
def test_bad_options(options: dict[str, Any], says: str) -> None:
    with pytest.raises(onespike.InputError, match=says) as caught, spiking_attention(**options):
        pass
    assert "\n" not in str(caught.value)


def test_bad_scales() -> None:
    layer, x = mha(), torch.randn(2, 5, 32)
    q, k, v = inputs()
    with torch.no_grad(), spiking_attention(scales="calibrated") as run:
        layer(x, x, x)
        with pytest.raises(
            onespike.InputError, match="scales must be dynamic where attention is called outside"
        ):
            functional.scaled_dot_product_attention(q, k, v)
    (scales,) = run.calibration.values()
    for given, says in (
        ({"other": scales}, "scales must hold the layer MultiheadAttention, they hold 'other'"),
        ({"MultiheadAttention": type(scales)(**{n: s[:3] for n, s in vars(scales).items()})},
         r"scales of MultiheadAttention: scale_q must have the shape \[4\], not \[3\]"),
        ({"MultiheadAttention": type(scales)(**{n: -s for n, s in vars(scales).items()})},
         "scales of MultiheadAttention: scale_q must be positive"),
    ):  # fmt: skip
        with torch.no_grad(), spiking_attention(scales=given), pytest.raises(onespike.InputError, match=says):
            layer(x, x, x)


def test_without_torch() -> None:
    """One line says what to install; that needs no torch, and neither does `import onespike`."""
    script = "import sys; sys.modules['torch'] = None; import onespike; print(onespike.__version__)"
    ran = subprocess.run(
        [sys.executable, "-c", f"{script}; import onespike.torch"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert ran.stdout
    assert ran.stderr.splitlines()[-1] == (
        "ImportError: onespike.torch needs PyTorch, which is not installed (pip install 'onespike[torch]')"
    )
