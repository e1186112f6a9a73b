"""Reports of every kind, for the tests of what is made from them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from autograder.judge.grade_report import CheckResult, GradeReport, MarkedItem, Outcome, QuestionGrade, Status
from autograder.policy.policy import Policy
from autograder.tests.journals import RULES

HOSTILE = '<script>alert(1)</script> [red]red[/red] \x1b[31mred\x1b[0m \ud800 & "quoted" \x00'
"""Text that a student might put into a name, a title of a cell, an answer or an error."""


def showing(shown: str) -> Policy:
    """The rules, with hidden checks shown at this time."""
    return RULES.model_copy(update={"feedback": RULES.feedback.model_copy(update={"show_hidden": shown})})


def check(name: str, points: float, outcome: Outcome = Outcome.PASSED, message: str = "") -> CheckResult:
    return CheckResult(name, bool(points), points, outcome, message)


QUESTIONS = (
    QuestionGrade("q1", "Why", True, 4, None, answer="Because it is so."),
    QuestionGrade("q4", "Look", False, 6, 6.0, (check("public form", 0), check("shape", 3), check("length", 3))),
    QuestionGrade(
        "q5",
        "Build",
        False,
        8,
        2.66,
        (
            check("public form", 0, Outcome.FAILED, "`model` has no layers."),
            check("layer 1", 2.66),
            check("layer 2", 2.66, Outcome.FAILED, "Found: layer 2 has 64 neurons\nExpected: 128"),
            check("layer 3", 2.68, Outcome.FAILED, "Found: layer 3 has 9 neurons\nExpected: 10"),
        ),
        "Cell 3 stopped with KeyError: x",
    ),
    QuestionGrade("q6", "Compile", False, 4, 0.0, (check("public", 0), check("loss", 4, Outcome.FAILED, "Found: mse"))),
    QuestionGrade("q7", "Train", False, 8, 8.0, (check("public", 0), check("level 1", 8))),
)


MARKED = replace(
    QUESTIONS[0],
    earned=2.5,
    message="Say what for.",
    marking=(
        MarkedItem("fit", 1, "It is fitted.", True),
        MarkedItem("unseen", 3, "It is not seen.", False),
        MarkedItem("long", -1, "It is far too long.", True),
        MarkedItem("off", -2, "It is about something else.", False),
    ),
    adjustment=2.5,
)
"""The written question, marked: an item given and one not, one that takes points and one that would have."""


def graded(**changes: Any) -> GradeReport:
    report = GradeReport(
        name="first",
        source="class/first.ipynb",
        status=Status.GRADED,
        questions=QUESTIONS,
        notes=("One command was skipped.",),
        seconds=(("notebook", 10.4), ("judge", 1.3)),
        cpu_seconds=11.5,
        peak_memory_mb=900.0,
        accuracy=0.9598,
        isolation=("own process", "time limit"),
    )
    return replace(report, **changes)


def marked(earned: float, name: str = "first", **changes: Any) -> GradeReport:
    """The same submission, with these points for q1, whose one rubric item (4 points) was given if it has them all."""
    marking = (MarkedItem("a", 4, "Because.", earned == 4),)
    return graded(
        name=name, questions=(replace(QUESTIONS[0], earned=earned, **{"marking": marking, **changes}), *QUESTIONS[1:])
    )


def question(id: str, *checks: CheckResult) -> QuestionGrade:
    """A coding question of these checks, graded as `findings` does."""
    sure = all(each.outcome is not Outcome.UNGRADED for each in checks if each.points)
    earned = round(sum(each.earned for each in checks), 6) if sure else None
    return QuestionGrade(id, f"Title of {id}", False, sum(each.points for each in checks), earned, checks)


def member(a1: Outcome, a2: Outcome, b1: Outcome, name: str = "first") -> GradeReport:
    """A submission to an assignment of two questions: a1 and a2 are worth 1 point, b1 is worth 2."""
    words = {Outcome.FAILED: "Found: nothing for {}\nExpected: something", Outcome.NOT_CHECKED: "Not checked: {}"}
    a = (check(name, 1, outcome, words.get(outcome, "").format(name)) for name, outcome in (("a1", a1), ("a2", a2)))
    b = check("b1", 2, b1, words.get(b1, "").format("b1"))
    return graded(name=name, questions=(question("a", *a), question("b", b)), notes=())


CLASS = (
    member(Outcome.PASSED, Outcome.PASSED, Outcome.PASSED, "ann"),
    member(Outcome.PASSED, Outcome.PASSED, Outcome.FAILED, "bo"),
    member(Outcome.PASSED, Outcome.FAILED, Outcome.PASSED, "cy"),
    member(Outcome.FAILED, Outcome.NOT_CHECKED, Outcome.FAILED, "di"),
    member(Outcome.FAILED, Outcome.NOT_CHECKED, Outcome.FAILED, "ed"),
)
"""Points of a1, a2 and b1:  1 1 2,  1 1 0,  1 0 2,  0 0 0,  0 0 0."""


def whole(**changes: Any) -> GradeReport:
    """Everything graded and marked: 19.16 of 30 points."""
    return graded(questions=(MARKED, *QUESTIONS[1:]), **changes)


def rejected(**changes: Any) -> GradeReport:
    questions = tuple(QuestionGrade(q.id, q.title, q.written, q.points, 0.0) for q in QUESTIONS)
    report = GradeReport("second", "class/second.ipynb", Status.REJECTED, questions, notes=("It is not a notebook.",))
    return replace(report, **changes)


def ungraded(**changes: Any) -> GradeReport:
    """The grader failed on the whole submission."""
    questions = tuple(QuestionGrade(q.id, q.title, q.written, q.points, None, answer=q.answer) for q in QUESTIONS)
    report = GradeReport(
        "third", "class/third.ipynb", Status.UNGRADED, questions, fault="the judge took too long\nmore"
    )
    return replace(report, **changes)


def half_graded() -> GradeReport:
    """The grader failed on one question, q7."""
    fault = "Fault in test_level_1, line 9 of q7.py:\nKeyError: secret"
    broken = replace(
        QUESTIONS[4], earned=None, checks=(check("public", 0), check("level 1", 8, Outcome.UNGRADED, fault))
    )
    return graded(questions=(*QUESTIONS[:4], broken))


def hostile() -> GradeReport:
    """A report with hostile text wherever a student's words can be."""
    checks = (
        check("public", 0, Outcome.FAILED, HOSTILE),
        check("layer 1", 4, Outcome.FAILED, f"Found: {HOSTILE}"),
        check("layer 2", 4),
    )
    return graded(
        name=HOSTILE,
        questions=(
            replace(QUESTIONS[0], answer=HOSTILE),
            QUESTIONS[1],
            replace(QUESTIONS[2], checks=checks, message=HOSTILE),
            *QUESTIONS[3:],
        ),
        notes=(HOSTILE,),
    )
