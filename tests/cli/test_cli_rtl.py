"""`onespike rtl` writes Verilog and a manifest, the same bytes each time."""

import json
from pathlib import Path

from golden.config import preset, to_table


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
