"""Where results go: the files of a run, whole or not at all."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from autograder.errors import BuildError
from autograder.report.result_files import folder, prepare, write_class, write_one
from autograder.report.results_json import results
from autograder.tests.journals import RULES
from autograder.tests.reports import HOSTILE, graded, hostile, rejected, ungraded


def files(output: Path) -> set[str]:
    return {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}


def test_a_run_leaves_the_files_that_are_documented(tmp_path: Path) -> None:
    output = tmp_path / "deep" / "out"
    reports = [graded(), rejected(), ungraded()]
    prepare(output)
    prepare(output)
    for report in reports:
        write_one(report, RULES, output)
    page = write_class(reports, RULES, output)
    assert page == output / "index.html"
    assert files(output) == {
        "index.html",
        "grades.csv",
        *(
            f"submissions/{name}/{file}"
            for name in ("first", "second", "third")
            for file in ("results.json", "feedback.html")
        ),
    }


def test_results_are_the_document_for_gradescope(tmp_path: Path) -> None:
    prepare(tmp_path)
    write_one(graded(), RULES, tmp_path)
    text = (tmp_path / "submissions" / "first" / "results.json").read_text(encoding="utf-8")
    assert json.loads(text) == results(graded(), RULES)
    assert text.endswith("}\n")


def test_every_link_of_the_class_page_leads_to_a_page(tmp_path: Path) -> None:
    reports = [graded(), graded(name="a/b c"), hostile(), graded(name="../../etc")]
    prepare(tmp_path)
    for report in reports:
        write_one(report, RULES, tmp_path)
    page = write_class(reports, RULES, tmp_path).read_text(encoding="utf-8")
    for report in reports:
        assert f'href="{folder(report)}/feedback.html"' in page
        assert (tmp_path / folder(report) / "feedback.html").is_file()
    assert {path.split("/")[0] for path in files(tmp_path)} == {"index.html", "grades.csv", "submissions"}


@pytest.mark.parametrize(
    "name",
    ["..", ".", "/", "../../etc/passwd", "a/../../b", "a\\b", "CON\x00", "\ud800", "é" * 300, "a" * 300, HOSTILE],
    ids=["dots", "dot", "slash", "up", "up inside", "backslash", "null", "half", "accents", "long", "hostile"],
)
def test_a_folder_is_one_plain_name_below_submissions(name: str) -> None:
    path = folder(graded(name=name))
    head, _, tail = path.partition("/")
    assert head == "submissions"
    assert tail.strip(".")
    assert len(tail) <= 80
    assert set(tail) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def test_names_that_look_alike_have_folders_of_their_own() -> None:
    names = ["a b", "a_b", "a:b", "a/b", "a__b", "A B"]
    folders = {folder(graded(name=name)).lower() for name in names}
    assert len(folders) == len(names)


def test_hostile_words_can_be_written(tmp_path: Path) -> None:
    report = hostile()
    prepare(tmp_path)
    write_one(report, RULES, tmp_path)
    write_class([report], RULES, tmp_path)
    for name in files(tmp_path):
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert not {"\x1b", "\x00"} & set(text)
    with (tmp_path / "grades.csv").open(encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 1


def test_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    prepare(tmp_path)
    for report in (graded(), ungraded(name="first")):
        write_one(report, RULES, tmp_path)
        write_class([report], RULES, tmp_path)
    document = json.loads((tmp_path / "submissions" / "first" / "results.json").read_text(encoding="utf-8"))
    assert document["extra_data"]["status"] == "could not be graded"
    assert "could not be graded" in (tmp_path / "grades.csv").read_text(encoding="utf-8")


def test_a_submission_whose_folder_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "submissions" / "first").write_text("a file", encoding="utf-8")
    with pytest.raises(BuildError, match=r"submissions/first: it cannot be made \(File exists\)$"):
        write_one(graded(), RULES, tmp_path)


def test_a_file_that_cannot_be_put_in_place_is_an_error_and_leaves_no_draft(tmp_path: Path) -> None:
    prepare(tmp_path)
    (tmp_path / "index.html").mkdir()
    words = r"index\.html: it cannot be written \(Is a directory\); what was written before is complete$"
    with pytest.raises(BuildError, match=words):
        write_class([graded()], RULES, tmp_path)
    assert files(tmp_path) == {"grades.csv"}


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("a file", encoding="utf-8")
    with pytest.raises(BuildError, match=r"out: results cannot be written there \(.+\); name another folder with -o"):
        prepare(file)
    assert file.read_text(encoding="utf-8") == "a file"
