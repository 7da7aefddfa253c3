"""The wheel holds every file of the packages and nothing else, and works wherever it is installed.

A wheel made from the source distribution is the same.
"""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

import onespike
from golden.attention.config import PRESETS
from sim.cores.attention.core import SpikedAttentionCore
from tests.test_documents import PACKAGES, ROOT


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository: setuptools leaves folders of its own beside what it builds."""
    copy = tmp_path_factory.mktemp("source") / "onespike"
    return Path(
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".*", "build", "__pycache__", "*.egg-info"))
    )


def wheel_of(source: Path, folder: Path) -> Path:
    """Built with what is installed here; nothing is fetched."""
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "wheel", *offline, "--wheel-dir", folder, source], check=True)
    (made,) = folder.glob("*.whl")
    return made


def sdist_of(source: Path, folder: Path) -> Path:
    build = "from setuptools.build_meta import build_sdist; import sys; build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, folder], cwd=source, check=True, capture_output=True)
    (made,) = folder.glob("*.tar.gz")
    return made


@pytest.fixture(scope="module")
def wheel(source: Path) -> Path:
    return wheel_of(source, source.parent)


@pytest.fixture(scope="module")
def machine_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Yosys as compiled at its first use, minutes of work that all environments share."""
    return tmp_path_factory.mktemp("yowasp")


def contents(wheel: Path) -> dict[str, int]:
    """Check sums of the files of a wheel, by name; what the build says of itself aside."""
    with ZipFile(wheel) as archive:
        return {file.filename: file.CRC for file in archive.infolist() if ".dist-info/" not in file.filename}


def test_files(source: Path, wheel: Path) -> None:
    """Data as well as Python; neither tests nor what trains."""
    files = {
        path.relative_to(source).as_posix()
        for package in PACKAGES
        for path in (source / package).rglob("*")
        if path.is_file()
    }
    assert {"synth/budgets.toml", "sim/verilator/harness.cpp", "onespike/py.typed"} < files
    assert set(contents(wheel)) == files


def test_source_distribution(source: Path, wheel: Path, tmp_path: Path) -> None:
    archive = sdist_of(source, tmp_path)
    subprocess.run(["tar", "-xf", archive], cwd=tmp_path, check=True)  # filters of tarfile came after 3.11.2
    assert contents(wheel_of(tmp_path / archive.name.removesuffix(".tar.gz"), tmp_path)) == contents(wheel)


def test_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert onespike.__version__ == project["version"]


def python_of(version: str) -> str:
    """An interpreter of this version: this one, or one on PATH, or of pyenv."""
    if version == f"{sys.version_info.major}.{sys.version_info.minor}":
        return sys.executable
    kept = sorted((Path.home() / ".pyenv" / "versions").glob(f"{version}.*/bin/python"))
    for name in (f"python{version}", *kept):
        found = shutil.which(name)
        # What pyenv puts on PATH may stand for a version that is not chosen
        if found and subprocess.run([found, "--version"], capture_output=True).returncode == 0:
            return found
    pytest.skip(f"no Python {version} here")


@pytest.mark.long
@pytest.mark.parametrize(
    ("origin", "version"), [("wheel", "3.11"), ("wheel", "3.12"), ("wheel", "3.13"), ("sdist", "3.11")]
)
def test_installed(
    source: Path, wheel: Path, machine_code: Path, tmp_path: Path, origin: str, version: str
) -> None:
    """In an environment of its own, from another folder: data is found, what is made goes to the cache.

    The Verilog has the modules and ports of that of this Python; how Amaranth names a signal inside that is
    assigned as one of a tuple, and the line of what takes several, depend on the version.
    """
    package = wheel if origin == "wheel" else sdist_of(source, tmp_path)
    place, cache, folder = (tmp_path / name for name in ("environment", "cache", "elsewhere"))
    folder.mkdir()
    mine = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(*words: str | Path) -> str:
        done = subprocess.run(
            words,
            cwd=folder,
            env=mine | {"XDG_CACHE_HOME": str(cache), "YOWASP_CACHE_DIR": str(machine_code)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def installed() -> set[Path]:
        return {path for path in place.rglob("*") if "__pycache__" not in path.parts}

    run(python_of(version), "-m", "venv", "--without-pip", place)
    run(sys.executable, "-m", "pip", "--python", place / "bin" / "python", "install", package)
    before = installed()
    command = place / "bin" / "onespike"
    assert run(command, "--version") == f"onespike {onespike.__version__}\n"
    assert "ulx3s-85f" in run(command, "boards")
    run(command, "example", "in.npz")
    run(command, "attention", "in.npz", "out.npz", "--engine", "rtl", "--preset", "tiny")
    run(command, "rtl", "-o", "rtl", "--preset", "tiny")
    core = SpikedAttentionCore(PRESETS["tiny"])
    expected, *_ = core.write(tmp_path / "expected")
    texts = (
        re.sub(r"\(\* src = \S+ \*\)\s", "", path.read_text())
        for path in (folder / "rtl" / expected.name, expected)
    )
    assert len({tuple(re.findall(r"^module \w+ .*?^\);", text, re.M | re.S)) for text in texts}) == 1
    run(command, "infer", "--network", "digits", "--images", "2")
    assert "figures/boards.json" in "".join(run(command, "predict", "bert-base").split())
    assert {path.name for path in folder.iterdir()} == {"in.npz", "out.npz", "rtl", "build"}
    assert {path.name for path in (cache / "onespike").iterdir()} == {"verilog", "verilator"}
    assert installed() == before
