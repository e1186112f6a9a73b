"""The notebooks in a zip file, read in memory and within limits.

Nothing is unpacked to disk. A zip file may hold students' zip files, as a course platform hands them out; those may
hold no further ones. Whatever is not taken is named, with the reason.
"""

from __future__ import annotations

import io
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import PurePath, PurePosixPath
from typing import BinaryIO, NamedTuple

__all__ = ["LINK", "FoundNotebook", "is_wanted", "label", "notebooks"]

LINK = "It is a link to another place; put the file or folder itself there."
IGNORED = frozenset({"__MACOSX", ".ipynb_checkpoints", ".OTTER_LOG"})

MOST_ENTRIES = (5000, 50)
"""Notebooks and zip files taken from a zip file (a class), and from a zip file inside one (a student)."""

LIST_LIMIT = 4 * 2**20
"""Bytes of a zip file's list of entries: some ten thousand of them."""

TOTAL_LIMIT = 2**30
"""Bytes that are taken from one zip file in all."""

MOST_RATIO, RATIO_FROM = 200, 2**20
"""How many times its packed size an entry may have, from a megabyte on; notebooks shrink to a tenth or so."""

ENCRYPTED = 0x1
"""The flag of an entry that needs a password."""

HEADER = 30
"""Bytes that stand before an entry's name and its packed data, at least."""


class FoundNotebook(NamedTuple):
    """A notebook: its name, where it stands, and its bytes, or no bytes and the problem."""

    name: str
    source: str
    data: bytes
    problem: str = ""


@dataclass
class _Budget:
    total: int
    left: int


def notebooks(file: BinaryIO, name: str, source: str, limit: int, total: int = TOTAL_LIMIT) -> Iterator[FoundNotebook]:
    """One Found for every notebook in the zip file; for a zip without any, one with a problem.

    At most `limit` bytes and one more are read of each, so that an oversized one is noticed, and `total` of all.
    """
    return _read(file, name, source, limit, _Budget(total, total), depth=0)


def is_wanted(path: PurePath) -> bool:
    """Whether a path is that of a notebook or a zip file, and not of something that a system left behind."""
    return (
        path.suffix.lower() in (".ipynb", ".zip")
        and not IGNORED.intersection(path.parts)
        and not path.name.startswith("._")
    )


def label(path: PurePath) -> str:
    """The name of the submission that stands at a path."""
    return path.with_suffix("").as_posix()


class _File(io.RawIOBase):
    """A zip file of which no long list of entries is read: zipfile reads the whole list in one call."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.most = LIST_LIMIT

    def read(self, size: int = -1) -> bytes:
        if size > self.most > 0:
            raise zipfile.BadZipFile("it lists far too many files")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def seekable(self) -> bool:
        return True


def _read(file: BinaryIO, name: str, source: str, limit: int, budget: _Budget, depth: int) -> Iterator[FoundNotebook]:
    try:
        guarded = _File(file)
        with zipfile.ZipFile(guarded) as archive:
            guarded.most = 0
            entries = [info for info in archive.infolist() if not info.is_dir()]
            wanted = [info for info in entries if is_wanted(PurePosixPath(info.filename))]
            overlapping = _overlapping(entries)
            if not wanted:
                yield FoundNotebook(name, source, b"", "There is no notebook (.ipynb) in the zip file.")
            if len(wanted) > MOST_ENTRIES[depth]:
                problem = f"The zip file holds {len(wanted):,} notebooks; at most {MOST_ENTRIES[depth]:,} are taken."
                yield FoundNotebook(name, source, b"", problem)
                return
            for info in sorted(wanted, key=lambda info: info.filename):
                own = f"{name}/{label(PurePosixPath(info.filename))}" if len(wanted) > 1 else name
                place = f"{source}:{info.filename}"
                problem = _problem(info, depth) or (
                    "The zip file is damaged." if info.header_offset in overlapping else ""
                )
                data, problem = (b"", problem) if problem else _take(archive, info, limit, budget)
                if problem or not _is_zip(info):
                    yield FoundNotebook(own, place, data, problem)
                elif len(data) > limit:
                    yield FoundNotebook(
                        own, place, b"", "The zip file inside the zip file is too large; unpack the outer one."
                    )
                else:
                    yield from _read(io.BytesIO(data), own, place, limit, budget, depth + 1)
    except Exception as error:  # zipfile raises many kinds on a damaged file
        yield FoundNotebook(name, source, b"", f"The zip file cannot be read ({error}).")


def _problem(info: zipfile.ZipInfo, depth: int) -> str:
    """Why an entry is not even opened; empty where it is."""
    what = "zip file" if _is_zip(info) else "notebook"
    if _is_zip(info) and depth + 1 >= len(MOST_ENTRIES):
        return "It is a zip file inside a zip file inside a zip file; hand in the .ipynb file itself."
    if stat.S_ISLNK(info.external_attr >> 16):
        return LINK
    if info.flag_bits & ENCRYPTED:
        return f"The {what} in the zip file is protected by a password; hand in the .ipynb file itself."
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        # The other methods are unpacked without any bound by zipfile, and no common tool uses them.
        return f"The {what} in the zip file is packed in an unusual way; hand in the .ipynb file itself."
    if info.file_size > max(RATIO_FROM, MOST_RATIO * info.compress_size):
        return (
            f"The {what} in the zip file is packed to less than 1/{MOST_RATIO} of its size; hand in the .ipynb itself."
        )
    return ""


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int, budget: _Budget) -> tuple[bytes, str]:
    """The bytes of an entry, or no bytes and the problem."""
    too_much = f"The zip file unpacks to more than {budget.total // 2**20:,} MB in all; unpack it into a folder."
    if budget.left < 0:
        return b"", too_much
    try:
        with archive.open(info) as file:
            data = file.read(limit + 1)
    except Exception as error:  # zipfile and the decompressors raise many kinds
        kind = "zip file" if _is_zip(info) else "notebook"
        return b"", f"The {kind} cannot be taken out of the zip file ({str(error) or type(error).__name__})."
    budget.left -= len(data)
    return (data, "") if budget.left >= 0 else (b"", too_much)


def _is_zip(info: zipfile.ZipInfo) -> bool:
    return info.filename.lower().endswith(".zip")


def _overlapping(entries: list[zipfile.ZipInfo]) -> set[int]:
    """Where entries begin that share their packed bytes with others, by which a small file unpacks to a huge one."""
    found: set[int] = set()
    for before, after in pairwise(sorted(entries, key=lambda info: info.header_offset)):
        if before.header_offset + HEADER + before.compress_size > after.header_offset:
            found |= {before.header_offset, after.header_offset}
    return found
