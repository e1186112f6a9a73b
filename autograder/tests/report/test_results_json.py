"""results.json: Gradescope's documented form, and no points shown as lost where the grader failed."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from autograder.judge.grade_report import CheckResult, GradeReport, Outcome, QuestionGrade
from autograder.report.results_json import results
from autograder.tests.journals import RULES
from autograder.tests.reports import HOSTILE, graded, half_graded, hostile, rejected, showing, ungraded

TEXT, NUMBER = {"type": "string"}, {"type": "number"}
FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}


def fields(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


TEST = fields(
    [],
    **dict.fromkeys(("score", "max_score"), NUMBER),
    **dict.fromkeys(("name", "number", "output"), TEXT),
    **dict.fromkeys(("name_format", "output_format"), FORMAT),
    status={"enum": ["passed", "failed"]},
    tags={"type": "array", "items": {"type": "string"}},
    visibility=VISIBILITY,
    extra_data={"type": "object"},
)
PLACE = fields(
    ["name", "value"], name={"type": "string"}, value={"type": ["number", "string"]}, order={"enum": ["asc", "desc"]}
)
# https://gradescope-autograders.readthedocs.io/en/latest/specs/
SCHEMA = fields(
    ["score"],
    **dict.fromkeys(("score", "execution_time"), NUMBER),
    **dict.fromkeys(("output_format", "test_output_format", "test_name_format"), FORMAT),
    **dict.fromkeys(("visibility", "stdout_visibility"), VISIBILITY),
    output={"type": "string"},
    extra_data={"type": "object"},
    tests={"type": "array", "items": TEST},
    leaderboard={"type": "array", "items": PLACE},
)


def validate(document: Any) -> None:
    """Raise if Gradescope would not take `document` as a results.json."""
    jsonschema.validate(document, SCHEMA)
    json.dumps(document, allow_nan=False).encode()


UNGRADED = "This question could not be graded, through no fault of yours."
FOR_STAFF = "For staff: why this could not be graded"
REPORTS = {
    "graded": graded(),
    "rejected": rejected(),
    "ungraded": ungraded(),
    "half graded": half_graded(),
    "hostile": hostile(),
    "empty": graded(questions=(), notes=(), seconds=()),
    "flagged": graded(flags=("Look here.", HOSTILE)),
}


@pytest.mark.parametrize("shown", VISIBILITY["enum"])
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_the_document_has_the_documented_form(report: GradeReport, shown: str) -> None:
    validate(results(report, showing(shown)))


def entries_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the entries by name; every name is there once."""
    by_name = {test["name"]: test for test in document["tests"]}
    assert len(by_name) == len(document["tests"])
    return by_name


def test_the_score_is_what_was_earned_and_the_time_what_it_took() -> None:
    document = results(graded(), RULES)
    assert document["output"] == (
        "Your notebook was run from top to bottom, and its coding questions were checked.\nOne command was skipped."
    )
    assert document["score"] == pytest.approx(16.66)
    assert document["execution_time"] == 12
    assert document["stdout_visibility"] == "hidden"
    assert document["extra_data"] == {
        "status": "graded",
        "complete": True,
        "accuracy": 0.9598,
        "seconds": {"notebook": 10.4, "judge": 1.3},
        "cpu_seconds": 11.5,
        "peak_memory_mb": 900.0,
        "isolation": ["own process", "time limit"],
        "flags": [],
    }


def test_every_question_says_what_was_earned_and_why_not_more() -> None:
    entries = entries_of(results(graded(), RULES))
    assert entries["q5: Build"] == {
        "name": "q5: Build",
        "number": "3",
        "score": 2.66,
        "max_score": 8,
        "status": "failed",
        "visibility": "after_published",
        "tags": ["code"],
        "output": "layer 1 (2.66 of 2.66): passed\n"
        "layer 2 (0 of 2.66): failed\n    Found: layer 2 has 64 neurons\n    Expected: 128\n"
        "layer 3 (0 of 2.68): failed\n    Found: layer 3 has 9 neurons\n    Expected: 10\n"
        "Cell 3 stopped with KeyError: x",
    }
    assert (entries["q4: Look"]["status"], entries["q4: Look"]["score"]) == ("passed", 6.0)
    assert entries["q6: Compile"]["output"] == "loss (0 of 4): failed\n    Found: mse"


def test_a_written_answer_waits_and_has_no_score() -> None:
    entry = entries_of(results(graded(), RULES))["q1: Why"]
    assert entry["output"] == "Your answer (4 words) is awaiting review."
    assert not {"score", "status"} & entry.keys()
    assert (entry["visibility"], entry["tags"]) == ("visible", ["written"])
    none = graded(questions=(QuestionGrade("q1", "Why", True, 4, None),))
    assert entries_of(results(none, RULES))["q1: Why"]["output"] == "No answer was found."


def test_public_checks_are_shown_beside_hidden_ones() -> None:
    entries = entries_of(results(graded(), RULES))
    assert entries["q4: public check"] == {
        "name": "q4: public check",
        "number": "2.1",
        "visibility": "visible",
        "status": "passed",
        "output": "Satisfied. The hidden checks decide the points.",
    }
    assert entries["q5: public check"]["status"] == "failed"
    assert entries["q5: public check"]["output"] == "`model` has no layers."


