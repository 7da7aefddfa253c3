"""What `onespike infer` prints for people."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from energy.ledger import Ledger
from energy.tables import ledger_tables
from studies.infer.cores import memory_use
from studies.infer.encodings import Encodings
from studies.infer.hardware import BoardImages, RtlImages
from studies.infer.infer import Inferences
from studies.infer.report import Found


def infer_tables(result: Inferences) -> list[Table]:
    """One table of accuracy, agreement, time and energy, and the ledgers of an inference."""
    return [_summary(result), *_ledgers(result)]


def encode_tables(result: Encodings) -> list[Table]:
    """The same of sentences."""
    return [_sentences(result), *_ledgers(result)]


def _ledgers(result: Found) -> list[Table]:
    spiking, dense = result.ledgers
    return ledger_tables({"Spiking": spiking.to_json(), "8-bit multiply-accumulate": dense.to_json()})


def _sentences(result: Encodings) -> Table:
    code, samples, rtl = result.network.code, result.case.samples, result.rtl
    table = Table(
        title=f"{result.name}: {len(result.network.layers)} layers, up to {result.network.tokens} "
        f"tokens; T = {code.steps}, B = 2^({code.log2_base}), seed {result.seed}",
        show_header=False,
    )
    table.add_column()
    table.add_column(justify="right")
    table.add_row("sentences in golden", str(len(samples)))
    table.add_row(
        "tokens of the shortest and the longest", f"{min(map(len, samples))}, {max(map(len, samples))}"
    )
    table.add_row("cosine to the float vector, mean and least", _mean_and_least(result.cosines))
    for name, value in result.alike.items():
        table.add_row(
            f"cosine of the two sentences, {name}", "undefined" if value is None else f"{value:.4f}"
        )
    table.add_section()
    if rtl is not None:
        table.add_row("sentences through the RTL, every layer", str(len(result.through)))
        table.add_row("cosine of the RTL's vector to the float one", _mean_and_least(result.through_cosines))
        _rtl_rows(table, rtl, result.config.lanes)
    elif (board := result.board) is not None:
        table.add_row("sentences through the board", str(board.images))
        table.add_row(
            "cosine of the board's vector to the float one", _mean_and_least(result.through_cosines)
        )
        _board_rows(table, board)
    else:
        table.add_row("sentences through the RTL", "0")
    _memory_rows(table, memory_use(result.times))
    beside = result.case.beside
    _throughput_rows(table, result.throughput, "sentences" if beside == 1 else "inferences")
    if beside > 1:
        table.add_row("sentences of an inference, side by side", str(beside))
        if result.throughput is not None:
            done = result.throughput
            each = beside * done["clock_mhz"] * 1e6 / done["cycles_per_inference"]
            table.add_row("sentences per second", f"{each:,.1f}")
    table.add_section()
    table.add_row("sentences whose events are counted", str(result.counted))
    _energy_rows(table, *result.ledgers)
    return table


def _mean_and_least(values: NDArray[np.float64]) -> str:
    return f"{values.mean():.4f}, {values.min():.4f}"


def _rtl_rows(table: Table, rtl: RtlImages, lanes: int) -> None:
    table.add_row("integers compared with golden", str(rtl.compared))
    table.add_row("different", str(rtl.different))
    table.add_row("cycles per inference, predicted", f"{rtl.predicted:.1f}")
    table.add_row("cycles per inference, measured", f"{rtl.measured:.1f}")
    table.add_row(f"{lanes} lanes at work in linear layers", f"{rtl.lanes_in_linear_layers:.1%}")
    table.add_row("lanes at work in all cycles", f"{rtl.lanes:.1%}")
    table.add_row("simulation per inference", f"{rtl.seconds:.2f} s")


def _board_rows(table: Table, board: BoardImages) -> None:
    table.add_row("scores compared with golden", str(board.compared))
    table.add_row("different", str(board.different))
    table.add_row("loading the network", f"{board.load_seconds:.2f} s")
    table.add_row("an inference, the line included", f"{board.seconds:.3f} s")


def _memory_rows(table: Table, used: dict[str, Any] | None) -> None:
    """Of the first inference, by the cycle model."""
    if used is None:
        return
    table.add_section()
    table.add_row("words of weights from the memory", f"{used['words']:,}")
    table.add_row("words per cycle", f"{used['words_per_cycle']:.3f}")
    bounds = [layer["bound"] for layer in used["layers"]]
    for bound in ("memory", "lanes"):
        table.add_row(f"dense layers bound by the {bound}", str(bounds.count(bound)))


def _throughput_rows(table: Table, done: dict[str, Any] | None, what: str) -> None:
    if done is None:
        return
    table.add_section()
    table.add_row(f"{what} through the cycle model", str(done["images"]))
    table.add_row("cycles per inference", f"{done['cycles_per_inference']:,.1f}")
    table.add_row(
        f"inferences per second at {done['clock_mhz']:g} MHz", f"{done['inferences_per_second']:,.1f}"
    )
    table.add_row("lanes at work in linear layers", f"{done['lanes_in_linear_layers']:.1%}")


def _energy_rows(table: Table, spiking: Ledger, dense: Ledger) -> None:
    for name, ledger in (("spiking", spiking), ("8-bit multiply-accumulate", dense)):
        table.add_row(f"energy per inference, {name}", f"{ledger.microjoule:.3f} uJ")


def _summary(result: Inferences) -> Table:
    code, found, rtl = result.case.network.code, result.accuracy, result.rtl
    table = Table(
        title=f"{result.case.name}: {len(result.case.network.layers)} layers, {result.case.network.tokens} "
        f"tokens; T = {code.steps}, B = 2^({code.log2_base}), seed {result.seed}",
        show_header=False,
    )
    table.add_column()
    table.add_column(justify="right")
    table.add_row("held-out images in golden", str(found.images))
    if found.float_network is not None:
        table.add_row("accuracy, float", f"{found.float_network:.2f} %")
    table.add_row("accuracy, spiking", f"{found.spiking:.2f} %")
    if found.loss_points is not None:
        table.add_row("loss", f"{found.loss_points:+.2f} points")
    if found.recoded is not None:
        table.add_row("accuracy, residual coded after each sum", f"{found.recoded:.2f} %")
    table.add_section()
    if rtl is not None:
        table.add_row("images through the RTL, every layer", str(rtl.images))
        table.add_row("classified rightly by the RTL", str(rtl.correct))
        _rtl_rows(table, rtl, result.config.lanes)
    elif (board := result.board) is not None:
        table.add_row("images through the board", str(board.images))
        table.add_row("classified rightly by the board", str(board.correct))
        _board_rows(table, board)
    else:
        table.add_row("images through the RTL", "0")
    _memory_rows(table, memory_use(result.times))
    _throughput_rows(table, result.throughput, "images")
    table.add_section()
    table.add_row("images whose events are counted", str(result.counted))
    _energy_rows(table, *result.ledgers)
    return table
