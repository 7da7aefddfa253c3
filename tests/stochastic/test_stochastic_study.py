import json

import numpy as np
import pytest

from golden.stochastic.plan import RandomPlan
from onespike.cli import main
from sim.stochastic.study import CASES, Case, measure


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


def test_command(tmp_path, capsys):
    (tmp_path / "area.json").write_text(json.dumps({"unit": {"lut4": 5, "flip_flops": 7}}))
    arguments = ["--size", "4", "--heads", "4", "--area", str(tmp_path / "area.json")]
    arguments += ["--plot", str(tmp_path / "p.png"), "--report", str(tmp_path / "p.json")]
    # the plan that repeats itself is no worse than others at four tokens: it only has to run
    assert main(["stochastic", "study", *arguments]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(CASES)
    assert (tmp_path / "p.png").stat().st_size > 10_000
    assert set(json.loads((tmp_path / "p.json").read_text())["plans"]) == {case.label for case in CASES}


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
    assert main(["stochastic", "study", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
