"""The data behind the figures, made from one model and one data set."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import joblib
import numpy as np
from numpy.typing import NDArray

from energy import mac
from energy.attention import spiking_attention
from energy.curve import DENSITIES, crossover, density_curve
from energy.events import AttentionEvents
from energy.layers import EncoderShape
from golden.attention.config import PRESETS
from golden.attention.job import compute, prepare
from golden.code import PhaseCode, decode, encode
from golden.errors import InputError
from models.conversion.convert import convert
from models.conversion.record import record
from models.conversion.scheme import Scheme
from models.conversion.store import save
from models.files.tensors import Tensors
from models.floating.engine import Activity, Linear
from models.floating.model import Model
from models.floating.recording import Ranges
from models.layouts import Options
from studies.evaluate.report import sts_report
from studies.evaluate.work import Mode, outputs_of
from studies.search.capture import Captured
from studies.search.codes import bases, code_error, scales_of, survivors
from studies.search.network import encoder_energy

# Steps of the error figure, small to large, and of the score figure
ERROR_STEPS = (4, 8, 16, 24, 40)
SCORE_STEPS = (6, 8, 12, 16, 24)
LENGTHS = (16, 32, 64, 128, 256, 512)
POINTS_SHOWN = 600
SHARE_BINS = 20
# Kinds of dense inputs: after the embedding, of attention, after a norm, after the activation function
SCATTERED = ("block0.query", "block0.projection", "block0.mlp1", "block0.mlp2")
Report = Callable[[str], None]


def code_grid(captured: Captured, ranges: Ranges, jobs: int | None) -> dict[str, Any]:
    """Errors over the bases for each of ERROR_STEPS."""
    grid = [
        PhaseCode(steps=steps, log2_base=base)
        for steps in ERROR_STEPS
        for base in bases(1 / 8, 1.5)
        # Beyond 16 octaves a code spends its steps on values that nothing holds
        if 1 <= steps * base <= 16
    ]
    found = joblib.Parallel(n_jobs=jobs)(joblib.delayed(code_error)(captured, ranges, code) for code in grid)
    lines: dict[str, list[dict[str, Any]]] = {}
    for code, error in zip(grid, found, strict=True):
        lines.setdefault(str(code.steps), []).append(asdict(error) | {"base": code.base})
    return {"lines": lines}


def best_base(captured: Captured, ranges: Ranges, steps: int, jobs: int | None) -> Fraction:
    codes = [PhaseCode(steps=steps, log2_base=base) for base in bases(1 / 8, 1.5) if 1 <= steps * base <= 16]
    errors = joblib.Parallel(n_jobs=jobs)(joblib.delayed(code_error)(captured, ranges, c) for c in codes)
    least = min(
        zip(codes, errors, strict=True), key=lambda pair: pair[1].attention ** 2 + pair[1].inputs ** 2
    )
    return least[0].log2_base


def encoder_shape(ranges: Ranges, layers: dict[str, Linear], tokens: int) -> EncoderShape:
    """Sizes of an encoder from what was recorded of it."""
    _, heads, head_dim = ranges.attention["block0.attention"].shape
    return EncoderShape(
        layers=len(ranges.attention),
        tokens=tokens,
        dim=heads * head_dim,
        heads=heads,
        hidden=len(layers["block0.mlp1"].weight),
    )


def score_grid(
    tensors: Tensors,
    layout: str,
    options: Options,
    model: Model,
    calibration: list[NDArray[Any]],
    samples: list[NDArray[Any]],
    truth: NDArray[np.float64],
    codes: dict[int, Fraction],
    jobs: int | None,
    seed: int,
    say: Report,
) -> tuple[dict[str, Any], dict[str, Activity]]:
    """Score, loss and energy of the whole conversion for each code; activity of the last one."""
    ranges, layers = record(model, calibration)
    tokens = round(float(np.mean([len(sample) for sample in samples])))
    shape = encoder_shape(ranges, layers, tokens)
    points, activity = [], {}
    reference = None
    for steps, base in codes.items():
        say(f"score at T = {steps}")
        scheme = Scheme(code=PhaseCode(steps=steps, log2_base=base), parts="linear")
        conversion = convert(model, ranges, layers, scheme, calibration[:1])
        with tempfile.TemporaryDirectory() as folder:
            save(Path(folder), tensors, layout, options, conversion, None, {})
            modes: tuple[Mode, ...] = ("float", "linear") if reference is None else ("linear",)
            outputs = {mode: outputs_of(Path(folder), mode, samples, jobs) for mode in modes}
        reference = outputs.get("float", reference)
        assert reference is not None
        report = sts_report({"float": reference, "linear": outputs["linear"]}, scores=truth, seed=seed)
        activity = outputs["linear"].activity
        entry = report["modes"]["linear"]
        if entry["loss"]["value"] is None:
            raise InputError(
                f"scores and similarities of pairs must differ, at T = {steps} all scored pairs have the same"
            )
        points.append(
            {
                "steps": steps,
                "log2_base": str(base),
                "score": entry["score"],
                "loss": entry["loss"],
                "cosine": entry["cosine"],
                "energy": encoder_energy(shape, activity),
            }
        )
    data = {"metric": report["metric"], "samples": len(truth), "seed": seed, "points": points}
    return data, activity


def length_curve(
    shape: EncoderShape, activity: dict[str, Activity], survivors_per_row: float
) -> dict[str, Any]:
    """Energy over LENGTHS: the encoder by the paper's formula, one head by the hardware's.

    Densities are those measured; the number of surviving keys per row is held.
    """
    paper = [encoder_energy(replace(shape, tokens=tokens), activity) for tokens in LENGTHS]
    preset = "default"
    config = PRESETS[preset]
    head_dim = shape.dim // shape.heads
    parts = {
        part: [a for name, a in activity.items() if name.endswith(f".{part}")] for part in ("q", "k", "v")
    }
    q, k, v = (float(np.mean([a.density for a in parts[part]])) for part in ("q", "k", "v"))
    hardware = []
    for tokens in LENGTHS:
        core = replace(config, tokens=max(config.tokens, tokens), head_dim=head_dim)
        alive = min(survivors_per_row, tokens)
        events = AttentionEvents(
            heads=1,
            tokens=tokens,
            head_dim=head_dim,
            query_spikes=tokens * head_dim * q,
            score_additions=tokens * tokens * head_dim * q * k,
            context_additions=tokens * alive * (head_dim * v + 1),
            window=config.code.steps,
        )
        hardware.append(
            {
                "tokens": tokens,
                "spiking": spiking_attention(events, core).microjoule,
                "mac": mac.attention(events, core).microjoule,
            }
        )
    return {"paper": paper, "hardware": hardware, "preset": preset, "survivors_per_row": survivors_per_row}


def scatter(captured: Captured, ranges: Ranges, code: PhaseCode, seed: int) -> dict[str, Any]:
    """Decoded over real values of the inputs of SCATTERED."""
    rng = np.random.default_rng(seed)
    _, inputs = scales_of(ranges)
    panels = []
    for name in SCATTERED:
        x = np.concatenate(captured.inputs[name])
        decoded = decode(encode(x, inputs[name], code), inputs[name], code)
        shown = rng.choice(x.size, min(POINTS_SHOWN, x.size), replace=False)
        panels.append(
            {
                "name": name,
                "real": np.round(x.ravel()[shown].astype(float), 5).tolist(),
                "decoded": np.round(decoded.ravel()[shown], 5).tolist(),
            }
        )
    return {"steps": code.steps, "log2_base": str(code.log2_base), "panels": panels}


def survivor_lines(captured: Captured, ranges: Ranges, code: PhaseCode) -> dict[str, Any]:
    """Histograms of the share of keys that fire per row, for the whole window and shorter ones."""
    lines = []
    for window in sorted({code.steps, max(1, code.steps * 5 // 8), max(1, code.steps // 2)}, reverse=True):
        counts, keys = survivors(captured, ranges, code, window)
        # In twentieths, upper edge included, from integers: no share falls beside its bin
        bins = np.maximum(-(-counts * SHARE_BINS // keys), 1) - 1
        lines.append(
            {
                "window": window,
                "mean": float(counts.mean()),
                "keys": float(keys.mean()),
                "rows": np.bincount(bins, minlength=SHARE_BINS).tolist(),
            }
        )
    edges = [number / SHARE_BINS for number in range(SHARE_BINS + 1)]
    return {"steps": code.steps, "log2_base": str(code.log2_base), "edges": edges, "lines": lines}


def crossover_lines(captured: Captured) -> dict[str, Any]:
    """Energy over density on three presets, at the survivors that the captured rows have."""
    q, k, v = captured.heads[next(iter(captured.heads))][0]
    lines = []
    for preset in ("lean", "default", "long-window"):
        config = PRESETS[preset]
        job = prepare(q, k, v, config.code).job
        alive = float((compute(job).attn_phase >= 0).sum(axis=-1).mean())
        events = AttentionEvents(heads=1, tokens=64, head_dim=32, window=config.code.steps)
        spiking, dense = density_curve(events, alive, config)
        lines.append(
            {
                "preset": preset,
                "lanes": config.lanes,
                "steps": config.code.steps,
                "survivors_per_row": alive,
                "curve": {"density": DENSITIES, "spiking": spiking, "mac": dense},
                "crossover": crossover(DENSITIES, spiking, dense),
            }
        )
    return {"tokens": 64, "head_dim": 32, "lines": lines}
