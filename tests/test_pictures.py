"""Pictures say what they show: every line can be seen, and network, core and configuration are named."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from models.conversion.convert import Conversion
from models.conversion.scheme import Scheme
from models.verdict import Verdict
from studies.convert.picture import errors
from studies.infer.cases import load_case
from studies.infer.infer import infer
from studies.infer.report import captions
from studies.plot_style import CYCLE, label_right, new_figure, styled, write_figure
from studies.search.figures import density_crossover
from studies.stochastic.plans_picture import plot
from studies.sweep.picture import numbered, pareto

ROOT = Path(__file__).parents[1]


def texts_of(figure: Figure) -> list[str]:
    return [
        text.get_text() for text in figure.findobj(lambda part: hasattr(part, "get_text")) if text.get_text()
    ]


def test_one_style() -> None:
    """Nothing else chooses fonts, writes pictures, or keeps the state of pyplot."""
    for folder in ("golden", "models", "hw", "sim", "synth", "energy", "studies", "onespike"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            source = path.read_text()
            assert path.name == "plot_style.py" or not re.search(
                r"pyplot|rcParams|rc_context|savefig", source
            ), path


def test_colours_differ_in_brightness_or_hue_for_the_colour_blind() -> None:
    """As a deuteranope sees them (Viénot 1999): no two of the cycle come near each other."""
    dichromat = np.array([[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]])
    seen = [dichromat @ (np.array(to_rgb(colour)) ** 2.2) for colour in CYCLE]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > 0.08


@pytest.mark.parametrize("heights", [(0.5, 0.5), (0.1, 0.11, 0.12, 0.9), (1.0, 1.0, 1.0)])
def test_labels_do_not_touch(heights: tuple[float, ...]) -> None:
    with styled():
        figure = new_figure(5, 3, "title", "remark")
        axes = figure.subplots()
        label_right(axes, [(height, f"line\n{number}", "black") for number, height in enumerate(heights)])
        figure.draw_without_rendering()
        boxes = [text.get_window_extent() for text in axes.texts]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


def test_each_preset_is_drawn_with_its_own_rival() -> None:
    curve = {"density": [0.1, 0.5, 1.0], "spiking": [1.0, 2.0, 3.0], "mac": [2.5, 2.5, 2.5]}
    names = ("lean", "default")
    lines = [{"preset": name, "lanes": 64, "steps": 16, "curve": curve, "crossover": 0.75} for name in names]
    figure = density_crossover(
        {"tokens": 4, "head_dim": 8, "lines": lines, "network": "net", "data": "d.csv"}
    )
    assert len(figure.axes) == len(lines)
    for axes, name in zip(figure.axes, names, strict=True):
        assert axes.get_title(loc="left") == f"{name}: 64 lanes, T = 16"
        assert [line.get_linestyle() for line in axes.lines] == ["--", "-", ":"]
    assert "net; d.csv" in figure.texts[1].get_text()


def point(**values: Any) -> dict[str, Any]:
    usual = {"model": "random", "lanes": 32, "steps": 8, "log2_base": "1/2", "trace_bits": 8}
    return usual | {"area_source": "estimated", "lut4": None} | values


def test_a_sweep_names_the_configurations_of_its_fronts() -> None:
    points = [
        point(error=0.2, energy=1.0, cycles=100),
        point(error=0.1, energy=2.0, cycles=200, steps=24, log2_base="2/7"),
        point(error=0.0999, energy=2.1, cycles=210, steps=40),  # would cover the one before
        point(error=0.3, energy=2.0, cycles=200, lanes=16),  # beaten
        point(error=0.5, energy=9.0, cycles=900, model="x/heads.npz", trace_bits=12),
    ]
    assert numbered(points) == [points[1], points[0], points[4]]
    figure = pareto({"points": points})
    assert {"2/7", "24", "1/2", "12", "heads.npz"} <= {
        text.replace("$2^{", "").replace("}$", "") for text in texts_of(figure)
    }
    assert "40" not in texts_of(figure)
    assert "random heads, heads.npz" in figure.texts[0].get_text()


def test_a_timeline_names_network_and_core() -> None:
    result = infer(load_case("digits", None, None, None), images=1, rtl=0)
    title, remark = captions(result)
    assert "digits" in title
    assert f"{result.times.finished[0] - result.times.begun[0]:,} cycles" in title
    assert f"{result.config.lanes} neuron lanes" in remark
    assert f"{result.config.attention.lanes} attention lanes" in remark


def test_a_conversion_names_its_nodes_in_order_of_execution() -> None:
    names = ("embedding", "block0.norm1", "block0.query", "head")
    verdicts = [
        Verdict(
            node=name, outcome="approximate", error=0.1 * place, worst=0.0, reason="", code=code, density=code
        )
        for place, (name, code) in enumerate(zip(names, (None, 0.05, 0.06, None), strict=True), 1)
    ]  # fmt: skip
    between = Verdict(node="block0.sum", outcome="exact", error=None, worst=None, reason="")
    conversion = Conversion(
        scheme=Scheme(), linears={}, attentions={}, norms={}, verdicts=[*verdicts, between]
    )
    figure = errors(conversion, "vit: error along the depth")
    above, below = figure.axes
    assert [text.get_text() for text in below.get_xticklabels()] == list(names)
    assert above.lines[0].get_ydata() == pytest.approx([0.1, 0.2, 0.3, 0.4])
    assert [list(line.get_xdata()) for line in above.lines[1:]] == [[1, 2], [0, 3], [1, 2]]
    assert [bar.get_height() for bar in below.patches] == [0.05, 0.06]
    assert "T = 16" in figure.texts[1].get_text()


def test_plans_like_the_ideal_one_share_a_label(tmp_path: Path) -> None:
    from studies.stochastic.plans import STEPS

    def plan(factor: float) -> dict[str, Any]:
        error = {step: factor ** np.log2(step) / step**0.5 for step in STEPS}
        bias = {"mean_bias": dict.fromkeys(STEPS, 0.0), "mean_bias_error": dict.fromkeys(STEPS, 0.1)}
        return {"error": error, "token_mean": 1.0, "feature_mean": 1.0, "row_sum_variance": 1.0} | bias

    plot({"ideal": plan(1), "unit": plan(1), "row, repeats": plan(1.1)}, 4, 8, tmp_path / "p.svg")
    drawn = (tmp_path / "p.svg").read_text()
    assert "the other 2" in drawn
    assert "not synthesised" in drawn


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_picture_gives_the_same_bytes(tmp_path: Path, suffix: str) -> None:
    for name in ("a", "b"):
        with styled():
            figure = new_figure(3, 2, "title", "remark")
            figure.subplots().plot([1, 2], [3, 4])
        write_figure(figure, tmp_path / f"{name}{suffix}")
    assert (tmp_path / f"a{suffix}").read_bytes() == (tmp_path / f"b{suffix}").read_bytes()
