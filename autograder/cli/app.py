"""The command `mnist-kit`: parse, call one function, render, exit code. No logic."""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

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

from autograder.cli import options
from autograder.engine.environment import lacking
from autograder.engine.slow_imports import hide
from autograder.errors import KitError, SubmissionError
from autograder.layout import HOME
from autograder.text import printable

if TYPE_CHECKING:
    from autograder.commands.grade import GradeOptions, GradeRun

__all__ = ["app", "main"]

EXIT_USAGE = 2
"""A mistake in grading.yml, in the master, or in what was asked for; the message says which."""

EXIT_UNGRADED = 3
"""The run went through, but at least one submission could not be graded."""

EXIT_CODES = (
    "Exit code 0: every submission has a grade. 2: nothing was graded, and the message says why. "
    "3: some submissions could not be graded, through no fault of theirs; the report says which."
)

WELCOME = """
`mnist-kit COMMAND --help` says more about each. To see it at work: `mnist-kit demo`. Before a term:
`mnist-kit new-term`.

Exit code 0: done. 2: not done, and the message says why and what to do; `grade`, `build` and `doctor` have a few more.
"""

app = typer.Typer(
    help="Build one deep-learning assignment, hand it out, and grade a class of any size.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    epilog=WELCOME,
)
out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def main() -> None:
    """Entry point; every error the kit raises on purpose becomes one message and exit code 2.

    SIGTERM is an ordinary way out: what runs is ended, what was written stays.
    """
    hide()
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        try:
            app()
        except ImportError as error:  # commands import what they need when they run
            raise lacking(error) from error
    except KitError as error:
        err.print(f"mnist-kit: {error}", markup=False)
        sys.exit(EXIT_USAGE)


@app.command(
    "new-term",
    rich_help_panel=options.TERM,
    epilog=options.epilog(
        {"mnist-kit new-term": "A minute or two later you know what to upload where."},
        "Exit code 0: all is well. 2: something is to be done first; it stands behind an arrow.",
    ),
)
def new_term() -> None:
    """Check, build and self-test all that a new term needs.

    Looks at Python, the packages, this machine and grading.yml, and says in words what grading.yml asks for. Builds,
    then has the zip grade the solution, which must get every automatic point, and the blank template, which must get
    none. Ends with what to upload where. Nothing of an earlier term is touched.
    """
    from autograder.cli import new_term_screen as pages
    from autograder.commands import new_term

    taken = []
    with out.status("looking at this machine") as status:
        for step in new_term.steps(HOME, Path.cwd(), date.today(), busy=status.update):
            taken.append(step)
            out.print(pages.line(step))
    out.print(pages.outcome(taken, new_term.uploads(HOME), HOME.root))
    raise typer.Exit(0 if all(step.well for step in taken) else EXIT_USAGE)


@app.command(
    rich_help_panel=options.TERM,
    epilog=options.epilog({"mnist-kit build": "After a change of grading.yml or assignment/exercise.md."}),
)
def build(check: options.Check = False) -> None:
    """Make the template, the solution and the autograder zip.

    From assignment/exercise.md and grading.yml. What to give to students is in dist/handout; what Gradescope and
    `otter grade` take is dist/autograder.zip.
    """
    from autograder.authoring import build as builder

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


@app.command(
    rich_help_panel=options.TERM,
    epilog=options.epilog(
        {
            "mnist-kit data fashion_mnist": "Once, where grading.yml names this dataset.",
            "mnist-kit data fashion_mnist --from ~/Downloads": "The four files, from a folder.",
        }
    ),
)
def data(dataset: options.DatasetName, source: options.Published = None) -> None:
    """Make the file of images of another dataset.

    Takes them from Debian's package of them, from Keras's cache, or from a folder, and tells if they are others than
    were published.
    """
    from autograder.data import idx_files

    made = idx_files.provide(HOME, dataset, source)
    path = HOME.data(dataset).relative_to(HOME.root)
    out.print(f"wrote {path}" if made else f"{path} is there, and it is what was published", markup=False)


