"""Unreadable input files and outputs that cannot be placed."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from golden.errors import InputError
from onespike.files import filled_folder

Arrays = dict[str, np.ndarray]


def test_absent_file(refused: Callable[..., str]) -> None:
    refused("attention", "in.npz", "out.npz", says="in.npz: cannot be read .No such file")


def test_folder_as_file(folder: Path, refused: Callable[..., str]) -> None:
    (folder / "in.npz").mkdir()
    refused("attention", "in.npz", "out.npz", says="in.npz: cannot be read .Is a directory")


@pytest.mark.parametrize("content", [b"", b"q,k,v\n1,2,3\n", b"PK\x03\x04 not really a zip file"])
def test_no_archive(folder: Path, refused: Callable[..., str], content: bytes) -> None:
    (folder / "in.npz").write_bytes(content)
    refused("attention", "in.npz", "out.npz", says="in.npz: must be a whole .npz file")


def test_single_array(folder: Path, arrays: Arrays, refused: Callable[..., str]) -> None:
    with (folder / "in.npz").open("wb") as file:
        np.save(file, arrays["q"])
    refused("attention", "in.npz", "out.npz", says="in.npz: must be a whole .npz file")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_truncated(folder: Path, arrays: Arrays, refused: Callable[..., str], save) -> None:
    """Cut anywhere, the file is refused."""
    save(folder / "in.npz", **arrays)
    whole = (folder / "in.npz").read_bytes()
    for length in range(0, len(whole), 37):
        (folder / "in.npz").write_bytes(whole[:length])
        refused("attention", "in.npz", "out.npz", says="onespike: in.npz: ")


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged(folder: Path, arrays: Arrays, run, refused: Callable[..., str], save) -> None:
    """A byte changed anywhere in the data is noticed; in the directory it is at least no traceback."""
    save(folder / "in.npz", **arrays)
    whole = (folder / "in.npz").read_bytes()
    outcomes = set()
    for position in range(0, len(whole), 29):
        damaged = bytearray(whole)
        damaged[position] ^= 0x55
        (folder / "in.npz").write_bytes(damaged)
        outcomes.add(run("attention", "in.npz", "out.npz").status)
        (folder / "out.npz").unlink(missing_ok=True)
    assert outcomes <= {0, 2}
    assert 2 in outcomes


def test_pickled_objects(folder: Path, arrays: Arrays, refused: Callable[..., str]) -> None:
    np.savez(folder / "in.npz", **arrays | {"mask": np.array([{}, None], dtype=object)})
    refused("attention", "in.npz", "out.npz", says="in.npz: mask must be a whole array of numbers")


def test_member_that_is_no_array(folder: Path, arrays: Arrays, refused: Callable[..., str]) -> None:
    np.savez(folder / "in.npz", **{name: arrays[name] for name in "qk"})
    with zipfile.ZipFile(folder / "in.npz", "a") as archive:
        archive.writestr("v", b"1 2 3")
    refused("attention", "in.npz", "out.npz", says="in.npz: v must be an array in .npy format")


def test_shape_that_lies(folder: Path, arrays: Arrays, refused: Callable[..., str]) -> None:
    """A header that promises more data than there is."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (1 << 20, 1 << 20, 64)}
    )
    np.savez(folder / "in.npz", **{name: arrays[name] for name in "qk"})
    with zipfile.ZipFile(folder / "in.npz", "a") as archive:
        archive.writestr("v.npy", header.getvalue() + b"few")
    refused("attention", "in.npz", "out.npz", says="in.npz: v must be a whole array of numbers")


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("absent/out.npz", "OUT.npz absent/out.npz: cannot be written .No such file"),
        ("in.npz/out.npz", "OUT.npz in.npz/out.npz: cannot be written .Not a directory"),
        ("folder", "OUT.npz must be a place for a file, not folder"),
        ("in.npz", "OUT.npz must differ from IN.npz, not be in.npz again"),
        ("folder/../in.npz", "OUT.npz must differ from IN.npz"),
        ("x" * 300, "cannot be written .File name too long"),
    ],
)
def test_target(folder: Path, source: str, refused: Callable[..., str], target: str, message: str) -> None:
    (folder / "folder").mkdir()
    refused("attention", source, target, says=message)


