import json
from pathlib import Path

import numpy as np
import pytest

from golden.stochastic.plan import COMPARED, RandomPlan
from onespike.cli import main
from studies.stochastic.plans import CASES, Case, measure, plan_areas


def test_ideal_numbers_set_the_scale():
    ideal = measure(CASES[0], size=8, heads=16, seed=0)
    assert CASES[0].plan is None
    # A Bernoulli output of rate p: the error falls as 1/sqrt(T)
    steps = np.array(list(ideal["error"]))
    scaled = np.array(list(ideal["error"].values())) * np.sqrt(steps)
    assert np.ptp(scaled) < 0.15 * scaled.mean()
    assert abs(ideal["row_sum_variance"] - 1) < 0.05


def test_what_sharing_does():
    row = measure(Case(label="", plan=RandomPlan(score="row")), size=8, heads=16, seed=0)
    broadcast = measure(Case(label="", plan=RandomPlan(score="row-broadcast")), size=8, heads=16, seed=0)
    shared = measure(Case(label="", plan=RandomPlan(score="row"), shared=True), size=8, heads=16, seed=0)
    assert row["row_sum_variance"] < 1.1
    assert broadcast["row_sum_variance"] > 4
    assert shared["mean_bias"][64] > 0.01 > abs(row["mean_bias"][64])


def areas_file(folder: Path, size: int) -> Path:
    engines = {"unit": {"lut4": 5, "flip_flops": 7}}
    path = folder / "area.json"
    path.write_text(json.dumps({"size": size, "head_dim": size, "rows": size, "engines": engines}))
    return path


def test_shipped_areas_are_of_the_compared_plans():
    areas = plan_areas(None, 16)
    assert list(areas) == list(COMPARED)
    # A generator per unit costs flip-flops, one for all is the smallest bank
    assert areas["unit"]["flip_flops"] > 2 * areas["column-broadcast"]["flip_flops"]
    assert plan_areas(None, 8) == {}


def test_command(tmp_path, capsys):
    arguments = ["--size", "4", "--heads", "4", "--area", str(areas_file(tmp_path, 4))]
    arguments += ["--plot", str(tmp_path / "p.png"), "--report", str(tmp_path / "p.json")]
    # the plan that repeats itself is no worse than others at four tokens: it only has to run
    assert main(["stochastic", "study", *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    # A plan is its name and what indented lines say of it; the file has the cells of one
    plans_printed = [line for line in lines[1:] if not line.startswith(" ")]
    assert plans_printed == [case.label for case in CASES]
    assert [line for line in lines if "LUT4" in line] == [lines[lines.index("unit") + 3]]
    assert lines[lines.index("unit") + 3].endswith("  LUT4 5 FF 7")
    assert (tmp_path / "p.png").stat().st_size > 10_000
    plans = json.loads((tmp_path / "p.json").read_text())["plans"]
    assert set(plans) == {case.label for case in CASES}
    assert (plans["unit"]["lut4"], plans["unit"]["flip_flops"]) == (5, 7)
    assert "lut4" not in plans["ideal"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--size", "1"), "size must be an integer in 2..128, not 1"),
        (("--heads", "1"), "heads must be an integer in 2..4096, not 1"),
        (("--plot", "x.txt"), "--plot must name a .png, .svg, .pdf file, not x.txt"),
        (("--area", "absent.json"), "absent.json: cannot be read"),
    ],
)
def test_mistakes(arguments, message, capsys):
    check_mistake(arguments, message, capsys)


def test_areas_of_another_size(tmp_path, capsys):
    path = areas_file(tmp_path, 8)
    message = f"{path}: must be of full arrays with N = d = 16, not [8]"
    check_mistake(("--area", str(path)), message, capsys)
    path.write_text("{}")
    check_mistake(("--area", str(path)), f"{path}: must be what onespike dev area", capsys)


def check_mistake(arguments, message, capsys):
    assert main(["stochastic", "study", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
