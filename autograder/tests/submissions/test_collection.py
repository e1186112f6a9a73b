"""Finding submissions: whatever an instructor points at, nothing is lost, nothing blocks, nothing is written."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from autograder.errors import SubmissionError
from autograder.submissions.collection import collect
from autograder.submissions.submission import Submission, slug

LIMIT = 1000
BOOK = b'{"cells": []}'
LINK = "It is a link to another place; put the file or folder itself there."


def write(path: Path, data: bytes = BOOK) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def write_zip(path: Path, entries: Mapping[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return path


def found(*paths: Path) -> dict[str, bytes | str]:
    """Return the submissions by name: their bytes, or their problem."""
    submissions = collect(paths, LIMIT)
    assert all(not submission.data for submission in submissions if submission.problem)
    assert len({submission.name for submission in submissions}) == len(submissions)
    return {submission.name: submission.problem or submission.data for submission in submissions}


def test_a_notebook_is_named_after_its_file(tmp_path: Path) -> None:
    path = write(tmp_path / "hw 1.ipynb")
    assert collect([path], LIMIT) == (Submission("hw 1", str(path), BOOK),)


def test_a_folder_is_searched_to_the_bottom_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("submission_2/hw.ipynb", "submission_12/hw.ipynb", "late/more/hw.IPYNB", "hw.ipynb", "metadata.yml"):
        write(tmp_path / name)
    assert list(found(tmp_path)) == ["hw", "late/more/hw", "submission_12/hw", "submission_2/hw"]


def test_one_notebook_in_a_zip_file_takes_the_name_of_the_zip_file(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a_1.zip", {"work/hw.ipynb": BOOK, "work/notes.txt": b"", "images/": b""})
    assert collect([path], LIMIT) == (Submission("a_1", f"{path}:work/hw.ipynb", BOOK),)


def test_many_notebooks_in_a_zip_file_are_one_submission_each(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "all.zip", {"b_123_457_hw.ipynb": b"b", "a_123_456_hw.ipynb": b"a"})
    assert list(found(path).items()) == [("all/a_123_456_hw", b"a"), ("all/b_123_457_hw", b"b")]


def test_what_systems_and_editors_leave_behind_is_ignored(tmp_path: Path) -> None:
    for name in ("__MACOSX/._hw.ipynb", ".ipynb_checkpoints/hw-checkpoint.ipynb", "._hw.ipynb"):
        write(tmp_path / "class" / name)
    write(tmp_path / "class/hw.ipynb", b"hw")
    write_zip(tmp_path / "class/z.zip", {"__MACOSX/._z.ipynb": b"", "._z.ipynb": b"", "z.ipynb": b"z"})
    assert found(tmp_path / "class") == {"hw": b"hw", "z": b"z"}


def test_the_same_name_twice_is_kept_apart(tmp_path: Path) -> None:
    paths = [write(tmp_path / name, name.encode()) for name in ("a/hw.ipynb", "b/hw.ipynb", "c/hw (2).ipynb")]
    assert found(*paths) == {"hw": b"a/hw.ipynb", "hw (2)": b"b/hw.ipynb", "hw (2) (2)": b"c/hw (2).ipynb"}
    write_zip(tmp_path / "d/hw.zip", {"hw.ipynb": b"zip"})
    write(tmp_path / "d/hw.ipynb", b"file")
    assert found(tmp_path / "d") == {"hw": b"file", "hw (2)": b"zip"}


@pytest.mark.parametrize("extra", [0, 1, 5000], ids=["at the limit", "one byte more", "much more"])
def test_no_more_than_one_byte_over_the_limit_is_read(extra: int, tmp_path: Path) -> None:
    write(tmp_path / "file.ipynb", b"x" * (LIMIT + extra))
    write_zip(tmp_path / "zip.zip", {"a.ipynb": b"x" * (LIMIT + extra)})
    assert [len(submission.data) for submission in collect([tmp_path], LIMIT)] == [LIMIT + min(extra, 1)] * 2


def encrypt(path: Path) -> None:
    """Write a zip file that calls its one entry encrypted, in both headers."""
    data = bytearray(write_zip(path, {"a.ipynb": BOOK}).read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    write(path, bytes(data))


def damage(path: Path, compression: int) -> None:
    """Write a zip file whose one entry begins with a wrong byte."""
    data = bytearray(write_zip(path, {"a.ipynb": BOOK}, compression).read_bytes())
    data[30 + len("a.ipynb")] = 0xFF
    write(path, bytes(data))


def test_a_file_of_another_kind_is_reported_by_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "hw.py")
    assert found(path) == {"hw": "hw.py is not a notebook; hand in the .ipynb file."}


def test_links_in_a_folder_are_reported_and_not_followed(tmp_path: Path) -> None:
    elsewhere = write(tmp_path / "elsewhere/secret.ipynb")
    write(tmp_path / "class/hw.ipynb")
    targets = {
        "a.ipynb": elsewhere,
        "b": elsewhere.parent,
        "c.ipynb": elsewhere.parent,
        "d.ipynb": tmp_path / "nowhere",
        "e.zip": tmp_path / "class/e.zip",
    }
    for name, target in targets.items():
        (tmp_path / "class" / name).symlink_to(target)
    assert found(tmp_path / "class") == {"hw": BOOK, **dict.fromkeys("abcde", LINK)}


def test_a_folder_without_notebooks_among_others_is_reported(tmp_path: Path) -> None:
    for name in ("submission_1/hw.ipynb", "submission_2/hw.py", ".git/config", "__pycache__/x.pyc"):
        write(tmp_path / name)
    (tmp_path / "submission_3").mkdir()
    problem = "There is no notebook (.ipynb) in the folder."
    assert found(tmp_path) == {"submission_1/hw": BOOK, "submission_2": problem, "submission_3": problem}


def test_what_cannot_be_taken_out_of_a_zip_file_is_reported(tmp_path: Path) -> None:
    encrypt(tmp_path / "a.zip")
    damage(tmp_path / "b.zip", zipfile.ZIP_STORED)
    damage(tmp_path / "c.zip", zipfile.ZIP_DEFLATED)
    problem = "The notebook cannot be taken out of the zip file"
    assert found(tmp_path) == {
        "a": "The notebook in the zip file is protected by a password; hand in the .ipynb file itself.",
        "b": f"{problem} (Bad CRC-32 for file 'a.ipynb').",
        "c": f"{problem} (Error -3 while decompressing data: invalid block type).",
    }


def test_a_path_without_anything_to_grade_is_an_error(tmp_path: Path) -> None:
    full = write(tmp_path / "full/hw.ipynb").parent
    (tmp_path / "empty").mkdir()
    for path, message in (
        (tmp_path / "none.ipynb", r"none\.ipynb: no such file or folder; check the name"),
        (tmp_path / "empty", r"empty: no notebook \(\.ipynb\) and no zip file in it; name the folder"),
        (tmp_path / ("x" * 5000), r"xxx: it cannot be read \(File name too long\)$"),
    ):
        with pytest.raises(SubmissionError, match=message):
            collect([full, path], LIMIT)


@given(data=st.data())
@settings(
    max_examples=100, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_zip_file_with_random_bytes_changed_is_reported_or_read(data: st.DataObject, tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    content = bytearray(write_zip(path, {"a.ipynb": BOOK * 9, "é.ipynb": BOOK}).read_bytes())
    for at, value in data.draw(st.lists(st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255)), min_size=1)):
        content[at] = value
    write(path, bytes(content))
    assert all(submission.data or submission.problem for submission in collect([path], LIMIT))


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a_123_456_hw-1.2", "a_123_456_hw-1.2"),
        ("submission_12/hw", "submission_12__hw"),
        ("hw 1", "hw_1-"),
        ("HW", "HW-"),
        ("übung", "bung-"),
        ("…", ""),
        ("", ""),
        ("a\nb", "a_b-"),
        ("-rf", "rf-"),
        ("..", ""),
        ("../../etc/passwd", "etc__passwd-"),
        ("/etc/passwd", "etc__passwd-"),
        ("x" * 300, "x" * 60 + "-"),
        ("a\udcff", "a-"),
    ],
    ids=ascii,
)
def test_a_folder_is_named_safely_and_readably(name: str, start: str) -> None:
    assert slug(name) == (start if start and not start.endswith("-") else start + hashed(name))


def hashed(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


NAMES = st.text(alphabet="aA0b_-./ é", max_size=6) | st.text(max_size=100)


@given(names=st.lists(NAMES, min_size=2, max_size=10, unique=True))
@example(names=["a/b", "a__b", "a_/b", "a/_b"])
@example(names=["Ann", "ann", "ANN"])
@example(names=["x y", f"x_y-{hashed('x y')}", "…", hashed("…")])
@settings(max_examples=200, deadline=None, derandomize=True)
def test_different_names_never_share_a_folder_whatever_the_file_system(names: list[str]) -> None:
    slugs = [slug(name) for name in names]
    assert len({name.casefold() for name in slugs}) == len(names)
    assert all(name and name[0] not in ".-_" and len(name) <= 100 and name.isascii() for name in slugs)
    assert all(character.isalnum() or character in "._-" for name in slugs for character in name)
