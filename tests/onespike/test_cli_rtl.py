"""`onespike rtl` writes Verilog and a manifest, the same bytes each time."""

import json
from pathlib import Path

import numpy as np
import pytest

from golden.attention.config import preset, to_table
from golden.code import PhaseCode
from golden.errors import InputError
from golden.network import sizes
from golden.network.file import save_network
from golden.stochastic.network import network_arrays
from tests.golden.network.samples import converted, random_images, random_transformer
from tests.hw.stochastic.bench_stochastic_network import small_network


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
    ip = [f"ip/attention_core_axis.{end}" for end in ("v", "json", "core")]
    bench = [f"ip/attention_core_axis_tb.{end}" for end in ("v", "core")]
    streams = ("s_axis_head", "s_axis_key", "s_axis_value", "s_axis_query", "m_axis_code")
    assert ran.out.split() == [*ip, *bench, *(f"ip/{stream}.hex" for stream in streams)]
    assert json.loads((folder / "ip" / "attention_core_axis.json").read_text())["parameters"] == to_table(
        preset("tiny")
    )
    (folder / "c.toml").write_text('base = "tiny"\ntaps = true\n')
    says = "AXI4-Stream ports must be able to wait, 'o_winner' cannot"
    refused("rtl", "-o", "other", "--config", "c.toml", "--axi", says=says)
    save(folder / "n.npz")
    says = "--axi is for the attention core"
    refused("rtl", "-o", "other", "--network", "n.npz", "--axi", says=says)
    says = "--axi needs --scheme spiked, not stochastic"
    refused("rtl", "-o", "other", "--scheme", "stochastic", "--axi", says=says)


def save(path: Path, **shape: int) -> None:
    save_network(path, converted(random_transformer(1, **shape), random_images(2, 20), PhaseCode()))


def test_network(folder: Path, run) -> None:
    save(folder / "n.npz")
    ran = run("rtl", "-o", "out", "--network", "n.npz")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out.split() == ["out/network_core.v", "out/network_core.json"]
    assert "module network_core(" in (folder / "out" / "network_core.v").read_text()
    assert json.loads((folder / "out" / "network_core.json").read_text())["parameters"]["lanes"] == 32


def test_more_classes_than_lanes(folder: Path, run) -> None:
    """They leave in parts."""
    save(folder / "n.npz", classes=40)
    ran = run("rtl", "-o", "out", "--network", "n.npz")
    assert (ran.status, ran.err) == (0, "")
    parameters = json.loads((folder / "out" / "network_core.json").read_text())["parameters"]
    assert (parameters["lanes"], parameters["score_parts"]) == (32, 1)


def test_network_core_of_given_sizes(folder: Path, run) -> None:
    save(folder / "n.npz")
    (folder / "given.toml").write_text("features = 40\ntokens = 20\nhead_dim = 12\nstream_bits = 24\n")
    ran = run("rtl", "-o", "out", "--network", "n.npz", "--config", "given.toml", "--lanes", "12")
    assert (ran.status, ran.err) == (0, "")
    parameters = json.loads((folder / "out" / "network_core.json").read_text())["parameters"]
    assert {name: parameters[name] for name in ("features", "tokens", "stream_bits", "lanes", "cluster")} == {
        "features": 40, "tokens": 20, "stream_bits": 24, "lanes": 12, "cluster": 6
    }  # fmt: skip
    assert (parameters["attention"]["lanes"], parameters["attention"]["head_dim"]) == (24, 12)
    config = sizes.from_table(parameters, "core")
    assert sizes.to_table(config) == parameters
    with pytest.raises(InputError, match="core: must hold the sizes of a network core"):
        sizes.from_table({}, "core")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("weights = 8", r"the network needs weights = \d+, this core has 8"),
        ("head_dim = 2", "the network needs attention.head_dim = 8, this core has 2"),
        ("stream_bits = 40", "NetworkConfig.stream_bits must be an integer in 2..24, not 40"),
        ("cluster = 5", r"cluster must divide lanes \(32\), not 5"),
        ("lanes = 0", "NetworkConfig.lanes must be an integer in 1..256, not 0"),
        ("tokens = 1025", "NetworkConfig.tokens must be an integer in 1..1024, not 1025"),
        ("steps = 8", "given.toml: unknown key 'steps'; allowed are lanes"),
        ("lanes = 'x'", "given.toml: lanes must be an integer, not 'x'"),
        ("lanes", "given.toml: not a TOML file"),
    ],
)
def test_sizes_that_do_not_do(folder: Path, refused, given: str, says: str) -> None:
    save(folder / "n.npz")
    (folder / "given.toml").write_text(given)
    refused("rtl", "-o", "out", "--network", "n.npz", "--config", "given.toml", says=says)


