"""The command `onespike`: its subcommands, and what becomes of a user's mistake."""

import io
import os
import sys
from collections.abc import Callable
from typing import Annotated

import typer

from golden.errors import InputError, OutsideError, cut
from onespike import __version__
from onespike.commands.attention import attention
from onespike.commands.bench import bench
from onespike.commands.board_sim import board_sim
from onespike.commands.boards import boards
from onespike.commands.compare import compare
from onespike.commands.convert import convert_model
from onespike.commands.demo import demo
from onespike.commands.dev.area import area
from onespike.commands.dev.board_table import board_table
from onespike.commands.dev.dense import dense
from onespike.commands.dev.estimate import estimate
from onespike.commands.dev.literal import literal
from onespike.commands.dev.rival import rival
from onespike.commands.dev.sentences import sentences
from onespike.commands.dev.soak import soak
from onespike.commands.dev.waveform import waveform
from onespike.commands.doctor import doctor
from onespike.commands.energy.hardware import hardware
from onespike.commands.energy.network import network
from onespike.commands.energy.paper import paper
from onespike.commands.energy.stochastic import stochastic
from onespike.commands.evaluate import evaluate
from onespike.commands.example import example
from onespike.commands.infer import infer
from onespike.commands.losses import losses
from onespike.commands.predict import predict_network
from onespike.commands.presets import presets
from onespike.commands.program import program
from onespike.commands.robustness import robustness
from onespike.commands.rtl import rtl
from onespike.commands.search import search
from onespike.commands.sim import sim
from onespike.commands.stochastic.accuracy import accuracy
from onespike.commands.stochastic.demo import demo as stochastic_demo
from onespike.commands.stochastic.study import study
from onespike.commands.sweep import sweep
from onespike.commands.synth import synth
from onespike.interrupts import exit_status, heard

FAILED, MISTAKE, INTERRUPTED = 1, 2, 130
# Longer words, in what the parser of options or the system quotes, are cut
MAX_WORD = 255

# Commands by the heading under which help shows them. A command has the file of its name in
# onespike/commands, a group the folder of its name
COMMANDS: dict[str, dict[str, Callable[..., None]]] = {
    "Attention of arrays": {"example": example, "attention": attention, "compare": compare},
    "Whole networks": {
        "sim": sim,
        "infer": infer,
        "convert": convert_model,
        "evaluate": evaluate,
        "predict": predict_network,
    },
    "Hardware": {
        "presets": presets,
        "rtl": rtl,
        "boards": boards,
        "synth": synth,
        "program": program,
        "board-sim": board_sim,
        "demo": demo,
    },
    "Studies": {"bench": bench, "sweep": sweep, "search": search, "losses": losses, "robustness": robustness},
    "This installation": {"doctor": doctor},
}
GROUPS: dict[str, tuple[str, str, tuple[Callable[..., None], ...]]] = {
    "energy": (
        "Studies",
        "Energy by two tables of prices that are never mixed.",
        (paper, hardware, network, stochastic),
    ),
    "stochastic": (
        "Studies",
        "Stochastic spiking attention: studies and networks.",
        (study, accuracy, stochastic_demo),
    ),
    "dev": (
        "For developers of Onespike",
        "Long checks, and what measures the figures that come with the project.",
        (soak, literal, area, estimate, board_table, rival, dense, sentences, waveform),
    ),
}


def _group(*, completion: bool = False) -> typer.Typer:
    return typer.Typer(rich_markup_mode="markdown", add_completion=completion, pretty_exceptions_enable=False)


app = _group(completion=True)
for panel, commands in COMMANDS.items():
    for name, command in commands.items():
        app.command(name, rich_help_panel=panel)(command)
for name, (panel, text, members) in GROUPS.items():
    group = _group()
    for command in members:
        group.command(command.__name__.replace("_", "-"))(command)
    app.add_typer(group, name=name, help=text, rich_help_panel=panel)


@app.callback(invoke_without_command=True)
def onespike(
    context: typer.Context,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Trained transformers on spiking hardware.

    One-spike phase codes, trace-driven products and the winner-oriented spike shift of
    SpikedAttention (NeurIPS 2024), as a golden model, a cycle model and generated RTL that agree
    on every integer and every cycle.

    Start with:

        onespike example in.npz
        onespike attention in.npz out.npz --report report.json
        onespike presets
        onespike rtl -o build/rtl
        onespike sim
        onespike infer
        onespike synth

    A mistake in the input ends with one line on stderr and exit status 2; a tool, a serial line or
    a board that fails, with one line and status 1; Ctrl-C, with one line and status 130.
    """
    if show_version:
        typer.echo(f"onespike {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    Args:
        arguments: words after the program's name; those of the process when absent.
    """
    status, message = MISTAKE, ""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a file may have any bytes as its name
    with heard():
        try:
            status = app(arguments, prog_name="onespike", standalone_mode=False) or 0
            sys.stdout.flush()  # while an error can still be told in one line
            # The library's word for Ctrl-C, which it keeps to itself
            if status == INTERRUPTED:
                raise KeyboardInterrupt
        except OutsideError as error:
            status, message = FAILED, str(error)
        except InputError as error:
            message = str(error)
        except MemoryError:
            message = "the arrays of this job must fit into memory, they do not"
        except typer.TyperException as error:  # a wrong option, a missing argument
            message = f"{error.format_message()} (see onespike --help)"
        except typer.Abort:  # the library's word for an EOFError
            message = "a file must be whole, one ended too early"
        except OSError as error:  # a place that no command looked at before it wrote there
            _drop_output()
            message = f"{error.filename or 'standard output'}: cannot be used ({error.strerror or error})"
        except KeyboardInterrupt:
            status, message = exit_status(), "interrupted"
    if message:
        print("onespike:", " ".join(cut(word, MAX_WORD) for word in message.split()), file=sys.stderr)
    return status


def _drop_output() -> None:
    """Forget what standard output does not take: at its end the interpreter would try once more."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
