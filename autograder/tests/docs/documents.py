"""The documents and their blocks of code.

The language of a block is `sh`, `yaml`, `diff` or `text`. A block after a comment such as `<!-- needs Docker -->` does
not run here. A `yaml` block is a part of grading.yml: a question in it replaces the one of that name, everything else
is added.
"""

from __future__ import annotations

import re
import shlex
import sys
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.layout import HOME

__all__ = [
    "APART",
    "BIN",
    "BLOCKS",
    "CHANGES",
    "DOCUMENTS",
    "FILE",
    "INLINE",
    "PACKAGE",
    "ROOT",
    "RUN",
    "SHELL",
    "Block",
    "prose",
]

ROOT, BIN = HOME.root, Path(sys.executable).parent
PACKAGE = ROOT / "autograder"

ORDER = ("README.md", "autograder/docs/instructors.md", "autograder/docs/reviewers.md")
"""The documents to run first: they make files that the others use."""

APART = frozenset({"dist", "out", "mutants", "node_modules"})
DOCUMENTS = tuple(
    sorted(
        (
            path
            for path in ROOT.rglob("*.md")
            if path != HOME.master
            and not any(part.startswith(".") or part in APART for part in path.relative_to(ROOT).parts)
        ),
        key=lambda path: (path.relative_to(ROOT).as_posix() not in ORDER, path),
    )
)
CHANGES = PACKAGE / "docs" / "changing-the-assignment.md"
"""Its edits and commands make another assignment; test_changing_the_assignment.py runs all of them."""

FENCE = re.compile(
    r"(?:^ *<!-- *(?P<mark>[^\n]*?) *-->\n)?^ *```(?P<kind>[^\n]*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL
)
INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
FILE = re.compile(r"[\w./*-]+\.(py|md|yml|json|sh|html|csv|db|ipynb|zip|npz|js|css|svg|png|lock|toml|sqlite)")


@dataclass(frozen=True)
class Block:
    """A block of code in a document. `mark` is the comment before it, or empty."""

    document: Path
    line: int
    kind: str
    mark: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        """The words of each line, without comments and without the folder of the environment."""
        lines = self.text.replace("\\\n", " ").splitlines()
        words = [shlex.split(line.replace(".venv/bin/mnist-kit", "mnist-kit"), comments=True) for line in lines]
        return tuple(tuple(line) for line in words if line)


def blocks(path: Path) -> Iterator[Block]:
    content = path.read_text(encoding="utf-8")
    for found in FENCE.finditer(content):
        line = content.count("\n", 0, found.start("kind")) + 1
        yield Block(path, line, found["kind"].strip(), found["mark"] or "", textwrap.dedent(found["text"]))


BLOCKS = tuple(block for path in DOCUMENTS for block in blocks(path))
SHELL = tuple(block for block in BLOCKS if block.kind == "sh")
RUN = tuple(block for block in SHELL if not block.mark and block.document != CHANGES)


def prose(path: Path) -> str:
    """Return a document without its blocks of code."""
    return FENCE.sub("", path.read_text(encoding="utf-8"))
