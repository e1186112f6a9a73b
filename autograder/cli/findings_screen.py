"""Findings of `mnist-kit new-term` and `mnist-kit doctor` on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.commands.doctor import CHECK, ERROR, NOTE, OK, Finding

__all__ = ["findings_table", "term_result"]

COLOURS = {OK: "green", NOTE: "default", CHECK: "yellow", ERROR: "red"}
TITLE_WIDTH = 17
"""Characters of the longest title."""


def findings_table(findings: Iterable[Finding]) -> Table:
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
    errors, checks = (sum(finding.status is status for finding in findings) for status in (ERROR, CHECK))
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
