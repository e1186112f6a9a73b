"""The files of a run, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from autograder.errors import BuildError
from autograder.gradebook.marked_report import MarkedClass
from autograder.judge.grade_report import GradeReport
from autograder.report.result_files import (
    folder,
    prepare,
    write,
    write_class,
    write_class_report,
    write_submission,
)
from autograder.report.results_json import results
from autograder.tests.journals import RULES
from autograder.tests.reports import graded, hostile, rejected, ungraded


def written(output: Path, reports: Sequence[GradeReport]) -> Path:
    """Write all files of a class; return the path of the report."""
    prepare(output)
    prepare(output)
    for report in reports:
        write_submission(report, RULES, output)
    return write_class(MarkedClass(RULES, tuple(reports)), output)


def names(output: Path) -> set[str]:
    return {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()}


def test_a_run_leaves_the_files_that_are_documented(tmp_path: Path) -> None:
    output = tmp_path / "deep" / "out"
    page = written(output, [graded(), rejected(), ungraded()])
    assert page == output / "index.html"
    assert names(output) == {
        "index.html",
        "grades.csv",
        *(
            f"submissions/{name}/{file}"
            for name in ("first", "second", "third")
            for file in ("results.json", "feedback.html")
        ),
    }


def test_results_are_the_document_for_gradescope_and_replace_those_of_an_earlier_run(tmp_path: Path) -> None:
    for report in (ungraded(name="first"), graded()):
        written(tmp_path, [report])
    text = (tmp_path / "submissions" / "first" / "results.json").read_text(encoding="utf-8")
    assert json.loads(text) == results(graded(), RULES)
    assert text.endswith("}\n")
    assert "could not be graded" not in (tmp_path / "grades.csv").read_text(encoding="utf-8")


def test_every_link_of_the_report_leads_to_a_page_that_is_there(tmp_path: Path) -> None:
    reports = [graded(), graded(name="a/b c"), hostile(), graded(name="../../etc")]
    written(tmp_path, reports)
    absent = graded(name="absent")
    page = write_class_report(MarkedClass(RULES, (*reports, absent)), tmp_path).read_text(encoding="utf-8")
    for report in reports:
        assert f'href="{folder(report.name)}/feedback.html"' in page
        assert (tmp_path / folder(report.name) / "feedback.html").is_file()
    assert folder(absent.name) not in page
    assert {path.split("/")[0] for path in names(tmp_path)} == {"index.html", "grades.csv", "submissions"}


def test_a_folder_that_cannot_be_made_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "out"
    file.write_text("a file", encoding="utf-8")
    with pytest.raises(BuildError, match=r"out: results cannot be written there \(.+\); name another folder with -o"):
        prepare(file)
    assert file.read_text(encoding="utf-8") == "a file"
    with pytest.raises(BuildError, match=r"out/export: the folder cannot be made \(.+\)$"):
        write(file / "export" / "requests.csv", "")


def test_a_file_that_cannot_be_put_in_place_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index.html").mkdir()
    with pytest.raises(
        BuildError, match=r"index\.html: it cannot be written \(Is a directory\); what was written before"
    ):
        written(tmp_path, [graded()])
    assert "grades.csv" in names(tmp_path)
