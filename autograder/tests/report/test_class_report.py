"""The class report: every number in words, whatever the class is like, and nothing that reaches out of the page."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from autograder.gradebook.agreement import Agreement
from autograder.gradebook.mark import Progress
from autograder.judge.grade_report import GradeReport, MarkedItem
from autograder.policy.policy import Policy
from autograder.report.class_report import course_page
from autograder.report.overview import accuracies, questions, spreads
from autograder.tests.journals import RULES
from autograder.tests.reports import CLASS, HOSTILE, graded, half_graded, hostile, marked, rejected, ungraded

VOID = {"meta", "link", "br"}
SURE = {"q1": Agreement(20, 85.0, 0.72, 0.41, 1.0)}
DONE = (Progress("q1", None, 12, 14), Progress("q1", "ann", 5, 7), Progress("q1", "ben", 7, 7))
MIXED = (marked(4), marked(1, "b"), graded(name="c", accuracy=0.2), half_graded(), rejected(), ungraded())
ALL = (marked(4), marked(1, "b", adjustment=-1.0), marked(4, "c", answer=None))
EVERYBODY = tuple(
    marked(4.0 * (place % 3 > 0), f"student {place}", answer="x") if place % 9 else rejected(name=f"student {place}")
    for place in range(1000)
)
CLASSES: Mapping[str, tuple[GradeReport, ...]] = {
    "empty": (),
    "one": (graded(),),
    "one marked": (marked(4),),
    "one rejected": (rejected(),),
    "one ungraded": (ungraded(),),
    "nothing marked": (graded(), graded(name="b")),
    "some marked": MIXED,
    "all marked": ALL,
    "no accuracy": (graded(accuracy=None),),
    "other questions": CLASS,
    "hostile": (hostile(), replace(hostile(), name=f"{HOSTILE}2", flags=(HOSTILE,)), rejected(notes=(HOSTILE,))),
    "a thousand": EVERYBODY,
}


class Page(HTMLParser):
    """What a page holds; a tag that is closed wrongly is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.captions: list[str] = []
        self.headings: list[str] = []
        self.parts: list[str] = []
        self._open: list[str] = []
        self._label = ""
        self.feed(source)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        label = dict(attrs).get("aria-label")
        if tag == "div" and label:
            self._label = label
        elif tag == "table":
            assert self._label not in self.tables, "two tables of the same name"
            self.tables[self._label] = []
        elif tag == "tr":
            self.tables[self._label].append([])
        elif tag in ("th", "td"):
            self.tables[self._label][-1].append("")
        elif tag == "figcaption":
            self.captions.append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            return
        self.parts.append(data)
        if {"th", "td"} & set(self._open):
            row = self.tables[self._label][-1]
            row[-1] = " ".join(f"{row[-1]} {data}".split())
        if self._open and self._open[-1] == "h2":
            self.headings.append(data)
        if "figcaption" in self._open:
            self.captions[-1] = " ".join(f"{self.captions[-1]} {data}".split())

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.parts).split())

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.attributes if found == name]


def source(
    reports: Sequence[GradeReport],
    policy: Policy = RULES,
    *,
    agreements: Mapping[str, Agreement] | None = None,
    progress: Sequence[Progress] = (),
    flagged: Collection[tuple[str, str]] = (),
) -> str:
    found = agreements or {}
    return course_page(reports, policy, agreements=found, progress=progress, flagged=flagged, made_at="today at noon")


@pytest.fixture(scope="module")
def sources() -> dict[str, str]:
    return {name: source(reports) for name, reports in CLASSES.items()}


@pytest.fixture(scope="module")
def mixed() -> Page:
    return Page(source(MIXED, agreements=SURE, progress=DONE, flagged=[("b", "q1"), ("first", "q1")]))


