"""What leaves the gradebook: files in one folder, complete or said not to be."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import pytest

from autograder.commands.export import Exported, export
from autograder.errors import BuildError, ImportedFileError
from autograder.report.feedback_page import feedback_page
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


def test_a_whole_class_is_written_and_nothing_is_left_to_say(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "export"
    done = export([whole(name="ann"), rejected(name="b c")], RULES, out)
    (page,) = {name for name in files(out) if name.startswith("feedback/b_c-")}
    assert files(out) == {"grades.csv", "feedback/ann.html", page, "feedback.zip"}
    assert set(done.paths) == {out / name for name in files(out)}
    assert (done.unmarked, done.ungraded, done.roll, done.canvas, done.remarks) == ((), (), None, None, "")
    assert (out / "feedback/ann.html").read_text(encoding="utf-8") == feedback_page(whole(name="ann"), RULES)


def test_an_export_with_answers_that_are_not_marked_says_so(tmp_path: Path) -> None:
    done = export([whole(name="ann"), graded(name="ben"), ungraded(name="cy")], RULES, tmp_path)
    assert done.unmarked == (("ben", ("q1",)), ("cy", ("q1",)))
    assert done.ungraded == ("cy",)
    assert done.remarks.splitlines() == [
        "2 with answers that are not marked yet, and so without a total:",
        "  ben: q1",
        "  cy: q1",
        "1 that could not be graded, and so without a total:",
        "  cy",
    ]
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
    assert done.remarks.splitlines() == [
        "1 with answers that are not marked yet, and so without a total:",
        "  ben: q1",
        "1 on the roster without a submission:",
        "  Cy",
        "1 without a student on the roster:",
        "  stranger",
        "Canvas, A test of checks (7): 1 of 3 students have their points.",
        "  A test of checks (7) is worth 40 points in Canvas, and 30 here; the points are not scaled.",
        "1 in Canvas left as they were:",
        "  Ray, Ben: not marked yet: q1",
        "1 in Canvas not joined:",
        "  Zed, Di: not on the roster",
        "1 that belong to nobody in Canvas:",
        "  stranger",
    ]


def test_who_could_not_be_joined_is_named_with_the_reason(tmp_path: Path) -> None:
    roster = put(tmp_path, "roster.csv", "email\nann@x.edu\n")
    done = export([whole(name="ann_1"), whole(name="ann_2")], RULES, tmp_path / "out", roster=roster)
    assert done.remarks.splitlines()[:2] == [
        "1 on the roster whose submission could not be told:",
        "  ann@x.edu: matches 2 submissions (ann_1, ann_2); name one in the roster's `file` column",
    ]


def test_the_column_may_be_told(tmp_path: Path) -> None:
    canvas = put(tmp_path, "canvas.csv", CANVAS)
    done = export([whole(name="ben")], RULES, tmp_path / "out", canvas=canvas, column="8")
    assert done.canvas is not None
    assert done.canvas.column == "Other (8)"
    assert (tmp_path / "out/canvas.csv").read_text(encoding="utf-8") == CANVAS.replace("A,3,", "A,3,19.16")


def test_what_is_exported_may_be_the_file_that_was_read(tmp_path: Path) -> None:
    canvas = put(tmp_path, "canvas.csv", CANVAS.replace("\n", "\r\n"))
    for _ in range(2):
        export([whole(name="ben")], RULES, tmp_path, canvas=canvas)
        assert canvas.read_bytes().decode() == CANVAS.replace("A,3,", "A,19.16,").replace("\n", "\r\n")


def test_a_file_for_canvas_that_this_export_did_not_make_is_told(tmp_path: Path) -> None:
    canvas = put(tmp_path, "export.csv", CANVAS)
    assert "earlier" not in export([whole(name="ben")], RULES, tmp_path / "out", canvas=canvas).remarks
    done = export([whole(name="ben")], RULES, tmp_path / "out")
    assert f"{tmp_path}/out/canvas.csv is of an earlier export" in done.remarks
    assert (tmp_path / "out/canvas.csv").read_text(encoding="utf-8") == CANVAS.replace("A,3,", "A,19.16,")
    assert "earlier" not in export([whole(name="ben")], RULES, tmp_path / "other").remarks


def test_nothing_is_written_where_a_file_cannot_be_read(tmp_path: Path) -> None:
    wrong = put(tmp_path, "wrong.csv", "a,b\n1,2\n")
    right = put(tmp_path, "roster.csv", ROSTER)
    with pytest.raises(ImportedFileError):
        export([whole()], RULES, tmp_path / "out", roster=wrong)
    with pytest.raises(ImportedFileError):
        export([whole()], RULES, tmp_path / "out", roster=right, canvas=wrong)
    with pytest.raises(ImportedFileError, match="no column is called 'x'"):
        export([whole()], RULES, tmp_path / "out", canvas=put(tmp_path, "canvas.csv", CANVAS), column="x")
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


def test_a_page_of_somebody_who_left_does_not_stay(tmp_path: Path) -> None:
    export([whole(name="ann"), whole(name="ben")], RULES, tmp_path)
    (tmp_path / "feedback" / "notes.txt").write_text("mine", encoding="utf-8")
    export([whole(name="ben")], RULES, tmp_path)
    assert files(tmp_path) == {"grades.csv", "feedback/ben.html", "feedback/notes.txt", "feedback.zip"}


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    file = put(tmp_path, "file", "")
    with pytest.raises(
        BuildError, match=r"feedback: pages cannot be written there \(.+\)\. Expected a folder that you may write into"
    ):
        export([whole()], RULES, file)
    (tmp_path / "out" / "grades.csv").mkdir(parents=True)
    with pytest.raises(BuildError, match=r"grades.csv: it cannot be written \(Is a directory\)"):
        export([whole()], RULES, tmp_path / "out")


def test_a_long_list_is_cut_on_the_screen_and_a_name_is_not_obeyed() -> None:
    done = Exported((), tuple((f"n{number}", ("q1",)) for number in range(30)), (HOSTILE,))
    lines = done.remarks.splitlines()
    assert lines[0] == "30 with answers that are not marked yet, and so without a total:"
    assert lines[20:22] == ["  n19: q1", "  and 10 more"]
    assert all(line.isprintable() for line in lines)
