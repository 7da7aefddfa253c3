"""`onespike attention` writes what golden computes, in the documented names, types and shapes."""

import json
from pathlib import Path

import numpy as np
import pytest

from golden.attention.config import PRESETS, preset, to_table
from golden.attention.job import Prepared, compute, decode_outputs, prepare
from golden.code import PhaseCode
from onespike.cli import main

Arrays = dict[str, np.ndarray]


def read(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def expected(prepared: Prepared) -> Arrays:
    job, scales = prepared
    spikes = compute(job)
    out, out_raw = decode_outputs(job, spikes, scales)
    return {
        "out": out,
        "out_raw": out_raw,
        "q_sign": job.q.sign,
        "q_phase": job.q.phase,
        "k_sign": job.k.sign,
        "k_phase": job.k.phase,
        "v_sign": job.v.sign,
        "v_phase": job.v.phase,
        "out_sign": spikes.out.sign,
        "out_phase": spikes.out.phase,
        "score": spikes.score,
        "winner": spikes.winner,
        "attn_phase": spikes.attn_phase,
        "normaliser": spikes.normaliser,
        "context": spikes.context,
        "ramp_step": job.ramp_step,
        "scale_q": scales.q,
        "scale_k": scales.k,
        "scale_v": scales.v,
        "scale_o": scales.o,
    }


def assert_same(actual: Arrays, wanted: Arrays) -> None:
    assert set(actual) == set(wanted)
    for name, array in wanted.items():
        np.testing.assert_array_equal(actual[name], array, err_msg=name)


def test_schema(folder: Path, source: str, run) -> None:
    assert run("attention", source, "out.npz").status == 0
    heads, tokens, head_dim = 2, 5, 4
    features, pairs, rows = (heads, tokens, head_dim), (heads, tokens, tokens), (heads, tokens)
    assert {name: (str(array.dtype), array.shape) for name, array in read(folder / "out.npz").items()} == {
        "out": ("float32", features),
        "out_raw": ("float32", features),
        **{f"{name}_sign": ("int8", features) for name in ("q", "k", "v", "out")},
        **{f"{name}_phase": ("int8", features) for name in ("q", "k", "v", "out")},
        "score": ("int64", pairs),
        "winner": ("int64", rows),
        "attn_phase": ("int8", pairs),
        "normaliser": ("int64", rows),
        "context": ("int64", features),
        "ramp_step": ("int64", (heads,)),
        **{f"scale_{name}": ("float64", (heads,)) for name in ("q", "k", "v", "o")},
    }


def test_default_code(folder: Path, source: str, arrays: Arrays, run) -> None:
    assert run("attention", source, "out.npz").status == 0
    assert_same(read(folder / "out.npz"), expected(prepare(**arrays, code=PhaseCode())))


@pytest.mark.parametrize("name", PRESETS)
def test_code_of_a_preset(folder: Path, source: str, arrays: Arrays, run, name: str) -> None:
    assert run("attention", source, "out.npz", "--preset", name, "--engine", "golden").status == 0
    assert_same(read(folder / "out.npz"), expected(prepare(**arrays, code=preset(name).code)))


def test_configuration_and_window(folder: Path, source: str, arrays: Arrays, run) -> None:
    (folder / "c.toml").write_text('base = "tiny"\nsteps = 12\nlanes = 16\n')
    words = ("attention", source, "out.npz", "--config", "c.toml", "--window", "5", "--report", "r.json")
    assert run(*words).status == 0
    config = json.loads((folder / "r.json").read_text())["configuration"]
    assert config == to_table(PRESETS["tiny"]) | {"steps": 12, "lanes": 16}
    code = PhaseCode(steps=12, log2_base=preset("tiny").code.log2_base, trace_bits=10)
    whole, cut = prepare(**arrays, code=code), prepare(**arrays, code=code, window=5)
    assert_same(read(folder / "out.npz"), expected(cut))
    assert (compute(whole.job).attn_phase != compute(cut.job).attn_phase).any()


def test_all_options_of_the_input(folder: Path, arrays: Arrays, run) -> None:
    """Mask of each pair and given scales; the score of a masked key is written as 0."""
    mask = np.tril(np.ones((2, 5, 5), dtype=bool))
    scales = {f"scale_{name}": np.array([1.5, 2.5]) for name in "qkvo"}
    given = arrays | scales | {"mask": mask}
    np.savez(folder / "in.npz", **given)
    assert run("attention", "in.npz", "out.npz").status == 0
    wanted = expected(prepare(**given, code=PhaseCode()))
    assert (wanted["score"][~mask] != 0).any()
    wanted["score"][~mask] = 0
    assert_same(read(folder / "out.npz"), wanted)
    np.testing.assert_array_equal(wanted["scale_o"], scales["scale_o"])


def test_mask_of_keys(folder: Path, arrays: Arrays, run) -> None:
    given = arrays | {"mask": np.array([True, False, True, True, False])}
    np.savez(folder / "in.npz", **given)
    assert run("attention", "in.npz", "out.npz").status == 0
    phases = read(folder / "out.npz")["attn_phase"]
    assert (phases[:, :, [1, 4]] == -1).all()
    assert (phases[:, :, [0, 2, 3]] == 0).any(axis=-1).all()


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, ">f4"])
def test_float_types(folder: Path, arrays: Arrays, run, dtype: object) -> None:
    given = {name: array.astype(dtype) for name, array in arrays.items()}
    np.savez(folder / "in.npz", **given)
    assert run("attention", "in.npz", "out.npz").status == 0
    assert_same(read(folder / "out.npz"), expected(prepare(**given, code=PhaseCode())))