@app.command(
    rich_help_panel=options.TERM,
    epilog=options.epilog({"mnist-kit calibrate --runs 60": "Twice as many runs as usual, for a finer answer."}),
)
def calibrate(count: options.Runs = 30, workers: options.Workers = options.CORES) -> None:
    """Find out which accuracies are safe to ask for.

    Trains the solution many times, each from another seed, and says how often a correct submission would miss each
    accuracy of grading.yml. Takes some ten seconds a run. Writes solutions/calibration.json, and a picture beside it.
    """
    from autograder.calibration import miss_rate
    from autograder.calibration.calibration import Calibration, TrainingRun
    from autograder.commands import calibrate as runner
    from autograder.report import calibration as pages

    plan = runner.CalibrationPlan.of(HOME, count, workers)
    runs: list[TrainingRun] = []
    with Progress(*_columns("training"), console=err) as progress:
        task = progress.add_task("train", total=len(plan.seeds), last="")
        for run in runner.train(plan):
            runs.append(run)
            progress.update(task, advance=1, last=f"seed {run.seed}: {run.accuracy:.2%}")
    found = Calibration.of(plan.origin, runs)
    written = [runner.store(HOME.calibration, found.to_json().encode())]
    fitted, levels = miss_rate.fit(found.accuracies), runner.levels(plan.policy, found.reference)
    written.append(runner.store(HOME.calibration_plot, pages.picture(found, fitted, levels)))
    out.print(pages.screen(found, fitted, levels))
    for path in written:
        out.print(f"wrote {path.relative_to(HOME.root)}", markup=False)


@app.command(
    rich_help_panel=options.RUN,
    epilog=options.epilog(
        {
            "mnist-kit grade submissions.zip -o out-fall-2026": "A whole class, as downloaded.",
            "mnist-kit grade submissions/ --regrade": "All of it once more, after a change of the rules.",
            "mnist-kit grade --docker submissions/": "On macOS or Windows.",
        },
        EXIT_CODES,
    ),
)
def grade(
    submissions: options.Submissions,
    output: options.Output = Path("out"),
    workers: options.Workers = options.CORES,
    timeout_s: options.Timeout = None,
    regrade: options.Regrade = False,
    yes: options.Yes = False,
    scheduler: options.Scheduler = None,
    database: options.Server = None,
    unsafe: options.Unsafe = False,
    docker: options.Docker = False,
    base: options.Base = None,
) -> None:
    """Grade notebooks: a table, feedback pages, grades.csv.

    Results are kept as they come. Run the same command again to go on after an interruption, or after new files came
    in: only what is new or changed is graded. Open index.html in the output folder to see the class.
    """
    _demand_together(yes, "--yes", regrade, "--regrade")
    _demand_together(base is not None, "--image", docker, "--docker")
    if docker:
        _demand_apart({"--database": database, "--dask": scheduler, "--unsafe-no-sandbox": unsafe})
        given = {"--timeout": timeout_s, "--regrade": regrade, "--yes": yes}
        _grade_in_container(submissions, output, workers, given, base)
        return
    from autograder.commands.grade import GradeOptions

    _grade(GradeOptions(tuple(submissions), output, workers, timeout_s, unsafe, regrade, scheduler, database), yes=yes)


@app.command(
    rich_help_panel=options.RUN,
    epilog=options.epilog(
        {
            "mnist-kit export out --roster class.csv": "By the class list.",
            "mnist-kit export out --canvas grades.csv": "Canvas's file filled in, as out/export/canvas.csv.",
        }
    ),
)
def export(
    folder: options.Class = Path("out"),
    roster: options.Roster = None,
    canvas: options.CanvasFile = None,
    column: options.Column = None,
    database: options.Server = None,
) -> None:
    """Write grades and feedback for Canvas and for students.

    Into FOLDER/export: grades.csv, and a feedback page for each student, alone and in feedback.zip. Answers that
    nobody has marked yet are named.
    """
    _demand_together(column is not None, "--column", canvas is not None, "--canvas")
    from autograder.commands import export as exporter
    from autograder.review import class_review

    seen = class_review.marked_class(folder, database)
    made = exporter.export(seen.reports, seen.policy, folder / "export", roster=roster, canvas=canvas, column=column)
    pages = [path for path in made.paths if path.suffix == ".html"]
    for path in (each for each in made.paths if each not in pages):
        out.print(f"wrote {path}", markup=False, soft_wrap=True)
    out.print(f"wrote {len(pages)} feedback pages into {folder / 'export' / 'feedback'}", markup=False, soft_wrap=True)
    if made.remarks:
        err.print(made.remarks, markup=False)


