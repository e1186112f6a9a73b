"""Grades that come back: real files of `otter grade`, Gradescope's as it documents them, and whatever goes wrong."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from otter.grade.utils import merge_scores_to_df
from otter.test_files import GradingResults

from autograder.errors import ImportedFileError
from autograder.lms.external_grades import GRADESCOPE, OTTER, Comparison, ExternalGrade, MatchedGrade, match, read
from autograder.policy.policy import Policy
from autograder.tests.journals import RULES

WORTH = {"q4": 6.0, "q5": 8.0, "q6": 4.0, "q7": 8.0}
ALL = {"q4": 6.0, "q5": 2.66, "q6": 0.0, "q7": 8.0}

HEAD = (
    "First Name,Last Name,SID,Email,Sections,Total Score,Max Points,Status,Submission ID,Submission Time,"
    "Lateness (H:M:S),View Count,Submission Count"
)
ANN = "Ann,Smith,17,ann@x.edu,A,20.5,30.0,Graded,4711,2026-01-02 03:04:05 -0800,00:00:00,3,1"


def graded(file: str, points: Mapping[str, float]) -> Any:
    """Otter's own results for one notebook: of each question a part that is passed and one that is not."""

    def case(name: str, points: float, passed: bool) -> dict[str, Any]:
        messages = {"success_message": None, "failure_message": None}
        test = {"name": name, "code": "", "hidden": True, "points": points, **messages}
        return {"test_case": test, "error": "", "passed": passed}

    files = [
        {
            "filename": f"{id}.py",
            "test_case_results": [case("has", earned, True), case("lacks", WORTH[id] - earned, False)],
        }
        for id, earned in points.items()
    ]
    results = GradingResults.from_ottr_json(json.dumps({"test_file_results": files}))
    results.file = file
    return results


def broken(file: str, why: Exception) -> Any:
    results = GradingResults.without_results(why)
    results.file = file
    return results


def otter_text(*results: Any) -> str:
    """final_grades.csv as `otter grade` writes it."""
    text: str = merge_scores_to_df(list(results)).to_csv(index=False)
    return text


def read_text(folder: Path, text: str, policy: Policy = RULES) -> tuple[ExternalGrade, ...]:
    path = folder / "grades.csv"
    path.write_bytes(text.encode())
    return read([path], policy)


def test_a_file_of_otter_grade_is_read_with_what_each_notebook_earned(tmp_path: Path) -> None:
    text = otter_text(
        graded("smith.ann@x.edu.ipynb", ALL),
        broken("bo.ipynb", TimeoutError("Executing 'bo.ipynb' timed out\nin 60 seconds, \"again\"")),
        graded("Cy Z.ipynb", WORTH),
    )
    assert "points-per-question,6.0,8.0,4.0,8.0,26.0" in text
    status = "Executing 'bo.ipynb' timed out\nin 60 seconds, \"again\""
    assert read_text(tmp_path, text) == (
        ExternalGrade(OTTER, "Cy Z", "", "", "", 26.0, tuple(WORTH.items()), "Completed"),
        ExternalGrade(OTTER, "bo", "", "", "", None, tuple((id, None) for id in WORTH), status),
        ExternalGrade(OTTER, "smith.ann@x.edu", "", "", "", 16.66, tuple(ALL.items()), "Completed"),
    )


def test_where_otter_graded_nothing_there_is_no_row_of_maxima_and_no_grade(tmp_path: Path) -> None:
    (row,) = read_text(tmp_path, otter_text(broken("bo.ipynb", RuntimeError("no Docker"))))
    assert (row.name, row.total, row.points, row.status) == ("bo", None, (), "no Docker")


def test_a_file_of_gradescope_is_read_with_who_it_is_about(tmp_path: Path) -> None:
    text = (
        f"{HEAD},1: q1: Why (4.0 pts),4: q4: Look at it (6.0 pts),5: Build (8.0 pts),9: Style (1.0 pts)\n"
        f"{ANN},3.5,6.0,8.0,\n"
        "Bo,,18,,A,0.0,30.0,Ungraded,4712,2026-01-02 03:04:05 -0800,00:00:00,0,1,,6.0,,\n"
        "Cy,Zed,,,A,,30.0,Missing,,,,,,,,,\n"
    )
    ann, bo, cy = read_text(tmp_path, text)
    points = {"q1": 3.5, "q4": 6.0, "q5": 8.0, "9: Style (1.0 pts)": None}
    email = "ann@x.edu"
    assert ann == ExternalGrade(GRADESCOPE, email, email, "17", "Ann Smith", 20.5, tuple(points.items()), "Graded")
    assert (bo.name, bo.person, bo.total, dict(bo.points), bo.status) == (
        "18", "Bo", None, {**dict.fromkeys(points), "q4": 6.0}, "Ungraded",
    )  # fmt: skip
    assert (cy.name, cy.sid, cy.total, cy.status) == ("Cy Zed", "", None, "Missing")