def test_silent_input(folder: Path, run) -> None:
    """All zero: every key wins, nothing fires, and the error has no reference to be relative to."""
    np.savez(folder / "in.npz", **{name: np.zeros((1, 3, 2), np.float32) for name in "qkv"})
    ran = run("attention", "in.npz", "out.npz", "--report", "r.json")
    assert ran.status == 0
    assert "undefined" in ran.out
    report = json.loads((folder / "r.json").read_text())
    assert report["firing"] == {"q": 0.0, "k": 0.0, "v": 0.0, "out": 0.0, "survivors_per_row": 3.0}
    assert report["error"]["out"]["cosine"] is None


def test_report(folder: Path, source: str, arrays: Arrays, run) -> None:
    assert run("attention", source, "out.npz", "--report", "r.json", "--seed", "7").status == 0
    report = json.loads((folder / "r.json").read_text())
    assert set(report) == {
        *("scheme", "engine", "seed", "shape", "configuration", "window", "tools"),
        *("cycles", "events", "busy_cycles", "lane_utilisation", "firing", "error"),
    }
    assert report["engine"] == "golden"
    assert report["seed"] == 7
    assert report["shape"] == {"heads": 2, "tokens": 5, "head_dim": 4}
    assert report["configuration"] == to_table(preset("default"))
    assert report["window"] == 16
    assert set(report["tools"]) == {"python", "onespike", "numpy", "amaranth", "verilator"}
    assert report["tools"]["numpy"] == np.__version__
    for key in ("cycles", "events", "busy_cycles", "lane_utilisation"):
        assert report[key] is None
    assert set(report["error"]) == {"out", "out_raw"}
    for error in report["error"].values():
        assert set(error) == {"cosine", "relative_rmse", "heads"}
        assert [set(head) for head in error["heads"]] == [{"cosine", "relative_rmse"}] * 2
        assert error["cosine"] > 0.9
        assert error["relative_rmse"] < 0.3
    job = prepare(**arrays, code=PhaseCode()).job
    assert report["firing"]["q"] == job.q.count() / 40


def test_runs_are_repeatable(folder: Path, source: str, run) -> None:
    """The same input gives the same bytes."""
    for name in ("first", "second"):
        assert run("attention", source, f"{name}.npz", "--report", f"{name}.json").status == 0
    for suffix in ("npz", "json"):
        assert (folder / f"first.{suffix}").read_bytes() == (folder / f"second.{suffix}").read_bytes()


def test_target_is_taken_as_it_is(folder: Path, source: str, run) -> None:
    """No suffix is added, an earlier file is replaced, and nothing else appears."""
    (folder / "result").write_text("of an earlier run")
    assert run("attention", source, "result").status == 0
    assert sorted(path.name for path in folder.iterdir()) == ["in.npz", "result"]
    assert "out" in read(folder / "result")


def test_target_link(folder: Path, source: str, run) -> None:
    """A link keeps pointing at the file, which is replaced."""
    (folder / "deep").mkdir()
    (folder / "link").symlink_to("deep/out.npz")
    assert run("attention", source, "link").status == 0
    assert (folder / "link").is_symlink()
    assert "out" in read(folder / "deep" / "out.npz")


def test_table(source: str, run) -> None:
    ran = run("attention", source, "out.npz")
    assert ran.err == ""
    for part in (
        "golden, seed 0",
        "2 heads, 5 tokens, head_dim 4",
        "of 5 keys fire in a row",
        "relative RMSE",
    ):
        assert part in ran.out


def test_example_runs(folder: Path, run) -> None:
    """What the example makes is taken by every step that follows, and depends on its seed alone."""
    assert run("example", "in.npz", "--heads", "3", "--tokens", "7", "--head-dim", "6").status == 0
    assert run("example", "again.npz", "--heads", "3", "--tokens", "7", "--head-dim", "6").status == 0
    assert (
        run("example", "other.npz", "--heads", "3", "--tokens", "7", "--head-dim", "6", "--seed", "1").status
        == 0
    )
    assert (folder / "in.npz").read_bytes() == (folder / "again.npz").read_bytes()
    assert (folder / "in.npz").read_bytes() != (folder / "other.npz").read_bytes()
    arrays = read(folder / "in.npz")
    assert {name: (str(array.dtype), array.shape) for name, array in arrays.items()} == dict.fromkeys(
        "qkv", ("float32", (3, 7, 6))
    )
    assert run("attention", "in.npz", "out.npz").status == 0


@pytest.mark.parametrize("sizes", [(1, 1, 1), (1, 2, 1), (2, 1, 3)])
def test_smallest_examples(run, sizes: tuple[int, int, int]) -> None:
    words = [
        word
        for pair in zip(("--heads", "--tokens", "--head-dim"), sizes, strict=True)
        for word in map(str, pair)
    ]
    assert run("example", "in.npz", *words).status == 0
    assert run("attention", "in.npz", "out.npz").status == 0


def test_presets(run) -> None:
    table = run("presets")
    assert table.status == 0
    assert all(name in table.out for name in PRESETS)
    as_json = run("presets", "--json")
    assert json.loads(as_json.out) == {name: to_table(config) for name, config in PRESETS.items()}


def test_help(run) -> None:
    commands = ("attention", "presets", "rtl", "sim", "bench", "example")
    general = run("--help")
    assert general.status == 0
    assert run().out == general.out
    for command in commands:
        assert command in general.out
        ran = run(command, "--help")
        assert ran.status == 0
        assert ran.err == ""
        assert f"onespike {command}" in ran.out.partition("Examples:")[2]


def test_version(run) -> None:
    assert run("--version").out.startswith("onespike ")


def test_main_takes_the_words_of_the_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["onespike", "example", "in.npz"])
    assert main() == 0
    assert capfd.readouterr().out == "in.npz: q, k, v float32 [2, 16, 16], seed 0\n"
