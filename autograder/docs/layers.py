"""The order of the modules, from the doors down, and the picture of it.

    python -m autograder.docs.layers

writes `layers.svg` beside this file. The tests hold every import to this order.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

__all__ = ["PICTURE", "ROWS", "Box", "draw", "main"]

PICTURE = Path(__file__).with_name("layers.svg")

WIDTH = 1200
"""All lengths are CSS pixels."""

MARGIN, GAP, PAD = 24, 14, 12
TITLE, LINE, SMALL = 22, 17, 18
"""Heights of a box's title, of a line of modules, and of the words below the title."""

LETTER = 7.3
"""The width of a letter of the modules' names, at 12 px in any common monospace font."""

STUDENT, JUDGE, KIT = "student", "judge", "kit"
COLOURS = {STUDENT: ("#fde8e6", "#b3261e"), JUDGE: ("#fdf3d8", "#8a5a00"), KIT: ("#eef3fb", "#33557f")}
LEGEND = {
    STUDENT: "runs beside student code, and holds nothing secret",
    JUDGE: "a process of its own, which reads what student code left behind",
    KIT: "the kit's own process",
}


@dataclass(frozen=True)
class Box:
    """Modules that make up one thing. Each may import those after it, and whatever stands in a lower row."""

    title: str
    says: str
    modules: tuple[str, ...]
    side: str = KIT


ROWS: tuple[tuple[Box, ...], ...] = (
    (
        Box("Doors", "what is started", ("__main__", "cli", "options", "pytest_plugin", "offline_data")),
        Box(
            "Gradescope, otter grade",
            "one submission in a container",
            ("gradescope.entry", "gradescope.otter_results", "gradescope.metadata"),
        ),
        Box(
            "Measured and drawn",
            "make bench, make pictures",
            (
                "benchmarks.classes", "benchmarks.peers", "benchmarks.review", "benchmarks.confinement",
                "benchmarks.meter", "benchmarks.bare_loop", "docs.pictures", "docs.layers",
            ),
        ),
    ),
    (
        Box(
            "A term, and its class",
            "looked at, graded, the accuracies calibrated",
            ("term", "rehearsal", "session", "calibrate", "cluster", "batch"),
        ),
        Box(
            "Review",
            "the pages on which people mark",
            (
                "review.serve", "review.app", "review.staff", "review.samples", "review.rubrics", "review.groups",
                "review.marking", "review.site", "review.pages", "review.text", "review.presence", "review.forms",
                "review.access",
            ),
        ),
        Box("Grades leave, and come back", "export, join", ("export", "joining")),
    ),
    (
        Box(
            "Reports",
            "results as pages, tables and results.json; nothing is decided here",
            (
                "output", "report.course", "report.html", "report.page", "report.charts", "report.table",
                "report.gradescope", "report.checkup", "report.checklist", "report.calibration", "overview", "items",
            ),
        ),
    ),
    (
        Box(
            "Gradebook and marks",
            "what was graded, and what people say of the written answers",
            (
                "reviewing", "marked", "marks", "mark", "rubrics", "answers", "statements", "intake", "inbox",
                "gradebook", "database", "tables", "rubric", "agreement", "grouping",
            ),
        ),
        Box("Engine", "one submission, end to end", ("engine", "findings", "launch", "isolation")),
        Box(
            "Assignment",
            "master and grading.yml become template, solution, zip",
            ("classroom", "build", "inspection", "checklist", "container"),
        ),
    ),
    (
        Box("Strangers' tables", "rosters, Canvas, grades from elsewhere",
            ("canvas", "regrades", "roster", "returned", "sheet", "matching")),
        Box(
            "Judge",
            "evidence becomes points, by Otter's test files",
            ("warm", "judge", "checks", "audit", "bench", "rebuild", "architecture"),
            JUDGE,
        ),
    ),
    (
        Box(
            "Handed in, and what it earned",
            "files, notebooks, the evidence of a run, its report",
            ("notebook", "submission", "archive", "cells", "evidence", "grade"),
        ),
    ),
    (
        Box(
            "Rules and images",
            "grading.yml, the calibration, MNIST",
            ("reference", "calibration", "tail", "grading_file", "policy", "idx", "dataset"),
        ),
        Box(
            "Sandbox",
            "confines itself, runs the cells, writes the evidence",
            (
                "sandbox.runner", "sandbox.zygote", "sandbox.training", "sandbox.confine", "sandbox.limits",
                "sandbox.batches", "sandbox.adam", "sandbox.colab", "sandbox.recorder", "sandbox.offline",
            ),
            STUDENT,
        ),
    ),
    (
        Box("Ground", "errors, places, versions", ("version", "environment", "layout", "lean", "opening", "errors")),
    ),
)  # fmt: skip
"""From the top down."""


