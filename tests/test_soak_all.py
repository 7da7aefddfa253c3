"""That `make soak-all` goes on where it ended, and that nothing of another design counts."""

import json
from pathlib import Path

import pytest

from tests import soak_all
from tests.hw.attention.random_jobs import Checked


def test_cores_count_once_and_of_this_design_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, checked = tmp_path / "soak.json", []

    def found(seed: int) -> Checked:
        checked.append(seed)
        return Checked(integers=7, cycles=9)

    monkeypatch.setitem(soak_all.KINDS, "attention", found)
    for _ in range(2):
        compared = soak_all.Compared(path)
        compared.check(1000, "attention")
        assert compared.integers == 7
    assert checked == [1000]
    with monkeypatch.context() as other:
        other.setattr(soak_all, "RUNS", soak_all.RUNS + 1)
        assert soak_all.Compared(path).cores == {}
    assert [*soak_all.Compared(path).cores] == ["1000 attention"]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"key": "others"}))
    assert soak_all.Compared(path).cores == {}


def test_another_first_seed_compares_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checked: list[int] = []

    def found(seed: int) -> Checked:
        checked.append(seed)
        return Checked(integers=10)

    for kind in [*soak_all.KINDS]:
        monkeypatch.setitem(soak_all.KINDS, kind, found)

    def run(seed: int, minutes: float | None) -> str:
        with pytest.raises(SystemExit) as status:
            soak_all.main(minutes=minutes, seed=seed, integers=20, output=tmp_path / "soak.json")
        assert not status.value.code
        return capsys.readouterr().out

    unfinished = run(1000, 0)
    assert "0 of 20 integers, from seed 1000 on" in unfinished
    assert "not finished" in unfinished
    for minutes in (None, 0):
        shown = run(1000, minutes)
        assert "20 of 20 integers" in shown
        assert "not finished" not in shown
    assert checked == [1000, 1000]
    assert "20 of 20 integers, from seed 7 on" in run(7, None)
    assert checked == [1000, 1000, 7, 7]


def test_what_is_wrong_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(seed: int) -> Checked:
        assert seed != 1000, "an integer differs"
        return Checked(integers=10)

    for kind in [*soak_all.KINDS]:
        monkeypatch.setitem(soak_all.KINDS, kind, wrong)
    path = tmp_path / "soak.json"
    with pytest.raises(SystemExit) as status:
        soak_all.main(minutes=None, seed=1000, integers=20, output=path)
    assert status.value.code == 1
    assert [*json.loads(path.read_text())["cores"]] == ["1001 attention", "1001 integer"]


def test_what_says_cycles_and_integers_of_a_core_is_in_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(soak_all, "ROOT", tmp_path)
    keys = [soak_all.key()]
    for part in ("sim/timing", "sim/cores/network", "tests/hw"):
        (tmp_path / part).mkdir(parents=True)
        (tmp_path / part / "random_new.py").touch()
        keys.append(soak_all.key())
        (tmp_path / part / "random_new.py").write_text("1")
        keys.append(soak_all.key())
    assert len({*keys}) == len(keys)
