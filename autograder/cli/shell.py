"""The panels, consoles, exit codes and options that the commands share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["epilog", "progress_bar", "require_option"]

EXIT_USAGE = 2
"""A mistake in grading.yml, in the master or in the arguments; the message says which."""

EXIT_UNGRADED = 3
"""The run was finished, but at least one submission could not be graded."""

GRADE_EXIT_CODES = (
    "Exit code 0: every submission has a grade. 2: nothing was graded; the message says why. 3: some submissions could "
    "not be graded, through no fault of the students; the report says which."
)

TERM, RUN, WRITTEN, UPKEEP = "Each term", "Each class", "Written answers", "Maintenance"
"""The panels of commands in `mnist-kit --help`."""

ELSEWHERE = "Other machines"
"""The panel of options that few people need."""

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def epilog(examples: Mapping[str, str], ending: str = "") -> str:
    """Return the end of a help page in Markdown: examples, each a call and what it does, and a last paragraph."""
    lines = [f"- `{call}`  \n  {effect}" for call, effect in examples.items()]
    return "\n".join(["Examples:" if len(lines) > 1 else "Example:", "", *lines, "", ending]).strip()


def require_option(given: bool, option: str, other_given: bool, other: str) -> None:
    """Refuse an option that has no effect without another: it is a slip that should not go unnoticed."""
    if given and not other_given:
        raise typer.BadParameter(f"It needs {other}; add {other}, or leave {option} out.", param_hint=option)


def progress_bar(activity: str) -> Progress:
    """Return a bar that shows how far a task is, and its field `last`: the item that was done last."""
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


# readable=False throughout: whatever reads a file explains better than Typer what is wrong with it.
Class = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", readable=False, help="The results of the class: the `-o` of `mnist-kit grade`."),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", metavar="FOLDER", help="Where the results go. Use one folder for each class and term."
    ),
]
CORES = os.cpu_count() or 1
Workers = Annotated[
    int,
    typer.Option(
        "-n", "--workers", min=1, metavar="N", help="Notebooks to run at once; each needs a core and 1 to 2 GB."
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="Time limit for one notebook, instead of `execution.timeout_s` in grading.yml.",
    ),
]
Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="MNIST_KIT_DATABASE",
        rich_help_panel=ELSEWHERE,
        help="Keep the gradebook on a PostgreSQL server, for reviewers on several machines: "
        "`postgresql://USER@HOST/NAME`. By default, it is the file gradebook.db in the folder of the results.",
    ),
]
Roster = Annotated[
    Path | None,
    typer.Option(
        "--roster",
        metavar="CSV",
        readable=False,
        help="The class list, with columns such as name, id, email, file; it assigns submissions to students.",
    ),
]
