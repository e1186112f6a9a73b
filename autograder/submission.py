"""Find the submissions in what an instructor points at: notebooks, folders, zip files.

Nothing is unpacked to disk: a zip's notebooks are read in memory, each up to a limit.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

from autograder.errors import SubmissionError

__all__ = ["Submission", "collect", "slug"]

PLAIN = re.compile(r"{part}(/{part})*".format(part=r"[a-z0-9]+([._-][a-z0-9]+)*"))
HASHED = re.compile(r"(^|-)[0-9a-f]{16}$")
LINK = "It is a link to another place; put the file or folder itself there."
ENCRYPTED = 0x1
"""The flag of a zip's entry that needs a password."""
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
    In a folder, every notebook and every zip file is a submission, whatever is wrong with it, and so is a folder
    directly in it that holds neither. Raises SubmissionError where a path does not exist or nothing was found.
    """
    found: list[Submission] = []
    for path in paths:
        before = len(found)
        try:
            if not path.exists():
                raise SubmissionError(f"{path}: no such file or folder")
            found += _from_folder(path, limit) if path.is_dir() else _from_file(path, path.stem, limit)
        except OSError as error:
            raise SubmissionError(f"{path}: it cannot be read ({error.strerror})") from error
        if len(found) == before:
            raise SubmissionError(f"{path}: no notebook (.ipynb) in it")
    return tuple(_named_apart(found))


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
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder)
        if not _is_wanted(relative) or (path.is_dir() and not path.is_symlink()):
            continue
        empty.discard(folder / relative.parts[0])
        if path.is_symlink():
            yield Submission(_label(relative), str(path), b"", LINK)
        else:
            yield from _from_file(path, _label(relative), limit)
    for path in sorted(empty):
        problem = LINK if path.is_symlink() else "There is no notebook (.ipynb) in the folder."
        yield Submission(path.name, str(path), b"", problem)


def _from_file(path: Path, name: str, limit: int) -> Iterator[Submission]:
    """The submissions in one file. Nothing but a regular file is opened: a pipe would never end."""
    if not path.is_file():
        yield Submission(name, str(path), b"", "It is not a regular file.")
    elif path.suffix.lower() == ".zip":
        yield from _from_zip(path, name, limit)
    elif path.suffix.lower() != ".ipynb":
        yield Submission(name, str(path), b"", f"{path.name} is not a notebook; hand in the .ipynb file.")
    else:
        try:
            with path.open("rb") as file:
                yield Submission(name, str(path), file.read(limit + 1))
        except OSError as error:
            yield Submission(name, str(path), b"", f"The file could not be read ({error.strerror}).")


def _from_zip(path: Path, name: str, limit: int) -> Iterator[Submission]:
    """One submission for every notebook in the zip; a zip without any is a submission with a problem."""
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
            entries = [info for info in files if _is_wanted(PurePosixPath(info.filename))]
            if not entries:
                yield Submission(name, str(path), b"", "There is no notebook (.ipynb) in the zip file.")
            for info in sorted(entries, key=lambda info: info.filename):
                label = f"{name}/{_label(PurePosixPath(info.filename))}" if len(entries) > 1 else name
                data, problem = _take(archive, info, limit)
                yield Submission(label, f"{path}:{info.filename}", data, problem)
    except Exception as error:  # zipfile raises many kinds on a damaged file
        yield Submission(name, str(path), b"", f"The zip file cannot be read ({error}).")


def _take(archive: zipfile.ZipFile, info: zipfile.ZipInfo, limit: int) -> tuple[bytes, str]:
    """The bytes of a zip's entry, or no bytes and the problem."""
    if not info.filename.lower().endswith(".ipynb"):
        return b"", "It is a zip file inside a zip file; unpack the outer one."
    if info.flag_bits & ENCRYPTED:
        return b"", "The notebook in the zip file is protected by a password; hand in the .ipynb file itself."
    try:
        with archive.open(info) as file:
            return file.read(limit + 1), ""
    except Exception as error:  # zipfile and the decompressors raise many kinds
        return b"", f"The notebook cannot be taken out of the zip file ({str(error) or type(error).__name__})."


def _label(path: PurePath) -> str:
    return path.with_suffix("").as_posix()


def _is_wanted(path: PurePath) -> bool:
    return (
        path.suffix.lower() in (".ipynb", ".zip")
        and not IGNORED.intersection(path.parts)
        and not path.name.startswith("._")
    )


def _named_apart(found: list[Submission]) -> Iterator[Submission]:
    """Printable names, each given once; what a file system allows in a name would upset a table or a page."""
    seen: set[str] = set()
    last: dict[str, int] = {}
    for submission in found:
        name = plain = _printable(submission.name)
        number = last.get(plain, 1)
        while name in seen:
            number += 1
            name = f"{plain} ({number})"
        last[plain] = number
        seen.add(name)
        yield Submission(name, _printable(submission.source), submission.data, _printable(submission.problem))


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)
