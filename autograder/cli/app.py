"""The entry point of `mnist-kit`: all commands, and one message for every error the kit raises on purpose."""

from __future__ import annotations

import signal
import sys

import typer

from autograder.cli import class_commands, kit_commands
from autograder.cli.shell import EXIT_USAGE, PANELS, err
from autograder.engine.environment import hide_unused, lacking
from autograder.errors import KitError

__all__ = ["app", "main"]

EPILOG = """
For more about a command: `mnist-kit COMMAND --help`. To see the kit at work: `mnist-kit demo`. Before a term:
`mnist-kit new-term`.

Exit code 0: done. 2: not done; the message says why and what to do. `grade`, `build` and `doctor` have more codes.
"""

app = typer.Typer(
    help="Build one deep-learning assignment, hand it out, and grade a class of any size.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    epilog=EPILOG,
)
app.registered_commands = sorted(
    (*kit_commands.app.registered_commands, *class_commands.app.registered_commands),
    key=lambda command: PANELS.index(str(command.rich_help_panel)),
)


def main() -> None:
    """Run the command; turn a KitError into one message and exit code 2.

    SIGTERM is an ordinary end: running processes are ended, and written files are kept.
    """
    hide_unused()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        try:
            app()
        except ImportError as error:  # commands import what they need when they run
            raise lacking(error) from error
    except KitError as error:
        err.print(f"mnist-kit: {error}", markup=False)
        sys.exit(EXIT_USAGE)
