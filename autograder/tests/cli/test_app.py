"""The command as a user types it: what it prints, what it writes, how it exits."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import pytest
from nbformat import NotebookNode

from autograder.authoring.bundled_class import LOAD, Member
from autograder.cli.grade_screen import GradeScreen
from autograder.gradebook.gradebook import Gradebook, KitChange
from autograder.gradebook.mark import Draft
from autograder.judge.grade_report import GradeReport
from autograder.layout import HOME
from autograder.review.class_review import ALONE, open_review
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tests.cli.conftest import Call
from autograder.tests.environments import run as run_with
from autograder.tests.environments import without
from autograder.tests.report.test_results_json import validate

COMMAND = Path(sys.executable).with_name("mnist-kit")


def run(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    command = [str(COMMAND), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, env=environment)


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_sample_class_is_written(here: Path, call: Call) -> None:
    assert call("sample-class class")[0] == 0
    assert len(list((here / "class").glob("*.ipynb"))) >= 12


@pytest.mark.slow
def test_a_folder_is_graded_into_results_a_table_and_pages(here: Path) -> None:
    folder = here / "handed in"
    folder.mkdir()
    (folder / "blank <b>.ipynb").write_bytes(HOME.template.read_bytes())
    (folder / "broken.ipynb").write_text("{", encoding="utf-8")
    done = run("grade", folder, "-o", here / "out", "--timeout", "30", cwd=here)
    assert done.returncode == 0, done.stderr
    assert f"Report: {here / 'out' / 'index.html'}" in done.stdout
    assert "broken: The file is not a notebook" in done.stdout
    rows = list(csv.DictReader((here / "out" / "grades.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["submission"], row["automatic"], row["status"]) for row in rows] == [
        ("blank <b>", "0", "graded"),
        ("broken", "0", "rejected"),
    ]
    results = sorted((here / "out" / "submissions").glob("*/results.json"))
    assert len(results) == 2
    for path in results:
        validate(json.loads(path.read_text(encoding="utf-8")))
    page = (here / "out" / "index.html").read_text(encoding="utf-8")
    assert "blank &lt;b&gt;" in page
    assert "blank <b>" not in page
    for link in results:
        assert link.with_name("feedback.html").exists()


@pytest.mark.slow
def test_pytest_shows_each_check_of_a_submission(here: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--submission", str(HOME.template), "-v"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here)
    assert done.returncode == 1
    assert "q4[2 train images shape] FAILED" in done.stdout
    assert "Found: `train_images_shape` has not been given a value" in done.stdout
    assert "q1 SKIPPED" in done.stdout
    assert "18 failed, 3 skipped" in done.stdout


def test_pytest_says_when_there_is_no_such_submission(here: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--submission", "none.ipynb"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "none.ipynb: no such file or folder" in done.stderr


@pytest.mark.parametrize(("before", "shown"), [("0.1.0+abc", "kit 0.1.0+abc"), (None, "kit of an earlier version")])
def test_a_class_that_a_changed_kit_grades_again_is_explained_once(
    before: str | None, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    screen = GradeScreen(regrade=False, yes=False)
    screen.started(3, 3, built=False, kit_change=KitChange(2, before, "0.1.0+def"))
    screen.started(3, 3, built=False, kit_change=None)
    text = " ".join(capsys.readouterr().err.split())
    assert text.count("Graded again") == 1
    assert "2 of 3, because the code that determines points has changed" in text
    assert f"({shown} → 0.1.0+def)" in text


def grade(here: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run("grade", here / "class", "-o", here / "out", "--timeout", "30", *more, cwd=here)


def column(here: Path, name: str) -> dict[str, str]:
    rows = csv.DictReader((here / "out" / "grades.csv").read_text(encoding="utf-8").splitlines())
    return {row["submission"]: row[name] for row in rows}


def points(here: Path) -> dict[str, str]:
    return column(here, "automatic")


@pytest.mark.slow
def test_what_was_graded_is_kept_and_a_regrade_asks_first(here: Path, template: NotebookNode) -> None:
    (here / "class").mkdir()
    for name, answers in (("ann", {"q4": LOAD}), ("bo", {})):
        (here / "class" / f"{name}.ipynb").write_bytes(Member(name, "made for a test", {}, answers).make(template))
    first = grade(here)
    assert first.returncode == 0, first.stderr
    assert "were graded before" not in first.stderr
    assert re.search(
        r"\d+ s, of which \d+ s to start; summed over submissions: notebook \d+ s, judge \d+ s", first.stderr
    )
    assert points(here) == {"ann": "6", "bo": "0"}

    shutil.rmtree(here / "out" / "submissions")
    second = grade(here)
    assert "2 of 2 were graded before, by this kit and this grading.yml." in second.stderr
    assert "of which" not in second.stderr, "nothing was graded"
    assert second.stdout == first.stdout
    assert len(list((here / "out" / "submissions").glob("*/results.json"))) == 2, "the pages are made again"

    with open_review(here / "out") as review:
        place = review.stores.answers.by_id(review.stores.answers.find("ann", "q1") or 0, ALONE)
        review.stores.marks.save(place.answer.id, ALONE, Draft(("fit",), comment="fit is right"), 0, "one mark")
    again = grade(here)
    assert "2 of 2 were graded before" in again.stderr
    assert column(here, "q1") == {"ann": "1", "bo": ""}, "what people gave is in the pages of a later run"
    assert "fit is right" in next((here / "out" / "submissions").glob("ann*/feedback.html")).read_text(encoding="utf-8")

    with contextlib.closing(sqlite3.connect(here / "out" / "gradebook.db")) as database, database:
        database.execute("update gradings set report = replace(report, '\"earned\": 6.0', '\"earned\": 1.0')")
    asked = grade(here, "--regrade")
    assert asked.returncode == 2
    assert re.search(r"ann +1 +6 *\n", asked.stderr)
    assert "bo " not in asked.stderr.partition("Points that change")[2]
    assert "run the same command again with --yes" in " ".join(asked.stderr.split())
    assert points(here) == {"ann": "6", "bo": "0"}, "the pages are those of before"
    done = grade(here, "--regrade", "--yes")
    assert done.returncode == 0
    assert "2 of 2 were graded before" in done.stderr, "the regrade itself was kept"
    assert points(here) == {"ann": "6", "bo": "0"}
    assert "No points change." in grade(here, "--regrade").stderr


OTTER_GRADES = """\
file,q4,q5,q6,q7,total_points_earned,percent_correct,grading_status
points-per-question,6,8,4,8,26,1.0,--
Ann_17.ipynb,6,2.66,0,8,16.66,0.6408,Completed
bo.ipynb,6,8,0,8,22,0.8462,Completed
nobody.ipynb,0,0,0,0,0,0.0,Exit code: 137
"""

GRADESCOPE_GRADES = """\
First Name,Last Name,SID,Email,Total Score,Max Points,Status,1: q1: Why split the data? (4.0 pts)
Ann,Smith,17,ann@x.edu,19.16,40.0,Graded,2.5
"""


def graded_class(here: Path, *found: GradeReport) -> None:
    (here / "out").mkdir()
    with Gradebook(here / "out" / "gradebook.db") as book:
        for report in found or (reports.graded(name="ann_17"), reports.graded(name="bo")):
            book.record(Submission(report.name, f"{report.name}.ipynb", b"{}"), report.name, report)


def joined(here: Path) -> tuple[tuple[str, str | None], ...]:
    with contextlib.closing(sqlite3.connect(here / "out" / "gradebook.db")) as database:
        return tuple(database.execute("select name, submission from returned order by origin, name"))


def test_grades_from_elsewhere_are_joined_compared_and_kept(here: Path) -> None:
    graded_class(here)
    (here / "final_grades.csv").write_text(OTTER_GRADES, encoding="utf-8")
    (here / "scores.csv").write_text(GRADESCOPE_GRADES, encoding="utf-8")
    done = run("join", "final_grades.csv", "scores.csv", "-o", "out", cwd=here)
    assert done.returncode == 0, done.stderr
    for row in (
        "3 of 4 joined",
        "Ann_17 otter grade ann_17 16.66 16.66 16.66 0",
        "bo otter grade bo 22 22 16.66 +5.34",
        "nobody otter grade – ? ? ?",
        "ann@x.edu Gradescope ann_17 19.16 16.66 16.66 0",
    ):
        assert row in map(words, done.stdout.splitlines())
    assert re.search("no submission has nobody in its name; .* Exit code: 137", words(done.stdout))
    assert joined(here) == (("ann@x.edu", "ann_17"), ("Ann_17", "ann_17"), ("bo", "bo"), ("nobody", None))
    assert run("join", "final_grades.csv", "scores.csv", cwd=here).stdout == done.stdout, "out/ is the default"


def test_a_second_file_that_cannot_be_read_joins_nothing(here: Path, call: Call) -> None:
    graded_class(here)
    (here / "good.csv").write_text(OTTER_GRADES, encoding="utf-8")
    (here / "empty.csv").touch()
    code, _, err = call("join good.csv empty.csv")
    assert (code, joined(here)) == (2, ())
    assert "empty.csv: it is empty" in err


def test_a_submission_without_a_grade_here_is_not_compared(here: Path) -> None:
    graded_class(here, replace(reports.half_graded(), name="bo"), reports.ungraded(name="Ann_17"), reports.rejected())
    (here / "final_grades.csv").write_text(OTTER_GRADES.replace("nobody", "second"), encoding="utf-8")
    rows = [words(line) for line in run("join", "final_grades.csv", cwd=here).stdout.splitlines()]
    assert "Ann_17 otter grade Ann_17 16.66 16.66 ?" in rows
    assert "bo otter grade bo 22 22 ?" in rows
    assert "second otter grade second ? ? 0" in rows


CONFINED = "student code cannot be confined on this system"


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ("grade a.ipynb", (CONFINED, "mnist-kit grade --docker SUBMISSIONS")),
        ("grade --docker a.ipynb", ("Docker does not respond. Install and start it",)),
        ("grade --docker b.ipynb", ("b.ipynb: no such file or folder",)),  # before any image is made
        *((verb, (CONFINED,)) for verb in ("calibrate", "demo", "doctor", "new-term")),
    ],
)
def test_a_system_that_cannot_confine_says_so_and_what_can(here: Path, line: str, messages: tuple[str, ...]) -> None:
    """`mnist-kit` where Python lacks what only Unix has, and there is no Docker."""
    (here / "a.ipynb").write_text("{}", encoding="utf-8")
    absent = "fcntl", "grp", "pwd", "resource", "termios"
    code = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); from autograder.cli.app import main; main()"
    command, environment = [sys.executable, "-c", code, *line.split()], {**os.environ, "PATH": ""}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("mnist-kit: ")
    assert [words(done.stderr).count(message) for message in messages] == [1] * len(messages)


def test_a_review_lets_in_who_has_the_link_and_ends_when_it_is_told_to(here: Path) -> None:
    graded_class(here)
    command = [str(COMMAND), "review", "out", "--reviewer", "ann", "--reviewer", "ben", "--port", "0"]
    serving = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=here)
    assert serving.stdout is not None
    try:
        links = dict(serving.stdout.readline().strip().split(": ", 1) for _ in range(2))
        assert list(links) == ["ann", "ben"]
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor()).open(links["ann"]) as page:
            assert "Written answers of 2 submissions" in " ".join(page.read().decode().split())
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(links["ann"].partition("/enter")[0])
    finally:
        serving.terminate()
        serving.communicate(timeout=30)
    assert sorted(path.name for path in (here / "out").glob("gradebook*")) == ["gradebook.db"]


def test_a_class_is_exported_reported_and_asked_about(here: Path, call: Call) -> None:
    graded_class(here)
    code, out, err = call("export out")
    assert code == 0, err
    assert "wrote 2 feedback pages into out/export/feedback" in out
    assert "2 without a total: answers not marked yet" in err
    assert (here / "out/export/grades.csv").read_text().count("\n") == 3
    assert call("report out")[:2] == (0, "wrote out/index.html")
    assert "Class report" in (here / "out/index.html").read_text()
    assert call("requests out")[:2] == (0, "wrote out/export/requests.csv")


@pytest.mark.slow
def test_without_matplotlib_nothing_is_graded_or_trained_and_the_rest_works(here: Path) -> None:
    python = without(here / "environment", "matplotlib")
    graded_class(here)
    for line in ("export out", "report out", "build --check"):
        assert run_with(python, *line.split(), cwd=here).returncode == 0, line
    for line in (f"grade {HOME.template} -o new", "calibrate --runs 8"):
        assert run_with(python, *line.split(), cwd=here).returncode == 2, line
