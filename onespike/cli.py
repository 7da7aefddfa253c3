"""The command `onespike`: its subcommands, and what becomes of a user's mistake."""

import io
import os
import sys
from typing import Annotated

import typer

from golden.errors import InputError, OutsideError, cut
from onespike import __version__
from onespike.attention import attention
from onespike.bench import bench
from onespike.board_sim import board_sim
from onespike.boards import boards
from onespike.compare import compare
from onespike.convert import convert_model
from onespike.energy import energy
from onespike.evaluate import evaluate
from onespike.example import example
from onespike.infer import infer
from onespike.interrupts import exit_status, heard
from onespike.predict import predict_network
from onespike.presets import presets
from onespike.program import program
from onespike.rtl import rtl
from onespike.search import search
from onespike.sim import sim
from onespike.studies import studies
from onespike.sweep import sweep
from onespike.synth import synth

FAILED, MISTAKE, INTERRUPTED = 1, 2, 130
# Longer words, in what the parser of options or the system quotes, are cut
MAX_WORD = 255

app = typer.Typer(rich_markup_mode="markdown", add_completion=False, pretty_exceptions_enable=False)
for command in (attention, compare, presets, rtl, sim, infer, bench, example, boards, synth, program):
    app.command()(command)
app.command(name="board-sim")(board_sim)
app.command(name="convert")(convert_model)
app.command()(evaluate)
app.command(name="predict")(predict_network)
app.command()(search)
app.command()(sweep)
app.add_typer(energy, name="energy")
app.add_typer(studies, name="stochastic")


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
            _flush()
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
            message = f"{error.filename or 'standard output'}: cannot be used ({error.strerror or error})"
        except KeyboardInterrupt:
            status, message = exit_status(), "interrupted"
    if message:
        print("onespike:", " ".join(cut(word, MAX_WORD) for word in message.split()), file=sys.stderr)
    return status


def _flush() -> None:
    """Write what is left for standard output while an error can still be told in one line."""
    try:
        sys.stdout.flush()
    except OSError:
        # At its end the interpreter would try again, and show a traceback
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise
