"""Options that several commands share."""

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from golden.attention.config import PRESETS
from golden.code import PhaseCode, check_range, read_fraction
from golden.errors import InputError, quoted
from onespike.schemes import SCHEMES
from studies.page.page import check_packages

MAX_SEED = 2**32 - 1
# Bounds of a clock in MHz
CLOCK = (1e-3, 1e6)
PICTURES = (".png", ".svg", ".pdf")


def whole_number(text: str) -> int:
    """Parser of an integer option that says what it was given."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"must be an integer, not {quoted(text)}") from None


def in_range(option: str, low: int, high: int) -> Callable[[int | None], int | None]:
    """Callback of an integer option whose value, if there is one, must be in low..high."""

    def check(value: int | None) -> int | None:
        if value is not None:
            check_range(option, value, low, high)
        return value

    return check


def one_of(names: Sequence[str]) -> Callable[[str], str]:
    """Parser of an option that is one of a few names."""

    def parse(text: str) -> str:
        if text not in names:
            raise typer.BadParameter(f"must be one of {', '.join(names)}, not {quoted(text)}")
        return text

    return parse


def number(low: float, high: float, unit: str = "") -> Callable[[str], float]:
    """Parser of an option that is a number in low..high of a unit; NaN is not."""

    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise typer.BadParameter(f"must be a number in {low:g}..{high:g}{unit}, not {quoted(text)}")
        return value

    return parse


def fraction(text: str) -> Fraction:
    """Parser of --log2-base."""
    try:
        return read_fraction("log2_base", str(text))  # a default comes as it is
    except InputError as error:
        raise typer.BadParameter(str(error).removeprefix("log2_base ")) from None


def _page(path: Path | None) -> Path | None:
    """Callback of --html: what draws the page is there before anything is computed."""
    if path is not None:
        if path.suffix != ".html":
            raise InputError(f"--html must name an .html file, not {path}")
        check_packages()
    return path


RouteOption = Annotated[bool, typer.Option("--route", help="Place and route too.")]
FrequencyOption = Annotated[
    float,
    typer.Option(
        "--frequency", metavar="MHZ", parser=number(*CLOCK, " MHz"), help="Target of place and route."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="The same as JSON.")]
SchemeOption = Annotated[
    str,
    typer.Option(
        "--scheme",
        metavar="|".join(SCHEMES),
        parser=one_of(tuple(SCHEMES)),
        help="`spiked`: SpikedAttention, one spike per neuron; `stochastic`: stochastic spiking "
        "attention (SSA), Bernoulli spike trains; `integer`: softmax attention in 2 to 8 bits, "
        "what the others are measured against.",
    ),
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        "--preset",
        metavar="NAME",
        help=f"Named configuration: {', '.join(PRESETS)}. See `onespike presets`. [default: default]",
        show_default=False,
    ),
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE.toml",
        help="Configuration file: the keys that `onespike presets --json` shows, all optional, "
        "and `base`, the preset that gives the others; of a stochastic engine those of its "
        "parameters and random numbers (docs/stochastic.md), of an integer core those of "
        "docs/rival.md.",
        show_default=False,
    ),
]
SeedOption = Annotated[
    int,
    typer.Option(
        "--seed",
        metavar="N",
        parser=whole_number,
        callback=in_range("--seed", 0, MAX_SEED),
        help="Seed of everything random.",
    ),
]
MinutesOption = Annotated[
    float | None,
    typer.Option(
        "--minutes", metavar="M", parser=number(0, 1e6), help="Nothing begins after so many minutes."
    ),
]
JobsOption = Annotated[
    int,
    typer.Option(
        "--jobs",
        metavar="N",
        parser=whole_number,
        callback=in_range("--jobs", 1, 1024),
        help="Processes on this machine.",
    ),
]
FolderOption = Annotated[
    Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write to; made if absent.")
]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="R.json", help="Report to write.", show_default=False)
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="PAGE.html",
        callback=_page,
        help="Report for the browser to write: one file, nothing is loaded from anywhere.",
        show_default=False,
    ),
]
PlotOption = Annotated[
    Path | None,
    typer.Option(
        "--plot", metavar="FILE", help=f"Picture to write: {', '.join(PICTURES)}.", show_default=False
    ),
]
StepsOption = Annotated[
    int | None,
    typer.Option(
        "--steps",
        metavar="T",
        parser=whole_number,
        help=f"Phases of the code. [default: {PhaseCode().steps}]",
        show_default=False,
    ),
]
Log2BaseOption = Annotated[
    Fraction | None,
    typer.Option(
        "--log2-base",
        metavar="A/B",
        parser=fraction,
        help=f"The base of the code is 2^(A/B). [default: {PhaseCode().log2_base}]",
        show_default=False,
    ),
]
WindowOption = Annotated[
    int | None,
    typer.Option(
        "--window",
        metavar="N",
        parser=whole_number,
        help="Steps of the WOSS ramp, 1..T; fewer steps let fewer keys fire. [default: T]",
        show_default=False,
    ),
]


def _size(option: str, what: str, high: int) -> Any:
    return typer.Option(
        option,
        metavar="N",
        parser=whole_number,
        callback=in_range(option, 1, high),
        help=f"{what}, 1..{high}.",
    )


# Of random heads
HeadsOption = Annotated[int, _size("--heads", "Heads", 64)]
TokensOption = Annotated[int, _size("--tokens", "Tokens", 1024)]
HeadDimOption = Annotated[int, _size("--head-dim", "Features", 256)]


def chosen_code(steps: int | None, log2_base: Fraction | None) -> PhaseCode:
    """The code that --steps and --log2-base name; what is absent is that of `PhaseCode`."""
    default = PhaseCode()
    return PhaseCode(
        steps=default.steps if steps is None else steps,
        log2_base=default.log2_base if log2_base is None else log2_base,
    )


def plot_targets(report: Path | None, plot: Path | None) -> dict[str, Path]:
    """Files of --report and --plot that are to be written, by option.

    Raises:
        InputError: --plot names no picture.
    """
    if plot is not None and plot.suffix not in PICTURES:
        raise InputError(f"--plot must name a {', '.join(PICTURES)} file, not {plot}")
    return {label: path for label, path in (("--report", report), ("--plot", plot)) if path is not None}
