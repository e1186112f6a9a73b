"""What the commands of `mnist-kit` can be given, in words for those who read `--help`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "CORES",
    "RUN",
    "TERM",
    "UPKEEP",
    "WRITTEN",
    "Base",
    "CanvasFile",
    "Check",
    "Class",
    "Column",
    "DatasetName",
    "Docker",
    "Grades",
    "Output",
    "Port",
    "Published",
    "Regrade",
    "Requests",
    "Reviewers",
    "Roster",
    "Runs",
    "SampleFolder",
    "Scheduler",
    "Server",
    "Submissions",
    "Timeout",
    "Unsafe",
    "Workers",
    "Yes",
    "Zip",
    "epilog",
]

TERM, RUN, WRITTEN, UPKEEP = "Each term", "Each assignment run", "Written answers", "Upkeep"
"""The panels that commands stand in."""

ELSEWHERE = "On other machines"
"""The panel of options that few need."""

CORES = os.cpu_count() or 1


def epilog(examples: Mapping[str, str], ending: str = "") -> str:
    """Examples, each a call and what it does, and perhaps a last paragraph; Markdown."""
    lines = [f"- `{call}`  \n  {does}" for call, does in examples.items()]
    return "\n".join(["Examples:" if len(lines) > 1 else "Example:", "", *lines, "", ending]).strip()


# Files that are wrong are told by what reads them; Typer would say less of them (readable=False).
Submissions = Annotated[
    list[Path],
    typer.Argument(
        metavar="SUBMISSION",
        readable=False,
        help="Notebooks (.ipynb), folders of them, or zip files as Gradescope and Canvas give them out.",
    ),
]
Class = Annotated[
    Path,
    typer.Argument(
        metavar="FOLDER", readable=False, help="Where `mnist-kit grade` has put the results of the class (its `-o`)."
    ),
]
SampleFolder = Annotated[
    Path, typer.Argument(metavar="FOLDER", help="Where to write the notebooks; it is made where it is missing.")
]
Grades = Annotated[
    list[Path],
    typer.Argument(
        metavar="GRADES.csv",
        readable=False,
        help="`final_grades.csv` of `otter grade`, or the grades of one assignment, downloaded from Gradescope.",
    ),
]
Output = Annotated[
    Path,
    typer.Option(
        "-o", "--output", metavar="FOLDER", help="Where the results go. One folder for each class and term is best."
    ),
]
Workers = Annotated[
    int,
    typer.Option(
        "-n",
        "--workers",
        min=1,
        metavar="N",
        help="How many notebooks to run at once; each takes a core, and 1 to 2 GB.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=1,
        metavar="SECONDS",
        help="How long one notebook may run, where that is not what `execution.timeout_s` in grading.yml says.",
    ),
]
Regrade = Annotated[
    bool,
    typer.Option(
        "--regrade", metavar="", help="Grade everything again, show whose points would change, and ask before they do."
    ),
]
Yes = Annotated[
    bool, typer.Option("--yes", metavar="", help="With `--regrade`: let the new points count without asking.")
]
Server = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="MNIST_KIT_DATABASE",
        rich_help_panel=ELSEWHERE,
        help="Keep the gradebook on a PostgreSQL server, for reviewers on several machines: "
        "`postgresql://USER@HOST/NAME`. Without it, it is the file gradebook.db in the folder of the results.",
    ),
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        rich_help_panel=ELSEWHERE,
        help="Have the workers of a Dask scheduler grade: `tcp://HOST:8786`.",
    ),
]
Docker = Annotated[
    bool,
    typer.Option(
        "--docker",
        metavar="",
        rich_help_panel=ELSEWHERE,
        help="Grade in one container without a network. macOS and Windows need this.",
    ),
]
Base = Annotated[
    str | None,
    typer.Option(
        "--image",
        metavar="BASE",
        rich_help_panel=ELSEWHERE,
        help="With `--docker`: the image to start from, any Debian or Ubuntu; else `python:3.12-slim-bookworm`.",
    ),
]
Unsafe = Annotated[
    bool,
    typer.Option(
        "--unsafe-no-sandbox",
        metavar="",
        rich_help_panel=ELSEWHERE,
        help="Run notebooks unconfined, with all your rights. Only for notebooks that you wrote.",
    ),
]
Check = Annotated[
    bool,
    typer.Option(
        "--check", metavar="", help="Write nothing; say which generated files are stale. Exit code 1 where one is."
    ),
]
Runs = Annotated[
    int, typer.Option("--runs", metavar="N", help="How often to train the solution; 8 at least, 30 tell more.")
]
Reviewers = Annotated[
    list[str] | None,
    typer.Option(
        "--reviewer",
        metavar="NAME",
        help="One more reviewer beside those of grading.yml; may be given again. Each gets a link of their own.",
    ),
]
Port = Annotated[
    int,
    typer.Option(
        "--port", min=0, max=65535, metavar="PORT", help="Where to serve on this machine. Where it is taken, or 0: any."
    ),
]
Roster = Annotated[
    Path | None,
    typer.Option(
        "--roster",
        metavar="CSV",
        readable=False,
        help="The class list, with columns such as name, id, email, file: says whose each submission is.",
    ),
]
CanvasFile = Annotated[
    Path | None,
    typer.Option(
        "--canvas",
        metavar="CSV",
        readable=False,
        help="Canvas's own gradebook (Grades, Export Entire Gradebook). The assignment's column is filled in a copy.",
    ),
]
Column = Annotated[
    str | None,
    typer.Option(
        "--column",
        metavar="NAME",
        help="With `--canvas`: the column to fill, by its head or the number in it, where it has another title than "
        "grading.yml.",
    ),
]
Requests = Annotated[
    Path | None,
    typer.Option(
        "--take",
        metavar="CSV",
        readable=False,
        help="Requests to put before the reviewers; columns question, text, and submission, email or id.",
    ),
]
Zip = Annotated[
    Path | None,
    typer.Option("--zip", metavar="ZIP", readable=False, help="Look at this autograder zip instead of the machine."),
]
DatasetName = Annotated[
    str, typer.Argument(metavar="DATASET", help="The dataset, as grading.yml names it, such as fashion_mnist.")
]
Published = Annotated[
    Path | None,
    typer.Option("--from", metavar="FOLDER", readable=False, help="The folder of the four files it was published as."),
]
