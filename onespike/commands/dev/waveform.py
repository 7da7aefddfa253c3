"""`onespike dev waveform`: a waveform as a viewer shows it."""

from pathlib import Path
from typing import Annotated

import typer

from golden.code import check_range
from onespike.files import whole_or_nothing
from onespike.options import PlotOption, plot_targets, whole_number
from onespike.tables import progress

# Of the bench of an IP
CLOCK = "aclk"
# In the order of the data
SIGNALS = (
    *("i_query__valid", "i_query__payload.feature", "i_query__payload.spike", "score.fsm_state"),
    *("ramp.o_command.data.phase", "o_code__valid", "o_code__payload.spike"),
)


def waveform(
    waves: Annotated[
        Path,
        typer.Argument(metavar="W.vcd", help="What the bench of `onespike rtl --axi` left with +waves."),
    ],
    plot: PlotOption = Path("waveform.png"),
    signals: Annotated[
        str | None,
        typer.Option(
            "--signals",
            metavar="LIST",
            help="Ports, and signals of units as UNIT.NAME. [default: a row from queries to codes]",
            show_default=False,
        ),
    ] = None,
    begin: Annotated[int, typer.Option("--begin", metavar="N", parser=whole_number, help="First cycle.")] = 0,
    cycles: Annotated[
        int, typer.Option("--cycles", metavar="N", parser=whole_number, help="How many cycles.")
    ] = 24,
) -> None:
    """Draw signals of a waveform in words, by the save file and the filters beside the Verilog.

    Example:

        onespike dev waveform build/ip/attention_core_axis.vcd --begin 200
    """
    from sim.cores.waves import views_of
    from studies.plot_style import write_figure
    from studies.waves.picture import waveform as draw
    from studies.waves.trace import chosen, read_signals, read_views

    targets = plot_targets(None, plot)
    check_range("--begin", begin, 0, 1 << 32)
    check_range("--cycles", cycles, 1, 256)
    with whole_or_nothing(targets) as places, progress() as bar:
        bar.add_task("read", total=None)
        names = SIGNALS if signals is None else [name.strip() for name in signals.split(",")]
        shown = chosen(read_views(views_of(waves)), names)
        found = read_signals(waves, shown, CLOCK, begin, cycles)
        remark = f"{waves.name}, {cycles} cycles from {begin}"
        write_figure(draw(found, begin, "Spikes through the core", remark), places["--plot"])
    typer.echo(plot)
