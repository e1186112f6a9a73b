"""The entry point of `mnist-kit`: all commands, and one message for every error the kit raises on purpose."""

from __future__ import annotations

import signal
import sys

from autograder.cli import class_commands, kit_commands  # noqa: F401  # each adds its commands to the app
from autograder.cli.shell import EXIT_USAGE, PANELS, app, err
from autograder.engine.environment import hide_unused, lacking
from autograder.errors import KitError

__all__ = ["app", "main"]

app.registered_commands.sort(key=lambda command: PANELS.index(str(command.rich_help_panel)))


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
