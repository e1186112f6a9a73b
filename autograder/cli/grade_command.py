"""The command that grades a class: grade."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli.shell import (
    CORES,
    EXIT_UNGRADED,
    GRADE_EXIT_CODES,
    OTHER_MACHINES,
    RUN,
    Database,
    Output,
    Timeout,
    Workers,
    argument,
    epilog,
    err,
    option,
    out,
    require_option,
)

if TYPE_CHECKING:
    from autograder.commands.grade import GradeOptions

__all__ = ["app", "run_grade"]

app = typer.Typer()

Submissions = Annotated[
    list[Path],
    argument(
        "SUBMISSION", "Notebooks (.ipynb), folders of them, or zip files as downloaded from Gradescope or Canvas."
    ),
]
Regrade = Annotated[
    bool, option("--regrade", "", "Grade everything again, show whose points would change, and ask before they do.")
]
Yes = Annotated[bool, option("--yes", "", "With `--regrade`: let the new points count without asking.")]
Scheduler = Annotated[
    str | None,
    option("--dask", "ADDRESS", "Grade with the workers of a Dask scheduler: `tcp://HOST:8786`.", **OTHER_MACHINES),
]
Docker = Annotated[
    bool,
    option("--docker", "", "Grade in a container without a network; needed on macOS and Windows.", **OTHER_MACHINES),
]
BaseImage = Annotated[
    str | None,
    option(
        "--image",
        "BASE",
        "With `--docker`: the image to start from, any Debian or Ubuntu; by default `python:3.12-slim-bookworm`.",
        **OTHER_MACHINES,
    ),
]
Unsafe = Annotated[
    bool,
    option(
        "--unsafe-no-sandbox",
        "",
        "Run notebooks unconfined, with all your permissions. Only for notebooks that you wrote yourself.",
        **OTHER_MACHINES,
    ),
]


@app.command(
    rich_help_panel=RUN,
    epilog=epilog(
        {
            "mnist-kit grade submissions.zip -o out-fall-2026": "A whole class, as downloaded.",
            "mnist-kit grade submissions/ --regrade": "Grade everything again, after a change to the rules.",
            "mnist-kit grade --docker submissions/": "On macOS or Windows.",
        },
        GRADE_EXIT_CODES,
    ),
)
def grade(
    submissions: Submissions,
    output: Output = Path("out"),
    workers: Workers = CORES,
    timeout_s: Timeout = None,
    regrade: Regrade = False,
    yes: Yes = False,
    scheduler: Scheduler = None,
    database: Database = None,
    unsafe: Unsafe = False,
    docker: Docker = False,
    base: BaseImage = None,
) -> None:
    """Grade notebooks: a table, feedback pages, grades.csv.

    Results are stored as they come. Run the same command again to continue after an interruption, or when there are new
    files: only new or changed submissions are graded. To see the class, open index.html in the output folder.
    """
    require_option(yes, "--yes", regrade, "--regrade")
    require_option(base is not None, "--image", docker, "--docker")
    if not docker:
        from autograder.commands.grade import GradeOptions

        paths = tuple(submissions)
        run_grade(GradeOptions(paths, output, workers, timeout_s, unsafe, regrade, scheduler, database), yes=yes)
        return
    from autograder.commands.grade_in_container import grade_in_container

    for name, value in {"--database": database, "--dask": scheduler, "--unsafe-no-sandbox": unsafe}.items():
        if value:
            message = f"It cannot be used in a container without a network; leave out {name}, or --docker."
            raise typer.BadParameter(message, param_hint=name)
    options = [] if timeout_s is None else ["--timeout", f"{timeout_s:g}"]
    options += [name for name, given in {"--regrade": regrade, "--yes": yes}.items() if given]
    preparing = err.status("preparing the image (minutes the first time)")
    code = grade_in_container(submissions, output, workers, options, base, preparing)
    out.print(f"On this machine: {output / 'index.html'}", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def run_grade(options: GradeOptions, *, yes: bool = False) -> None:
    """Grade, show progress and results, and exit with EXIT_UNGRADED if a submission could not be graded."""
    from autograder.cli.grade_screen import GradeScreen
    from autograder.commands.grade import grade

    with contextlib.closing(GradeScreen(options.regrade, yes)) as screen:
        result = grade(options, screen)
    screen.show(result)
    if not all(report.complete for report in result.reports):
        raise typer.Exit(EXIT_UNGRADED)
