"""`mnist-kit export`: the files, and the remarks on what is missing from them."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from autograder.commands.export import export
from autograder.errors import BuildError, ImportedFileError
from autograder.report.page import feedback_page
from autograder.tests.journals import RULES
from autograder.tests.reports import HOSTILE, graded, rejected, ungraded, whole

ROSTER = "name,id,email\nAnn Lee,17,ann@x.edu\nBen Ray,18,ben@x.edu\nCy,19,cy@x.edu\n"
CANVAS = (
    "Student,ID,SIS Login ID,Section,A test of checks (7),Other (8)\n    Points Possible,,,,40,1\n"
    '"Lee, Ann",90001,ann@x.edu,A,,\n"Ray, Ben",90002,ben@x.edu,A,3,\n"Zed, Di",90003,di@x.edu,A,,\n'
)


def put(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_whole_class_is_written_without_a_remark(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "export"
    done = export([whole(name="ann"), rejected(name="b c")], RULES, out)
    (page,) = {name for name in files(out) if name.startswith("feedback/b_c-")}
    assert files(out) == {"grades.csv", "feedback/ann.html", page, "feedback.zip"}
    assert set(done.paths) == {out / name for name in files(out)}
    assert done.remarks == ()
    assert (out / "feedback/ann.html").read_text(encoding="utf-8") == feedback_page(whole(name="ann"), RULES)


def test_a_submission_without_a_total_is_named(tmp_path: Path) -> None:
    done = export([whole(name="ann"), graded(name="ben"), ungraded(name="cy")], RULES, tmp_path)
    assert done.remarks == (
        "2 without a total: answers not marked yet:",
        "  ben: q1",
        "  cy: q1",
        "1 without a total: could not be graded:",
        "  cy",
    )
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["submission"]: row for row in csv.DictReader(file)}
    assert [rows[name]["total"] for name in ("ann", "ben", "cy")] == ["19.16", "", ""]
    assert "not marked yet: q1" in rows["ben"]["remark"]


def test_a_roster_and_canvas_come_together(tmp_path: Path) -> None:
    out = tmp_path / "export"
    roster, canvas = put(tmp_path, "roster.csv", ROSTER), put(tmp_path, "canvas.csv", CANVAS)
    reports = [whole(name="hw_17"), graded(name="ben"), whole(name="stranger")]
    done = export(reports, RULES, out, roster=roster, canvas=canvas)
    assert (out / "canvas.csv").read_text(encoding="utf-8") == CANVAS.replace("ann@x.edu,A,", "ann@x.edu,A,19.16")
    with (out / "grades.csv").open(encoding="utf-8", newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["Ann Lee", "Ben Ray", "Cy", ""]
    remarks = "\n".join(done.remarks)
    assert "1 on the roster without a submission:\n  Cy" in remarks
    assert "1 not on the roster:\n  stranger" in remarks
    assert "Canvas, A test of checks (7): points filled in for 1 of 3 students." in remarks
    assert "is worth 40 points in Canvas, and 30 here" in remarks
    assert "1 in Canvas, not changed:\n  Ray, Ben: not marked yet: q1" in remarks
    assert "1 in Canvas, not matched:\n  Zed, Di: not on the roster" in remarks
    assert "1 not in Canvas:\n  stranger" in remarks


def test_a_student_with_two_submissions_is_named_with_the_reason(tmp_path: Path) -> None:
    roster = put(tmp_path, "roster.csv", "email\nann@x.edu\n")
    done = export([whole(name="ann_1"), whole(name="ann_2")], RULES, tmp_path / "out", roster=roster)
    assert done.remarks[0] == "1 on the roster, submission unclear:"
    assert "ann@x.edu: matches 2 submissions (ann_1, ann_2)" in done.remarks[1]


def test_the_column_may_be_named_by_its_number(tmp_path: Path) -> None:
    canvas = put(tmp_path, "canvas.csv", CANVAS)
    export([whole(name="ben")], RULES, tmp_path / "out", canvas=canvas, column="8")
    assert (tmp_path / "out/canvas.csv").read_text(encoding="utf-8") == CANVAS.replace("A,3,", "A,3,19.16")


def test_the_exported_file_may_replace_the_one_that_was_read(tmp_path: Path) -> None:
    canvas = put(tmp_path, "canvas.csv", CANVAS.replace("\n", "\r\n"))
    for _ in range(2):
        export([whole(name="ben")], RULES, tmp_path, canvas=canvas)
        assert canvas.read_bytes().decode() == CANVAS.replace("A,3,", "A,19.16,").replace("\n", "\r\n")


def test_a_file_for_canvas_from_an_earlier_export_is_named(tmp_path: Path) -> None:
    canvas = put(tmp_path, "export.csv", CANVAS)
    assert "earlier" not in str(export([whole(name="ben")], RULES, tmp_path / "out", canvas=canvas).remarks)
    done = export([whole(name="ben")], RULES, tmp_path / "out")
    assert f"{tmp_path}/out/canvas.csv is from an earlier export" in done.remarks[0]
    assert (tmp_path / "out/canvas.csv").read_text(encoding="utf-8") == CANVAS.replace("A,3,", "A,19.16,")


def test_nothing_is_written_if_a_file_cannot_be_read(tmp_path: Path) -> None:
    wrong = put(tmp_path, "wrong.csv", "a,b\n1,2\n")
    right = put(tmp_path, "roster.csv", ROSTER)
    with pytest.raises(ImportedFileError):
        export([whole()], RULES, tmp_path / "out", roster=wrong)
    with pytest.raises(ImportedFileError):
        export([whole()], RULES, tmp_path / "out", roster=right, canvas=wrong)
    assert not (tmp_path / "out").exists()


def test_the_zip_holds_the_pages_and_is_the_same_every_time(tmp_path: Path) -> None:
    reports = [whole(name="b"), whole(name="a/b"), graded(name=HOSTILE)]
    for name, order in (("one", reports), ("two", reports[::-1])):
        export(order, RULES, tmp_path / name)
    assert (tmp_path / "one/feedback.zip").read_bytes() == (tmp_path / "two/feedback.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one/feedback.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(name for name in files(tmp_path / "one") if name.startswith("feedback/"))
        assert archive.read("feedback/b.html") == (tmp_path / "one/feedback/b.html").read_bytes()


def test_a_page_of_somebody_who_left_is_deleted(tmp_path: Path) -> None:
    export([whole(name="ann"), whole(name="ben")], RULES, tmp_path)
    (tmp_path / "feedback" / "notes.txt").write_text("mine", encoding="utf-8")
    export([whole(name="ben")], RULES, tmp_path)
    assert files(tmp_path) == {"grades.csv", "feedback/ben.html", "feedback/notes.txt", "feedback.zip"}


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"feedback: pages cannot be written there"):
        export([whole()], RULES, put(tmp_path, "file", ""))


def test_a_long_list_is_cut_and_a_name_does_not_control_the_screen(tmp_path: Path) -> None:
    lines = export([ungraded(name=HOSTILE), *(graded(name=f"n{at}") for at in range(29))], RULES, tmp_path).remarks
    assert lines[0] == "30 without a total: answers not marked yet:"
    assert lines[20:22] == ("  n18: q1", "  and 10 more")
    assert all(line.isprintable() for line in lines)
