"""The commands for a class: grade, export, report, join, review, requests."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.cli import shell
from autograder.cli.shell import argument, command, err, option, out, say

if TYPE_CHECKING:
    from autograder.commands.grade import GradeOptions

__all__ = ["run_grade"]

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
    shell.rare_option("--dask", "ADDRESS", "Grade with the workers of a Dask scheduler: `tcp://HOST:8786`."),
]
Docker = Annotated[
    bool,
    shell.rare_option("--docker", "", "Grade in a container without a network; needed on macOS and Windows."),
]
BaseImage = Annotated[
    str | None,
    shell.rare_option(
        "--image",
        "BASE",
        "With `--docker`: the image to start from, any Debian or Ubuntu; by default `python:3.12-slim-bookworm`.",
    ),
]
Unsafe = Annotated[
    bool,
    shell.rare_option(
        "--unsafe-no-sandbox",
        "",
        "Run notebooks unconfined, with all your permissions. Only for notebooks that you wrote yourself.",
    ),
]
CanvasFile = Annotated[
    Path | None,
    option("--canvas", "CSV", "Canvas's gradebook (Grades, Export Entire Gradebook); a copy of it is filled in."),
]
Column = Annotated[
    str | None,
    option(
        "--column",
        "NAME",
        "With `--canvas`: the column to fill, by its header or the number in it; by default, the assignment's title.",
    ),
]
Grades = Annotated[
    list[Path],
    argument("GRADES.csv", "`final_grades.csv` of `otter grade`, or an assignment's grades from Gradescope."),
]
Reviewers = Annotated[
    list[str] | None,
    option(
        "--reviewer", "NAME", "A reviewer in addition to those in grading.yml, with their own link. Can be repeated."
    ),
]
Port = Annotated[
    int, option("--port", "PORT", "Port on this machine; any free one if it is taken or 0.", min=0, max=65535)
]
Requests = Annotated[
    Path | None,
    option("--import", "CSV", "Regrade requests to add: columns question, text, and submission, email or id."),
]


@command(
    shell.RUN,
    {
        "mnist-kit grade submissions.zip -o out-fall-2026": "A whole class, as downloaded.",
        "mnist-kit grade submissions/ --regrade": "Grade everything again, after a change to the rules.",
        "mnist-kit grade --docker submissions/": "On macOS or Windows.",
    },
    shell.GRADE_EXIT_CODES,
)
def grade(
    submissions: Submissions,
    output: shell.Output = Path("out"),
    workers: shell.Workers = shell.CORES,
    timeout_s: shell.Timeout = None,
    regrade: Regrade = False,
    yes: Yes = False,
    scheduler: Scheduler = None,
    database: shell.Database = None,
    unsafe: Unsafe = False,
    docker: Docker = False,
    base: BaseImage = None,
) -> None:
    """Grade notebooks: a table, feedback pages, grades.csv.

    Results are stored as they come. Run the same command again to continue after an interruption, or when there are new
    files: only new or changed submissions are graded. To see the class, open index.html in the output folder.
    """
    shell.require_option(yes, "--yes", regrade, "--regrade")
    shell.require_option(base is not None, "--image", docker, "--docker")
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
    say(f"On this machine: {output / 'index.html'}")
    raise typer.Exit(code)


def run_grade(options: GradeOptions, *, yes: bool = False) -> None:
    """Grade, show progress and results, and exit with EXIT_UNGRADED if a submission could not be graded."""
    from autograder.cli.grade_screen import GradeScreen
    from autograder.commands.grade import grade

    with contextlib.closing(GradeScreen(options.regrade, yes)) as screen:
        result = grade(options, screen)
    screen.show(result)
    if not all(report.complete for report in result.reports):
        raise typer.Exit(shell.EXIT_UNGRADED)


@command(
    shell.RUN,
    {
        "mnist-kit export out --roster class.csv": "One row for each student in the class list.",
        "mnist-kit export out --canvas grades.csv": "Canvas's file filled in, as out/export/canvas.csv.",
    },
)
def export(
    folder: shell.Class = Path("out"),
    roster: shell.Roster = None,
    canvas: CanvasFile = None,
    column: Column = None,
    database: shell.Database = None,
) -> None:
    """Write grades and feedback for Canvas and for students.

    FOLDER/export gets grades.csv, and a feedback page for each student, also in feedback.zip. Answers that are
    not marked yet are listed.
    """
    shell.require_option(column is not None, "--column", canvas is not None, "--canvas")
    from autograder.commands import export as exporter
    from autograder.review import class_review

    seen = class_review.marked_class(folder, database)
    made = exporter.export(seen.reports, seen.policy, folder / "export", roster=roster, canvas=canvas, column=column)
    others = [path for path in made.paths if path.suffix != ".html"]
    for path in others:
        say(f"wrote {path}")
    pages = len(made.paths) - len(others)
    count = "1 feedback page" if pages == 1 else f"{pages} feedback pages"
    say(f"wrote {count} into {folder / 'export' / 'feedback'}")
    for remark in made.remarks:
        err.print(remark, markup=False)


@command(shell.RUN, {"mnist-kit report out": "Updates out/index.html."})
def report(folder: shell.Class = Path("out"), database: shell.Database = None) -> None:
    """Update the report on the class, FOLDER/index.html.

    It then has the points that the reviewers gave, their agreement, and the answers that they flagged.
    """
    from autograder.report import result_files
    from autograder.review import class_review

    page = result_files.write_class_report(class_review.marked_class(folder, database), folder)
    say(f"wrote {page}")


@command(
    shell.RUN, {"mnist-kit join final_grades.csv -o out": "Compare the points of `otter grade` with those in out/."}
)
def join(grades: Grades, output: shell.Output = Path("out")) -> None:
    """Compare with grades made by Otter or Gradescope.

    They are stored in the gradebook in the output folder, and the differences are shown. A row is matched to the
    submission with its name, or with its email or SID in its name. Points here do not change.
    """
    from autograder.commands import join
    from autograder.report import terminal

    compared = join.join(grades, output)
    out.print(terminal.external_grades(compared))
    if remarks := terminal.join_remarks(compared):
        out.print(remarks, markup=False)


@command(shell.WRITTEN, {"mnist-kit review out --reviewer ann --reviewer ben": "Two reviewers, who share the work."})
def review(
    folder: shell.Class = Path("out"), reviewers: Reviewers = None, port: Port = 8765, database: shell.Database = None
) -> None:
    """Mark the written answers in the browser.

    Prints a link for each reviewer, and serves only this machine until Ctrl-C. Every mark is stored at once.
    """
    from autograder.review import serve
    from autograder.review.class_review import open_review

    with open_review(folder, database, reviewers or ()) as opened, serve.listening(opened, port) as server:
        for reviewer, link in server.links.items():
            say(f"{reviewer}: {link}")
        err.print("Serving only this machine until Ctrl-C. Anybody who has a link can mark in its owner's name.")
        server.run()
    err.print("The marks are in the gradebook.")


@command(
    shell.WRITTEN,
    {"mnist-kit requests out --import requests.csv": "Adds new requests, and writes all with their replies."},
)
def requests(
    folder: shell.Class = Path("out"),
    new: Requests = None,
    roster: shell.Roster = None,
    database: shell.Database = None,
) -> None:
    """Import regrade requests and write out the replies.

    Students' requests go to the reviewers, who reply in `mnist-kit review`. All of them, with the replies and the
    points before and after, are written to FOLDER/export/requests.csv.
    """
    from autograder.report import result_files
    from autograder.review import class_review

    replies = class_review.exchange_requests(new, folder, database, roster)
    path = result_files.write(folder / "export" / "requests.csv", replies)
    say(f"wrote {path}")
