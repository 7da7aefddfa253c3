"""After a block: error, spikes, phases, predicted cycles and energy of every layer."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from math import sqrt
from pathlib import Path
from typing import Any

from rich.box import SIMPLE
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

from energy import mac
from energy.attention import spiking_attention
from energy.events import AttentionEvents
from energy.ledger import Ledger
from golden.attention.config import CoreConfig, preset, to_table
from golden.code import PhaseCode
from golden.errors import InputError
from onespike.files import whole_or_nothing, write_json
from onespike.torch.layers import OPERANDS, Layer, Shape
from sim.timing.attention import predict_in_turn
from studies.attention.report import Deviation, in_words, tool_versions

# What tells layers of one kind apart in their names
NUMBER = re.compile(r"\d+")
TEXT_WIDTH = 80
COSTS = ("cycles", "spiking_microjoule", "mac_microjoule")


@dataclass(frozen=True)
class Report:
    """What a block did; printing it shows a table.

    Attributes:
        content: plain values, the JSON object.
    """

    content: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return self.content

    def write(self, path: str | Path) -> None:
        """Write the JSON file.

        Raises:
            InputError: the path is no place for a file.
        """
        with whole_or_nothing({"report": Path(path)}) as places:
            write_json(places["report"], self.content)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        content, code = self.content, self.content["configuration"]
        yield (
            f"Attention in spikes: T = {code['steps']}, B = 2^({code['log2_base']}), "
            f"window {content['window']}, scales {content['scales']}"
        )
        for pattern, layers in groupby(content["layers"], key=lambda layer: NUMBER.sub("*", layer["layer"])):
            yield _table(pattern, list(layers))
        yield "All layers: {} cycles, {} µJ, {} µJ of MAC".format(*_costs(content["total"]))
        yield from sorted({layer["note"] for layer in content["layers"] if layer["note"]})

    def __str__(self) -> str:
        console = Console(width=TEXT_WIDTH)
        with console.capture() as captured:
            console.print(self, highlight=False)
        return captured.get()


def report_of(
    layers: Iterable[Layer], code: PhaseCode, window: int, scales: str, core: CoreConfig | None
) -> Report:
    """The report of a block.

    Args:
        layers: in the order in which they first ran.
        scales: how they were chosen, in a word.
        core: whose cycles and energy; the preset `default` with this code when absent.

    Raises:
        InputError: the core has another code.
    """
    core = replace(preset("default"), code=code) if core is None else core
    if core.code != code:
        raise InputError(f"core must have the code of the block, {code}, not {core.code}")
    # A call that was refused on its way leaves nothing to tell
    found = [_layer(layer, window, core) for layer in layers if layer.rows]
    return Report(
        {
            "scheme": "spiked",
            "configuration": to_table(core),
            "window": window,
            "scales": scales,
            "tools": tool_versions(),
            "layers": found,
            "total": {name: _sum(layer[name] for layer in found) for name in COSTS},
        }
    )


def _sum(values: Iterable[float | None]) -> float | None:
    """None where one is not known."""
    known = list(values)
    return None if None in known else sum(value for value in known if value is not None)


def _layer(layer: Layer, window: int, core: CoreConfig) -> dict[str, Any]:
    """One layer as plain values; see docs/torch.md."""
    out, exact, product, difference = layer.products
    error = Deviation(
        cosine=float(product / sqrt(out * exact)) if out * exact else None,
        relative_rmse=sqrt(difference / exact) if exact else None,
    )
    assert layer.shape is not None
    cycles, note = _cycles(layer, core)
    energy = _energy(layer, window, core)
    return {
        "layer": layer.name,
        "calls": layer.calls,
        "samples": layer.samples,
        "shape": layer.shape._asdict(),
        "error": error.to_json(),
        "spikes": {name: _firing(layer, name) for name in OPERANDS},
        "keys_per_row": int(layer.phases["attention"][:-1].sum()) / layer.rows,
        "cycles": cycles,
        "spiking_microjoule": None if energy is None else energy[0].microjoule / layer.samples,
        "mac_microjoule": None if energy is None else energy[1].microjoule / layer.samples,
        "note": note,
    }


def _firing(layer: Layer, operand: str) -> dict[str, Any]:
    """Neurons and spikes of an operand over all calls, how many fire in each phase, and when on average."""
    phases = layer.phases[operand].tolist()
    spikes, neurons = sum(phases[:-1]), sum(phases)
    mean = sum(phase * count for phase, count in enumerate(phases[:-1])) / spikes if spikes else None
    return {
        "neurons": neurons,
        "spikes": spikes,
        "density": spikes / neurons,
        "mean_phase": mean,
        "phases": phases[:-1],
    }


def _fitting(core: CoreConfig, shape: Shape) -> CoreConfig:
    """The core, raised to the tokens and features of a layer.

    Raises:
        InputError: no such core is generated.
    """
    if shape.queries != shape.keys or shape.features != shape.values:
        raise InputError("a core attends from every token to every token, with as many features in v as in q")
    return replace(core, tokens=max(core.tokens, shape.keys), head_dim=max(core.head_dim, shape.features))


def _cycles(layer: Layer, core: CoreConfig) -> tuple[int | None, str | None]:
    """Predicted cycles of the first sample of the last call, or why there are none."""
    assert layer.shape is not None
    try:
        return predict_in_turn(layer.jobs, _fitting(core, layer.shape))[-1].total + 1, None
    except InputError as error:
        return None, f"{layer.name}: no cycles, {error}"


def _energy(layer: Layer, window: int, core: CoreConfig) -> tuple[Ledger, Ledger] | None:
    """Ledgers of all samples, in spikes and in 8-bit multiply-accumulates; None where no core is."""
    spikes, numbers = Ledger(), Ledger()
    for shape, counted in layer.events.items():
        try:
            fitting = _fitting(core, shape)
        except InputError:
            return None
        events = AttentionEvents(
            heads=shape.heads * counted.samples,
            tokens=shape.keys,
            head_dim=shape.features,
            query_spikes=counted.query_spikes,
            score_additions=counted.score_additions,
            context_additions=counted.context_additions,
            window=window,
        )
        spikes, numbers = (
            spikes + spiking_attention(events, fitting),
            numbers + mac.attention(events, fitting),
        )
    return spikes, numbers


def _table(pattern: str, layers: list[dict[str, Any]]) -> Table:
    """Layers whose names differ in their numbers alone."""
    table = Table(title=pattern, title_justify="left", box=SIMPLE, padding=0)
    table.add_column("layer")
    table.add_column("heads x\ntokens x\nfeatures")
    for column in (
        *("cosine", "relative\nRMSE", "q, k, v\nfire", "keys\nper row", "mean\nphase"),
        *("cycles", "µJ", "µJ of\nMAC"),
    ):
        table.add_column(column, justify="right")
    for layer in layers:
        table.add_row(*_row(layer))
    return table


def _row(layer: dict[str, Any]) -> list[str]:
    shape, spikes = layer["shape"], layer["spikes"]
    queries, keys = shape["queries"], shape["keys"]
    fired = sum(spikes[name]["spikes"] for name in "qkv") / sum(spikes[name]["neurons"] for name in "qkv")
    phase = spikes["attention"]["mean_phase"]
    return [
        ".".join(NUMBER.findall(layer["layer"])) or "-",
        f"{shape['heads']}x{keys if queries == keys else f'{queries}:{keys}'}x{shape['features']}",
        in_words(layer["error"]["cosine"]),
        in_words(layer["error"]["relative_rmse"]),
        f"{fired:.0%}",
        f"{layer['keys_per_row']:.1f}",
        "none" if phase is None else f"{phase:.1f}",
        *_costs(layer),
    ]


def _costs(layer: dict[str, Any]) -> list[str]:
    """Cycles and energy for people, a question mark where they are not known."""
    cycles, *energy = (layer[name] for name in COSTS)
    return ["?" if cycles is None else f"{cycles:,}", *("?" if e is None else f"{e:.3f}" for e in energy)]
