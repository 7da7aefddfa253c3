"""The report of a block: counts, errors, cycles and energy are those of golden and of the accounts."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="attention of PyTorch needs torch")

import onespike.torch  # noqa: E402
from energy import mac  # noqa: E402
from energy.attention import spiking_attention as ledger_of  # noqa: E402
from energy.events import attention_events  # noqa: E402
from golden.attention.config import PRESETS, CoreConfig  # noqa: E402
from golden.attention.exact import softmax_attention  # noqa: E402
from golden.attention.job import compute, decode_outputs, prepare  # noqa: E402
from golden.code import PhaseCode  # noqa: E402
from onespike.torch.__main__ import main  # noqa: E402
from sim.timing.attention import predict  # noqa: E402
from studies.attention.report import Deviation  # noqa: E402

functional = torch.nn.functional
DEFAULT = PRESETS["default"]


class Attention(torch.nn.Module):
    def forward(self, *arguments: Any, **options: Any) -> Any:
        return functional.scaled_dot_product_attention(*arguments, **options)


def inputs(samples: int = 2, tokens: int = 7, seed: int = 0) -> tuple[Any, ...]:
    torch.manual_seed(seed)
    return tuple(torch.randn(3, samples, 3, tokens, 8) * 2)


@pytest.mark.parametrize("masked", [False, True])
def test_one_call(masked: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is reported of a call is what golden, cycle model and energy say of the same heads."""
    monkeypatch.setattr("onespike.torch.job.BLOCK_ENTRIES", 16 * 7 * 8 * 2)  # 2 of 6 heads
    q, k, v = inputs()
    with onespike.torch.spiking_attention(window=12) as run:
        Attention()(q, k, v, is_causal=masked)
    (layer,) = run.report().to_json()["layers"]

    heads = [x.flatten(0, 1).numpy() for x in (q, k, v)]
    mask = np.broadcast_to(np.tri(7) > 0, (6, 7, 7)) if masked else None
    job, scales = prepare(*heads, PhaseCode(), window=12, mask=mask)
    spikes = compute(job)
    out, _ = decode_outputs(job, spikes, scales)
    exact, _ = softmax_attention(*heads, allowed=mask)
    assert layer["error"] == pytest.approx(Deviation.between(out, exact).to_json(), rel=1e-6)
    attention = np.where(spikes.attn_phase < 0, 16, spikes.attn_phase)
    for name, phase in (("q", job.q.phase), ("k", job.k.phase), ("v", job.v.phase),
                        ("attention", attention), ("out", spikes.out.phase)):  # fmt: skip
        found, fired = layer["spikes"][name], phase[phase < 16]
        assert found["phases"] == np.bincount(fired, minlength=16).tolist()
        assert (found["neurons"], found["spikes"]) == (phase.size, fired.size)
        assert found["density"] == fired.size / phase.size
        assert found["mean_phase"] == pytest.approx(fired.mean())
    assert layer["keys_per_row"] == pytest.approx((attention < 16).sum() / 42)

    first = replace(
        job, q=job.q[:3], k=job.k[:3], v=job.v[:3], allowed=None if mask is None else mask[:3],
        ramp_step=job.ramp_step[:3], ratio=job.ratio[:3],
    )  # fmt: skip
    assert layer["cycles"] == predict(first, DEFAULT).total + 1
    events = attention_events(job, DEFAULT)
    assert layer["spiking_microjoule"] == pytest.approx(ledger_of(events, DEFAULT).microjoule / 2)
    assert layer["mac_microjoule"] == pytest.approx(mac.attention(events, DEFAULT).microjoule / 2)
    assert (layer["calls"], layer["samples"], layer["note"]) == (1, 2, None)
    assert layer["shape"] == {"heads": 3, "queries": 7, "keys": 7, "features": 8, "values": 8}


