"""`--html`: the page holds the report that --report writes, what it draws is what was computed."""

import builtins
import json
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import fromstring

import numpy as np
import plotly.graph_objects as go
import pytest

from golden.attention.config import preset
from onespike.cli import main
from studies.boards.page import page as build_page
from studies.page.page import Page, write_page
from synth.figures import BUILDS
from tests.onespike.html.reading import Reader, assert_numbers, assert_whole, at, read_page, unpacked


def views(page: Reader) -> dict[str, Any]:
    return {name: figure["spec"] for name, figure in page.data["figures"].items() if figure["kind"] != "plot"}


def assert_plots(page: Reader) -> None:
    """plotly knows every property of every plot; colours of the page are none that it knows."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(entry) for key, entry in value.items()}
        if isinstance(value, list):
            return [plain(entry) for entry in value]
        return "#123456" if isinstance(value, str) and value.startswith("--") else value

    plots = [figure["spec"] for figure in page.data["figures"].values() if figure["kind"] == "plot"]
    assert plots
    for spec in plots:
        go.Figure(plain(spec))


@pytest.fixture
def looked_at(folder: Path, run):
    """Run words with --report and --html, and read both."""

    def call(*words: str) -> tuple[Reader, dict[str, Any]]:
        ran = run(*words, "--report", "r.json", "--html", "p.html")
        assert (ran.status, ran.err) == (0, "")
        page, report = read_page(folder / "p.html"), json.loads((folder / "r.json").read_text())
        assert_whole(page)
        assert_numbers(page, report)
        assert_plots(page)
        return page, report

    return call


def test_spikes_and_ramp_are_those_of_the_output(folder: Path, source: str, looked_at) -> None:
    page, report = looked_at("attention", source, "o.npz", "--engine", "model", "--window", "6")
    drawn = views(page)
    assert set(drawn) == {"raster", "ramp", "maps"}
    with np.load(folder / "o.npz") as out:
        for one in drawn["raster"]["inputs"]:
            sign = np.zeros((2, 5 * 4), np.int8)
            phase = np.full((2, 5 * 4), 16, np.int8)
            starts, neuron = unpacked(one["starts"]), unpacked(one["neuron"])
            for head in range(2):
                mine = slice(starts[head], starts[head + 1])
                sign[head, neuron[mine]] = unpacked(one["sign"])[mine]
                phase[head, neuron[mine]] = unpacked(one["time"])[mine]
            np.testing.assert_array_equal(sign, out[f"{one['name']}_sign"].reshape(2, -1))
            np.testing.assert_array_equal(phase, out[f"{one['name']}_phase"].reshape(2, -1))
        ramp = {name: unpacked(array) for name, array in drawn["ramp"].items() if array is not None}
        np.testing.assert_array_equal(ramp["score"], out["score"])
        np.testing.assert_array_equal(ramp["phase"], out["attn_phase"])
        np.testing.assert_array_equal(ramp["winner"], out["winner"])
        # Each key fires when the threshold has come down to it
        passed = ramp["score"][..., None] >= ramp["threshold"][:, :, None]
        first = np.where(passed.any(-1), passed.argmax(-1), -1)
        np.testing.assert_array_equal(first, out["attn_phase"])
        # Weights by their definition, and the map that the errors of the report are of
        found, exact, difference = (unpacked(one["array"]) for one in drawn["maps"]["maps"])
        base = preset("default").code.base
        fires = out["attn_phase"] >= 0
        weight = np.where(fires, base ** -out["attn_phase"].astype(float), 0)
        np.testing.assert_allclose(found, weight / weight.sum(-1, keepdims=True), atol=2e-3)
        np.testing.assert_allclose(exact.sum(-1), 1, rtol=1e-6)
        np.testing.assert_allclose(difference, found - exact, atol=1e-6)
    assert drawn["ramp"]["allowed"] is None
    timeline = page.data["figures"]["timeline"]["spec"]["data"]
    assert {trace["name"]: sum(trace["x"]) for trace in timeline} == report["busy_cycles"]
    last = max(
        base + cycles for trace in timeline for base, cycles in zip(trace["base"], trace["x"], strict=True)
    )
    assert report["cycles"]["total"] - 10 < last <= report["cycles"]["total"] + 1
    rows = page.data["figures"]["rows"]["spec"]["data"]
    assert [trace["y"] for trace in rows] == report["cycles"]["rows"]


def test_masked_keys_stay_out(folder: Path, arrays, run) -> None:
    mask = np.array([True, False, True, True, True])
    np.savez(folder / "in.npz", **arrays, mask=mask)
    assert run("attention", "in.npz", "o.npz", "--html", "p.html").status == 0
    ramp = views(read_page(folder / "p.html"))["ramp"]
    np.testing.assert_array_equal(unpacked(ramp["allowed"]), np.broadcast_to(mask, (2, 5, 5)))


def test_large_heads_are_cut_to_what_a_phone_draws(folder: Path, run) -> None:
    words = ("--heads", "6", "--tokens", "300", "--head-dim", "24")
    assert run("example", "in.npz", *words).status == 0
    assert run("attention", "in.npz", "o.npz", "--html", "p.html", "--report", "r.json").status == 0
    page = read_page(folder / "p.html")
    drawn = views(page)
    assert unpacked(drawn["ramp"]["score"]).shape == (2, 300, 300)
    assert "the views show the first 2 of 6 heads" in (folder / "p.html").read_text()
    for one in drawn["raster"]["inputs"]:
        starts = unpacked(one["starts"])
        assert np.diff(starts).max() <= 3000
        assert len(unpacked(one["time"])) == starts[-1]
    assert f"the first {drawn['raster']['tokens']} of 300 tokens" in (folder / "p.html").read_text()
    assert_numbers(page, json.loads((folder / "r.json").read_text()))


def test_trains(folder: Path, run, looked_at) -> None:
    assert run("example", "in.npz", "--rates", "--tokens", "6", "--head-dim", "5").status == 0
    page, _ = looked_at("attention", "in.npz", "o.npz", "--scheme", "stochastic", "--engine", "model")
    drawn = views(page)
    assert set(drawn) == {"raster", "maps"}
    with np.load(folder / "o.npz") as out:
        for one in drawn["raster"]["inputs"]:
            train = np.zeros((2, 16, 30), np.uint8)
            starts = unpacked(one["starts"])
            for head in range(2):
                mine = slice(starts[head], starts[head + 1])
                train[head, unpacked(one["time"])[mine], unpacked(one["neuron"])[mine]] = 1
            whole = out[f"{one['name']}_train"].reshape(16, 2, 30).swapaxes(0, 1)
            np.testing.assert_array_equal(train, whole)
        found = unpacked(drawn["maps"]["maps"][0]["array"])
        np.testing.assert_allclose(found, out["score"].mean(0), rtol=1e-6)


def test_integers(source: str, looked_at) -> None:
    page, report = looked_at("attention", source, "o.npz", "--scheme", "integer", "--engine", "model")
    assert set(views(page)) == {"maps"}
    assert page.data["figures"]["stages"]["spec"]["data"][0]["x"] == list(report["busy_cycles"].values())


def test_an_inference(folder: Path, run) -> None:
    ran = run("infer", "--images", "2", "--rtl", "0", "-o", "d", "--html", "d/p.html")
    assert (ran.status, ran.err) == (0, "")
    page, report = read_page(folder / "d" / "p.html"), json.loads((folder / "d" / "report.json").read_text())
    assert_whole(page)
    assert_numbers(page, report)
    assert_plots(page)
    energy = report["energy"]
    for which, trace in zip(
        ("spiking", "multiply_accumulate"), page.data["figures"]["layers"]["spec"]["data"], strict=True
    ):
        assert trace["x"] == [layer[which] for layer in energy["layers"]]
        # Layers add up to the account, in which clock and idle logic have no price
        assert sum(trace["x"]) == pytest.approx(energy[which]["microjoule"], rel=1e-12)
    lines = (folder / "d" / "timeline.txt").read_text().splitlines()[1:-1]
    stretches = sorted(report["timeline"], key=lambda s: s["first"])
    assert [(s["first"], s["last"], s["unit"]) for s in stretches] == [
        (int(line.split()[0]), int(line.split()[1]), line.split()[3]) for line in lines
    ]
    drawn = page.data["figures"]["timeline"]["spec"]["data"]
    assert sum(len(trace["x"]) for trace in drawn) == len(stretches)


def test_a_sweep(folder: Path, run) -> None:
    (folder / "g.toml").write_text('lanes = [8, 16]\nsteps = [8]\nlog2_base = ["1/2"]\ntrace_bits = [8]\n')
    assert run("sweep", "--grid", "g.toml", "-o", "d", "--jobs", "1", "--html", "p.html").status == 0
    page, report = read_page(folder / "p.html"), json.loads((folder / "d" / "sweep.json").read_text())
    assert_whole(page)
    assert_numbers(page, report)
    assert_plots(page)
    for name in ("energy", "cycles", "lut4"):
        trace = page.data["figures"][f"error-{name}"]["spec"]["data"][0]
        assert list(zip(trace["x"], trace["y"], strict=True)) == [
            (point[name], point["error"]) for point in report["points"]
        ]


def test_a_build(tmp_path: Path) -> None:
    """Of a board that comes with the project, and of a design whose units are not known."""
    known = json.loads(BUILDS.read_text())[0]
    for figures in (known, known | {"units": {}}):
        write_page(build_page(figures), tmp_path / "p.html")
        page = read_page(tmp_path / "p.html")
        assert_whole(page)
        assert_numbers(page, figures)
        assert_plots(page)
        drawn = page.data["figures"]
        assert ("lut4" in drawn) == bool(figures["units"])
        if figures["units"]:
            cells = drawn["lut4"]["spec"]["data"][0]
            assert cells["y"] == list(figures["units"])
            assert cells["x"] == [need["lut4"] for need in figures["units"].values()]


def words_of(address: str) -> list[str]:
    """The texts of a picture, in their order."""
    picture = fromstring(b64decode(address.removeprefix("data:image/svg+xml;base64,")))
    return ["".join(text.itertext()) for text in picture.iter("{http://www.w3.org/2000/svg}text")]


def test_a_datasheet(folder: Path, run) -> None:
    """Ports, fields and latencies of the manifest; area and clock of the builds of the same configuration."""
    words = ("rtl", "-o", "ip", "--preset", "pico", "--axi", "--html", "ip/p.html")
    assert run(*words).status == 0
    page = read_page(folder / "ip" / "p.html")
    assert_whole(page)
    report = page.data["report"]
    assert_numbers(page, report)
    assert report["manifest"] == json.loads((folder / "ip" / "attention_core_axis.json").read_text())
    builds = [one for one in json.loads(BUILDS.read_text()) if one["design"] == "pico"]
    assert report["builds"] == builds
    shown = dict(page.numbers)
    assert shown["/builds/0/lut4"] == f"{builds[0]['lut4']:,}"
    for name in report["manifest"]["latency"]:
        assert f"/manifest/latency/{name}" in shown
    (folder / "c.toml").write_text('base = "tiny"\nqueued_heads = 3\n')  # of which there is no build
    assert run("rtl", "-o", "plain", "--config", "c.toml", "--html", "p.html").status == 0
    page = read_page(folder / "p.html")
    assert_numbers(page, page.data["report"])
    assert page.data["report"]["builds"] == []
    # the last stream in, and the last out
    drawn = [words_of(a["src"]) for tag, a in page.elements if tag == "img"]
    assert drawn == [
        ["clk", "rst", "i_query__valid", "o_code__valid"],
        *[
            ["clk", f"{name}__payload", "beat", "next", f"{name}__valid", f"{name}__ready"]
            for name in ("i_query", "o_code")
        ],
    ]


def test_text_of_a_user_is_no_markup(tmp_path: Path) -> None:
    name = "</script><b>&\"'"
    write_page(Page(title=name, remark=name, report={"name": name}, sections=[]), tmp_path / "p.html")
    page = read_page(tmp_path / "p.html")
    assert page.data["report"] == {"name": name}
    assert not any(tag == "b" for tag, _ in page.elements)


def test_the_same_report_gives_the_same_bytes(folder: Path, source: str) -> None:
    for name in ("a.html", "b.html"):
        assert main(["attention", source, "o.npz", "--html", name]) == 0
    assert (folder / "a.html").read_bytes() == (folder / "b.html").read_bytes()


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("p.htm", "--html must name an .html file, not p.htm"),
        ("no/where.html", "--html no/where.html: cannot be written"),
    ],
)
def test_bad_places(source: str, refused, path: str, says: str) -> None:
    refused("attention", source, "o.npz", "--html", path, says=says)
    refused("sweep", "-o", "d", "--html", path, says=says)


@pytest.mark.parametrize("package", ["plotly", "jinja2", "wavedrom"])
def test_what_draws_is_not_installed(
    source: str, run, refused, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    """Told before anything is computed; what draws timing diagrams is asked for where there are some."""
    found = builtins.__import__

    def absent(name: str, *of: Any, **how: Any) -> Any:
        if name.partition(".")[0] == package:
            raise ImportError(name)
        return found(name, *of, **how)

    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setattr(builtins, "__import__", absent)
    says = rf"--html needs the package {package}, it is not installed .pip install -e '.\[html\]'.$"
    refused("rtl", "-o", "ip", "--preset", "pico", "--html", "p.html", says=says)
    attention = ("attention", source, "o.npz", "--engine", "model", "--html", "p.html")
    if package == "wavedrom":
        assert run(*attention).status == 0
    else:
        refused(*attention, says=says)


def test_pointers() -> None:
    assert at({"a/b": [{"c~": 3}]}, "/a~1b/0/c~0") == 3
