"""Every command and group of `onespike`."""

from typing import Any

import typer

from onespike.cli import app


def commands() -> dict[tuple[str, ...], Any]:
    """Every command and group by its words."""
    found: dict[tuple[str, ...], Any] = {(): typer.main.get_command(app)}
    for words, command in list(found.items()):
        for name, member in command.commands.items():
            found[*words, name] = member
            found |= {(*words, name, inner): c for inner, c in getattr(member, "commands", {}).items()}
    return found


COMMANDS = commands()
