"""The command `mnist-kit`: parse, call one function, render, exit code. No logic."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from autograder.errors import WITH_DOCKER, GradebookError, IsolationError, KitError, SubmissionError
from autograder.layout import HOME
from autograder.lean import leave_out

if TYPE_CHECKING:
    from autograder.session import Request, Session

__all__ = ["app", "main"]

EXIT_USAGE = 2
"""A mistake in grading.yml, in the master, or in what was asked for; the message says which."""

EXIT_UNGRADED = 3
"""The run went through, but at least one submission could not be graded."""

EXIT_CODES = (
    "Exit code 0: every submission has a grade. 2: nothing was graded, and the message says why. "
    "3: some submissions could not be graded, through no fault of theirs; the report says which."
)

CORES = os.cpu_count() or 1
Output = Annotated[Path, typer.Option("-o", "--output", help="Where the results go.")]
Class = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of the graded class.")]
Server = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        envvar="MNIST_KIT_DATABASE",
        help="The gradebook on a PostgreSQL server, postgresql://USER@HOST/NAME, in place of the file in the folder.",
    ),
]
Workers = Annotated[int, typer.Option("-n", "--workers", min=1, help="How many at once.")]
Timeout = Annotated[
    float | None, typer.Option("--timeout", min=1, help="Seconds for one notebook, instead of grading.yml's.")
]

app = typer.Typer(
    help="Build one deep-learning assignment, hand it out, and grade a class of any size.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Entry point; every error the kit raises on purpose becomes one message and exit code 2.

    SIGTERM is an ordinary way out: what runs is ended, what was written stays.
    """
    leave_out()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        app()
    except KitError as error:
        err.print(f"mnist-kit: {error}", markup=False)
        sys.exit(EXIT_USAGE)


@app.command()
def build(
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; fail if a committed generated file is stale.")
    ] = False,
) -> None:
    """Make the template, the solution and the autograder zip from exercise.md and grading.yml."""
    from autograder import build as builder

    built = builder.build(HOME)
    if check:
        old = builder.stale(built, HOME)
        for path in old:
            err.print(
                f"{path.relative_to(HOME.root)} is not what the master makes: run `mnist-kit build`, and commit it."
            )
        raise typer.Exit(1 if old else 0)
    for path in builder.write(built, HOME):
        out.print(f"wrote {path.relative_to(HOME.root)}", markup=False)


@app.command()
def data(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="As in grading.yml, such as fashion_mnist.")],
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Where the four files are that it was published as.")
    ] = None,
) -> None:
    """Make the file of images of another dataset, from Debian's package, Keras's cache, or a folder."""
    from autograder import idx

    made = idx.provide(HOME, dataset, source)
    path = HOME.data(dataset).relative_to(HOME.root)
    out.print(f"wrote {path}" if made else f"{path} is there, and it is what was published", markup=False)


@app.command("sample-class")
def sample_class(
    folder: Annotated[Path, typer.Argument(help="Where to write the notebooks.")] = Path("dist/class"),
) -> None:
    """Write the bundled class: right answers, typical mistakes, broken files."""
    from autograder import classroom

    paths = classroom.write(HOME, folder)
    out.print(f"wrote {len(paths)} notebooks into {folder}", markup=False)


@app.command(epilog=EXIT_CODES)
def grade(
    submissions: Annotated[list[Path], typer.Argument(help="Notebooks, folders of them, or zip files.")],
    output: Output = Path("out"),
    workers: Workers = CORES,
    timeout_s: Timeout = None,
    regrade: Annotated[
        bool, typer.Option("--regrade", help="Grade all of it again; show which points change, and ask.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --regrade: let the new points count without asking.")
    ] = False,
    scheduler: Annotated[
        str | None,
        typer.Option("--dask", metavar="ADDRESS", help="Have the workers of a Dask scheduler grade, tcp://HOST:8786."),
    ] = None,
    database: Server = None,
    unsafe: Annotated[
        bool, typer.Option("--unsafe-no-sandbox", help="Run student code unconfined. Only for notebooks you wrote.")
    ] = False,
    docker: Annotated[
        bool, typer.Option("--docker", help="Grade in one container without a network; macOS and Windows need this.")
    ] = False,
    base: Annotated[
        str | None, typer.Option("--image", metavar="BASE", help="With --docker: the image to start from.")
    ] = None,
) -> None:
    """Grade submissions: a table, one results.json and feedback page each, grades.csv.

    Results are kept in gradebook.db in the output folder as they come. Run the same command again to go on after
    an interruption, or to grade only what changed.
    """
    if docker:
        if database is not None:
            raise GradebookError(f"{database}: a container without a network reaches no server; leave out --database.")
        given = {"--timeout": timeout_s, "--regrade": regrade, "--yes": yes}
        _grade_in_container(submissions, output, workers, given, base)
        return
    try:
        from autograder.session import Request
    except ModuleNotFoundError as error:  # Windows has no such modules
        raise IsolationError(f"student code cannot be confined on this system ({error}).\n{WITH_DOCKER}") from error
    _grade(Request(tuple(submissions), output, workers, timeout_s, unsafe, regrade, scheduler, database), yes=yes)


