"""The submissions in a zip file, read in memory and within limits.

Nothing is unpacked to disk. A zip file may hold students' zip files, as a course platform hands them out; those may
not hold further ones. An entry that is not accepted becomes a submission with the reason as its problem.
"""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase, BufferedReader, BytesIO
from itertools import pairwise
from pathlib import PurePath, PurePosixPath

from autograder.submissions.submission import Submission

__all__ = ["LINK", "is_wanted", "label", "submissions"]

LINK = "It is a link to another place; put the file or folder itself there."
IGNORED = frozenset({"__MACOSX", ".ipynb_checkpoints", ".OTTER_LOG"})

MOST_ENTRIES = (5000, 50)
"""Notebooks and zip files accepted in a zip file (a class), and in a zip file inside one (a student)."""

LIST_LIMIT = 4 * 2**20
"""Bytes of a zip file's list of entries: some ten thousand of them."""

TOTAL_LIMIT = 2**30
"""Bytes that are read from one zip file in total."""

MOST_RATIO, RATIO_FROM = 200, 2**20
"""The most that an entry may shrink by packing, from a megabyte on; notebooks shrink to a tenth or so."""

ENCRYPTED = 0x1
"""The flag of an entry that needs a password."""

HEADER = 30
"""Bytes before an entry's name and its packed data, at least."""


@dataclass
class _Budget:
    """Bytes that may be read: of each entry, of all, and what is left of that."""

    each: int
    total: int
    left: int


class _Guarded(BufferedReader):
    """A zip file that is rejected if its list of entries is long: zipfile reads the whole list in one call."""

    most = LIST_LIMIT

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > self.most > 0:
            raise zipfile.BadZipFile("it lists far too many files")
        return super().read(size)


def submissions(
    file: BufferedIOBase, name: str, source: str, limit: int, total: int = TOTAL_LIMIT
) -> Iterator[Submission]:
    """Yield every notebook in the zip file; for a zip without any, one submission with a problem.

    At most `limit` bytes and one more are read of each, so that an oversized one is noticed, and `total` of all.
    """
    return _read(file, name, source, _Budget(limit, total, total), depth=0)


def is_wanted(path: PurePath) -> bool:
    """True for the path of a notebook or a zip file that is not a system's own copy."""
    return (
        path.suffix.lower() in (".ipynb", ".zip")
        and not IGNORED.intersection(path.parts)
        and not path.name.startswith("._")
    )


def label(path: PurePath) -> str:
    """Return the name of the submission at a path."""
    return path.with_suffix("").as_posix()


def _read(file: BufferedIOBase, name: str, source: str, budget: _Budget, depth: int) -> Iterator[Submission]:
    try:
        with _Guarded(file) as guarded, zipfile.ZipFile(guarded) as archive:
            guarded.most = 0
            entries = [info for info in archive.infolist() if not info.is_dir()]
            wanted = [info for info in entries if is_wanted(PurePosixPath(info.filename))]
            overlapping = _overlapping(entries)
            if not wanted:
                yield Submission(name, source, b"", "There is no notebook (.ipynb) in the zip file.")
            if len(wanted) > MOST_ENTRIES[depth]:
                problem = f"The zip file holds {len(wanted):,} notebooks; at most {MOST_ENTRIES[depth]:,} are accepted."
                yield Submission(name, source, b"", problem)
                return
            for info in sorted(wanted, key=lambda info: info.filename):
                own = f"{name}/{label(PurePosixPath(info.filename))}" if len(wanted) > 1 else name
                path = f"{source}:{info.filename}"
                data, problem = b"", _problem(info, depth)
                if not problem and info.header_offset in overlapping:
                    problem = "The zip file is damaged."
                if not problem:
                    data, problem = _take(archive, info, budget)
                if problem or not _is_zip(info):
                    yield Submission(own, path, data, problem)
                else:
                    yield from _read(BytesIO(data), own, path, budget, depth + 1)
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
        return b"", f"The zip file unpacks to more than {budget.total // 2**20:,} MB in total; unpack it into a folder."
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