def test_older_files_of_gradescope_have_one_column_for_the_name(tmp_path: Path) -> None:
    head = "Name,SID,Email,Total Score,Max Points,Status,1: Autograder (26.0 pts)"
    (row,) = read_text(tmp_path, f"{head}\nAnn Smith,17,ann@x.edu,20,26,Graded,20\n")
    assert (row.person, row.name, row.total) == ("Ann Smith", "ann@x.edu", 20.0)
    assert row.points == (("1: Autograder (26.0 pts)", 20.0),)


@pytest.mark.parametrize(
    ("columns", "named"),
    [
        (["4: q4: Load (6.0 pts)"], ["q4"]),
        (["q4: Load (6 pts)"], ["q4"]),
        (["4: Look (6.0 pts)"], ["q4"]),
        (["2.1: Look (6.0 pts)"], ["q4"]),
        (["4: Look"], ["q4"]),
        (["Look (1 pt)"], ["q4"]),
        (["4: look (6.0 pts)"], ["4: look (6.0 pts)"]),
        (["4: q44: Look (6.0 pts)"], ["4: q44: Look (6.0 pts)"]),
        (["4: Look at the data (6.0 pts)"], ["4: Look at the data (6.0 pts)"]),
        (["1.1 (3.0 pts)"], ["1.1 (3.0 pts)"]),
        (["4: q4: Look (6.0 pts)", "4.1: q4: public check (0.0 pts)"], ["q4", "4.1: q4: public check (0.0 pts)"]),
        (["4: q4: Look (6.0 pts)", "8: Look (2.0 pts)"], ["q4", "8: Look (2.0 pts)"]),
        (["4: q4: a (3.0 pts)", "5: q4: b (3.0 pts)"], ["4: q4: a (3.0 pts)", "5: q4: b (3.0 pts)"]),
        (["4: Look (3.0 pts)", "5: Look (3.0 pts)"], ["4: Look (3.0 pts)", "5: Look (3.0 pts)"]),
        (["section_name", "7: Train (8.0 pts)", "Adjustment"], ["q7"]),
    ],
)
def test_a_question_column_gets_the_id_it_tells_beyond_doubt(
    tmp_path: Path, columns: list[str], named: list[str]
) -> None:
    (row,) = read_text(tmp_path, f"{HEAD},{','.join(columns)}\n{ANN}{',1' * len(columns)}\n")
    assert [id for id, _ in row.points] == named


def test_a_title_that_two_questions_share_tells_neither(tmp_path: Path) -> None:
    both = {id: question.model_copy(update={"title": "Same"}) for id, question in RULES.questions.items()}
    shared = RULES.model_copy(update={"questions": both})
    (row,) = read_text(tmp_path, f"{HEAD},4: Same (6.0 pts)\n{ANN},6\n", shared)
    assert row.points == (("4: Same (6.0 pts)", 6.0),)


OTTER_HEAD = "file,total_points_earned,grading_status"
TWICE = otter_text(graded("nb.ipynb", ALL), graded("nb.ipynb", WORTH))
LONG_STATUS = otter_text(broken("ann.ipynb", RuntimeError("one\ntwo\nthree")), graded("bo.ipynb", ALL))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty; expected the columns file"),
        ("Name,Grade\nAnn,3\n", "its first line is 'Name,Grade'; expected the columns file, total_points_earned"),
        ("Total Score,Status\n3,Graded\n", "one or more of Email, SID, Name, First Name, Last Name"),
        (f"{OTTER_HEAD}\n", "no submission, only a header; expected a row for each."),
        (f"{OTTER_HEAD}\npoints-per-question,26,--\n", "no submission, only a header"),
        (f"{OTTER_HEAD}\n,26,Completed\n", "line 2: the row names nobody; expected a file name in `file`."),
        ("Email,SID,Total Score,Status\n,,26,Graded\n", "line 2: the row names nobody; expected an email"),
        (f"{HEAD},4: q4: Look (6.0 pts)\n\n{ANN},A+\n", "line 3, column 4: q4: Look (6.0 pts): 'A+' is not a number"),
        (LONG_STATUS.replace("2.66", "x"), "line 6, column q5: 'x' is not a number"),
        (f"{HEAD}\n{ANN}\n{ANN}\n", "line 3: a second row for ann@x.edu, the first is "),
        (TWICE, "line 4: a second row for nb, the first is "),
    ],
)
def test_what_is_no_file_of_grades_is_reported_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ImportedFileError) as caught:
        read_text(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "grades.csv"))
    assert message in str(caught.value)


