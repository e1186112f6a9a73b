"""What `mnist-kit new-term` shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.authoring.checklist import Step, StepStatus, Upload

__all__ = ["line", "outcome"]

COLOURS = {StepStatus.RIGHT: "green", StepStatus.NOTE: "default", StepStatus.LOOK: "yellow", StepStatus.WRONG: "red"}
WIDEST = 14
"""Characters of the longest `what` of a step."""


def line(step: Step) -> RenderableType:
    """One step; lines that are too long go on below their own column."""
    found = step.found + (f"\n→ {step.remedy}" if step.remedy else "")
    return _row(Text(step.mark, COLOURS[step.mark]), step.what, found)


def outcome(steps: Sequence[Step], uploads: Sequence[Upload], root: Path) -> RenderableType:
    """What is to be done first or, where nothing is wrong, what goes where."""
    wrong, look = (sum(step.mark is mark for step in steps) for mark in (StepStatus.WRONG, StepStatus.LOOK))
    if wrong:
        again = "Do what stands behind the arrows, and run mnist-kit new-term again."
        return Text(f"\nNot ready: {_count(wrong, 'thing is', 'things are')} wrong. {again}", "red")
    said = Text("\nReady.", "green")
    if look:
        said = Text(f"\nReady, but {_count(look, 'thing', 'things')} to look at above.", "yellow")
    table = Table.grid(padding=(0, 2))
    for upload in uploads:
        table.add_row(upload.path.relative_to(root).as_posix(), upload.where)
    return Group(said, "What goes where:", table)


def _row(mark: Text, what: str, found: str) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(width=5)
    table.add_column(width=WIDEST)
    table.add_column(overflow="fold")
    table.add_row(mark, what, Text(found))
    return table


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
