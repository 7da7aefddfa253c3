"""Pages in a real browser, without a head: no error, no request, the reader's hands move what is drawn."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from onespike.cli import main
from studies.boards.page import page as build_page
from studies.page.page import write_page
from synth.figures import BUILDS
from tests.onespike.html.browser import PROGRAMS, VARIABLE, Browser, find_browser
from tests.onespike.html.reading import at

TAB, RIGHT, DOWN, ENTER = ("Tab", 9), ("ArrowRight", 39), ("ArrowDown", 40), ("Enter", 13)
# Of the window of a phone and of a desktop
WIDTHS = (360, 1200)

pytestmark = pytest.mark.skipif(
    find_browser() is None,
    reason=f"no browser: none of {', '.join(PROGRAMS)} on PATH, {VARIABLE} names none "
    "(on Debian and Ubuntu: apt-get install chromium)",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    assert program is not None
    with Browser(program) as opened:
        yield opened


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """attention.html, and what was written with it."""
    folder = tmp_path_factory.mktemp("pages")
    written = ("--report", folder / "r.json", "--html", folder / "attention.html")
    onespike("example", folder / "in.npz", "--tokens", 12, "--head-dim", 8)
    onespike("attention", folder / "in.npz", folder / "out.npz", "--engine", "model", *written)
    return folder


@pytest.fixture(scope="module")
def pages(folder: Path) -> Path:
    """Of the other commands, too; of a build that comes with the project."""
    rates = folder / "rates.npz"
    onespike("example", rates, "--rates", "--tokens", 4, "--head-dim", 4)
    trains = ("--scheme", "stochastic", "--html", folder / "trains.html")
    onespike("attention", rates, folder / "o.npz", *trains)
    onespike("infer", "--images", 1, "--rtl", 0, "-o", folder / "d", "--html", folder / "infer.html")
    grid = folder / "grid.toml"
    grid.write_text('lanes = [8, 16]\nsteps = [8]\nlog2_base = ["1/2"]\ntrace_bits = [8]\n')
    onespike("sweep", "--grid", grid, "-o", folder / "s", "--jobs", 1, "--html", folder / "sweep.html")
    write_page(build_page(json.loads(BUILDS.read_text())[0]), folder / "synth.html")
    return folder


def onespike(*words: object) -> None:
    assert main([str(word) for word in words]) == 0


def assert_quiet(browser: Browser) -> None:
    browser.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")
    assert browser.errors == []
    assert [url for url in browser.requests if not url.startswith(("file:", "data:", "blob:"))] == []


def coloured(browser: Browser, place: str) -> list[int]:
    """How many marks of each trace a plot shows, as they are in the picture."""
    found = browser.evaluate(
        f"Array.from(document.querySelectorAll('#{place} .trace'), "
        "trace => trace.querySelectorAll('.point').length)"
    )
    return list(found)


@pytest.mark.long
@pytest.mark.parametrize("name", ["attention", "trains", "infer", "sweep", "synth"])
def test_it_opens(browser: Browser, pages: Path, name: str) -> None:
    """Every plot is drawn, in the colours that the reader's system asks for; nothing leaves the window."""
    browser.open(pages / f"{name}.html", width=WIDTHS[0])
    for width in WIDTHS:
        for dark in (False, True):
            browser.look(width=width, dark=dark)
            assert_quiet(browser)
            assert_readable(browser, width, dark)
    text = "document.getElementById('theme').textContent"
    assert browser.evaluate(text) == "Light"
    browser.evaluate("document.getElementById('theme').focus()")
    browser.press(*ENTER)
    assert browser.evaluate(text) == "Dark"
    assert_quiet(browser)
    assert_readable(browser, WIDTHS[-1], False)


def assert_readable(browser: Browser, width: int, dark: bool) -> None:
    """Of a page that is drawn."""
    places = browser.evaluate("Object.keys(figures)")
    assert places
    for place in places:
        size = browser.evaluate(
            f"(() => {{ const box = document.querySelector('#{place} .main-svg').getBoundingClientRect();"
            " return [box.width, box.height]; })()"
        )
        assert size[0] > 150
        assert size[1] > 60
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    light = [int(part) for part in background[4:-1].split(",")]
    assert (sum(light) < 200) == dark
    # Text of the plots can be read on it
    ink = browser.evaluate("getComputedStyle(document.querySelector('.xtick text')).fill")
    assert abs(sum(int(part) for part in ink[4:-1].split(",")) - sum(light)) > 300