@pytest.mark.parametrize("name", CLASSES)
def test_whatever_the_class_is_there_is_a_whole_page(name: str, sources: Mapping[str, str]) -> None:
    page = Page(sources[name])
    assert page.headings == [
        "Scores",
        "Question by question",
        "Rubric items of the written answers",
        "Accuracy of the models",
        "Commonest mistakes",
        "Reviewers and their agreement",
        "Slowest notebooks",
        "What could not be graded, and why",
        "For staff to look at",
    ]
    assert "Undefined" not in page.words
    assert not re.search(r"\b(nan|None(?! of this)|inf)\b", page.words)


@pytest.mark.parametrize("name", CLASSES)
def test_a_page_needs_nothing_from_elsewhere_and_runs_nothing(name: str, sources: Mapping[str, str]) -> None:
    page = Page(sources[name])
    assert not {"script", "link", "img", "iframe", "object", "form", "base", "foreignobject"} & set(page.tags)
    assert not [attribute for attribute, _ in page.attributes if attribute.startswith("on") or attribute == "src"]
    assert all(value.startswith("#") for value in page.values("href"))
    assert not re.search(r"https?:|@import|url\((?!#)", sources[name])
    sources[name].encode()


@pytest.mark.parametrize("name", CLASSES)
def test_every_link_of_a_page_leads_to_one_place(name: str, sources: Mapping[str, str]) -> None:
    page = Page(sources[name])
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    assert {value[1:] for value in page.values("href")} | set(page.values("aria-labelledby")) <= set(ids)


@pytest.mark.parametrize("name", CLASSES)
def test_a_page_knows_every_style_it_uses(name: str, sources: Mapping[str, str]) -> None:
    used = {style for value in Page(sources[name]).values("class") for style in value.split()}
    assert not [style for style in used if not re.search(rf"\.{style}\b[^{{}}]*{{", sources[name])]


def test_the_same_class_gives_the_same_page() -> None:
    assert source(MIXED, agreements=SURE, progress=DONE) == source(MIXED, agreements=SURE, progress=DONE)


def test_a_page_without_a_time_does_not_speak_of_one() -> None:
    assert "Class report. For staff: it names students." in Page(course_page((), RULES, agreements={})).words


def test_the_head_says_what_there_is(mixed: Page) -> None:
    assert mixed.words.startswith(
        "A test of checks: class report A test of checks Class report, made today at noon. For staff"
    )
    for expected in (
        "submissions 6 graded 3 could not be graded 2 of them 1 in part files turned away 1 0 points",
        "written answers marked 2 of 5",
    ):
        assert expected in mixed.words


@pytest.mark.parametrize("name", CLASSES)
def test_every_chart_has_a_name_a_caption_and_its_numbers_in_a_table(name: str, sources: Mapping[str, str]) -> None:
    page = Page(sources[name])
    charts = page.tags.count("figure")
    assert page.values("class").count("plot") == len(page.captions) == charts
    assert all(page.captions)
    assert sum(label.endswith(": numbers") for label in page.tables) == charts
    assert page.values("role").count("img") == sum(label != "" for label in page.values("aria-label")) - page.values(
        "role"
    ).count("group") - page.tags.count("nav")


def test_the_bars_of_the_scores_are_in_their_tables(mixed: Page) -> None:
    for spread, name in zip(spreads(MIXED), ("Total points", "Automatic points"), strict=True):
        heading, *rows = mixed.tables[f"{name}: numbers"]
        assert heading == ["points", "submissions"]
        assert [int(row[1]) for row in rows] == [each.count for each in spread.bins]
        assert sum(int(row[1]) for row in rows) == len(spread.values)
    assert mixed.tables["Total points: numbers"][-1][0] == "28 to 30"
    assert mixed.tables["Total points: numbers"][1][0] == "0 to below 2"