def test_network_refused(folder: Path, refused) -> None:
    save(folder / "n.npz")
    words = ("rtl", "-o", "out", "--network", "n.npz")
    refused(*words, "--preset", "tiny", says="--network sizes the core itself")
    refused("rtl", "-o", "out", "--lanes", "8", says="--lanes is for --network")
    (folder / "file").write_text("")
    refused("rtl", "-o", "file", "--network", "n.npz", says="-o must be a folder")


def test_stochastic_engine(folder: Path, run) -> None:
    (folder / "engine.toml").write_text("tokens = 5\nhead_dim = 6\nrows = 2\n")
    start = ("rtl", "-o", "rtl", "--scheme", "stochastic")
    ran = run(*start, "--config", "engine.toml")
    assert (ran.status, ran.err) == (0, "")
    assert "module stochastic_attention(" in (folder / "rtl" / "stochastic_attention.v").read_text()
    manifest = json.loads((folder / "rtl" / "stochastic_attention.json").read_text())
    assert (manifest["parameters"]["rows"], manifest["latency"]) == (2, {"head": 5})
    with (folder / "engine.toml").open("a") as file:
        file.write("encoders = true\n")
    assert run(*start, "--config", "engine.toml").status == 0
    manifest = json.loads((folder / "rtl" / "stochastic_attention.json").read_text())
    assert (manifest["parameters"]["encoders"], manifest["latency"]) == (True, {"head": 6})
    # 9 bits for each of 2 queries, 5 keys and 5 values instead of one
    assert next(s["width"] for s in manifest["streams"] if s["name"] == "i") == 9 * 12
    assert "--scheme stochastic needs --config" in run(*start).err
    assert "--preset needs --scheme spiked" in run(*start, "--preset", "tiny").err
    says = "--network needs --scheme spiked or stochastic, not integer"
    assert says in run("rtl", "-o", "rtl", "--scheme", "integer", "--network", "n.npz").err


def test_a_stochastic_network(run, folder: Path) -> None:
    """Sized by the network, by --lanes and by a file with sizes and random numbers."""
    _, job = small_network()
    np.savez(folder / "n.npz", **network_arrays(job.network))
    start = ("rtl", "-o", "rtl", "--scheme", "stochastic", "--network", "n.npz", "--lanes", "8")
    (folder / "sizes.toml").write_text('steps = 4\nspikes = 999\nscore = "row"\n')
    assert run(*start, "--config", "sizes.toml").status == 0
    assert "module stochastic_network_core(" in (folder / "rtl" / "stochastic_network_core.v").read_text()
    made = json.loads((folder / "rtl" / "stochastic_network_core.json").read_text())["parameters"]
    assert [made[name] for name in ("lanes", "steps", "spikes", "score")] == [8, 4, 999, "row"]
    for line, says in {
        "tokens = 4": "unknown key 'tokens'; allowed are steps, lanes",
        "spikes = 9": "the network needs spikes = ",
        "head_dim = 2": "unknown key 'head_dim'",
        "leap = 3": "RandomPlan.leap must keep the draws of a register of 32 bits independent",
        "steps = 0": "StochasticNetworkConfig.steps must be an integer in 1..1024, not 0",
    }.items():
        (folder / "sizes.toml").write_text(line + "\n")
        found = run(*start, "--config", "sizes.toml")
        assert (found.status, says in found.err) == (2, True), found.err