@app.command(
    rich_help_panel=options.RUN,
    epilog=options.epilog({"mnist-kit report out": "Writes out/report.html."}),
)
def report(folder: options.Class = Path("out"), database: options.Server = None) -> None:
    """Write one page about the class, with charts.

    FOLDER/report.html, to keep or to print: points, questions, what was often wrong, how far the reviewers agree.
    """
    from autograder.report import class_report, result_files
    from autograder.review import class_review

    seen = class_review.marked_class(folder, database)
    page = class_report.course_page(
        seen.reports,
        seen.policy,
        agreements=seen.agreements,
        progress=seen.progress,
        flagged=seen.flagged,
        made_at=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z"),
    )
    out.print(f"wrote {result_files.write_report(page, folder)}", markup=False, soft_wrap=True)


@app.command(
    rich_help_panel=options.RUN,
    epilog=options.epilog({"mnist-kit join final_grades.csv -o out": "Points of `otter grade` beside those of out/."}),
)
def join(grades: options.Grades, output: options.Output = Path("out")) -> None:
    """Compare with grades made by Otter or Gradescope.

    They are kept beside the gradebook in the output folder, and the differences shown. A row goes to the submission of
    its name, or in whose name its email or SID stands. Points here stay as they are.
    """
    from autograder.commands import join
    from autograder.report import table

    compared = join.join(grades, output)
    out.print(table.joins(compared))
    if said := table.join_remarks(compared):
        out.print(said, markup=False)


@app.command(
    rich_help_panel=options.WRITTEN,
    epilog=options.epilog({"mnist-kit review out --reviewer ann --reviewer ben": "Two reviewers, who share the work."}),
)
def review(
    folder: options.Class = Path("out"),
    reviewers: options.Reviewers = None,
    port: options.Port = 8765,
    database: options.Server = None,
) -> None:
    """Mark the written answers in the browser.

    Prints a link for each reviewer, and serves on this machine alone until Ctrl-C. Every mark is kept as it is given.
    """
    from autograder.review import serve
    from autograder.review.class_review import open_review

    with open_review(folder, database, reviewers or ()) as opened, serve.listening(opened, port) as server:
        for reviewer, link in server.links.items():
            out.print(f"{reviewer}: {link}", markup=False, soft_wrap=True)
        err.print(
            "Serving on this machine alone until Ctrl-C. A link lets in whoever has it: give each reviewer their own."
        )
        server.run()
    err.print("The marks are in the gradebook.")


@app.command(
    rich_help_panel=options.WRITTEN,
    epilog=options.epilog({"mnist-kit requests out --take requests.csv": "New ones in, all with their replies out."}),
)
def requests(
    folder: options.Class = Path("out"),
    take: options.Requests = None,
    roster: options.Roster = None,
    database: options.Server = None,
) -> None:
    """Take regrade requests in, and write out the replies.

    Students' requests to look at a mark again go to the reviewers, who reply in `mnist-kit review`. All of them, with
    the replies and the points before and after, are written to FOLDER/export/requests.csv.
    """
    from autograder.report import result_files
    from autograder.review import class_review

    path = result_files.write_requests(class_review.exchange_requests(take, folder, database, roster), folder)
    out.print(f"wrote {path}", markup=False, soft_wrap=True)


@app.command(
    rich_help_panel=options.UPKEEP,
    epilog=options.epilog(
        {"mnist-kit doctor --zip dist/autograder.zip": "Before you upload it to Gradescope."},
        "Exit code 0: nothing is missing. 1: something is, and it says how to get it.",
    ),
)
def doctor(archive: options.Zip = None) -> None:
    """Say what this machine lacks to run notebooks safely.

    Lists what can confine students' code, which of it is needed, and how to get what is missing.
    """
    from autograder.authoring import zip_check
    from autograder.cli import doctor_screen
    from autograder.engine import isolation

    if archive is not None:
        findings = zip_check.inspect(archive)
        out.print(doctor_screen.of_zip(archive, findings))
        raise typer.Exit(1 if any(finding.wrong for finding in findings) else 0)
    examination = isolation.examine()
    out.print(doctor_screen.screen(examination))
    raise typer.Exit(1 if examination.missing else 0)