@app.command(epilog=EXIT_CODES)
def demo(output: Output = Path("out"), workers: Workers = CORES, timeout_s: Timeout = 60) -> None:
    """Write the bundled class and grade it; its notebooks are the kit's own, so an unconfined machine will do."""
    from autograder import classroom, isolation
    from autograder.session import Request

    folder = HOME.dist / "class"
    classroom.write(HOME, folder)
    unsafe = bool(isolation.examine().missing)
    if unsafe:
        err.print("UNTRUSTED: this machine cannot confine student code. The bundled notebooks are run all the same; "
                  "`mnist-kit doctor` says what is missing.", style="bold red")  # fmt: skip
    _grade(Request((folder,), output, workers, timeout_s, unsafe))


@app.command()
def calibrate(
    count: Annotated[int, typer.Option("--runs", help="How often to train the solution.")] = 30,
    workers: Workers = CORES,
) -> None:
    """Train the solution many times, and say how often a correct submission misses each accuracy of grading.yml.

    Writes solutions/calibration.json, and the distribution as a picture beside it.
    """
    from autograder import calibrate as runner
    from autograder import tail
    from autograder.calibration import Calibration, Run
    from autograder.report import calibration as pages

    plan = runner.Plan.of(HOME, count, workers)
    runs: list[Run] = []
    with Progress(*_columns("training"), console=err) as progress:
        task = progress.add_task("train", total=len(plan.seeds), last="")
        for run in runner.train(plan):
            runs.append(run)
            progress.update(task, advance=1, last=f"seed {run.seed}: {run.accuracy:.2%}")
    found = Calibration.of(plan.origin, runs)
    written = [runner.store(HOME.calibration, found.to_json().encode())]
    fitted, levels = tail.fit(found.accuracies), runner.levels(plan.policy, found.reference)
    written.append(runner.store(HOME.calibration_plot, pages.picture(found, fitted, levels)))
    out.print(pages.screen(found, fitted, levels))
    for path in written:
        out.print(f"wrote {path.relative_to(HOME.root)}", markup=False)


@app.command()
def join(
    grades: Annotated[
        list[Path], typer.Argument(metavar="GRADES.csv", help="final_grades.csv of `otter grade`, or Gradescope's.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the graded class.")] = Path("out"),
) -> None:
    """Join grades that were made elsewhere to the gradebook, and compare them with what counts here.

    A row goes to the submission of its name, or in whose name its email or SID stands. Points here stay as they are.
    """
    from autograder import joining
    from autograder.report import table

    compared = joining.join(grades, output)
    out.print(table.joins(compared))
    if said := table.join_remarks(compared):
        out.print(said, markup=False)