def test_the_bars_of_the_questions_are_in_their_table(mixed: Page) -> None:
    heading, *rows = mixed.tables["Questions: numbers"]
    asked = questions(MIXED, RULES)
    assert [row[heading.index("n")] for row in rows] == [str(each.count) for each in asked] == ["2", "4", "4", "4", "3"]
    assert [row[heading.index("mean share")] for row in rows] == ["62 %", "100 %", "33 %", "0 %", "100 %"]
    assert rows[0] == ["q1 Why", "written", "2", "2.5", "4", "62 %", "1", "1", "0", "0"]
    assert rows[4][-1] == "1"


def test_the_bars_of_the_accuracies_are_in_their_tables(mixed: Page) -> None:
    found = accuracies(MIXED, RULES)
    assert found
    heading, below, *rows = mixed.tables["Accuracy: numbers"]
    assert (heading, below) == (["accuracy", "submissions"], ["below 80 %", "1"])
    assert [int(row[1]) for row in rows] == [each.count for each in found.bins]
    assert mixed.tables["Accuracy bands of q7"][1:] == [
        ["below 85 %", "0 points", "1", "25 %"],
        ["85 % to below 93 %", "4 points", "0", "0 %"],
        ["93 % to below 96.5 %", "6 points", "3", "75 %"],
        ["96.5 % or more", "8 points", "0", "0 %"],
    ]
    (label,) = [label for label in mixed.values("aria-label") if label.startswith("Histogram of the accuracy")]
    assert label == (
        "Histogram of the accuracy of 4 submissions, median 95.98 %, with lines at 85 %: 4 points; 93 %: 6 points; "
        "96.5 %: 8 points."
    )


def test_the_agreement_is_told_with_its_interval_and_number(mixed: Page) -> None:
    assert mixed.tables["Agreement: numbers"][1:] == [["q1 Why", "20", "85 %", "0.72", "0.41 to 1.00"]]
    assert "Cohen's kappa with its interval: q1 0.72 (0.41 to 1.00), 85 % the same, n = 20." in mixed.values(
        "aria-label"
    )
    assert mixed.tables["Progress of the reviewers"] == [
        ["marks given", "all", "ann", "ben"],
        ["q1", "12 of 14", "5 of 7", "7 of 7"],
    ]


def test_without_a_sample_nothing_is_said_about_agreement(sources: Mapping[str, str]) -> None:
    said = Page(sources["all marked"]).words
    assert "No answer has been marked by two reviewers, so nothing can be said about their agreement." in said
    assert "kappa" not in said
    empty = {"q1": Agreement(0, None, None, None, None)}
    assert Page(source(ALL, agreements=empty)).words == said


def test_without_a_kappa_there_is_a_table_and_no_chart() -> None:
    page = Page(source(ALL, agreements={"q1": Agreement(5, 100.0, None, None, None)}))
    assert "There is no kappa where both gave the same points to every answer" in page.words
    assert page.tables["Agreement: numbers"][1:] == [["q1 Why", "5", "100 %", "–", "–"]]


def test_an_interval_without_width_is_explained() -> None:
    said = "Where both agree on every answer, the interval has no width"
    assert said in Page(source(ALL, agreements={"q1": Agreement(5, 100.0, 1.0, 1.0, 1.0)})).words
    assert said not in Page(source(ALL, agreements=SURE)).words


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nothing marked", "Not final: 2 of 2 written answers wait for a mark. These are automatic points alone."),
        (
            "some marked",
            "Not final: 3 of 5 written answers wait for a mark. Total points are those of the submissions whose",
        ),
        (
            "all marked",
            "Scores Total points Total points of 3 graded submissions, out of 30: mean 19.66, median 20.66,",
        ),
        ("one marked", "Total points of 1 graded submission, out of 30: 20.66."),
        ("one rejected", "No submission has been graded, so there are no scores."),
        ("empty", "There is no submission yet, so there is nothing to report."),
    ],
)
def test_which_points_are_shown_is_said(name: str, said: str, sources: Mapping[str, str]) -> None:
    assert said in Page(sources[name]).words


