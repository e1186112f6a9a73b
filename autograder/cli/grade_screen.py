"""A run of `mnist-kit grade` on the screen: its progress, the question after a regrade, and its result."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import typer

from autograder.cli.shell import EXIT_USAGE, err, out, progress_bar
from autograder.commands.grade import GradeObserver, GradeResult
from autograder.gradebook.gradebook import GradeChange, KitChange
from autograder.judge.grade_report import GradeReport
from autograder.report import terminal
from autograder.text import printable

__all__ = ["GradeScreen"]


class GradeScreen(GradeObserver):
    """Shows a run. Close it to end the progress bar.

    `regrade` asks a person whether the new points should count, unless `yes` says so.
    """

    def __init__(self, regrade: bool, yes: bool) -> None:
        self._regrade = regrade
        self._yes = yes
        self._bar = progress_bar("grading")

    def started(self, total: int, known: int, *, built: bool, kit_change: KitChange | None) -> None:
        if built:
            err.print("The autograder zip was missing or stale, so it was built first.")
        if known:
            err.print(f"{known} of {total} were graded before, by this kit and this grading.yml.")
        if kit_change:
            err.print(
                f"Graded again: {kit_change.submissions} of {total}, because the code that determines points has "
                f"changed since (kit {kit_change.before or 'of an earlier version'} → {kit_change.now}).",
            )
        if known < total:
            self._bar.start()
            self._bar.add_task("grade", total=total - known, last="")

    def graded(self, report: GradeReport) -> None:
        self._bar.update(self._bar.task_ids[0], advance=1, last=printable(report.name)[:30])

    def accepts(self, changes: Sequence[GradeChange]) -> bool:
        """Show the changes; after a regrade, ask. If nobody can be asked, the results wait for --yes."""
        self.close()
        if changes:
            err.print(terminal.changed_points(changes))
        elif self._regrade:
            err.print("No points change.")
        if self._yes or not changes or not self._regrade:
            return True
        if not sys.stdin.isatty():
            err.print("Nothing was replaced. To let these points count, run the same command again with --yes.")
            raise typer.Exit(EXIT_USAGE)
        accepted = typer.confirm("Let these points count?", err=True)
        if not accepted:
            err.print("Nothing was replaced.")
        return accepted

    def show(self, result: GradeResult) -> None:
        """Print the table, the remarks, and where the report is."""
        out.print(terminal.class_grades(result.reports, result.policy))
        out.print(terminal.legend(), style="dim")
        if remarks := terminal.remarks(result.reports):
            out.print(f"\n{remarks}\n", markup=False)
        if timing := terminal.timing(result.seconds):
            err.print(timing, style="dim")
        out.print(f"Report: {result.page}", markup=False, soft_wrap=True)
        ungraded = sum(not report.complete for report in result.reports)
        if ungraded:
            err.print(f"{ungraded} of {len(result.reports)} could not be graded; the report says why.", style="red")

    def close(self) -> None:
        if self._bar.live.is_started:
            self._bar.stop()
