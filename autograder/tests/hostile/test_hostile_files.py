"""Files handed in to break the grader: each is graded or rejected by name, within bounds; none is skipped."""

from __future__ import annotations

import io
import json
import os
import resource
import stat
import struct
import sys
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from autograder.errors import SubmissionError
from autograder.submissions import collection, notebook
from autograder.submissions.collection import collect
from autograder.submissions.submission import Submission, slug
from autograder.tests.notebooks import FILLED, PROSE, RULES, Edit, alter, edited

LIMIT = 2**20
BOOK = json.dumps(FILLED).encode()
LINK = "It is a link to another place; put the file or folder itself there."
NOT_REGULAR = "It is not a regular file."
DAMAGED = "The zip file is damaged."
PACKED = "The {} in the zip file is packed to less than 1/200 of its size; hand in the .ipynb file itself."
UNUSUAL = "The notebook in the zip file is packed in an unusual way; hand in the .ipynb file itself."
FOLDER = "It is a folder with the name of a file; hand in the .ipynb file itself."

Outcome = bytes | str
Entry = tuple[str | zipfile.ZipInfo, bytes]


def zipped(*entries: Entry, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file:
        for name, data in entries:
            file.writestr(name, data)
    return made.getvalue()


def bomb(name: str = "a.ipynb", method: int = zipfile.ZIP_DEFLATED, megabytes: int = 64) -> bytes:
    """A zip file of a thousandth of the size that it unpacks to, or less."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as file, file.open(name, "w", force_zip64=True) as entry:
        for _ in range(megabytes):
            entry.write(bytes(2**20))
    return made.getvalue()


def overlapping(number: int) -> bytes:
    """Entries that share their packed bytes, as in a zip file of 10 MB that unpacks to 281 TB."""
    data = zipped(("a.ipynb", BOOK))
    start, end = data.index(b"PK\x01\x02"), data.index(b"PK\x05\x06")
    last = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, number, number, number * (end - start), start, 0)
    return data[:start] + data[start:end] * number + last


def link(name: str, target: str) -> Entry:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info, target.encode()


def lying(size: int) -> bytes:
    """An entry that says it is of another size than it is."""
    data = zipped(("a.ipynb", BOOK))
    at = data.index(b"PK\x01\x02") + 24
    return data[:at] + struct.pack("<L", size) + data[at + 4 :]


INNER = zipped(("hw.ipynb", BOOK))
ZIPS: dict[str, tuple[Callable[[], bytes], dict[str, Outcome]]] = {
    "students' zip files, as a course platform gives them out": (
        lambda: zipped(("ann_1_hw.zip", INNER), ("bob_2_hw.ipynb", BOOK), ("eve_3_hw.zip", zipped(("a", b"")))),
        {"z/ann_1_hw": BOOK, "z/bob_2_hw": BOOK, "z/eve_3_hw": "There is no notebook (.ipynb) in the zip file."},
    ),
    "two notebooks in a student's zip file": (
        lambda: zipped(("ann.zip", zipped(("hw.ipynb", BOOK), ("old/hw.ipynb", BOOK))), ("bob.zip", INNER)),
        {"z/ann/hw": BOOK, "z/ann/old/hw": BOOK, "z/bob": BOOK},
    ),
    "a zip file three deep": (
        lambda: zipped(("a.zip", zipped(("b.zip", INNER), ("hw.ipynb", BOOK)))),
        {
            "z/b": "It is a zip file inside a zip file inside a zip file; hand in the .ipynb file itself.",
            "z/hw": BOOK,
        },
    ),
    "a zip file that holds one too large to be opened": (
        lambda: zipped(("a.zip", os.urandom(LIMIT + 1)), ("hw.ipynb", BOOK)),
        {"z/a": "The zip file inside the zip file is too large; unpack the outer one.", "z/hw": BOOK},
    ),
    "names that climb out, name roots, drives and options": (
        lambda: zipped(*((name, BOOK) for name in ("../../up.ipynb", "/etc/passwd.ipynb", "C:\\x.ipynb", "-rf.ipynb"))),
        {"z/../../up": BOOK, "z//etc/passwd": BOOK, "z/C:\\x": BOOK, "z/-rf": BOOK},
    ),
    "names with a new line, an escape sequence, a direction mark, an emoji": (
        lambda: zipped(*((f"{name}.ipynb", BOOK) for name in ("a\nb", "\x1b[31mred", "gpj\u202efdp", "🎉 é"))),
        {"z/a\ufffdb": BOOK, "z/\ufffd[31mred": BOOK, "z/gpj\ufffdfdp": BOOK, "z/🎉 é": BOOK},
    ),
    "names that differ in their case only": (
        lambda: zipped(("a.ipynb", BOOK), ("A.ipynb", BOOK), ("A.IPYNB", BOOK)),
        {"z/A": BOOK, "z/A (2)": BOOK, "z/a": BOOK},
    ),
    "a name of 60,000 characters": (lambda: zipped((f"{'x' * 60_000}.ipynb", BOOK), ("y.ipynb", BOOK)), {"z/y": BOOK}),
    "the same name twice": (
        lambda: zipped(("a.ipynb", BOOK), ("b.ipynb", BOOK)).replace(b"b.ipynb", b"a.ipynb"),
        {"z/a": BOOK, "z/a (2)": BOOK},
    ),
    "links": (
        lambda: zipped(link("a.ipynb", "/etc/passwd"), link("b.zip", "../up.zip"), ("c.ipynb", BOOK)),
        {"z/a": LINK, "z/b": LINK, "z/c": BOOK},
    ),
    "a folder with the name of a notebook": (lambda: zipped(("a.ipynb/", b""), ("a.ipynb/b.ipynb", BOOK)), {"z": BOOK}),
    "a large notebook of nothing": (bomb, {"z": PACKED.format("notebook")}),
    "the same in a zip file inside": (lambda: zipped(("a.zip", bomb())), {"z": PACKED.format("notebook")}),
    "a zip file inside that is itself a bomb": (lambda: bomb("a.zip"), {"z": PACKED.format("zip file")}),
    "packed by a method that is unpacked without a bound": (
        lambda: zipped(("a.ipynb", bytes(2**20 - 1)), method=zipfile.ZIP_BZIP2),
        {"z": UNUSUAL},
    ),
    "LZMA": (lambda: zipped(("a.ipynb", BOOK), method=zipfile.ZIP_LZMA), {"z": UNUSUAL}),
    "entries that overlap": (lambda: overlapping(3), dict.fromkeys(("z/a", "z/a (2)", "z/a (3)"), DAMAGED)),
    "an entry that hides most of its size": (
        lambda: lying(9), {"z": "The notebook cannot be taken out of the zip file (Bad CRC"},
    ),
    "an entry that claims too much": (
        lambda: lying(4 * 10**9), {"z": "The notebook in the zip file is packed to less than 1/200"},
    ),
    "more notebooks than a class has": (
        lambda: zipped(*((f"{at}.ipynb", b"") for at in range(5001))),
        {"z": "The zip file holds 5,001 notebooks; at most 5,000 are accepted."},
    ),
    "more notebooks than a student has": (
        lambda: zipped(("a.zip", zipped(*((f"{at}.ipynb", b"") for at in range(51)))), ("b.zip", INNER)),
        {"z/a": "The zip file holds 51 notebooks; at most 50 are accepted.", "z/b": BOOK},
    ),
    "far more files than anybody has": (
        lambda: zipped(*((f"{at:06}/{'x' * 100}", b"") for at in range(30_000))),
        {"z": "The zip file cannot be read (it lists far too many files)."},
    ),
    "nothing but zeros": (lambda: bytes(10**6), {"z": "The zip file cannot be read (File is not a zip file)."}),
    "cut short": (lambda: INNER[:-30], {"z": "The zip file cannot be read ("}),
    "with a program in front": (lambda: b"#!/bin/sh\n" * 99 + INNER, {"z": BOOK}),
}  # fmt: skip


def agree(found: Iterable[Submission], expected: dict[str, Outcome]) -> None:
    got = {submission.name: submission.problem or submission.data for submission in found}
    longer = {name for name in got if len(name) > 200}
    assert got.keys() - longer == expected.keys()
    for name, outcome in expected.items():
        seen = got[name]
        begins = isinstance(seen, str) and isinstance(outcome, str) and seen.startswith(outcome)
        assert seen == outcome or begins, name
    assert all(len(name) <= 301 and name.isprintable() for name in got)
    slugs = [slug(name) for name in got]
    assert len({each.casefold() for each in slugs}) == len(got)
    assert all("/" not in each and each[0] not in ".-" for each in slugs)


@pytest.mark.timeout(60)
@pytest.mark.parametrize(("make", "expected"), ZIPS.values(), ids=ZIPS)
def test_a_zip_file_is_accepted_or_rejected_by_name(
    make: Callable[[], bytes], expected: dict[str, Outcome], tmp_path: Path
) -> None:
    path = tmp_path / "in" / "z.zip"
    path.parent.mkdir()
    path.write_bytes(make())
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    agree(collect([path], LIMIT), expected)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 1024
    assert [each.name for each in tmp_path.rglob("*")] == ["in", "z.zip"], "nothing was unpacked"


def test_a_zip_file_is_unpacked_up_to_a_total_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collection, "TOTAL_LIMIT", 3 * 2**20)
    data = os.urandom(LIMIT)
    file = zipped(("a.zip", zipped(("a.ipynb", data))), ("b.ipynb", data), ("c.ipynb", data), ("d.ipynb", b""))
    (tmp_path / "z.zip").write_bytes(file)
    problem = "The zip file unpacks to more than 3 MB in total; unpack it into a folder."
    agree(collect([tmp_path / "z.zip"], LIMIT + 999), {"z/a": data, "z/b": problem, "z/c": problem, "z/d": problem})


def plain(*names: str) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(BOOK)

    return make


def special(folder: Path) -> None:
    plain("hw.ipynb", "f.ipynb/inside.ipynb")(folder)
    os.mkfifo(folder / "p.ipynb")
    (folder / "l.ipynb").symlink_to("/dev/zero")
    (folder / "e.ipynb").mkdir()


def deep(folder: Path) -> None:
    """Folders inside each other until no path says where; rmtree of a test's folder copes with no more."""
    plain("hw.ipynb")(folder)
    (folder / "/".join(["d" * 250] * 12)).mkdir(parents=True)
    plain("/".join(["e"] * 800) + "/hw.ipynb")(folder)


def large(folder: Path) -> None:
    with (folder / "a.ipynb").open("wb") as file:
        file.truncate(100 * 2**20)
    with (folder / "b.zip").open("wb") as file:
        file.truncate(2**40)


FOLDERS: dict[str, tuple[Callable[[Path], None], dict[str, Outcome]]] = {
    "two notebooks of one student": (plain("ann/hw.ipynb", "ann/hw (1).ipynb"), {"ann/hw": BOOK, "ann/hw (1)": BOOK}),
    "names that a shell would trip over": (
        plain("-rf.ipynb", "a b.ipynb", "$(reboot).ipynb", "'.ipynb", "a\nb.ipynb", "🎉.ipynb", "%s.ipynb"),
        dict.fromkeys(("-rf", "a b", "$(reboot)", "'", "a�b", "🎉", "%s"), BOOK),
    ),
    "a pipe, a link to a device, folders with the name of a notebook": (
        special,
        {"hw": BOOK, "f.ipynb/inside": BOOK, "p": NOT_REGULAR, "l": LINK, "e": FOLDER, "f": FOLDER},
    ),
    "100 MB, and a terabyte of nothing": (
        large,
        {"a": bytes(LIMIT + 1), "b": "The zip file cannot be read (File is not a zip file)."},
    ),
    "folders without a bottom": (deep, {"hw": BOOK, "d" * 250: "There is no notebook (.ipynb) in the folder."}),
}  # fmt: skip


@pytest.mark.timeout(60)
@pytest.mark.skipif(sys.platform == "darwin", reason="the file system takes no such names")
@pytest.mark.parametrize(("make", "expected"), FOLDERS.values(), ids=FOLDERS)
def test_a_folder_is_accepted_or_rejected_by_name(
    make: Callable[[Path], None], expected: dict[str, Outcome], tmp_path: Path
) -> None:
    make(tmp_path)
    agree(collect([tmp_path], LIMIT), {name: outcome for name, outcome in expected.items() if len(name) <= 200})


@pytest.mark.timeout(20)
def test_folders_deeper_than_any_path_are_rejected_by_name(tmp_path: Path) -> None:
    """Made and removed step by step: no path is long enough to name the innermost."""
    (tmp_path / "hw.ipynb").write_bytes(BOOK)
    handles = [os.open(tmp_path, os.O_RDONLY)]
    for _ in range(30):
        os.mkdir("d" * 200, dir_fd=handles[-1])
        handles.append(os.open("d" * 200, os.O_RDONLY, dir_fd=handles[-1]))
    try:
        found = {len(each.name): each.problem or each.data for each in collect([tmp_path], LIMIT)}
    finally:
        for handle in reversed(handles):
            if handle != handles[-1]:
                os.rmdir("d" * 200, dir_fd=handle)
            os.close(handle)
    assert found == {2: BOOK, 301: "The folder could not be read (File name too long)."}


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_not_opened(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "x.ipynb", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this container may not make devices")
    agree(collect([tmp_path], LIMIT), {"x": NOT_REGULAR})


GRADED: dict[str, Edit] = {
    "a kernel that nobody has": alter(
        lambda book: book.metadata.update(kernelspec={"name": "fortran", "language": "fortran", "display_name": "F"})
    ),
    "a language that is not Python": alter(lambda book: book.metadata.update(language_info={"name": "R"})),
    "no kernel and no language": alter(
        lambda book: [book.metadata.pop(key, None) for key in ("kernelspec", "language_info")]
    ),
    "a minor format that nobody knows": alter(lambda book: book.update(nbformat_minor=99)),
    "keys that nobody knows": alter(lambda book: [cell.update(evil=True) for cell in book.cells]),
    "outputs of 20 MB in a million parts": alter(
        lambda book: [cell.update(outputs=[[]] * 20_000) for cell in book.cells if cell.cell_type == "code"]
    ),
    "cells in reverse": alter(lambda book: book.cells.reverse()),
}


@pytest.mark.timeout(20)
@pytest.mark.parametrize("edit", GRADED.values(), ids=GRADED)
def test_a_notebook_that_is_only_odd_is_graded(edit: Edit) -> None:
    book = notebook.read(json.dumps(edited(edit)).encode(), RULES)
    assert book.answers == PROSE
    assert len(book.cells) == sum(bool(cell.source) for cell in FILLED.cells if cell.cell_type == "code")


EMPTY_CELL: dict[str, object] = {
    "cell_type": "code", "source": "", "metadata": {}, "outputs": [], "execution_count": None
}  # fmt: skip
MANY: dict[str, Edit] = {
    "100,000 cells": alter(lambda book: book.cells.extend([EMPTY_CELL] * 100_000)),
    "a million values beside the cells": alter(lambda book: book.metadata.update(x=[[]] * 10**6)),
    "a cell of a million lines": alter(lambda book: book.cells[0].update(source=["\n"] * 10**6)),
}


@pytest.mark.timeout(30)
@pytest.mark.parametrize("edit", MANY.values(), ids=MANY)
def test_a_notebook_of_a_million_parts_is_rejected_before_it_is_converted(edit: Edit) -> None:
    data = json.dumps(edited(edit)).encode()
    with pytest.raises(SubmissionError, match="far more cells, or data outside the cells"):
        notebook.read(data, RULES)