def test_answers_that_wait_in_what_could_not_be_graded_do_not_make_the_rest_less_final() -> None:
    said = Page(source([marked(4), ungraded()])).words
    assert "1 of 2 written answers wait for a mark; they are of submissions that could not be graded" in said
    assert "Not final" not in said


def test_rubric_items_are_told_with_how_often_they_were_given() -> None:
    page = Page(source(ALL))
    assert "q1 Why 3 answers marked, of which 1 was empty; a reviewer adjusted the points of 1." in page.words
    assert page.tables["Rubric of q1"][1:] == [["Because.", "+4", "2", "67 %"]]
    minus = marked(3, marking=(MarkedItem("a", -1, HOSTILE, True),))
    (row,) = Page(source([minus])).tables["Rubric of q1"][1:]
    assert row[1:] == ["−1", "1", "100 %"]


def test_the_commonest_mistakes_are_told_with_how_many(sources: Mapping[str, str]) -> None:
    assert Page(sources["other questions"]).tables["Commonest mistakes"][1:3] == [
        ["Found: nothing for b1 Expected: something", "b", "b1", "3", "60 %"],
        ["Found: nothing for a1 Expected: something", "a", "a1", "2", "40 %"],
    ]


def test_the_ten_slowest_notebooks_are_told() -> None:
    slow = [graded(name=f"n{place}", seconds=(("notebook", float(place)),)) for place in range(12)]
    page = Page(
        source([*slow, graded(name="unknown", seconds=(("notebook", 600.0),), cpu_seconds=None, peak_memory_mb=None)])
    )
    rows = page.tables["Slowest notebooks"][1:]
    assert rows[0] == ["unknown", "600.0 s", "–", "–", "200 %"]
    assert rows[1] == ["n11", "11.0 s", "11.5 s", "900 MB", "4 %"]
    assert len(rows) == 10
    assert "half of all notebooks took 6.0 s or less. grading.yml allows 300 s and 3,072 MB." in page.words


def test_what_could_not_be_graded_is_told_with_why_and_who(mixed: Page) -> None:
    assert mixed.tables["Faults of the grader"][1:] == [
        ["q7: KeyError: secret", "1", "first"],
        ["the judge took too long", "1", "third"],
    ]
    assert mixed.tables["Files that were turned away"][1:] == [["It is not a notebook.", "1", "second"]]


def test_flags_of_the_grader_and_of_reviewers_are_told(mixed: Page) -> None:
    assert mixed.tables["Flagged by reviewers"][1:] == [["q1", "2", "b, first"]]
    assert "Flagged by the grader" not in mixed.words
    page = Page(source([graded(flags=("Look here.",))]))
    assert page.tables["Flagged by the grader"][1:] == [["Look here.", "1", "first"]]


def test_many_names_are_all_there_and_folded(sources: Mapping[str, str]) -> None:
    (row,) = Page(sources["a thousand"]).tables["Files that were turned away"][1:]
    assert row[1] == "112"
    assert "and 106 more" in row[2]
    assert row[2].count("student") == 112


def test_hostile_words_are_words(sources: Mapping[str, str]) -> None:
    for made in (
        sources["hostile"],
        source([hostile()], flagged=[(HOSTILE, "q1")], progress=[Progress("q1", HOSTILE, 1, 1)]),
    ):
        page = Page(made)
        assert "script" not in page.tags
        assert not {"\x1b", "\x00", "\ud800"} & set(made)
        assert page.words.count("<script>alert(1)</script> [red]red[/red]") >= 4


def test_an_assignment_without_prose_or_accuracy_does_not_speak_of_reviewers() -> None:
    plain = Policy(assignment=RULES.assignment, questions={id: RULES.questions[id] for id in ("q4", "q6")})
    page = Page(source(CLASS, plain))
    assert "eviewer" not in page.words.replace("Flagged by reviewers", "")
    assert "No question of this assignment asks for an accuracy." in Page(source([graded(accuracy=None)], plain)).words
    assert set(page.values("href")) >= {"#scores", "#accuracy"}
