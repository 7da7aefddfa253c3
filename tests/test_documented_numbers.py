"""Numbers in the documents: quick commands are run and compared, what takes long carries its date.

Every table of numbers is one of four: compared here with what its command gives (`of_table`), made from
data between two marks (`tests/synth/test_synth_estimate.py` compares those), a definition, or measured by a
command that the text around it names with a date.
"""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from energy import paper, prices
from golden.toml import read_toml
from onespike.cli import main
from studies.data.random import random_heads
from studies.sweep.area import area_of
from studies.sweep.grid import RANDOM, Point
from studies.sweep.measure import Heads
from synth.figures import ENGINES
from tests.document_tables import Table, check_printed, find, line_of, numbers, tables
from tests.test_documents import DOCUMENTS, ROOT, lines_of_code

FIGURES = ROOT / "docs" / "figures"
# Tables of numbers that nothing was measured for: formats, ranges, sources
DEFINITIONS = {
    ("architecture.md", "where do I add ..."),
    ("ip.md", "port"),
    ("link.md", "offset"),
    ("numerics.md", "symbol"),
}
COMPARED: set[tuple[str, str]] = set()
Shell = Callable[[str], str]


def of_table(document: str, head: str) -> Any:
    """Decorator of a test that compares a table, its argument `table`, with what its command gives."""
    COMPARED.add((document, head))
    return pytest.mark.parametrize("table", [pytest.param(find(document, head), id=document)])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("documents")
        patch.chdir(folder)
        patch.delenv("FORCE_COLOR", raising=False)
        yield folder


@pytest.fixture(scope="module")
def shell(place: Path) -> Shell:
    """What a command `onespike ...` prints, run once, in a folder that all tests of this file share."""

    @cache
    def run(command: str) -> str:
        program, *words = shlex.split(command)
        assert program == "onespike"
        out = StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            main(words)
        return out.getvalue()

    return run


def named(document: str, command: str) -> str:
    """The command, which the document names."""
    (path,) = (path for path in DOCUMENTS if path.name == document)
    assert any(command in line.replace(".venv/bin/", "") for line in lines_of_code(path.read_text())), command
    return command


def test_every_table_of_numbers_has_a_source() -> None:
    seen = 0
    for table in tables():
        count = sum(bool(re.match(r"[-+~]?\d", cell)) for row in table.rows for cell in row[1:])
        where = (table.document, table.head[0])
        compared = any(table is find(*key) for key in COMPARED)
        if count < 2 or table.generated or where in DEFINITIONS or compared:
            continue
        seen += 1
        text = f"{table.around}\n" + "\n".join(" ".join(row) for row in table.rows)
        assert re.search(r"`(onespike|make|python -m) ", text) or "    onespike " in text, (
            f"{where}: no command"
        )
        assert re.search(r"\b20\d\d-\d\d-\d\d\b", table.around), f"{where}: no date of measurement"
    assert seen > 5


@of_table("energy.md", "operation, pJ")
def test_prices(table: Table) -> None:
    """Operation, energy, standing and formula are those of the one table."""
    memories = [prices.access(64, 8 * 8 * 1024), prices.access(64, 8 * 1024 * 1024), prices.access(8, 32768)]
    shown = [
        *(prices.add(bits) for bits in (8, 32, 24)),
        *(prices.multiply(8, 8), prices.multiply(22, 16), *memories, prices.external(16)),
        *(prices.float_add(), prices.float_multiply(), prices.and_gate(), prices.register_bit()),
        prices.clock_cycle(None),
    ]
    assert [[cells[0], *cells[2:]] for cells in table.rows] == [
        [price.operation, price.standing, price.formula] for price in shown
    ]
    energies = [float(cells[1]) if cells[1] else None for cells in table.rows]
    assert energies == pytest.approx([price.picojoule for price in shown], abs=5e-6)


@of_table("energy.md", "event, pJ")
def test_paper_constants(table: Table) -> None:
    constants = (paper.FLOAT_OPERATION, paper.FLOAT_OUTPUT, paper.SPIKE_EVENT, paper.NEURON_STEP)
    assert [float(row[1]) for row in table.rows] == pytest.approx(constants)


@of_table("energy.md", "authors' prices, authors' log")
def test_paper_logs(table: Table, shell: Shell) -> None:
    for network, model, labels in (
        (
            *("Swin-T", "swin-t"),
            {
                "float network": "float energy",
                "float operations alone": "float operation energy",
                "spiking operations alone": "spiking operation energy",
                "spiking network": "spiking energy",
            },
        ),
        (
            *("BERT-base", "bert-base"),
            {
                "operations": "operations",
                "float network": "float energy",
                "spiking network": "spiking energy",
            },
        ),
    ):
        output = shell(named("energy.md", f"onespike energy paper {model}"))
        for name, label in labels.items():
            check_printed(" ".join(table.row(f"{network}, {name}")[1:]), line_of(output, label))


