"""`onespike rtl` writes Verilog and a manifest, the same bytes each time."""

import json
from pathlib import Path

from golden.code import PhaseCode
from golden.config import preset, to_table
from golden.network.convert import convert
from golden.network.file import save_network
from tests.network.samples import random_images, random_transformer


def test_rtl(folder: Path, run) -> None:
    (folder / "c.toml").write_text('base = "tiny"\n')
    for words in (("-o", "a/b", "--preset", "tiny"), ("-o", "c", "--config", "c.toml")):
        ran = run("rtl", *words)
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.split() == [f"{words[1]}/attention_core.v", f"{words[1]}/attention_core.json"]
    verilog, manifest = (folder / "a" / "b" / f"attention_core.{end}" for end in ("v", "json"))
    assert "module attention_core(" in verilog.read_text()
    table = json.loads(manifest.read_text())
    assert table["parameters"] == to_table(preset("tiny"))
    assert table["latency"]
    for path in (verilog, manifest):
        assert path.read_bytes() == (folder / "c" / path.name).read_bytes()


def test_axi(folder: Path, run, refused) -> None:
    ran = run("rtl", "-o", "ip", "--preset", "tiny", "--axi")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.split() == [f"ip/attention_core_axis.{end}" for end in ("v", "json", "core")]
    assert json.loads((folder / "ip" / "attention_core_axis.json").read_text())["parameters"] == to_table(
        preset("tiny")
    )
    (folder / "c.toml").write_text('base = "tiny"\ntaps = true\n')
    says = "AXI4-Stream ports must be able to wait, 'o_winner' cannot"
    refused("rtl", "-o", "other", "--config", "c.toml", "--axi", says=says)
    save(folder / "n.npz")
    refused("rtl", "-o", "other", "--network", "n.npz", "--axi", says="--axi is for the attention core")


def save(path: Path, **shape: int) -> None:
    save_network(path, convert(random_transformer(1, **shape), random_images(2, 20), PhaseCode()))


def test_network(folder: Path, run) -> None:
    save(folder / "n.npz")
    ran = run("rtl", "-o", "out", "--network", "n.npz")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.split() == ["out/network_core.v", "out/network_core.json"]
    assert "module network_core(" in (folder / "out" / "network_core.v").read_text()
    assert json.loads((folder / "out" / "network_core.json").read_text())["parameters"]["lanes"] == 32


def test_network_refused(folder: Path, refused) -> None:
    save(folder / "n.npz")
    words = ("rtl", "-o", "out", "--network", "n.npz")
    refused(*words, "--preset", "tiny", says="--network sizes the core itself")
    (folder / "file").write_text("")
    refused("rtl", "-o", "file", "--network", "n.npz", says="-o must be a folder")
    save(folder / "wide.npz", classes=40)
    says = r"pooled classes must be at most the lanes \(32\), not 40"
    refused("rtl", "-o", "out", "--network", "wide.npz", says=says)
