"""`onespike evaluate`: the score of a converted model, in floats and in spikes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, cast

import typer
from rich.box import SIMPLE
from rich.table import Table

from golden.code import check_range
from golden.errors import InputError, quoted
from models.conversion.scheme import Parts
from models.conversion.store import DESCRIPTION, TOKENIZER, checksum, load
from onespike.files import whole_or_nothing, write_json
from onespike.network_options import LimitOption
from onespike.options import HtmlOption, JobsOption, ReportOption, SeedOption, whole_number
from onespike.tables import print_tables, progress
from studies.evaluate.literal import time_literal
from studies.evaluate.page import page
from studies.evaluate.task import task_of
from studies.evaluate.work import MODES, Mode, Outputs, outputs_of
from studies.page.page import write_page


def chosen_modes(text: str | None, converted: tuple[Parts, ...]) -> list[Mode]:
    """Modes of --modes, all that were converted when absent; floats always come first, as the reference."""
    names = converted if text is None else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in MODES:
            raise InputError(f"--modes must be taken from {', '.join(MODES)}, not {quoted(name)}")
        if name != "float" and name not in converted:
            raise InputError(f"--modes {name} needs a model converted with --parts {name}")
    return cast(list[Mode], ["float", *(name for name in MODES[1:] if name in names)])


@contextmanager
def on_dask(address: str | None) -> Iterator[None]:
    """Sends joblib's work to the Dask scheduler at `address`, if there is one."""
    if address is None:
        yield
        return
    try:
        import joblib
        from dask.distributed import Client
    except ImportError:
        raise InputError("--dask needs the package distributed; install dask[distributed]") from None
    try:
        client = Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise InputError(f"--dask {address}: no scheduler there ({error})") from None
    with client, joblib.parallel_config("dask"):
        yield


def evaluate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="What onespike convert wrote.", show_default=False)
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA",
            help="Pairs of sentences with scores (.csv, .tsv), labelled phrases (.tsv, .tsv.gz), or an .npz "
            "with `inputs` and, for images, `labels`.",
            show_default=False,
        ),
    ],
    limit: LimitOption = None,
    modes: Annotated[
        str | None,
        typer.Option(
            "--modes",
            help="What to evaluate beside floats, from network, attention, linear and norm, commas between. "
            "[default: all that was converted]",
            show_default=False,
        ),
    ] = None,
    jobs: JobsOption = 2,
    dask: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="Dask scheduler to use; its workers must see DIR."),
    ] = None,
    literal: Annotated[
        int,
        typer.Option(
            "--literal",
            metavar="N",
            parser=whole_number,
            help="Also time the literal time-stepped algorithm on N samples.",
        ),
    ] = 0,
    report_file: ReportOption = None,
    html_file: HtmlOption = None,
    seed: SeedOption = 0,
) -> None:
    """Score a converted model: floats, and the integers that the network core computes.

    A model that was converted with --parts attention, linear or norm is scored with floats between its
    nodes in spikes: attention, every dense input too, layer norms too.

    Sentence pairs are scored by Spearman's rank correlation (x 100) of the cosine of their embeddings
    with the given scores; labelled images and sentences by accuracy; vectors of a model without a head,
    which have no task, by the cosine of its outputs with the float ones. Intervals hold 95 % of 1000
    bootstrap repetitions; the one of a loss is paired. Rows of DATA that set the scales are left out.

    Examples:

        onespike evaluate build/minilm stsb-en-dev.csv --report minilm.json
        onespike evaluate build/minilm stsb-en-dev.csv --html minilm.html
        onespike evaluate build/minilm stsb-en-dev.csv --dask tcp://head:8786
    """
    check_range("--literal", literal, 0, 1 << 20)
    stored = load(folder)
    model, conversion = stored.model, stored.conversion
    wanted = chosen_modes(modes, conversion.parts)
    if literal and conversion.network is not None:
        raise InputError("--literal needs a model converted with --parts attention, linear or norm")
    task = task_of(model, data, folder / TOKENIZER, stored.calibration, limit, seed)
    samples = task.samples

    wished = {"--report": report_file, "--html": html_file}
    targets = {label: path for label, path in wished.items() if path is not None}
    with whole_or_nothing(targets) as places, progress() as bar, on_dask(dask):
        shown = bar.add_task("evaluate", total=len(samples) * len(wanted))
        outputs: dict[str, Outputs] = {}
        seconds: dict[str, float] = {}
        for mode in wanted:
            bar.update(shown, description=mode)
            start = time.perf_counter()
            outputs[mode] = outputs_of(
                folder,
                mode,
                samples,
                jobs=None if dask else jobs,
                progress=lambda ready: bar.update(shown, advance=ready),
            )
            seconds[mode] = time.perf_counter() - start
        report = task.report(outputs)
        code = conversion.scheme.code
        report |= {
            "model": last_part(folder),
            "layout": stored.layout,
            "data": last_part(data),
            # Other files may bear the same names; the description has the checksums of the model's
            "sha256": {"model": checksum(folder / DESCRIPTION), "data": checksum(data)},
            "code": {"steps": code.steps, "log2_base": str(code.log2_base)},
            "scales": conversion.scheme.granularity,
            "attention_scales": conversion.scheme.attention_granularity,
            "weight_bits": conversion.scheme.weight_bits,
            "seconds": seconds,
            "nodes": [asdict(verdict) for verdict in conversion.verdicts],
        }
        if literal:
            bar.update(shown, description="literal procedure")
            times = time_literal(model, conversion, samples[:literal])
            report["literal"] = asdict(times) | {"ratio": times.ratio}
        if "--report" in places:
            write_json(places["--report"], report)
        if "--html" in places:
            write_page(page(report), places["--html"])
    print_tables([report_table(report)])
    if literal:
        found = report["literal"]
        typer.echo(
            f"{found['samples']} samples, {found['parts']} in spikes: literal {found['literal']:.2f} s, "
            f"closed form {found['closed_form']:.2f} s, {found['ratio']:.0f} times faster; "
            f"{found['codes_differ']} of {found['codes']} attention codes differ, outputs by at most "
            f"{found['difference']:.1%} of the largest"
        )
    typer.echo("seconds: " + ", ".join(f"{mode} {spent:.0f}" for mode, spent in seconds.items()))


def last_part(path: Path) -> str:
    """The name of a file or folder, though it be called `.`; the rest says how a machine is arranged."""
    return path.resolve().name if path.name in ("", "..") else path.name


def report_table(report: dict[str, Any]) -> Table:
    """The scores for people."""
    code = report["code"]
    table = Table(
        title=f"{report['layout']}, T = {code['steps']}, B = 2^({code['log2_base']}), "
        f"{report['samples']} samples, seed {report['seed']}: {report['metric']}",
        box=SIMPLE,
    )
    for column in ("mode", "score", "95 %", "loss", "95 %", "cosine", "least"):
        table.add_column(column, justify="left" if column == "mode" else "right", no_wrap=True)
    for mode, entry in report["modes"].items():
        row = [mode, number(entry["score"]["value"]), interval(entry["score"])]
        if "loss" in entry:
            row += [number(entry["loss"]["value"]), interval(entry["loss"])]
            row += [number(entry["cosine"][name], digits=4) for name in ("mean", "min")]
        else:
            row += [""] * 4
        table.add_row(*row)
    return table


def number(value: float | None, digits: int = 2) -> str:
    return "undefined" if value is None else f"{value:.{digits}f}"


def interval(estimate: dict[str, float | None]) -> str:
    return "" if estimate["value"] is None else f"{estimate['low']:.2f}..{estimate['high']:.2f}"