@app.command(
    rich_help_panel=options.UPKEEP, epilog=options.epilog({"mnist-kit demo": "Then open out/index.html."}, EXIT_CODES)
)
def demo(
    output: options.Output = Path("out"),
    workers: options.Workers = options.CORES,
    timeout_s: options.Timeout = 60,
) -> None:
    """Grade a bundled class, to see how it all looks.

    Right answers, typical mistakes and broken files; two or three minutes. The notebooks are the kit's own, so a
    machine that cannot confine students' code will do.
    """
    from autograder.authoring import bundled_class
    from autograder.commands.grade import GradeOptions
    from autograder.engine import isolation

    folder = HOME.dist / "class"
    bundled_class.write(HOME, folder)
    unsafe = bool(isolation.examine().missing)
    if unsafe:
        err.print("UNTRUSTED: this machine cannot confine student code. The bundled notebooks are run all the same; "
                  "`mnist-kit doctor` says what is missing.", style="bold red")  # fmt: skip
    _grade(GradeOptions((folder,), output, workers, timeout_s, unsafe))


@app.command(
    "sample-class",
    rich_help_panel=options.UPKEEP,
    epilog=options.epilog({"mnist-kit sample-class try-these/": "Then: mnist-kit grade try-these/"}),
)
def sample_class(folder: options.SampleFolder = Path("dist/class")) -> None:
    """Write the class of the demo, to try things with it."""
    from autograder.authoring import bundled_class

    paths = bundled_class.write(HOME, folder)
    out.print(f"wrote {len(paths)} notebooks into {folder}", markup=False)


def _grade(request: GradeOptions, *, yes: bool = False) -> None:
    from autograder.commands.grade import GradeRun
    from autograder.report import table

    with GradeRun(request) as session:
        if session.built:
            err.print("The autograder zip was missing or older than grading.yml or exercise.md: it was built first.")
        if session.known:
            err.print(f"{session.known} of {session.total} were graded before, by this kit and this grading.yml.")
        with Progress(*_columns("grading"), console=err, disable=session.known == session.total) as progress:
            task = progress.add_task("grade", total=session.total - session.known, last="")
            for report in session.grade():
                progress.update(task, advance=1, last=printable(report.name)[:30])
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


def _demand_together(given: bool, option: str, other_given: bool, other: str) -> None:
    """An option that would do nothing is a slip that must not go unnoticed."""
    if given and not other_given:
        raise typer.BadParameter(f"It goes with {other}; add {other}, or leave {option} out.", param_hint=option)


def _demand_apart(given: Mapping[str, object]) -> None:
    """Raises for the first of these options that was given: a container has no use for it."""
    for option, value in given.items():
        if value:
            raise typer.BadParameter(
                f"A container without a network has no use for it; leave out {option}, or --docker.", param_hint=option
            )


def _grade_in_container(
    submissions: Sequence[Path], output: Path, workers: int, given: Mapping[str, float | bool | None], base: str | None
) -> None:
    """Hand the batch, and the options that were given, to `mnist-kit grade` in a container."""
    from autograder.authoring import build as builder
    from autograder.engine import docker
    from autograder.policy import grading_file

    if builder.is_stale(HOME):
        builder.write(builder.build(HOME), HOME)
    missing = [path for path in submissions if not path.exists()]
    if missing:
        raise SubmissionError(f"{missing[0]}: no such file or folder")
    execution = grading_file.load(HOME.policy).execution
    with err.status("preparing the image (minutes the first time)"):
        tag = docker.image(HOME.zip, base or docker.BASE)
    options: list[str] = []
    for option, value in given.items():
        if value:
            options += [option] if value is True else [option, f"{value:g}"]
    code = docker.Container(tag, workers, execution).grade(submissions, output, options)
    out.print(f"On this machine: {output / 'index.html'}", markup=False, soft_wrap=True)
    raise typer.Exit(code)


def _decide(session: GradeRun, yes: bool) -> None:
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
