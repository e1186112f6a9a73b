"""Find the submissions in what an instructor points at: notebooks, folders, zip files.

Nothing is unpacked to disk: a zip's notebooks are read in memory, each up to a limit.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from autograder.errors import SubmissionError

__all__ = ["Submission", "collect", "slug"]

IGNORED = frozenset({"__MACOSX", ".ipynb_checkpoints", ".OTTER_LOG"})


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
    Raises SubmissionError where a path does not exist or nothing was found.
    """
    found: list[Submission] = []
    for path in paths:
        if not path.exists():
            raise SubmissionError(f"{path}: no such file or folder")
        before = len(found)
        found += _from_folder(path, limit) if path.is_dir() else _from_file(path, path.stem, limit)
        if len(found) == before:
            raise SubmissionError(f"{path}: no notebook (.ipynb) in it")
    return tuple(_named_apart(found))


def slug(name: str) -> str:
    """A name safe to use for a folder: letters, digits, dot, dash and underscore, not empty."""
    safe = re.sub(r"[^\w.-]+", "_", name.replace("/", "__"), flags=re.ASCII).strip("._-")
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return (
        safe[:80]
        if safe and safe == name.replace("/", "__") and len(safe) <= 80
        else f"{safe[:70]}-{digest}".lstrip("-")
    )


def _from_folder(folder: Path, limit: int) -> Iterator[Submission]:
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if IGNORED.intersection(relative.parts) or path.suffix.lower() not in (".ipynb", ".zip"):
            continue
        if path.is_symlink() or not path.is_file():
            if not path.is_dir():
                yield Submission(str(relative.with_suffix("")), str(path), b"", "It is not a regular file.")
            continue
        yield from _from_file(path, relative.with_suffix("").as_posix(), limit)


def _from_file(path: Path, name: str, limit: int) -> Iterator[Submission]:
    if path.suffix.lower() == ".zip":
        yield from _from_zip(path, name, limit)
        return
    if path.suffix.lower() != ".ipynb":
        yield Submission(name, str(path), b"", f"{path.name} is not a notebook; hand in the .ipynb file.")
        return
    try:
        with path.open("rb") as file:
            yield Submission(name, str(path), file.read(limit + 1))
    except OSError as error:
        yield Submission(name, str(path), b"", f"The file could not be read ({error.strerror}).")


def _from_zip(path: Path, name: str, limit: int) -> Iterator[Submission]:
    """One submission for every notebook in the zip; a zip without any is a submission with a problem."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [info for info in archive.infolist() if _is_notebook(info)]
            if not entries:
                yield Submission(name, str(path), b"", "There is no notebook (.ipynb) in the zip file.")
            for info in sorted(entries, key=lambda info: info.filename):
                inside = PurePosixPath(info.filename)
                label = f"{name}/{inside.with_suffix('')}" if len(entries) > 1 else name
                source = f"{path}:{info.filename}"
                try:
                    with archive.open(info) as file:
                        yield Submission(label, source, file.read(limit + 1))
                except (OSError, RuntimeError, zipfile.BadZipFile, NotImplementedError) as error:
                    yield Submission(label, source, b"", f"The notebook cannot be taken out of the zip file ({error}).")
    except (zipfile.BadZipFile, OSError) as error:
        yield Submission(name, str(path), b"", f"The zip file cannot be read ({error}).")


def _is_notebook(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    return (
        not info.is_dir()
        and path.suffix.lower() == ".ipynb"
        and not IGNORED.intersection(path.parts)
        and not path.name.startswith("._")
    )


def _named_apart(found: list[Submission]) -> Iterator[Submission]:
    seen: dict[str, int] = {}
    for submission in found:
        count = seen[submission.name] = seen.get(submission.name, 0) + 1
        yield submission if count == 1 else replace(submission, name=f"{submission.name} ({count})")