@of_table("results.md", "network, spiking / multiply-accumulate")
def test_spikes_against_multiply_accumulate(table: Table, shell: Shell) -> None:
    quick = [cells for cells in table.rows if cells[2].startswith("`onespike energy hardware")]
    assert len(quick) == 2
    for cells in quick:
        check_printed(cells[1], shell(cells[2].strip("`")).splitlines()[-1])


@of_table("README.md", "what, result")
def test_head_of_the_readme(table: Table, shell: Shell) -> None:
    shell(named("README.md", "onespike example in.npz --heads 8 --tokens 64 --head-dim 32"))
    command = "onespike attention in.npz out.npz --engine model --report report.json"
    cycles = int(list(numbers(line_of(shell(named("README.md", command)), "1")))[2])
    result = table.row("row of 64 tokens, head_dim 32, dense, 64 lanes")[1]
    assert result == f"{round(cycles / 64)} cycles; a head in a stream of heads {cycles:,}"


@of_table("networks.md", "network, norm")
def test_digits_network(table: Table, shell: Shell) -> None:
    output = shell("onespike infer --network digits --rtl 0 -o digits")
    (cells,) = (row for row in table.rows if row[0].startswith("digits: "))
    float_accuracy, spiking = (
        re.search(rf"accuracy, {name} .*?([\d.]+) %", output) for name in ("float", "spiking")
    )
    assert float_accuracy is not None
    assert spiking is not None
    assert cells[2:4] == [float_accuracy[1], spiking[1]]
    readme = find("README.md", "what, result")
    assert readme.row("handwritten digits, float attention")[1].endswith(f"{float_accuracy[1]} %")
    assert readme.row("the whole digits transformer in spikes, every layer")[1].startswith(f"{spiking[1]} %")


@of_table("stochastic.md", "plan, error at T=16")
def test_random_number_plans(table: Table, shell: Shell) -> None:
    shell("onespike stochastic study --report plans.json")
    report = json.loads(Path("plans.json").read_text())
    assert [row[0] for row in table.rows] == list(report["plans"])
    for cells in table.rows:
        plan = report["plans"][cells[0]]
        error, bias, spread = (plan[name] for name in ("error", "mean_bias", "mean_bias_error"))
        row = [f"{error['16']:.3f}", f"{error['64']:.3f}", f"{bias['64']:+.4f} ± {spread['64']:.4f}"]
        row += [f"{plan[name]:.2f}" for name in ("row_sum_variance", "token_mean", "feature_mean")]
        row += [f"{plan[name]:,}" if name in plan else "" for name in ("lut4", "flip_flops")]
        assert [cell.replace("-0.0000", "+0.0000") for cell in cells[1:]] == row
    drawn = json.loads((FIGURES / "stochastic-plans.json").read_text())
    for name, plan in report["plans"].items():
        assert drawn["plans"][name]["error"] == pytest.approx(plan["error"], rel=1e-6)


@of_table("stochastic.md", "N, d, SpikedAttention")
def test_cycles_of_both_schemes(table: Table, shell: Shell, place: Path) -> None:
    example = named("stochastic.md", "onespike example rates.npz --rates --heads 6 --tokens N --head-dim N")
    compare = named("stochastic.md", "onespike compare rates.npz --steps 10")
    for cells in table.rows:
        size = cells[0]
        rates = f"{size}.npz"
        shell(example.replace(" N", f" {size}").replace("rates.npz", rates))
        (place / f"{size}.toml").write_text(f"tokens = {size}\nhead_dim = {size}\nrows = 1\n")
        full = shell(compare.replace("rates.npz", rates))
        row = shell(f"{compare.replace('rates.npz', rates)} --engine-config {size}.toml")
        pairs = [
            list(numbers(line_of(full, label)))
            for label in ("cycles of the first head", "of each further head")
        ]
        alone = [
            list(numbers(line_of(row, label)))[1]
            for label in ("cycles of the first head", "of each further head")
        ]
        assert [cell.replace(",", "") for cell in cells[2:]] == [
            f"{pairs[0][0]} / {pairs[1][0]}",
            f"{pairs[0][1]} / {pairs[1][1]}",
            f"{alone[0]} / {alone[1]}",
        ]


