"""`onespike bench`: ratios of speed."""

from typing import Annotated

import typer

from golden.errors import InputError
from onespike.files import reporting
from onespike.options import ReportOption, SeedOption
from onespike.tables import print_tables, progress, ratio_table


def bench(
    report_file: ReportOption = None,
    seed: SeedOption = 0,
    in_torch: Annotated[
        bool,
        typer.Option("--torch", help="Attention in PyTorch against golden and against softmax instead."),
    ] = False,
) -> None:
    """Measure how much faster each fast path is than the slow one it stands for, and what starting costs.

    Both sides of a ratio run the same job in this one run; times are medians of a few rounds.

    Examples:

        onespike bench
        onespike bench --report bench.json --seed 3
        onespike bench --torch

    With `--torch`, one thread each: attention of tensors in spikes (`import onespike.torch`) beside golden
    and beside PyTorch's own attention, floats to floats.
    """
    from studies.attention.report import tool_versions
    from studies.bench.ratios import RATIOS

    if in_torch:
        try:
            from onespike.torch.bench import RATIOS
        except ImportError as error:
            raise InputError(f"--torch: {error}") from None
    with reporting(report_file) as write:
        ratios = []
        with progress() as bar:
            task = bar.add_task("measure", total=len(RATIOS))
            for measure in RATIOS:
                bar.update(task, description=measure.__name__.replace("_", " "))
                ratios.append(measure(seed))
                bar.advance(task)
        write({"seed": seed, "tools": tool_versions(), "ratios": [ratio.to_json() for ratio in ratios]})
    print_tables([ratio_table(ratios, seed)])
