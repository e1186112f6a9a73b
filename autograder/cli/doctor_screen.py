"""What `mnist-kit doctor` shows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from autograder.authoring.zip_check import Finding
from autograder.engine.isolation import HOW_TO_GET, REMEDY, Examination

__all__ = ["of_zip", "screen"]


def screen(examination: Examination) -> RenderableType:
    """A table of the layers, and a sentence on what follows."""
    if examination.plan is None:
        return Text(f"Student code cannot be confined here: Linux on x86_64 or aarch64 is needed.\n{REMEDY}", "red")
    table = Table(box=box.SIMPLE_HEAD, title=f"Confinement: {examination.plan.where}", title_justify="left")
    for heading in ("layer", "needed", "there", "remark"):
        table.add_column(heading)
    for offer in examination.layers:
        needed = "yes" if offer.layer in examination.plan.required else "welcome"
        remark = offer.why if offer.there else f"{offer.why}; get it: {HOW_TO_GET.get(offer.layer, 'a newer kernel')}"
        there = Text("yes", "green") if offer.there else Text("no", "red" if needed == "yes" else "yellow")
        table.add_row(offer.layer, needed, there, remark)
    if examination.missing:
        said = Text(f"mnist-kit grade refuses to run here: {', '.join(examination.missing)} missing.\n{REMEDY}", "red")
    else:
        said = Text("Student code can be confined here; mnist-kit grade will do it.", "green")
    return Group(table, said)


def of_zip(path: Path, findings: Sequence[Finding]) -> RenderableType:
    """What was looked at in an autograder zip, what is wrong first."""
    lines = []
    for finding in sorted(findings, key=lambda each: not each.wrong):
        line = Text("wrong  ", "red") if finding.wrong else Text("right  ", "green")
        lines.append(line.append(f"{finding.what}{': ' if finding.wrong else ''}{finding.wrong}", "default"))
    wrong = sum(bool(finding.wrong) for finding in findings)
    end = (
        f"{wrong} of {len(findings)} wrong: do not upload {path.name} yet."
        if wrong
        else f"{path.name} can be uploaded."
    )
    return Group(*lines, Text(end, "red" if wrong else "green"))