@app.command()
def review(
    folder: Class = Path("out"),
    reviewers: Annotated[
        list[str] | None, typer.Option("--reviewer", metavar="NAME", help="One more reviewer; may be given again.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8765,
    database: Server = None,
) -> None:
    """Mark the written answers in the browser: prints a link for each reviewer, and serves until Ctrl-C."""
    from autograder import reviewing
    from autograder.review import serve

    with reviewing.desk(folder, database, reviewers or ()) as desk, serve.listening(desk, port) as site:
        for reviewer, link in site.links.items():
            out.print(f"{reviewer}: {link}", markup=False, soft_wrap=True)
        err.print(
            "Serving on this machine alone until Ctrl-C. A link lets in whoever has it: give each reviewer their own."
        )
        site.run()
    err.print("The marks are in the gradebook.")


@app.command()
def export(
    folder: Class = Path("out"),
    roster: Annotated[
        Path | None, typer.Option("--roster", metavar="CSV", help="The class list: names, ids, emails, file names.")
    ] = None,
    canvas: Annotated[
        Path | None, typer.Option("--canvas", metavar="CSV", help="Canvas's gradebook export; its column is filled.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--column", metavar="NAME", help="The column of that file, where the title is not it.")
    ] = None,
    database: Server = None,
) -> None:
    """Write the gradebook for others: grades.csv, Canvas's file, a feedback page for each student and a zip of them."""
    from autograder import export as exporter
    from autograder import reviewing

    seen = reviewing.reviewed(folder, database)
    made = exporter.export(seen.reports, seen.policy, folder / "export", roster=roster, canvas=canvas, column=column)
    pages = [path for path in made.paths if path.suffix == ".html"]
    for path in (each for each in made.paths if each not in pages):
        out.print(f"wrote {path}", markup=False, soft_wrap=True)
    out.print(f"wrote {len(pages)} feedback pages into {folder / 'export' / 'feedback'}", markup=False, soft_wrap=True)
    if made.remarks:
        err.print(made.remarks, markup=False)


@app.command()
def report(folder: Class = Path("out"), database: Server = None) -> None:
    """Write report.html: the class as one page with its charts, to keep or to print."""
    from autograder import output, reviewing
    from autograder.report import course

    seen = reviewing.reviewed(folder, database)
    page = course.course_page(
        seen.reports,
        seen.policy,
        agreements=seen.agreements,
        progress=seen.progress,
        flagged=seen.flagged,
        made_at=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
    )
    out.print(f"wrote {output.write_report(page, folder)}", markup=False, soft_wrap=True)


@app.command()
def requests(
    folder: Class = Path("out"),
    take: Annotated[
        Path | None, typer.Option("--take", metavar="CSV", help="Requests to put before the reviewers.")
    ] = None,
    roster: Annotated[
        Path | None, typer.Option("--roster", metavar="CSV", help="The class list, where requests have emails or ids.")
    ] = None,
    database: Server = None,
) -> None:
    """Take students' regrade requests in, and write all of them with the replies to export/requests.csv."""
    from autograder import output, reviewing

    path = output.write_requests(reviewing.take_requests(take, folder, database, roster), folder)
    out.print(f"wrote {path}", markup=False, soft_wrap=True)


@app.command()
def doctor(
    archive: Annotated[
        Path | None, typer.Option("--zip", metavar="ZIP", help="Look at this autograder zip instead.")
    ] = None,
) -> None:
    """Say what this machine offers to confine student code, what is missing, and how to get it."""
    from autograder import inspection, isolation
    from autograder.report import checkup

    if archive is not None:
        findings = inspection.inspect(archive)
        out.print(checkup.of_zip(archive, findings))
        raise typer.Exit(1 if any(finding.wrong for finding in findings) else 0)
    examination = isolation.examine()
    out.print(checkup.screen(examination))
    raise typer.Exit(1 if examination.missing else 0)


def _grade(request: Request, *, yes: bool = False) -> None:
    from autograder.report import table
    from autograder.session import Session

    with Session(request) as session:
        if session.built:
            err.print("The autograder zip was missing or older than grading.yml or exercise.md: it was built first.")
        if session.known:
            err.print(f"{session.known} of {session.total} were graded before, by this kit and this grading.yml.")
        with Progress(*_columns("grading"), console=err, disable=session.known == session.total) as progress:
            task = progress.add_task("grade", total=session.total - session.known, last="")
            for report in session.grade():
                progress.update(task, advance=1, last=table.printable(report.name)[:30])
        if session.changes:
            err.print(table.changes(session.changes))
        if request.regrade:
            _decide(session, yes)
        reports, page = session.publish()
        policy, spent = session.policy, table.phases(session.seconds)
    out.print(table.screen(reports, policy))
    out.print("• waits for a reader   – no answer   ? could not be graded", style="dim")
    if said := table.remarks(reports):
        out.print(f"\n{said}\n", markup=False)
    if spent:
        err.print(spent, style="dim")
    out.print(f"Report: {page}", markup=False, soft_wrap=True)
    open_cases = sum(not report.complete for report in reports)
    if open_cases:
        err.print(f"{open_cases} of {len(reports)} could not be graded; the report says why.", style="red")
        raise typer.Exit(EXIT_UNGRADED)


def _columns(what: str) -> tuple[ProgressColumn, ...]:
    """A progress bar: what is being done, how far it is, and the `last` thing that was done."""
    return (
        TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"),
        TimeRemainingColumn(), TextColumn("{task.fields[last]}", markup=False),
    )  # fmt: skip


def _grade_in_container(
    submissions: Sequence[Path], output: Path, workers: int, given: Mapping[str, float | bool | None], base: str | None
) -> None:
    """Hand the batch, and the options that were given, to `mnist-kit grade` in a container."""
    from autograder import build as builder
    from autograder import container, grading_file

    if builder.is_stale(HOME):
        builder.write(builder.build(HOME), HOME)
    missing = [path for path in submissions if not path.exists()]
    if missing:
        raise SubmissionError(f"{missing[0]}: no such file or folder")
    execution = grading_file.load(HOME.policy).execution
    with err.status("preparing the image (minutes the first time)"):
        tag = container.image(HOME.zip, base or container.BASE)
    options: list[str] = []
    for option, value in given.items():
        if value:
            options += [option] if value is True else [option, f"{value:g}"]
    code = container.Container(tag, workers, execution).grade(submissions, output, options)
    out.print(f"On this machine: {output / 'index.html'}", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _decide(session: Session, yes: bool) -> None:
    """Ask whether the results of a regrade are to count; without anybody to ask they wait for --yes."""
    if not session.changes:
        err.print("No points change.")
    elif not yes and not sys.stdin.isatty():
        err.print("Nothing was replaced. To let these points count, run the same command again with --yes.")
        raise typer.Exit(EXIT_USAGE)
    elif not yes and not typer.confirm("Let these points count?", err=True):
        session.reject()
        err.print("Nothing was replaced.")
        return
    session.accept()
