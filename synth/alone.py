"""What an attention engine costs on the main board's ECP5, alone: cells, and timing once placed and routed.

    python -m synth.alone --size 16 --rows 16 --route
    python -m synth.alone --size 16 --scheme spiked
    python -m synth.alone --size 16 --plans --json synth/figures/plan_areas.json

Its streams are pins, so it is smaller than a bitstream, which `onespike synth` makes.
"""

import argparse
import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from amaranth.lib import wiring

from golden.attention import config as spiked
from golden.attention.config import lane_per_token
from golden.stochastic import table as stochastic
from golden.stochastic.config import StochasticConfig
from golden.stochastic.plan import COMPARED, RandomPlan
from hw.attention.core import AttentionCore
from hw.export.verilog import export
from hw.stochastic.core import StochasticAttention
from synth.boards import find_board
from synth.commands import NETLIST, STATISTICS, TIMING, TOP, synthesis
from synth.netlist import count, read_statistics
from synth.tools import Tool, find_tools, run_tool

BOARD = find_board("ulx3s-85f")


def synthesise(
    component: wiring.Component,
    parameters: Mapping[str, Any],
    folder: Path,
    yosys: Tool,
    *,
    multiplies: bool = False,
) -> dict[str, Any]:
    """Resources of a component after synthesis; the netlist stays in the folder.

    Args:
        multiplies: it may hold multiplications.

    Raises:
        ToolError: synthesis failed, or the component multiplies and should not.
    """
    folder.mkdir(parents=True, exist_ok=True)
    verilog, _ = export(component, TOP, parameters=parameters)
    (folder / f"{TOP}.v").write_text(verilog)
    script = (
        f"read_verilog {TOP}.v",
        f"hierarchy -top {TOP}",
        "proc",
        "flatten",
        *(() if multiplies else ("select -assert-none t:$mul",)),
        *synthesis(BOARD.family, f"-json {NETLIST}", STATISTICS),
    )
    (folder / f"{TOP}.ys").write_text("\n".join(script) + "\n")
    run_tool(yosys, (f"{TOP}.ys",), folder, folder / "synthesise.log")
    return asdict(count(read_statistics(folder / STATISTICS)[TOP], BOARD.family))


def route(folder: Path, seed: int, frequency: float, nextpnr: Tool) -> dict[str, Any]:
    """Place and route; highest clock frequency in MHz, and cells as placed.

    Args:
        frequency: target in MHz.

    Raises:
        ToolError: it failed.
    """
    arguments = (
        *BOARD.place_options,
        *("--json", NETLIST, "--report", TIMING, "--seed", str(seed), "--freq", f"{frequency:g}"),
        *("--lpf-allow-unconstrained", "--timing-allow-fail"),
    )
    seconds = run_tool(nextpnr, arguments, folder, folder / "place-and-route.log")
    timing = json.loads((folder / TIMING).read_text())
    return {
        "fmax_mhz": round(min(clock["achieved"] for clock in timing["fmax"].values()), 2),
        "placed_logic": timing["utilization"]["TRELLIS_COMB"]["used"],
        "seed": seed,
        "target_mhz": frequency,
        "seconds": round(seconds, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--size", type=int, default=16, help="N")
    parser.add_argument("--head-dim", type=int, help="d; N when absent")
    parser.add_argument("--scheme", choices=("stochastic", "spiked"), default="stochastic")
    parser.add_argument("--rows", type=int, help="rows of units; N when absent, and always lanes of spiked")
    parser.add_argument("--encoders", action="store_true", help="with the Bernoulli encoders")
    parser.add_argument("--plans", action="store_true", help="cells of every plan instead of the default's")
    parser.add_argument("--route", action="store_true", help="place and route too")
    parser.add_argument("--frequency", type=float, default=150, help="target in MHz")
    parser.add_argument("--seed", type=int, default=1, help="of placement")
    parser.add_argument("--out", type=Path, default=Path("build/synth_stochastic"))
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    tools = find_tools(("yosys", BOARD.family.place_and_route))
    rows, head_dim = args.rows or args.size, args.head_dim or args.size
    plans = COMPARED if args.plans else {"column-broadcast": RandomPlan()}
    if args.scheme == "spiked":
        if args.plans or args.encoders or rows != args.size:
            parser.error("--plans, --encoders and --rows are of the stochastic scheme")
        plans = {"spiked": RandomPlan()}
    results: dict[str, dict[str, Any]] = {}
    for label, plan in plans.items():
        label += ", encoders" if args.encoders else ""
        folder = args.out / f"{args.size}x{head_dim}x{rows}_{re.sub(r'[^a-z0-9]+', '_', label)}"
        if args.scheme == "spiked":
            core = lane_per_token(args.size, head_dim)
            made, parameters = AttentionCore(core), spiked.to_table(core)
        else:
            config = StochasticConfig(
                tokens=args.size, head_dim=head_dim, rows=rows, encoders=args.encoders, plan=plan
            )
            made, parameters = StochasticAttention(config), stochastic.to_table(config)
        results[label] = synthesise(
            made, parameters, folder, tools["yosys"], multiplies=args.scheme == "spiked"
        )
        if args.route:
            results[label] |= route(folder, args.seed, args.frequency, tools[BOARD.family.place_and_route])
        results[label]["tools"] = {name: tool.version for name, tool in tools.items()}
        print(f"N={args.size} d={head_dim} rows={rows} {label}: {results[label]}", flush=True)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        measured = {"size": args.size, "head_dim": head_dim, "rows": rows, "engines": results}
        args.json.write_text(json.dumps(measured, indent=2) + "\n")


if __name__ == "__main__":
    main()