def test_several_files_are_one_class_and_no_submission_is_in_two_of_them(tmp_path: Path) -> None:
    texts = (f"{HEAD}\n{ANN}\n", otter_text(graded("ann@x.edu.ipynb", ALL)), f"{HEAD}\n{ANN}\n")
    one, two, three = paths = [tmp_path / f"{number}.csv" for number in range(3)]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text, encoding="utf-8")
    assert [(row.origin, row.name) for row in read([one, two], RULES)] == [
        (GRADESCOPE, "ann@x.edu"),
        (OTTER, "ann@x.edu"),
    ]
    with pytest.raises(ImportedFileError) as caught:
        read(paths, RULES)
    assert f"{three}, line 2: a second row for ann@x.edu, the first is {one}, line 2; expected" in str(caught.value)


def test_the_automatic_points_are_the_total_without_what_people_gave() -> None:
    row = ExternalGrade(GRADESCOPE, "ann", "", "", "", 20.5, (("q1", 3.5), ("q4", 6.0), ("9: Style", 1.0)), "Graded")
    assert row.automatic(RULES) == 17.0
    assert replace(row, points=(("q1", None), ("q4", 6.0))).automatic(RULES) == 20.5
    assert replace(row, total=None).automatic(RULES) is None


@pytest.mark.parametrize(
    ("there", "here", "difference"),
    [(17.0, 16.66, 0.34), (0.1 + 0.2, 0.3, 0.0), (2.0, 3.0, -1.0), (None, 3.0, None), (3.0, None, None)],
)
def test_a_difference_needs_two_grades_and_knows_no_noise(
    there: float | None, here: float | None, difference: float | None
) -> None:
    row = ExternalGrade(OTTER, "ann", "", "", "", there, (), "Completed")
    assert Comparison(MatchedGrade(row, "ann"), there, here).difference == difference


def otter(name: str) -> ExternalGrade:
    return ExternalGrade(OTTER, name, "", "", "", 1.0, (), "Completed")


def gradescope(email: str = "", sid: str = "", person: str = "") -> ExternalGrade:
    return ExternalGrade(GRADESCOPE, email or sid or person, email, sid, person, 1.0, (), "Graded")


ANYWHERE = ["ANN@X.EDU", "hw1 ann@x.edu", "hw1_ann", "ann-hw1", "section/ann/notebook", "ann (2)"]


@pytest.mark.parametrize(
    ("row", "matching", "others"),
    [
        (otter("ann"), ["ann"], ["hw1_ann"]),
        (otter("smith.ann@x.edu"), ["Smith.Ann@x.edu"], []),
        (otter("ann.ipynb"), ["ann"], []),
        (otter("Jos\u00e9"), ["Jose\u0301"], []),
        (gradescope("ann@x.edu"), ANYWHERE, ["joanne", "ann2", "ann@y.edu", "ann@x.edu.au", "smith.ann"]),
        (gradescope("smith.ann@x.edu"), ["Exercise_smith.ann_v2"], []),
        (gradescope("smith@x.edu"), [], ["smith.ann@x.edu"]),
        (gradescope("", "7"), ["student_7"], ["student_77", "version 1.7"]),
        (gradescope("nobody@x.edu", "7"), ["student_7"], []),
        (gradescope("", "2"), [], ["ann (2)"]),
        (gradescope("", "", "Ann Smith"), [], ["hw1_ann smith"]),
        (gradescope("a.c@x.edu"), [], ["abc"]),
    ],
)
def test_a_row_finds_the_submission_with_its_name_email_or_sid_and_not_with_a_part_of_it(
    row: ExternalGrade, matching: list[str], others: list[str]
) -> None:
    for name in matching:
        assert match([row], ["another", name, "student_77"]) == (MatchedGrade(row, name),)
    for name in others:
        (joined,) = match([row], [name])
        assert (joined.submission, joined.why[:18]) == (None, "no submission has "), name


def test_what_a_row_was_looked_for_by_is_said() -> None:
    rows = [gradescope("ann@x.edu", "17"), gradescope("", "18"), otter("bo")]
    assert [joined.why for joined in match(rows, [])] == [
        "no submission has ann@x.edu or SID 17 in its name",
        "no submission has SID 18 in its name",
        "no submission has bo in its name",
    ]


def test_two_origins_may_grade_one_submission() -> None:
    rows = [otter("ann"), gradescope("ann@x.edu")]
    assert match(rows, ["ann"]) == (MatchedGrade(rows[0], "ann"), MatchedGrade(rows[1], "ann"))
