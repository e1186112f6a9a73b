"""The commands for an assignment and the kit itself: new-term, build, data, calibrate, doctor, demo, sample-class."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.cli import shell
from autograder.cli.class_commands import run_grade
from autograder.cli.shell import argument, command, err, option, out, say
from autograder.layout import HOME

if TYPE_CHECKING:
    from autograder.commands.doctor import Finding

__all__ = ["term_result"]

COLOURS = {"ok": "green", "note": "default", "check": "yellow", "error": "red"}
TITLE_WIDTH = 17  # characters of a finding's longest title
Check = Annotated[
    bool, option("--check", "", "Write nothing; name the generated files that are stale. Exit code 1 if any is.")
]
Dataset = Annotated[str, argument("DATASET", "The dataset, as in grading.yml, such as fashion_mnist.")]
Published = Annotated[Path | None, option("--from", "FOLDER", "The folder with the four published files.")]
Runs = Annotated[int, option("--runs", "N", "How often to train the solution: at least 8; 30 give a better estimate.")]
Zip = Annotated[Path | None, option("--zip", "ZIP", "Check this autograder zip instead of the machine.")]
SampleFolder = Annotated[Path, argument("FOLDER", "Where to write the notebooks; it is created if it does not exist.")]


@command(
    shell.TERM,
    {"mnist-kit new-term": "After a minute or two you know what to upload where."},
    "Exit code 0: ready. 2: something must be done first; see the arrows.",
)
def new_term() -> None:
    """Check, build and self-test everything for a new term.

    Checks Python, the packages, this machine and grading.yml, and shows in words what grading.yml asks for. Builds, and
    has the zip grade the solution, which must get every automatic point, and the blank template, which must get none.
    Ends with what to upload where. Nothing of an earlier term is changed.
    """
    from autograder.commands import new_term

    findings = []
    with out.status("checking this machine") as status:
        for finding in new_term.prepare(HOME, Path.cwd(), date.today(), busy=status.update):
            findings.append(finding)
            out.print(_findings_table([finding]))
    out.print(term_result(findings, new_term.uploads(HOME), HOME.root))
    raise typer.Exit(shell.EXIT_USAGE if any(finding.status in ("check", "error") for finding in findings) else 0)


def _findings_table(findings: Iterable[Finding]) -> Table:
    """Return the findings, a row each: status, title, detail and remedy."""
    table = Table.grid(padding=(0, 2))
    table.add_column(width=5)
    table.add_column(width=TITLE_WIDTH)
    table.add_column(overflow="fold")
    for finding in findings:
        detail = "\n→ ".join(filter(None, (finding.detail, finding.remedy)))
        table.add_row(Text(finding.status, COLOURS[finding.status]), finding.title, Text(detail))
    return table


def term_result(findings: Sequence[Finding], uploads: Mapping[Path, str], root: Path) -> RenderableType:
    """Return what to do next: fix the errors or, if there are none, upload."""
    errors, checks = (sum(finding.status == status for finding in findings) for status in ("error", "check"))
    if errors:
        count = f"{errors} error{'' if errors == 1 else 's'}"
        return Text(f"\nNot ready: {count}. Do what the arrows say, and run mnist-kit new-term again.", "red")
    result = Text("\nReady.", "green")
    if checks:
        result = Text(f"\nReady, but check {checks} thing{'' if checks == 1 else 's'} above.", "yellow")
    table = Table.grid(padding=(0, 2))
    for path, where in uploads.items():
        table.add_row(path.relative_to(root).as_posix(), where)
    return Group(result, "What goes where:", table)


@command(shell.TERM, {"mnist-kit build": "After a change to grading.yml or assignment/exercise.md."})
def build(check: Check = False) -> None:
    """Build the template, the solution and the autograder zip.

    They are made from assignment/exercise.md and grading.yml. What students get is in dist/handout; what Gradescope and
    `otter grade` take is dist/autograder.zip.
    """
    from autograder.authoring import build as builder

    built = builder.build(HOME)
    if check:
        stale = builder.stale_files(built, HOME)
        for path in stale:
            err.print(f"{path.relative_to(HOME.root)} is stale: run `mnist-kit build`, and commit it.")
        raise typer.Exit(1 if stale else 0)
    for path in builder.write(built, HOME):
        say(f"wrote {path.relative_to(HOME.root)}")


@command(
    shell.TERM,
    {
        "mnist-kit data fashion_mnist": "Once, if grading.yml names this dataset.",
        "mnist-kit data fashion_mnist --from ~/Downloads": "The four files, from a folder.",
    },
)
def data(dataset: Dataset, source: Published = None) -> None:
    """Make the image file of another dataset.

    Takes the images from Debian's package, from Keras's cache or from a folder, and accepts only the published ones.
    """
    from autograder.data.dataset import provide

    made = provide(HOME, dataset, source)
    path = HOME.data(dataset).relative_to(HOME.root)
    say(f"wrote {path}" if made else f"{path} exists already, with the published images")


@command(shell.TERM, {"mnist-kit calibrate --runs 60": "Twice as many runs as usual, for a more precise answer."})
def calibrate(count: Runs = 30, workers: shell.Workers = shell.CORES) -> None:
    """Find out which accuracies are safe to ask for.

    Trains the solution many times, each with another seed, and shows how often a correct submission would miss each
    accuracy in grading.yml. A run takes about ten seconds. Writes solutions/calibration.json and a chart next to it.
    """
    from autograder.commands import calibrate as calibration
    from autograder.report.calibration_report import tables_and_advice

    plan = calibration.CalibrationPlan.of(HOME, count, workers)
    runs = []
    with shell.progress_bar("training") as progress:
        task = progress.add_task("train", total=len(plan.seeds), last="")
        for run in calibration.train(plan):
            runs.append(run)
            progress.update(task, advance=1, last=f"seed {run.seed}: {run.accuracy:.2%}")
    out.print(tables_and_advice(*calibration.finish(plan, runs)))
    for path in (HOME.calibration, HOME.calibration_plot):
        say(f"wrote {path.relative_to(HOME.root)}")


@command(
    shell.UPKEEP,
    {"mnist-kit doctor --zip dist/autograder.zip": "Before you upload it to Gradescope."},
    "Exit code 0: no errors. 1: errors; the messages say what to do.",
)
def doctor(archive: Zip = None) -> None:
    """Check that this machine can grade safely.

    Lists what confines students' code, which of it is required, and how to get what is missing.
    """
    from autograder.commands import doctor
    from autograder.engine import isolation

    if archive is None:
        findings = tuple(doctor.check_machine(isolation.examine()))
        good = "Student code can be confined here; mnist-kit grade will do it."
        bad = f"mnist-kit grade refuses to run here.\n{isolation.REMEDY}"
    else:
        findings = doctor.check_zip(archive)
        good, bad = f"{archive.name} can be uploaded.", f"Do not upload {archive.name} yet."
    errors = any(finding.is_error for finding in findings)
    out.print(_findings_table(findings))
    out.print(bad if errors else good, style="red" if errors else "green", markup=False)
    raise typer.Exit(1 if errors else 0)


@command(shell.UPKEEP, {"mnist-kit demo": "Then open out/index.html."}, shell.GRADE_EXIT_CODES)
def demo(
    output: shell.Output = Path("out"), workers: shell.Workers = shell.CORES, timeout_s: shell.Timeout = 60
) -> None:
    """Grade a bundled class, to see the kit at work.

    It has right answers, typical mistakes and broken files, and takes two or three minutes. The notebooks are the
    kit's own, so it runs even on a machine that cannot confine students' code.
    """
    from autograder.authoring import bundled_class
    from autograder.commands.grade import GradeOptions
    from autograder.engine import isolation

    folder = HOME.dist / "class"
    bundled_class.write(HOME, folder)
    unsafe = bool(isolation.examine().missing)
    if unsafe:
        err.print(
            "UNTRUSTED: this machine cannot confine student code; the bundled notebooks run all the same. "
            "`mnist-kit doctor` says what is missing.",
            style="bold red",
        )
    run_grade(GradeOptions((folder,), output, workers, timeout_s, unsafe))


@command(shell.UPKEEP, {"mnist-kit sample-class try-these/": "Then: mnist-kit grade try-these/"})
def sample_class(folder: SampleFolder = Path("dist/class")) -> None:
    """Write the class of the demo, to try things with it."""
    from autograder.authoring import bundled_class

    paths = bundled_class.write(HOME, folder)
    say(f"wrote {len(paths)} notebooks into {folder}")
