"""Ports of the generated Verilog, compared with a snapshot: they change on purpose only.

`python tests/hw/attention/test_ports.py` writes the snapshot anew.
"""

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from golden.attention.config import preset
from hw.attention.core import AttentionCore
from hw.export.verilog import export

SNAPSHOT = Path(__file__).with_name("tiny_ports.json")


def ports() -> dict[str, Any]:
    """What a driver of preset tiny sees: ports of the module with their widths, layouts of the streams."""
    verilog, manifest = export(AttentionCore(preset("tiny")), "attention_core")
    header = re.search(r"^module attention_core \(\n(.*?)\n\);", verilog, re.MULTILINE | re.DOTALL)
    assert header is not None
    found = {}
    for line in header[1].split(",\n"):
        port = re.fullmatch(r"  (input|output) (?:wire|reg) (?:\[(\d+):0\] )?(\w+)(?: = \S+)?", line)
        assert port is not None, line
        found[port[3]] = f"{port[1]} {int(port[2] or 0) + 1}"
    table = {key: value for key, value in asdict(manifest).items() if key not in ("parameters", "latency")}
    return {"verilog": dict(sorted(found.items())), "manifest": json.loads(json.dumps(table))}


def test_ports_of_tiny() -> None:
    assert ports() == json.loads(SNAPSHOT.read_text())


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(ports(), indent=1) + "\n")
