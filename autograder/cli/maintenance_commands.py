"""The commands about the kit itself: doctor, demo, sample-class."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.cli.grade_command import run_grade
from autograder.cli.shell import (
    CORES,
    GRADE_EXIT_CODES,
    UPKEEP,
    Output,
    Timeout,
    Workers,
    argument,
    epilog,
    err,
    option,
    out,
)
from autograder.layout import HOME

__all__ = ["app"]

app = typer.Typer()

Zip = Annotated[Path | None, option("--zip", "ZIP", "Check this autograder zip instead of the machine.")]
SampleFolder = Annotated[Path, argument("FOLDER", "Where to write the notebooks; it is created if it does not exist.")]


@app.command(
    rich_help_panel=UPKEEP,
    epilog=epilog(
        {"mnist-kit doctor --zip dist/autograder.zip": "Before you upload it to Gradescope."},
        "Exit code 0: no errors. 1: errors; the messages say what to do.",
    ),
)
def doctor(archive: Zip = None) -> None:
    """Check that this machine can grade safely.

    Lists what confines students' code, which of it is required, and how to get what is missing.
    """
    from autograder.cli.findings_screen import findings_table
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
    out.print(findings_table(findings))
    out.print(bad if errors else good, style="red" if errors else "green", markup=False)
    raise typer.Exit(1 if errors else 0)


@app.command(rich_help_panel=UPKEEP, epilog=epilog({"mnist-kit demo": "Then open out/index.html."}, GRADE_EXIT_CODES))
def demo(output: Output = Path("out"), workers: Workers = CORES, timeout_s: Timeout = 60) -> None:
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


@app.command(
    "sample-class",
    rich_help_panel=UPKEEP,
    epilog=epilog({"mnist-kit sample-class try-these/": "Then: mnist-kit grade try-these/"}),
)
def sample_class(folder: SampleFolder = Path("dist/class")) -> None:
    """Write the class of the demo, to try things with it."""
    from autograder.authoring import bundled_class

    paths = bundled_class.write(HOME, folder)
    out.print(f"wrote {len(paths)} notebooks into {folder}", markup=False)