@pytest.mark.parametrize(
    ("report", "message"),
    [
        ("absent/r.json", "--report absent/r.json: cannot be written"),
        ("in.npz/r.json", "--report in.npz/r.json: cannot be written"),
        (".", "--report must be a place for a file, not ."),
        ("out.npz", "--report must differ from the other outputs, not be out.npz again"),
        ("in.npz", "--report must differ from IN.npz"),
        ("/dev/null", "--report must be a place for a file, not /dev/null"),
    ],
)
def test_report_target(source: str, refused: Callable[..., str], report: str, message: str) -> None:
    refused("attention", source, "out.npz", "--report", report, says=message)


@pytest.mark.parametrize(
    ("words", "work"),
    [
        ("attention in.npz out.npz", "studies.attention.spiked.run_engine"),
        ("bench", "onespike.commands.bench.progress"),
        ("compare rates.npz", "studies.compare.schemes.compare"),
        ("demo --board-sim", "onespike.commands.demo._port"),
        ("predict bert-base", "onespike.commands.predict.network_cycles"),
        ("energy hardware", "onespike.commands.energy.hardware.hardware_report"),
        ("energy network bert-base", "onespike.commands.energy.network.network_report"),
        ("energy paper", "onespike.commands.energy.paper.paper_report"),
        ("energy stochastic", "onespike.commands.energy.stochastic.scheme_report"),
        ("stochastic demo", "studies.stochastic.demo.demonstrate"),
        ("stochastic study", "onespike.commands.stochastic.study.working"),
        ("dev area", "synth.alone.measure_alone"),
        ("dev dense --synthesise", "studies.rival.dense.measure"),
        ("dev rival --synthesise bits", "studies.rival.contest.measure_lanes"),
    ],
)
def test_report_target_is_tried_before_computing(
    source: str,
    arrays: Arrays,
    refused: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    words: str,
    work: str,
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("computed before the report's place was known to be writable")

    np.savez("rates.npz", **{name: np.clip(arrays[name], 0, 1) for name in ("q", "k", "v")})
    monkeypatch.setattr(work, never)
    refused(*words.split(), "--report", "absent/r.json", says="^onespike: --report absent/r.json")


def test_nothing_is_left_when_computing_fails(
    folder: Path, source: str, run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("studies.attention.spiked.run_engine", fail)
    (folder / "out.npz").write_text("of an earlier run")
    assert run("attention", source, "out.npz", "--report", "r.json").status == 130
    assert sorted(path.name for path in folder.iterdir()) == ["in.npz", "out.npz"]
    assert (folder / "out.npz").read_text() == "of an earlier run"


def test_nothing_is_left_when_the_last_move_fails(
    folder: Path, source: str, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def blocked(place: Path, target: Path) -> None:
        if target.name == "r.json":
            raise OSError(28, "No space left on device")
        replace(place, target)

    replace = Path.replace
    monkeypatch.setattr(Path, "replace", blocked)
    refused(
        "attention",
        source,
        "out.npz",
        "--report",
        "r.json",
        says="--report r.json: cannot be written .No space left",
    )


def test_folder_is_filled_at_the_end(folder: Path) -> None:
    target = folder / "a" / "b"
    with filled_folder("-o", target) as scratch:
        (scratch / "r.json").write_text("{}")
        assert not (target / "r.json").exists()
    assert [path.name for path in target.iterdir()] == ["r.json"]


def test_folder_of_a_failed_run(folder: Path) -> None:
    """Folders made for the run go; what was there before stays."""

    def fail(target: Path) -> None:
        with filled_folder("-o", target) as scratch:
            (scratch / "r.json").write_text("{}")
            raise RuntimeError

    (folder / "a").mkdir()
    (folder / "a" / "old").write_text("kept")
    for target in (folder / "a", folder / "a" / "b" / "c"):
        with pytest.raises(RuntimeError):
            fail(target)
    assert [path.name for path in folder.rglob("*")] == ["a", "old"]


def test_folder_below_a_file(folder: Path, source: str) -> None:
    with pytest.raises(InputError, match=r"-o in\.npz/b: cannot be written .Not a directory"):
        filled_folder("-o", Path(source) / "b").__enter__()
    assert [path.name for path in folder.iterdir()] == ["in.npz"]
