"""The commands for a graded class: export, report, join, review, requests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.shell import (
    RUN,
    WRITTEN,
    Class,
    Database,
    Output,
    Roster,
    argument,
    epilog,
    err,
    option,
    out,
    require_option,
)

__all__ = ["app"]

app = typer.Typer()

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


@app.command(
    rich_help_panel=RUN,
    epilog=epilog(
        {
            "mnist-kit export out --roster class.csv": "One row for each student in the class list.",
            "mnist-kit export out --canvas grades.csv": "Canvas's file filled in, as out/export/canvas.csv.",
        }
    ),
)
def export(
    folder: Class = Path("out"),
    roster: Roster = None,
    canvas: CanvasFile = None,
    column: Column = None,
    database: Database = None,
) -> None:
    """Write grades and feedback for Canvas and for students.

    FOLDER/export gets grades.csv, and a feedback page for each student, also in feedback.zip. Answers that are
    not marked yet are listed.
    """
    require_option(column is not None, "--column", canvas is not None, "--canvas")
    from autograder.commands import export as exporter
    from autograder.review import class_review

    seen = class_review.marked_class(folder, database)
    made = exporter.export(seen.reports, seen.policy, folder / "export", roster=roster, canvas=canvas, column=column)
    pages = [path for path in made.paths if path.suffix == ".html"]
    for path in made.paths:
        if path not in pages:
            out.print(f"wrote {path}", markup=False, soft_wrap=True)
    count = "1 feedback page" if len(pages) == 1 else f"{len(pages)} feedback pages"
    out.print(f"wrote {count} into {folder / 'export' / 'feedback'}", markup=False, soft_wrap=True)
    for remark in made.remarks:
        err.print(remark, markup=False)


@app.command(rich_help_panel=RUN, epilog=epilog({"mnist-kit report out": "Updates out/index.html."}))
def report(folder: Class = Path("out"), database: Database = None) -> None:
    """Update the report on the class, FOLDER/index.html.

    It then has the points that the reviewers gave, their agreement, and the answers that they flagged.
    """
    from autograder.report import result_files
    from autograder.review import class_review

    page = result_files.write_class_report(class_review.marked_class(folder, database), folder)
    out.print(f"wrote {page}", markup=False, soft_wrap=True)


@app.command(
    rich_help_panel=RUN,
    epilog=epilog(
        {"mnist-kit join final_grades.csv -o out": "Compare the points of `otter grade` with those in out/."}
    ),
)
def join(grades: Grades, output: Output = Path("out")) -> None:
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


@app.command(
    rich_help_panel=WRITTEN,
    epilog=epilog({"mnist-kit review out --reviewer ann --reviewer ben": "Two reviewers, who share the work."}),
)
def review(
    folder: Class = Path("out"), reviewers: Reviewers = None, port: Port = 8765, database: Database = None
) -> None:
    """Mark the written answers in the browser.

    Prints a link for each reviewer, and serves only this machine until Ctrl-C. Every mark is stored at once.
    """
    from autograder.review import serve
    from autograder.review.class_review import open_review

    with open_review(folder, database, reviewers or ()) as opened, serve.listening(opened, port) as server:
        for reviewer, link in server.links.items():
            out.print(f"{reviewer}: {link}", markup=False, soft_wrap=True)
        err.print("Serving only this machine until Ctrl-C. Anybody who has a link can mark in its owner's name.")
        server.run()
    err.print("The marks are in the gradebook.")


@app.command(
    rich_help_panel=WRITTEN,
    epilog=epilog(
        {"mnist-kit requests out --import requests.csv": "Adds new requests, and writes all with their replies."}
    ),
)
def requests(
    folder: Class = Path("out"),
    new: Requests = None,
    roster: Roster = None,
    database: Database = None,
) -> None:
    """Import regrade requests and write out the replies.

    Students' requests go to the reviewers, who reply in `mnist-kit review`. All of them, with the replies and the
    points before and after, are written to FOLDER/export/requests.csv.
    """
    from autograder.report import result_files
    from autograder.review import class_review

    replies = class_review.exchange_requests(new, folder, database, roster)
    path = result_files.write(folder / "export" / "requests.csv", replies)
    out.print(f"wrote {path}", markup=False, soft_wrap=True)
