"""Places that cannot be written: one line that names the place, and nothing left there."""

import errno
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from golden.errors import InputError
from onespike.files import filled_folder, made_folder, whole_or_nothing


@pytest.fixture
def loop(folder: Path) -> str:
    """A symbolic link to a link to itself."""
    (folder / "loop").symlink_to("other")
    (folder / "other").symlink_to("loop")
    return "loop"


@pytest.mark.parametrize("words", [("loop",), ("out.npz", "--report", "loop")])
def test_loop_of_links_as_file(source: str, loop: str, refused: Callable[..., str], words: list[str]) -> None:
    refused("attention", source, *words, says="must be a place for a file, loop is a loop of links")


@pytest.mark.parametrize("words", [("rtl",), ("sim",), ("sweep",)], ids=" ".join)
def test_loop_of_links_as_folder(loop: str, refused: Callable[..., str], words: tuple[str, ...]) -> None:
    refused(*words, "-o", loop, says="-o loop: cannot be written .File exists.")
    refused(*words, "-o", f"{loop}/below", says="-o loop/below: cannot be written .Too many levels")


def test_loop_of_links_as_input(loop: str, refused: Callable[..., str]) -> None:
    refused("attention", loop, "out.npz", says="loop: cannot be read .Too many levels")


def test_link_is_followed(folder: Path, source: str, run: Callable[..., object]) -> None:
    (folder / "link.npz").symlink_to("made.npz")
    run("attention", source, "link.npz")
    assert (folder / "link.npz").is_symlink()
    assert (folder / "made.npz").is_file()


def no_room() -> None:
    """No file of this process may grow: what a full disk says, without one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("example", "e.npz"), "e.npz: cannot be written (File too large)"),
        (("energy", "paper", "--report", "r.json"), "r.json: cannot be written (File too large)"),
    ],
)
def test_full_disk(folder: Path, words: tuple[str, ...], message: str) -> None:
    command = [sys.executable, "-m", "onespike", *words]
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True, preexec_fn=no_room)
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", f"onespike: {message}\n")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("word", ["presets", "--help"])
def test_full_disk_behind_standard_output(word: str, unbuffered: str) -> None:
    """Where output is buffered the interpreter tries once more at its end."""
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    command = [sys.executable, "-m", "onespike", word]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment)
    assert ran.returncode == 2
    assert ran.stderr == b"onespike: standard output: cannot be used (No space left on device)\n"


def test_reader_that_goes_away() -> None:
    """`onespike presets | head -1` is no mistake that needs a line."""
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run([sys.executable, "-m", "onespike", "presets"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (ran.returncode, ran.stderr) == (1, b"")


def test_name_that_is_no_text(folder: Path) -> None:
    """A file may have any bytes as its name, whatever the terminal can show."""
    words = [os.fsencode(sys.executable), b"-m", b"onespike", b"example", b"\xff.npz"]
    environment = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    ran = subprocess.run(words, cwd=folder, env=environment, capture_output=True)
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.startswith(b"\\udcff.npz: q, k, v float32")
    assert [os.fsencode(path.name) for path in folder.iterdir()] == [b"\xff.npz"]


def fill_up(label: str, place: Path) -> None:
    """Write into a folder through a library of its own, which meets a full disk."""
    with filled_folder(label, place) as scratch:
        (scratch / "first.png").write_text("whole")
        raise OSError(errno.ENOSPC, "No space left on device")


def test_folder_on_a_full_disk(folder: Path) -> None:
    with pytest.raises(InputError, match=r"^-o a/b: cannot be written .No space left on device.$"):
        fill_up("-o", Path("a/b"))
    assert list(folder.iterdir()) == []


def test_folder_on_a_disk_without_room_for_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder could be made, what goes into it cannot."""

    def fail(**_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.mkdtemp", fail)
    with pytest.raises(InputError, match=r"^-o a/b: cannot be written .No space left on device.$"):
        fill_up("-o", Path("a/b"))
    assert list(folder.iterdir()) == []


def test_other_errors_stay_what_they_are(folder: Path) -> None:
    def fail() -> None:
        with whole_or_nothing({"OUT": folder / "out"}), made_folder("-o", folder / "made"):
            raise PermissionError(errno.EACCES, "Permission denied", "elsewhere")

    with pytest.raises(PermissionError):
        fail()
    assert list(folder.iterdir()) == []


def test_folder_in_the_way_of_a_file(folder: Path) -> None:
    """Found before the first file is moved."""
    (folder / "made" / "b.txt").mkdir(parents=True)

    def fill() -> None:
        with filled_folder("-o", folder / "made") as scratch:
            for name in ("a.txt", "b.txt"):
                (scratch / name).write_text("whole")

    with pytest.raises(InputError, match=r"made: b\.txt in it must be no folder$"):
        fill()
    assert [path.name for path in (folder / "made").iterdir()] == ["b.txt"]


def test_caches(source: str, refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A home that cannot be written: said before anything is compiled for minutes."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(source).absolute()))
    says = (
        r"cache \S+/in\.npz/onespike/verilog .XDG_CACHE_HOME chooses its place.: cannot be written .Not a dir"
    )
    refused("attention", source, "out.npz", "--engine", "rtl", says=says)
    says = r"cache \S+/in\.npz/YoWASP .XDG_CACHE_HOME chooses its place.: cannot be written .Not a directory"
    monkeypatch.delenv("YOWASP_CACHE_DIR", raising=False)
    refused("rtl", "-o", "rtl", "--preset", "pico", says=says)


def test_builds(folder: Path, refused: Callable[..., str]) -> None:
    (folder / "build").write_text("a file")
    says = "folder of builds build/synth/icebreaker: cannot be written .Not a directory"
    refused("synth", "--board", "icebreaker", "--tools", "wheels", says=says)


def test_file_that_ends_too_early(run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no reader noticed is no interrupt."""

    def ends(*_: object) -> None:
        raise EOFError("compressed file ended before the end-of-stream marker was reached")

    monkeypatch.setattr("onespike.commands.presets.preset_table", ends)
    ran = run("presets")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.strip() == "onespike: a file must be whole, one ended too early"
