"""The submissions in the notebooks, folders and zip files that an instructor names.

Everything there that is named like a notebook or a zip file becomes a submission, if only one with a problem.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from autograder.errors import SubmissionError, unreadable
from autograder.submissions import archive
from autograder.submissions.submission import Submission
from autograder.text import printable

__all__ = ["check_readable", "collect"]

NAME_LIMIT = 300
"""Characters of a submission's name; a longer one loses its middle."""

PROBLEMS_SHOWN = 5


def collect(paths: Iterable[Path], limit: int) -> tuple[Submission, ...]:
    """Return all submissions under `paths`, each with a different name, in a stable order.

    At most `limit` bytes and one more are read of each notebook, so that an oversized one is noticed. In a folder,
    every notebook and every zip file is a submission, whatever is wrong with it, and so is a folder directly in it
    that has neither. Raises SubmissionError if a path does not exist or has nothing to grade.
    """
    found: list[Submission] = []
    for path in paths:
        before = len(found)
        try:
            if not path.exists():
                raise SubmissionError(f"{path}: no such file or folder; check the name and the current folder")
            found += _from_folder(path, limit) if path.is_dir() else _from_file(path, path.stem, limit)
        except OSError as error:
            raise SubmissionError(f"{path}: {unreadable(error)}") from error
        if len(found) == before:
            raise SubmissionError(f"{path}: no notebook (.ipynb) and no zip file in it; name the folder that has them")
    return tuple(_with_unique_names(found))


def check_readable(found: Sequence[Submission], paths: Sequence[Path]) -> None:
    """Raise SubmissionError if only files were named and none of them can be opened: then the command was mistyped.

    In a folder, and next to a readable notebook, such a file was handed in and is a submission with a problem.
    """
    if all(submission.problem for submission in found) and not any(path.is_dir() for path in paths):
        problems = "\n".join(f"{submission.source}: {submission.problem}" for submission in found[:PROBLEMS_SHOWN])
        raise SubmissionError(
            f"{problems}\nThere is nothing to grade here. Expected notebooks (.ipynb), folders of them, or zip "
            "files of them, as downloaded from Gradescope or Canvas."
        )


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
    """Yield notebooks and zip files at any depth, each with the problem that is seen without opening it.

    Links are named, not followed, and so is a folder that cannot be listed.
    """
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            with os.scandir(current) as entries:
                inside = list(entries)
        except OSError as error:
            if current == folder:
                raise
            yield current, f"The folder could not be read ({error.strerror})."
            continue
        for entry in inside:
            path = current / entry.name
            wanted = archive.is_wanted(path.relative_to(folder))
            if entry.is_dir(follow_symlinks=False):
                waiting += [path]
                if wanted:
                    yield path, "It is a folder with the name of a file; hand in the .ipynb file itself."
            elif wanted:
                yield path, archive.LINK if entry.is_symlink() else ""


def _from_file(path: Path, name: str, limit: int) -> Iterator[Submission]:
    """Yield the submissions in one file. Only a regular file is opened: a pipe would never end."""
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
                    yield from archive.submissions(file, name, str(path), limit)
    except OSError as error:
        yield Submission(name, str(path), b"", f"The file could not be read: {unreadable(error)}.")


def _with_unique_names(found: list[Submission]) -> Iterator[Submission]:
    """Yield the submissions with printable names, each used once; some file names would break a table or a page."""
    seen: set[str] = set()
    last: dict[str, int] = {}
    for submission in found:
        plain = printable(submission.name)
        if len(plain) > NAME_LIMIT:
            plain = f"{plain[: NAME_LIMIT // 2]}…{plain[-NAME_LIMIT // 2 :]}"
        name, number = plain, last.get(plain, 1)
        while name in seen:
            number += 1
            name = f"{plain} ({number})"
        last[plain] = number
        seen.add(name)
        yield Submission(name, printable(submission.source), submission.data, printable(submission.problem))