@of_table("stochastic.md", ", compute, uJ")
def test_stochastic_energy(table: Table, shell: Shell) -> None:
    output = shell(named("stochastic.md", "onespike energy stochastic"))
    for cells in table.rows:
        label = "stochastic" if cells[0].startswith("stochastic") else cells[0]
        check_printed(" ".join(cells[1:]), line_of(output, label))


@of_table("stochastic.md", "float, 8 bits / SSA")
def test_what_the_stochastic_energy_hangs_on(table: Table, shell: Shell) -> None:
    output = shell("onespike energy stochastic").split("float, 8 bits / stochastic")[1]
    for cells in table.rows:
        check_printed(" ".join(cells[1:]), line_of(output, cells[0]))


@of_table("stochastic.md", "N = d, rows, LUT4-equivalents")
def test_cells_of_the_engines(table: Table) -> None:
    """They are those that `onespike compare` shows."""
    engines = read_toml(ENGINES)["engine"]
    for cells in table.rows:
        size, rows = (next(numbers(cell)) for cell in cells[:2])
        scheme = "spiked" if "SpikedAttention" in cells[0] else "stochastic"
        found = [e for e in engines if (str(e["tokens"]), e["scheme"]) == (size, scheme)]
        found = [e for e in found if str(e.get("rows", size)) == rows and "fmax_mhz" in e]
        if "encoders" not in cells[0]:  # which `onespike compare` does not show
            (engine,) = found
            assert cells[2:5] == [
                f"{engine['lut4']:,}",
                f"{engine['flip_flops']:,}",
                str(engine["block_rams"]),
            ]
            assert cells[6] == f"{engine['fmax_mhz']:.0f} MHz"


@pytest.mark.parametrize(
    ("dataset", "head", "engines", "floating"),
    [
        ("digits", "T, 1, 2, 3", {"ssa": "digits, SSA", "lif": "digits, LIF attention"}, "digits, float"),
        ("cifar10", "T, 1, 2, 4", {"ssa": "SSA", "spiked attention": "SpikedAttention, converted"}, None),
    ],
)
def test_accuracy_is_that_of_the_picture(
    dataset: str, head: str, engines: dict[str, str], floating: str | None
) -> None:
    table = find("stochastic.md", head)
    drawn = json.loads((FIGURES / f"stochastic-accuracy-{dataset}.json").read_text())
    assert set(drawn["accuracy"]) == set(engines)
    for kind, row in engines.items():
        means = [f"{sum(runs) / len(runs):.2f}" for runs in drawn["accuracy"][kind].values()]
        assert table.row(row)[1:] == means
    if floating is None:
        assert f"float network {drawn['float']:.2f} %" in table.around
    else:
        assert table.row(floating)[1] == f"{drawn['float']:.2f}"


def test_sweep_of_the_results(place: Path) -> None:
    """The picture's areas are today's, and two of its points are measured again."""
    text = " ".join((ROOT / "docs" / "results.md").read_text().split())
    points = json.loads((FIGURES / "sweep-pareto.json").read_text())["points"]
    heads = Heads(random_heads(4, 64, 32, 0))
    for found in points:
        point = Point(
            **{name: found[name] for name in ("lanes", "steps", "log2_base", "trace_bits", "model")}
        )
        assert point.model == RANDOM
        assert area_of(heads.core(point), place).lut4 == found["lut4"]
    cycles = {}
    for lanes in (32, 64):
        point = Point(lanes=lanes, steps=24, log2_base="2/7", trace_bits=8, model=RANDOM)
        measured = {name: value for name, value in heads.measure(point).items() if value is not None}
        (found,) = (p for p in points if Point(**{name: p[name] for name in vars(point)}) == point)
        assert {name: found[name] for name in measured} == pytest.approx(measured, rel=1e-6)
        cycles[lanes] = measured["cycles"]
    assert f"({cycles[32]:,} to {cycles[64]:,})" in text
    assert f"smallest area {min(p['lut4'] for p in points):,} LUT4" in text


def test_refusals_name_the_documented_estimate(shell: Shell) -> None:
    """Presets that a board is refused for, in docs/boards.md and on the command line."""
    table = find("boards.md", "board, preset, logic cells, estimated")
    for cells in table.rows:
        if cells[:2] in (["icebreaker", "default"], ["tangnano9k", "default"]):
            refusal = shell(f"onespike synth --board {cells[0]} --preset {cells[1]}")
            assert "is estimated to need" in refusal
            needed = refusal.split("is estimated to need")[1]
            check_printed(needed.replace("(it has", ""), " ".join(cells[2:]))
