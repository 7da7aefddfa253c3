"""`onespike losses`: what a model's network of integers loses, code by code."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE
from rich.table import Table

from golden.code import PhaseCode, read_fraction
from golden.errors import InputError, quoted, writing
from models.conversion.record import record
from models.conversion.scheme import Scheme
from models.conversion.store import TOKENIZER, checksum
from models.files.adapters import merge_adapters
from models.files.tensors import read_tensors
from models.layouts import Options, read_model
from onespike.commands.evaluate import interval, number
from onespike.files import made_folder, write_json
from onespike.network_options import AdaptersOption, CountOption, LimitOption, WeightBitsOption
from onespike.options import JobsOption, SeedOption
from onespike.tables import print_tables, progress
from studies.evaluate.samples import calibration_samples
from studies.evaluate.task import task_of

CODES = "16@3/8,16@2/5,16@3/7"


def read_codes(text: str) -> list[PhaseCode]:
    """Codes as T@a/b, commas between, by rising T and base."""
    found = []
    for word in text.split(","):
        steps, at, base = word.strip().partition("@")
        if not at or not steps.isdecimal():
            raise InputError(f"--codes must be codes T@a/b with commas between, not {quoted(word)}")
        found.append(PhaseCode(steps=int(steps), log2_base=read_fraction("--codes", base)))
    if len(set(found)) != len(found):
        raise InputError(f"--codes must name a code once, not {quoted(text)}")
    return sorted(found, key=order)


def order(code: PhaseCode) -> tuple[int, Fraction]:
    """By rising T and base."""
    return code.steps, code.log2_base


def losses(
    source: Annotated[
        Path, typer.Argument(metavar="MODEL", help="A model, as for onespike convert.", show_default=False)
    ],
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="As for onespike evaluate.", show_default=False)
    ],
    samples_file: Annotated[
        Path | None,
        typer.Option(
            "--samples",
            metavar="FILE",
            help="Calibration samples, as for onespike convert. "
            "[default: rows of DATA, which are not scored]",
            show_default=False,
        ),
    ] = None,
    count: CountOption = 100,
    adapters: AdaptersOption = None,
    codes: Annotated[
        str, typer.Option("--codes", metavar="LIST", help="Codes: steps, @, log2 of the base.")
    ] = CODES,
    weight_bits: WeightBitsOption = 8,
    limit: LimitOption = None,
    target: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder of results; given again, it resumes."),
    ] = Path("build/losses"),
    jobs: JobsOption = 2,
    seed: SeedOption = 0,
) -> None:
    """Loss of a model's network of integers against T and B, and its mean over the bases of each T.

    Every code is converted and scored as `onespike convert` and `onespike evaluate` do it, on the same
    samples; intervals hold 95 % of 1000 bootstrap repetitions, paired. Outputs that are ready are files in
    DIR/points; interrupted and started again, the study goes on after them. DIR receives losses.json and
    losses.png.

    Example:

        onespike losses minilm/ stsb-en-dev.csv --codes 8@2/3,8@3/4,16@2/5
    """
    from studies.losses.measure import Contest, name_of, outputs_of
    from studies.losses.picture import picture
    from studies.plot_style import write_figure  # loads the plotting library, which takes a second

    wanted = read_codes(codes)
    for code in wanted:
        Scheme(code=code, weight_bits=weight_bits)  # raises for what no network can have
    tensors = read_tensors(source)
    if adapters is not None:
        merge_adapters(tensors, adapters)
    layout, model = read_model(tensors, Options())
    tokenizer = tensors.path.parent / TOKENIZER
    calibration = calibration_samples(model, samples_file or data, tokenizer, count, seed)
    task = task_of(model, data, tokenizer, calibration.origin, limit, seed)
    with made_folder("-o", target), writing(f"-o {target}"), progress() as bar:
        shown = bar.add_task("calibrate", total=len(wanted) + 1)
        ranges, _ = record(model, calibration.samples)
        files = [tensors.path, data, *([adapters] if adapters else [])]
        contest = Contest(
            model=model,
            ranges=ranges,
            calibration=calibration.samples,
            samples=task.samples,
            weight_bits=weight_bits,
            origin={
                "files": [checksum(path) for path in files],
                "calibration": calibration.origin,
                "limit": limit,
            },
        )
        bar.update(shown, description="codes")
        outputs = outputs_of(contest, wanted, target / "points", jobs, lambda _: bar.update(shown, advance=1))
        by_steps: dict[int, list[str]] = {}
        for code in wanted:
            by_steps.setdefault(code.steps, []).append(name_of(code))
        report = task.report(outputs, groups=list(by_steps.values()))
        named = {"model": source.resolve().name, "layout": layout, "data": data.resolve().name}
        report |= named | {"weight_bits": weight_bits}
        report["codes"] = [
            {"mode": name_of(code), "steps": code.steps, "log2_base": str(code.log2_base)} for code in wanted
        ]
        report["steps"] = dict(zip(map(str, by_steps), report.pop("means"), strict=True))
        write_json(target / "losses.json", report)
        write_figure(picture(report), target / "losses.png")
    print_tables([loss_table(report)])


def loss_table(report: dict[str, Any]) -> Table:
    """Score and loss of every code, and the mean over the bases of every T."""
    samples, metric, modes = report["samples"], report["metric"], report["modes"]
    floats = modes["float"]["score"]
    table = Table(
        title=f"{report['layout']}, {samples} samples, seed {report['seed']}: {metric}; float "
        f"{number(floats['value'])} ({interval(floats)})",
        box=SIMPLE,
    )
    for column in ("T", "B", "score", "loss", "95 %", "cosine", "least", "fire"):
        table.add_column(column, justify="right", no_wrap=True)
    last = None
    for code in report["codes"]:
        entry, steps = modes[code["mode"]], code["steps"]
        if last not in (None, steps):
            mean_row(table, last, report)
        last = steps
        table.add_row(
            str(steps),
            f"2^({code['log2_base']})",
            number(entry["score"]["value"]),
            number(entry["loss"]["value"]),
            interval(entry["loss"]),
            *(number(entry["cosine"][name], digits=4) for name in ("mean", "min")),
            f"{entry['activity']['all']['density']:.1%}",
        )
    mean_row(table, last, report)
    return table


def mean_row(table: Table, steps: int | None, report: dict[str, Any]) -> None:
    """The mean over the bases of one T."""
    mean = report["steps"][str(steps)]
    table.add_row(str(steps), "mean", "", number(mean["value"]), interval(mean), "", "", "", end_section=True)