@pytest.mark.parametrize("shown", VISIBILITY["enum"])
def test_hidden_checks_and_with_them_the_total_appear_when_the_policy_says(shown: str) -> None:
    # Gradescope shows no total as long as any test is hidden.
    entries = entries_of(results(graded(), showing(shown)))
    assert {name: entry["visibility"] for name, entry in entries.items() if "public" not in name} == {
        "q1: Why": "visible",
        **dict.fromkeys(("q4: Look", "q5: Build", "q6: Compile", "q7: Train"), shown),
    }
    assert any("public" in name for name in entries) == (shown != "visible"), "nothing is repeated"


def test_if_all_public_checks_pass_and_the_hidden_ones_are_not_shown_yet_the_report_says_so() -> None:
    passed = graded(questions=tuple(question for question in graded().questions if question.id != "q5"))
    said = "All public checks passed. Hidden checks decide the points; they are "
    assert f"{said}shown once the grades are published." in results(passed, showing("after_published"))["output"]
    assert f"{said}shown after the due date." in results(passed, showing("after_due_date"))["output"]
    assert f"{said}not shown." in results(passed, showing("hidden"))["output"]
    assert "All public checks" not in results(passed, showing("visible"))["output"]
    assert "All public checks" not in results(graded(), showing("after_published"))["output"]


def test_a_leaderboard_is_there_if_grading_yml_asks_for_it_and_there_is_something_to_show() -> None:
    asked = RULES.model_copy(update={"feedback": RULES.feedback.model_copy(update={"leaderboard": True})})
    document = results(graded(), asked)
    validate(document)
    assert document["leaderboard"] == [
        {"name": "accuracy on hidden images", "value": 0.9598},
        {"name": "seconds to run", "value": 10.4, "order": "asc"},
    ]
    assert [each["name"] for each in results(graded(accuracy=None), asked)["leaderboard"]] == ["seconds to run"]
    for report, policy in ((graded(), RULES), (rejected(), asked), (ungraded(), asked)):
        assert "leaderboard" not in results(report, policy)


def test_a_rejected_file_has_no_points_and_a_reason() -> None:
    document = results(rejected(), RULES)
    assert document["score"] == 0
    assert document["output"] == "This file cannot be graded as it is.\nIt is not a notebook."
    assert {test["score"] for test in document["tests"]} == {0}
    assert "execution_time" not in document


def test_an_ungraded_report_never_reads_as_points_lost_and_its_reason_is_for_staff_only() -> None:
    document = results(ungraded(), showing("visible"))
    assert document["output"] == (
        "Your notebook could not be graded, through no fault of yours. Your instructor can see why.\n"
        "A total of 0 shown here is a placeholder, not a mark: no points have been taken."
    )
    extra = document["extra_data"]
    assert (document["score"], extra["complete"], extra["status"]) == (0, False, "could not be graded")
    assert not [test for test in document["tests"] if "score" in test or "status" in test]
    assert entries_of(document)["q4: Look"]["output"] == UNGRADED
    staff = entries_of(document)[FOR_STAFF]
    assert (staff["visibility"], staff["output"]) == ("hidden", "the judge took too long\nmore")


@pytest.mark.parametrize("shown", VISIBILITY["enum"])
@pytest.mark.parametrize("report", [graded(), rejected(), ungraded()], ids=lambda report: report.status)
def test_flags_are_for_staff_only_and_cost_no_points(report: GradeReport, shown: str) -> None:
    plain = results(report, showing(shown))
    document = results(replace(report, flags=("Look here.", "And here.")), showing(shown))
    assert document["extra_data"].pop("flags") == ["Look here.", "And here."]
    assert plain["extra_data"].pop("flags") == []
    assert document == plain


def test_one_ungraded_question_is_left_out_of_the_total_and_named() -> None:
    document = results(half_graded(), showing("visible"))
    assert document["score"] == pytest.approx(8.66)
    assert document["extra_data"]["complete"] is False
    assert (
        "\nNot graded, through no fault of yours: q7. The total does not count them yet; no points have been taken.\n"
        in document["output"]
    )
    entry = entries_of(document)["q7: Train"]
    assert entry["output"] == UNGRADED
    assert not {"score", "status"} & entry.keys()
    staff = entries_of(document)[FOR_STAFF]
    assert staff["visibility"] == "hidden"
    assert re.fullmatch("q7: level 1: .*KeyError: secret", staff["output"], re.DOTALL)
    assert [test["name"] for test in document["tests"] if "secret" in test["output"]] == [staff["name"]]


def test_a_public_check_that_could_not_be_made_is_not_a_failed_one() -> None:
    broken = CheckResult("public", False, 0, Outcome.UNGRADED, "KeyError: secret")
    report = graded(questions=(QuestionGrade("q7", "Train", False, 8, 8.0, (broken,)),))
    entry = entries_of(results(report, RULES))["q7: public check"]
    assert entry["output"] == "This check could not be made, through no fault of yours."
    assert "status" not in entry


def test_hostile_words_are_text_and_nothing_else() -> None:
    document = results(hostile(), RULES)
    assert {document[key] for key in ("output_format", "test_output_format", "test_name_format")} == {"text"}
    assert not [test for test in document["tests"] if {"output_format", "name_format"} & test.keys()]
    said = [document["output"], *(test["output"] for test in document["tests"])]
    assert "<script>alert(1)</script> [red]red[/red] \ufffd[31mred\ufffd[0m \ufffd & " in "".join(said)
    assert all(line.isprintable() for text in said for line in text.split("\n"))
    assert not {"\x1b", "\x00", "\ud800"} & set("".join(said))
