"""The application, and the panels, consoles, exit codes and options that its commands share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["app", "argument", "command", "option", "progress_bar", "rare_option", "require_option", "say"]

Command = TypeVar("Command", bound=Callable[..., Any])

EXIT_USAGE = 2  # a mistake in grading.yml, in the master or in the arguments; the message says which
EXIT_UNGRADED = 3  # the run was finished, but at least one submission could not be graded
GRADE_EXIT_CODES = (
    "Exit code 0: every submission has a grade. 2: nothing was graded; the message says why. 3: some submissions could "
    "not be graded, through no fault of the students; the report says which."
)

PANELS = TERM, RUN, WRITTEN, UPKEEP = "Each term", "Each class", "Written answers", "Maintenance"
"""The panels of commands in `mnist-kit --help`, in their order."""

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
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def command(panel: str, examples: Mapping[str, str], ending: str = "") -> Callable[[Command], Command]:
    """Add a command to a panel of the help. Its own page ends with examples, each a call and its effect, and `ending`.

    Its name is the function's, with hyphens.
    """
    lines = [f"- `{call}`  \n  {effect}" for call, effect in examples.items()]
    page = "\n".join(["Examples:" if len(lines) > 1 else "Example:", "", *lines, "", ending])
    return app.command(rich_help_panel=panel, epilog=page.strip())


def say(text: str) -> None:
    """Print a line as it is, however long, so that a path in it can be copied."""
    out.print(text, markup=False, soft_wrap=True)


def require_option(given: bool, option: str, other_given: bool, other: str) -> None:
    """Reject an option that has no effect without another: it must be a mistake."""
    if given and not other_given:
        raise typer.BadParameter(f"It needs {other}; add {other}, or leave {option} out.", param_hint=option)


def progress_bar(activity: str) -> Progress:
    """Return a progress bar; its field `last` is the item that was done last."""
    return Progress(
        TextColumn(activity),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[last]}", markup=False),
        console=err,
    )


def argument(metavar: str, help: str) -> Any:
    return typer.Argument(metavar=metavar, help=help, readable=False)


def option(name: str, metavar: str, help: str, *, short: str = "", **settings: Any) -> Any:
    """Return an option; `readable=False`, because the code that reads a file explains better what is wrong with it."""
    return typer.Option(*filter(None, (short, name)), metavar=metavar, help=help, readable=False, **settings)


rare_option = partial(option, rich_help_panel="Other machines")
"""An option that few people need."""

CORES = os.cpu_count() or 1

Class = Annotated[Path, argument("FOLDER", "The results of the class: the `-o` of `mnist-kit grade`.")]
Output = Annotated[
    Path, option("--output", "FOLDER", "Where the results go. Use one folder for each class and term.", short="-o")
]
Workers = Annotated[
    int, option("--workers", "N", "Notebooks to run at once; each needs a core and 1 to 2 GB.", short="-n", min=1)
]
Timeout = Annotated[
    float | None,
    option("--timeout", "SECONDS", "Time limit for one notebook, instead of that in grading.yml.", min=1),
]
Database = Annotated[
    str | None,
    rare_option(
        "--database",
        "URL",
        "Keep the gradebook on a PostgreSQL server, for reviewers on several machines: `postgresql://USER@HOST/NAME`. "
        "By default, it is the file gradebook.db in the folder of the results.",
        envvar="MNIST_KIT_DATABASE",
    ),
]
Roster = Annotated[
    Path | None,
    option("--roster", "CSV", "The class list, with columns such as name, id, email, file: who submitted what."),
]
