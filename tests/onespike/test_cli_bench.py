"""`onespike bench` prints and writes the ratios it measures."""

import json
import sys
import time
from pathlib import Path

import pytest

from studies.bench.ratios import Ratio, median_seconds


def short_against_long(seed: int) -> Ratio:
    """A ratio that takes a moment: sleeping five milliseconds against none."""
    slow, fast = median_seconds(lambda: time.sleep(0.005), lambda: None, rounds=3)
    return Ratio(what="sleep", slow="five", fast="none", slow_seconds=slow, fast_seconds=fast)


def test_bench(folder: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studies.bench.ratios.RATIOS", (short_against_long,))
    ran = run("bench", "--seed", "5", "--report", "r.json")
    assert ran.status == 0
    assert "seed 5" in ran.out
    assert "sleep" in ran.out
    report = json.loads((folder / "r.json").read_text())
    assert set(report) == {"seed", "tools", "ratios"}
    (entry,) = report["ratios"]
    assert set(entry) == {"what", "slow", "fast", "slow_seconds", "fast_seconds", "ratio"}
    assert entry["slow_seconds"] >= 0.005
    assert entry["ratio"] == entry["slow_seconds"] / entry["fast_seconds"]


def test_report_is_checked_before_measuring(refused) -> None:
    refused("bench", "--report", "absent/r.json", says="--report absent/r.json: cannot be written")


def test_torch_is_wanted(refused, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("onespike.torch")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    refused(
        "bench", "--torch", "--report", "r.json", says="--torch: onespike.torch needs PyTorch, .*pip install"
    )
