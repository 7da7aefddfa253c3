"""`onespike bench --torch` measures attention in tensors against golden and against softmax."""

import json
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="attention of PyTorch needs torch")

from onespike.torch import bench


def test_ratios(folder: Path, run, monkeypatch: pytest.MonkeyPatch) -> None:
    for workload in bench.WORKLOADS:
        monkeypatch.setitem(bench.WORKLOADS, workload, (1, 2, 3, 4))
    ran = run("bench", "--torch", "--report", "r.json")
    assert ran.status == 0, ran.err
    ratios = json.loads((folder / "r.json").read_text())["ratios"]
    assert [(entry["slow"], entry["fast"]) for entry in ratios] == 2 * [
        ("golden", bench.SPIKES),
        (bench.SPIKES, bench.SOFTMAX),
        (bench.FROZEN, bench.SOFTMAX),
    ]
    assert {entry["what"] for entry in ratios} == {
        f"{workload}: 2 heads, 3 tokens, head_dim 4" for workload in bench.WORKLOADS
    }