def test_calls_of_several_shapes() -> None:
    """Energy is the mean over all samples, cycles are those of the first sample of the last call."""
    layer, short, long = Attention(), inputs(1, 5, 1), inputs(3, 9, 2)

    def told(*calls: Any) -> dict[str, Any]:
        with onespike.torch.spiking_attention() as run:
            for call in calls:
                layer(*call)
        return run.report().to_json()["layers"][0]

    both, one, other = told(short, long), told(short), told(long)
    assert (both["calls"], both["samples"]) == (2, 4)
    assert both["cycles"] == other["cycles"] != one["cycles"]
    mean = (one["spiking_microjoule"] + 3 * other["spiking_microjoule"]) / 4
    assert both["spiking_microjoule"] == pytest.approx(mean)
    for name in ("q", "attention", "out"):
        assert both["spikes"][name]["spikes"] == sum(x["spikes"][name]["spikes"] for x in (one, other))


def test_what_no_core_computes() -> None:
    q, k, v = inputs()
    with onespike.torch.spiking_attention() as run:
        Attention()(q[:, :, :1], k, v)
    report = run.report()
    (layer,) = report.to_json()["layers"]
    assert layer["cycles"] is layer["spiking_microjoule"] is layer["mac_microjoule"] is None
    assert layer["note"].startswith("Attention: no cycles, a core attends from every token to every token")
    assert report.to_json()["total"] == dict.fromkeys(("cycles", "spiking_microjoule", "mac_microjoule"))
    assert "3x1:7x8" in str(report)
    assert layer["error"]["cosine"] > 0.9


def test_a_core_of_ones_own() -> None:
    q, k, v = inputs()
    with onespike.torch.spiking_attention(steps=8, log2_base="3/4", trace_bits=10) as run:
        Attention()(q, k, v)
    core = replace(PRESETS["tiny"], code=PRESETS["lean"].code, cluster=2, terms_per_beat=1)
    slow, fast = (run.report(replace(core, lanes=lanes)).to_json() for lanes in (2, 8))
    assert slow["configuration"]["lanes"] == 2
    assert slow["total"]["cycles"] > fast["total"]["cycles"]
    with pytest.raises(onespike.InputError, match="core must have the code of the block"):
        run.report(CoreConfig())
    # This core takes no mask
    with onespike.torch.spiking_attention(steps=8, log2_base="3/4", trace_bits=10) as run:
        Attention()(q, k, v, is_causal=True)
    assert "mask must be absent" in run.report(core).to_json()["layers"][0]["note"]


def test_files_and_refusals(tmp_path: Path) -> None:
    with onespike.torch.spiking_attention() as run:
        Attention()(*inputs())
    report = run.report()
    report.write(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text()) == report.to_json()
    with pytest.raises(onespike.InputError, match=r"report .* cannot be written"):
        report.write(tmp_path / "absent" / "r.json")
    with onespike.torch.spiking_attention(report=False) as run:
        Attention()(*inputs())
    with pytest.raises(onespike.InputError, match="report must be true in spiking_attention"):
        run.report()


def test_refused_calls_are_not_told() -> None:
    q, k, v = inputs()
    with onespike.torch.spiking_attention() as run:
        for mistake in ({"query": q * torch.nan}, {"query": q, "attn_mask": torch.full((7, 7), 1e30)}):
            with pytest.raises(onespike.InputError):
                Attention()(**({"key": k, "value": v} | mistake))
    assert run.report().to_json()["layers"] == []
    assert "All layers: 0 cycles" in str(run.report())


def test_silence_is_no_error() -> None:
    """Zeros and rows without any key: nothing fires, and nothing is divided by zero."""
    zero = torch.zeros(1, 1, 2, 4)
    with onespike.torch.spiking_attention() as run:
        out = Attention()(zero, zero, zero, torch.tensor([[True, False], [False, False]]))
    assert not out.any()
    (layer,) = run.report().to_json()["layers"]
    assert layer["error"] == {"cosine": None, "relative_rmse": None}
    assert layer["spikes"]["out"]["mean_phase"] is None
    assert "undefined" in str(run.report())


def test_page(capsys: pytest.CaptureFixture[str]) -> None:
    """The page shows what the example prints, in 80 columns."""
    main()
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert max(map(len, lines)) <= 80
    page = (Path(__file__).parents[3] / "docs" / "torch.md").read_text().splitlines()
    shown = [line.removeprefix("    ").rstrip() for line in page]
    for line in lines:
        assert line in shown
