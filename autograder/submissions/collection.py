"""The submissions in the notebooks, folders and zip files that an instructor names.

Everything there that is named like a notebook or a zip file becomes a submission, if only one with a problem. Zip files
are read in memory and within limits; nothing is unpacked to disk. One may hold students' zip files, as a course
platform hands them out; those may not hold further ones.
"""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader, BytesIO
from itertools import pairwise
from pathlib import Path, PurePath, PurePosixPath

from autograder.errors import SubmissionError, unreadable
from autograder.submissions.submission import Submission
from autograder.text import printable

__all__ = ["check_readable", "collect"]

NAME_LIMIT = 300  # characters of a submission's name; a longer one loses its middle
PROBLEMS_SHOWN = 5

LINK = "It is a link to another place; put the file or folder itself there."
IGNORED = frozenset({"__MACOSX", ".ipynb_checkpoints", ".OTTER_LOG"})

MOST_ENTRIES = (5000, 50)
"""Notebooks and zip files accepted in a zip file (a class), and in a zip file inside one (a student)."""

LIST_LIMIT = 4 * 2**20  # bytes of a zip file's list of entries: some ten thousand of them
TOTAL_LIMIT = 2**30  # bytes that are read from one zip file in total

MOST_RATIO, RATIO_FROM = 200, 2**20
"""The most that an entry may shrink by packing, from a megabyte on; notebooks shrink to a tenth or so."""

ENCRYPTED = 0x1  # the flag of an entry that needs a password
HEADER = 30  # bytes before an entry's name and its packed data, at least


@dataclass
class _Budget:
    """Bytes that may be read of each entry of a zip file, and of all that are left."""

    each: int
    left: int


class _Guarded(BufferedReader):
    """A zip file that is rejected if its list of entries is long: zipfile reads the whole list in one call."""

    most = LIST_LIMIT

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > self.most > 0:
            raise zipfile.BadZipFile("it lists far too many files")
        return super().read(size)


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
            yield Submission(_label(relative), str(path), b"", problem)
        else:
            yield from _from_file(path, _label(relative), limit)
    for path in sorted(empty):
        problem = LINK if path.is_symlink() else "There is no notebook (.ipynb) in the folder."
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
            wanted = _is_wanted(path.relative_to(folder))
            if entry.is_dir(follow_symlinks=False):
                waiting += [path]
                if wanted:
                    yield path, "It is a folder with the name of a file; hand in the .ipynb file itself."
            elif wanted:
                yield path, LINK if entry.is_symlink() else ""


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
                    yield from _from_zip(file, name, str(path), _Budget(limit, TOTAL_LIMIT))
    except OSError as error:
        yield Submission(name, str(path), b"", f"The file could not be read: {unreadable(error)}.")


def _from_zip(file: BufferedIOBase, name: str, source: str, budget: _Budget, depth: int = 0) -> Iterator[Submission]:
    try:
        with _Guarded(file) as guarded, zipfile.ZipFile(guarded) as archive:
            guarded.most = 0
            entries = [info for info in archive.infolist() if not info.is_dir()]
            wanted = [info for info in entries if _is_wanted(PurePosixPath(info.filename))]
            overlapping = _overlapping(entries)
            if not wanted:
                yield Submission(name, source, b"", "There is no notebook (.ipynb) in the zip file.")
            if len(wanted) > MOST_ENTRIES[depth]:
                problem = f"The zip file holds {len(wanted):,} notebooks; at most {MOST_ENTRIES[depth]:,} are accepted."
                yield Submission(name, source, b"", problem)
                return
            for info in sorted(wanted, key=lambda info: info.filename):
                own = f"{name}/{_label(PurePosixPath(info.filename))}" if len(wanted) > 1 else name
                path = f"{source}:{info.filename}"
                data, problem = b"", _problem(info, depth)
                if not problem and info.header_offset in overlapping:
                    problem = "The zip file is damaged."
                if not problem:
                    data, problem = _take(archive, info, budget)
                if problem or not _is_zip(info):
                    yield Submission(own, path, data, problem)
                else:
                    yield from _from_zip(BytesIO(data), own, path, budget, depth + 1)
    except Exception as error:  # zipfile raises many kinds of errors on a damaged file
        yield Submission(name, source, b"", f"The zip file cannot be read ({error}).")


def _problem(info: zipfile.ZipInfo, depth: int) -> str:
    """Return why an entry is not even opened; empty if it may be."""
    kind = "zip file" if _is_zip(info) else "notebook"
    if _is_zip(info) and depth + 1 >= len(MOST_ENTRIES):
        return "It is a zip file inside a zip file inside a zip file; hand in the .ipynb file itself."
    if stat.S_ISLNK(info.external_attr >> 16):
        return LINK
    if info.flag_bits & ENCRYPTED:
        reason = "protected by a password"
    elif info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        reason = "packed in an unusual way"  # which zipfile unpacks without any bound, and no common tool uses
    elif info.file_size > max(RATIO_FROM, MOST_RATIO * info.compress_size):
        reason = f"packed to less than 1/{MOST_RATIO} of its size"
    else:
        return ""
    return f"The {kind} in the zip file is {reason}; hand in the .ipynb file itself."


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> tuple[bytes, str]:
    """Return the bytes of an entry, or no bytes and the problem."""
    data = b""
    if budget.left >= 0:
        try:
            with archive.open(info) as file:
                data = file.read(budget.each + 1)
        except Exception as error:  # zipfile and the decompressors raise many kinds of errors
            kind = "zip file" if _is_zip(info) else "notebook"
            return b"", f"The {kind} cannot be taken out of the zip file ({str(error) or type(error).__name__})."
    budget.left -= len(data)
    if budget.left < 0:
        return b"", f"The zip file unpacks to more than {TOTAL_LIMIT // 2**20:,} MB in total; unpack it into a folder."
    if _is_zip(info) and len(data) > budget.each:
        return b"", "The zip file inside the zip file is too large; unpack the outer one."
    return data, ""


def _is_zip(info: zipfile.ZipInfo) -> bool:
    return info.filename.lower().endswith(".zip")


def _overlapping(entries: list[zipfile.ZipInfo]) -> set[int]:
    """Return the offsets of entries that share packed bytes, a trick to make a small file unpack to a huge one."""
    found: set[int] = set()
    for before, after in pairwise(sorted(entries, key=lambda info: info.header_offset)):
        if before.header_offset + HEADER + before.compress_size > after.header_offset:
            found |= {before.header_offset, after.header_offset}
    return found


def _is_wanted(path: PurePath) -> bool:
    """True for the path of a notebook or a zip file that is not a system's own copy."""
    return (
        path.suffix.lower() in (".ipynb", ".zip")
        and not IGNORED.intersection(path.parts)
        and not path.name.startswith("._")
    )


def _label(path: PurePath) -> str:
    """Return the name of the submission at a path."""
    return path.with_suffix("").as_posix()


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
