"""Find the submissions in what an instructor points at: notebooks, folders, zip files.

Whatever stands there under the name of a notebook or a zip file becomes a submission, if only one with a problem.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import SubmissionError, unreadable
from autograder.submissions import archive
from autograder.text import printable

__all__ = ["Submission", "collect", "demand", "slug"]

PLAIN = re.compile(r"{part}(/{part})*".format(part=r"[a-z0-9]+([._-][a-z0-9]+)*"))
HASHED = re.compile(r"(^|-)[0-9a-f]{16}$")
NAME_LIMIT = 300
"""Characters of a submission's name; of a longer one the middle is left out."""

SHOWN = 5


@dataclass(frozen=True)
class Submission:
    """One file to grade. `problem` is set, and `data` empty, where it could not even be read."""

    name: str
    source: str
    data: bytes
    problem: str = ""

    @property
    def fingerprint(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def collect(paths: Iterable[Path], limit: int) -> tuple[Submission, ...]:
    """All submissions under `paths`, each with a name of its own, in a stable order.

    `limit` is the most bytes read of one notebook, and one byte more, so that an oversized one is noticed.
    In a folder, every notebook and every zip file is a submission, whatever is wrong with it, and so is a folder
    directly in it that holds neither. Raises SubmissionError where a path does not exist or nothing was found.
    """
    found: list[Submission] = []
    for path in paths:
        before = len(found)
        try:
            if not path.exists():
                raise SubmissionError(f"{path}: no such file or folder; look at the name, and at the folder you are in")
            found += _from_folder(path, limit) if path.is_dir() else _from_file(path, path.stem, limit)
        except OSError as error:
            raise SubmissionError(f"{path}: {unreadable(error)}") from error
        if len(found) == before:
            raise SubmissionError(f"{path}: no notebook (.ipynb) and no zip file in it; name the folder that has them")
    return tuple(_named_apart(found))


def demand(found: Sequence[Submission], paths: Sequence[Path]) -> None:
    """Raises SubmissionError where files were named of which none can be opened: that is a slip of whoever named them.

    What stands in a folder was handed in; there, and beside a notebook, such a file is a submission with a problem.
    """
    if all(each.problem for each in found) and not any(path.is_dir() for path in paths):
        said = "\n".join(f"{each.source}: {each.problem}" for each in found[:SHOWN])
        raise SubmissionError(
            f"{said}\nThere is nothing to grade in that. Expected notebooks (.ipynb), folders of them, or zip files of "
            "them, as Gradescope and Canvas give them out."
        )


def slug(name: str) -> str:
    """A name safe to use for a folder: letters, digits, dot, dash and underscore, not empty.

    Different names give different folders, also where the file system takes capitals for small letters: a name
    that cannot stay as it is gets a hash.
    """
    if PLAIN.fullmatch(name) and not HASHED.search(name) and len(name) <= 80:
        return name.replace("/", "__")
    safe = re.sub(r"[^\w.-]+", "_", name.replace("/", "__"), flags=re.ASCII).strip("._-")[:60]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{safe}-{digest}".lstrip("-")


def _from_folder(folder: Path, limit: int) -> Iterator[Submission]:
    empty = {path for path in folder.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}
    for path, problem in sorted(_files(folder)):
        relative = path.relative_to(folder)
        empty.discard(folder / relative.parts[0])
        if problem:
            yield Submission(archive.label(relative), str(path), b"", problem)
        else:
            yield from _from_file(path, archive.label(relative), limit)
    for path in sorted(empty):
        problem = archive.LINK if path.is_symlink() else "There is no notebook (.ipynb) in the folder."
        yield Submission(path.name, str(path), b"", problem)


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Notebooks and zip files at any depth, each with the problem that is seen without opening it.

    Links are told, not followed, and so is a folder that cannot be listed.
    """
    waiting = [folder]
    while waiting:
        place = waiting.pop()
        try:
            with os.scandir(place) as entries:
                inside = list(entries)
        except OSError as error:
            if place == folder:
                raise
            yield place, f"The folder could not be read ({error.strerror})."
            continue
        for entry in inside:
            path = place / entry.name
            wanted = archive.is_wanted(path.relative_to(folder))
            if entry.is_dir(follow_symlinks=False):
                waiting += [path]
                if wanted:
                    yield path, "It is a folder with the name of a file; hand in the .ipynb file itself."
            elif wanted:
                yield path, archive.LINK if entry.is_symlink() else ""


def _from_file(path: Path, name: str, limit: int) -> Iterator[Submission]:
    """The submissions in one file. Nothing but a regular file is opened: a pipe would never end."""
    try:
        if not path.is_file():
            yield Submission(name, str(path), b"", "It is not a regular file.")
        elif path.suffix.lower() not in (".ipynb", ".zip"):
            yield Submission(name, str(path), b"", f"{path.name} is not a notebook; hand in the .ipynb file.")
        else:
            with path.open("rb") as file:
                if path.suffix.lower() == ".ipynb":
                    yield Submission(name, str(path), file.read(limit + 1))
                else:
                    yield from (Submission(*found) for found in archive.notebooks(file, name, str(path), limit))
    except OSError as error:
        yield Submission(name, str(path), b"", f"The file could not be read: {unreadable(error)}.")


def _named_apart(found: list[Submission]) -> Iterator[Submission]:
    """Printable names, each given once; what a file system allows in a name would upset a table or a page."""
    seen: set[str] = set()
    last: dict[str, int] = {}
    for submission in found:
        name = plain = _short(printable(submission.name))
        number = last.get(plain, 1)
        while name in seen:
            number += 1
            name = f"{plain} ({number})"
        last[plain] = number
        seen.add(name)
        yield Submission(name, printable(submission.source), submission.data, printable(submission.problem))


def _short(name: str) -> str:
    half = NAME_LIMIT // 2
    return name if len(name) <= NAME_LIMIT else f"{name[:half]}…{name[-half:]}"