def test_the_cursor_moves_the_rasters(browser: Browser, folder: Path) -> None:
    """By the keyboard: what is in colour is what has fired, in the numbers of the output file."""
    browser.open(folder / "attention.html", width=WIDTHS[0], dark=True)
    assert_readable(browser, WIDTHS[0], True)
    with np.load(folder / "out.npz") as archive:
        out = dict(archive)
    browser.evaluate("document.getElementById('raster-step').focus()")
    step = browser.evaluate("Number(document.activeElement.value)")
    for _ in range(3):
        browser.press(*RIGHT)
        step += 1
        assert browser.evaluate("Number(document.activeElement.value)") == step
        for name in "qkv":
            sign, phase = out[f"{name}_sign"][0], out[f"{name}_phase"][0]
            later, minus, plus = coloured(browser, f"raster-{name}")
            fired = phase <= step
            assert (minus, plus) == tuple(np.count_nonzero(fired & (sign == s)) for s in (-1, 1))
            assert later == np.count_nonzero(sign) - minus - plus
            line = browser.evaluate(f"document.getElementById('raster-{name}').layout.shapes[0].x0")
            assert line == step
        told = browser.evaluate("document.querySelector('#raster .readout').textContent")
        fired = np.count_nonzero(out["q_phase"][0] <= step)
        assert f"up to step {step}: q {fired} of {np.count_nonzero(out['q_sign'][0])} spikes" in told
    assert_quiet(browser)


@pytest.mark.long
def test_the_ramp_on_a_row(browser: Browser, folder: Path) -> None:
    browser.open(folder / "attention.html", width=360)
    with np.load(folder / "out.npz") as archive:
        out = dict(archive)
    browser.evaluate("document.getElementById('head').focus()")
    browser.press(*DOWN)
    browser.evaluate("document.getElementById('ramp-row').focus()")
    for _ in range(5):
        browser.press(*RIGHT)
    browser.evaluate("document.getElementById('ramp-step').focus()")
    step = browser.evaluate("Number(document.activeElement.value)")
    phase, score = out["attn_phase"][1, 5], out["score"][1, 5]
    while step < 15:
        browser.press(*RIGHT)
        step += 1
        drawn = browser.evaluate("document.getElementById('ramp-plot').data.map(trace => [trace.x, trace.y])")
        waiting, before, now, winner = drawn
        assert now[0] == np.flatnonzero(phase == step).tolist()
        assert before[0] == np.flatnonzero((phase >= 0) & (phase < step)).tolist()
        assert waiting[0] == np.flatnonzero((phase < 0) | (phase > step)).tolist()
        for keys, heights in (waiting, before, now):
            assert heights == score[keys].tolist()
        assert winner == [np.flatnonzero(score == out["winner"][1, 5]).tolist(), [out["winner"][1, 5]]]
        level = browser.evaluate("document.getElementById('ramp-plot').layout.shapes[0].y0")
        assert ((score >= level) == ((phase >= 0) & (phase <= step))).all()
        told = browser.evaluate("document.querySelector('#ramp .readout').textContent")
        assert told.startswith(f"Head 1, row 5, step {step}: ")
        assert f"{len(before[0]) + len(now[0])} of 12 have fired" in told
    # The button plays from the start again
    browser.evaluate("document.querySelector('#ramp button').focus()")
    browser.press(*ENTER)
    assert browser.evaluate("document.querySelector('#ramp button').textContent") == "Pause"
    assert browser.evaluate("Number(document.getElementById('ramp-step').value)") < 15
    browser.press(*ENTER)
    assert browser.evaluate("document.querySelector('#ramp button').textContent") == "Play"
    assert_quiet(browser)


@pytest.mark.long
def test_numbers_on_the_screen_are_those_of_the_report(browser: Browser, pages: Path) -> None:
    for name, place in (("attention", "r.json"), ("infer", "d/report.json")):
        browser.open(pages / f"{name}.html", width=1200)
        report = json.loads((pages / place).read_text())
        assert browser.evaluate("held('report')") == report
        shown = browser.evaluate(
            "Array.from(document.querySelectorAll('[data-pointer]'), "
            "cell => [cell.dataset.pointer, cell.innerText])"
        )
        assert len(shown) > 10
        for pointer, text in shown:
            value = at(report, pointer)
            assert (
                text == "?"
                if value is None
                else float(text.replace(",", "")) == pytest.approx(value, rel=1e-3, abs=1e-3)
            )
    drawn = browser.evaluate("document.querySelector('#layers .js-plotly-plot').data.map(trace => trace.x)")
    layers = report["energy"]["layers"]
    assert drawn == [[layer[which] for layer in layers] for which in ("spiking", "multiply_accumulate")]


@pytest.mark.long
def test_tab_reaches_every_control(browser: Browser, folder: Path) -> None:
    browser.open(folder / "attention.html", width=1200)
    wanted = browser.evaluate(
        "Array.from(document.querySelectorAll('a, button, input, select, [tabindex]')).length"
    )
    reached = []
    for _ in range(wanted):
        browser.press(*TAB)
        reached.append(browser.evaluate("document.activeElement.outerHTML.slice(0, 80)"))
    assert len(set(reached)) >= wanted - 1  # two buttons play
    assert 'class="skip"' in reached[0]
    assert any("raster-step" in one for one in reached)
    outline = browser.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