def draw(rows: Sequence[Sequence[Box]] = ROWS) -> str:
    """The picture as SVG: a row of boxes for each layer, and what the colours mean."""
    parts: list[str] = []
    top: float = MARGIN
    for row in rows:
        shares = _shares(row)
        lines = [_lines(box, share) for box, share in zip(row, shares, strict=True)]
        height: float = PAD + TITLE + SMALL + max(map(len, lines)) * LINE + PAD
        left: float = MARGIN
        for box, share, inside in zip(row, shares, lines, strict=True):
            parts.append(_box(box, inside, left, top, share, height))
            left += share + GAP
        top += height + GAP
    parts += [_key(side, MARGIN, top + number * 24) for number, side in enumerate(LEGEND)]
    parts.append(_text(WIDTH - MARGIN, top + 14, "A module imports what stands below it, never what stands above or "
                       "beside.", "rule"))  # fmt: skip
    return _frame(top + len(LEGEND) * 24 + MARGIN / 2, parts)


def main() -> None:
    PICTURE.write_text(draw(), encoding="utf-8")


def _shares(row: Sequence[Box]) -> list[float]:
    """The widths of the boxes of a row: more for more modules, and enough for the words."""
    free = WIDTH - 2 * MARGIN - GAP * (len(row) - 1)
    least = [max(len(_title(box)) * 9, len(box.says) * 7) + 2 * PAD for box in row]
    names = [sum(len(name) + 2 for name in _names(box)) for box in row]
    spare = free - sum(least)
    return [round(width + spare * many / sum(names), 1) for width, many in zip(least, names, strict=True)]


def _lines(box: Box, width: float) -> list[str]:
    letters = int((width - 2 * PAD) / LETTER)
    return textwrap.wrap("  ".join(_names(box)), letters, break_long_words=False, break_on_hyphens=False)


def _title(box: Box) -> str:
    return f"{box.title} {_common(box)}/" if _common(box) else box.title


def _names(box: Box) -> list[str]:
    return [name.rpartition(".")[2] if _common(box) else name for name in box.modules]


def _common(box: Box) -> str:
    """The folder that all modules of a box stand in; empty where they do not."""
    folders = {name.rpartition(".")[0] for name in box.modules}
    return folders.pop() if len(folders) == 1 else ""


def _box(box: Box, lines: Sequence[str], left: float, top: float, width: float, height: float) -> str:
    fill, ink = COLOURS[box.side]
    folder = f' <tspan class="names">{_common(box)}/</tspan>' if _common(box) else ""
    words = [
        f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" rx="6" fill="{fill}" stroke="{ink}"/>',
        f'<text x="{left + PAD:g}" y="{top + PAD + 12:g}" class="title" fill="{ink}">{escape(box.title)}{folder}'
        "</text>",
        _text(left + PAD, top + PAD + TITLE + 10, box.says, "says"),
    ]
    first = top + PAD + TITLE + SMALL + 13
    words += [_text(left + PAD, first + number * LINE, line, "names") for number, line in enumerate(lines)]
    return "\n".join(words)


def _key(side: str, left: float, top: float) -> str:
    fill, ink = COLOURS[side]
    square = f'<rect x="{left:g}" y="{top:g}" width="18" height="18" rx="4" fill="{fill}" stroke="{ink}"/>'
    return f"{square}\n{_text(left + 28, top + 14, LEGEND[side], 'says')}"


def _text(left: float, top: float, words: str, kind: str) -> str:
    return f'<text x="{left:g}" y="{top:g}" class="{kind}" xml:space="preserve">{escape(words)}</text>'


def _frame(height: float, parts: Sequence[str]) -> str:
    style = (
        ".title{font:600 15px sans-serif}.says{font:13px sans-serif;fill:#333}"
        ".names{font:12px monospace;fill:#111}.rule{font:italic 13px sans-serif;fill:#333;text-anchor:end}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" '
            f'height="{height:g}" role="img" aria-label="The modules of autograder, in layers">',
            f"<style>{style}</style>",
            f'<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )


if __name__ == "__main__":
    main()
