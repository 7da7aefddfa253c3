"""What `onespike synth` prints of a build."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.table import Table

from studies.boards.figures import reached
from studies.boards.page import RESOURCES
from studies.boards.sentences import HEADS, table_rows


def build_tables(figures: Mapping[str, Any]) -> list[Table]:
    """Tables of `studies.boards.figures.figures`."""
    tables = [_summary(figures), _resources(figures), _units(figures)]
    done = figures["throughput"]
    return [*tables, sentence_table(done)] if "sentences" in done else tables


def remarks(figures: Mapping[str, Any]) -> Iterator[str]:
    """The longest paths in words, and what the tools warned of."""
    for path in figures["paths"]:
        through = f" through {', '.join(path['through'])}" if path["through"] else ""
        yield (
            f"{path['logic_ns'] + path['routing_ns']:.1f} ns from {path['from']} ({path['source']}) "
            f"to {path['to']} ({path['target']}){through}: {path['levels']} cells, "
            f"{path['logic_ns']:.1f} ns in cells, {path['routing_ns']:.1f} ns in wires"
        )
    yield from (f"the tools warn: {warning}" for warning in figures["warnings"])


def _summary(figures: Mapping[str, Any]) -> Table:
    done = figures["throughput"]
    table = Table(title="{design} on {board} ({device})".format(**figures), show_header=False)
    table.add_row("clock", f"{figures['fmax_mhz']:g} MHz reached, {figures['clock_mhz']:g} MHz asked for")
    if "mhz_by_seed" in figures:
        table.add_row("with several seeds", f"{reached(figures)} MHz")
    table.add_row("slack", f"{figures['slack_ns']:g} ns")
    if "inferences_per_second" in done:
        images = f"mean of {done['images']} inferences"
        table.add_row("an inference", f"{done['cycles_per_inference']:,.0f} cycles ({images})")
        table.add_row("inferences per second", f"{done['inferences_per_second']:,.0f}")
        table.add_row("lanes at work in linear layers", f"{done['lanes_in_linear_layers']:.1%}")
    else:
        size = f"{done['tokens']} tokens, head_dim {done['head_dim']}"
        table.add_row("a head", f"{done['cycles_per_head']:,.0f} cycles ({size})")
        table.add_row("heads per second", f"{done['heads_per_second']:,.0f}")
        rate = done["accumulations_per_second"] / 1e6
        table.add_row("trace accumulations", f"{rate:,.0f} million per second")
    table.add_row("bitstream", f"{figures['bitstream_bytes']:,} bytes")
    table.add_row("seed", str(figures["seed"]))
    table.add_row("tools", ", ".join(sorted(set(figures["tools"].values()))))
    return table


def sentence_table(done: Mapping[str, Any]) -> Table:
    """Sentences per second, of a throughput that has them."""
    table = Table(title=f"Sentences by the cycle model, at {done['clock_mhz']:g} MHz; where the cycles go")
    for head in HEADS:
        table.add_column(head, justify="right")
    for row in table_rows(done["sentences"]):
        table.add_row(*row)
    return table


def _resources(figures: Mapping[str, Any]) -> Table:
    table = Table(title="Resources")
    for column in ("", "used", "available", "share", "per lane"):
        table.add_column(column, justify="left" if not column else "right")
    for what, name in RESOURCES.items():
        used, there = figures[name], figures["available"].get(name)
        share = (f"{there:,}", f"{used / there:.0%}") if there else ("", "")
        per_lane = f"{used / figures['lanes']:.1f}" if figures["lanes"] else ""
        table.add_row(what, f"{used:,}", *share, per_lane)
    return table


def _units(figures: Mapping[str, Any]) -> Table:
    table = Table(title="By unit")
    table.add_column("unit")
    for column in ("LUT4-equivalents", "per lane", "flip-flops", "block RAMs"):
        table.add_column(column, justify="right")
    units = figures["units"]
    total = {
        name: sum(unit[name] for unit in units.values()) for name in ("lut4", "flip_flops", "block_rams")
    }
    for unit, need in [*units.items(), ("sum", total)]:
        per_lane = f"{need['lut4'] / figures['lanes']:.1f}" if figures["lanes"] else ""
        table.add_row(unit, f"{need['lut4']:,}", per_lane, f"{need['flip_flops']:,}", str(need["block_rams"]))
    return table
