"""The entry point in Gradescope's and Otter's containers, on folders like theirs; `test_containers` runs real ones."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import pytest
from otter.test_files import GradingResults

from autograder.errors import GraderFault
from autograder.gradescope import entry
from autograder.gradescope.entry import ContainerPaths, pickled
from autograder.policy import grading_file
from autograder.policy.policy import AttemptLimit, Policy
from autograder.tests.reports import graded, half_graded, ungraded


@pytest.fixture
def place(tmp_path: Path) -> ContainerPaths:
    """Gradescope's folders, empty."""
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    (tmp_path / "submission_metadata.json").touch()
    return ContainerPaths(tmp_path)


def results(place: ContainerPaths) -> dict[str, Any]:
    return dict(json.loads(place.results.read_bytes()))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "No notebook was handed in. Hand in the .ipynb file itself."),
        ({"answers.py": b"1"}, "No notebook was handed in, only answers.py."),
        ({"a.ipynb": b"{}", "b.ipynb": b"{}"}, r"2 notebooks were handed in \(a, b\)"),
        ({"large.ipynb": b"x" * (51 * 2**20)}, "50 MB"),
        ({"broken.ipynb": b"PK"}, "not a notebook|JSON"),
    ],
    ids=["nothing", "a script", "two", "large", "broken"],
)
def test_a_submission_that_cannot_be_graded_gets_a_valid_answer_with_the_reason(
    place: ContainerPaths, files: dict[str, bytes], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, content in files.items():
        (place.submission / name).write_bytes(content)
    entry.main(place.root)
    document = results(place)
    assert document["score"] == 0
    assert document["extra_data"]["status"] == "rejected"
    assert document["extra_data"]["versions"]["kit"]
    assert re.search(message, document["output"]), document["output"]
    assert re.search(message, capsys.readouterr().out)


def test_student_processes_cannot_enter_folders_that_are_not_theirs(place: ContainerPaths) -> None:
    entry.main(place.root)
    for closed in (place.root / "source", place.submission, place.results.parent, place.metadata):
        assert closed.stat().st_mode & 0o077 == 0


def test_otter_gets_its_pickle_and_gradescope_does_not(place: ContainerPaths) -> None:
    entry.main(place.root)
    assert not place.pickle.exists()
    place.pickle.touch()
    entry.main(place.root)
    loaded = pickle.loads(place.pickle.read_bytes())
    assert isinstance(loaded, GradingResults)
    assert (loaded.total, loaded.possible) == (0, 26)


def test_the_pickle_holds_the_points_of_every_coding_question_and_otters_own_classes_only() -> None:
    report = graded()
    content = pickled(report)
    loaded = pickle.loads(content)
    assert {name: loaded.get_score(name) for name in loaded.results} == {
        question.id: question.earned for question in report.questions if not question.written
    }
    assert b"otter.test_files" in content
    assert b"autograder" not in content


def test_an_incomplete_report_reaches_otter_as_a_failure_with_the_reason() -> None:
    for broken, reason in ((ungraded(), "the judge took too long"), (half_graded(), "q7: level 1")):
        loaded = pickle.loads(pickled(broken))
        assert loaded.has_catastrophic_failure()
        assert str(loaded.catastrophic_error).startswith(f"could not be graded: {reason}")


PREVIOUS = {"submission_time": "2026-09-13T10:00:00Z", "score": "21.5", "autograder_error": False}


def write_metadata(place: ContainerPaths, *previous: dict[str, Any]) -> None:
    metadata = {"created_at": "2026-09-14T10:00:00Z", "previous_submissions": previous}
    place.metadata.write_text(json.dumps(metadata), encoding="utf-8")


def test_beyond_the_limit_of_attempts_nothing_is_run_and_the_last_score_stands(
    rules: Policy, place: ContainerPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited = rules.model_copy(update={"attempts": AttemptLimit(per_assignment=1)})
    monkeypatch.setattr(grading_file, "load", lambda _: limited)
    write_metadata(place, PREVIOUS)
    entry.main(place.root)
    assert (results(place)["score"], results(place)["extra_data"]) == (21.5, {"attempt": "refused"})
    write_metadata(place)
    entry.main(place.root)
    assert results(place)["extra_data"]["status"] == "rejected"  # graded as ever: there is no notebook


@pytest.mark.parametrize(("previous", "score"), [((PREVIOUS,), 21.5), ((), 0)], ids=["with an earlier score", "first"])
def test_a_fault_of_the_grader_keeps_the_earlier_score_and_tells_staff_why(
    place: ContainerPaths,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    previous: tuple[dict[str, Any], ...],
    score: float,
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise GraderFault("the kernel is too old")

    monkeypatch.setattr(entry, "Engine", broken)
    (place.submission / "mine.ipynb").write_text("{}", encoding="utf-8")
    write_metadata(place, *previous)
    entry.main(place.root)
    document = results(place)
    assert (document["score"], document["extra_data"]["status"]) == (score, "could not be graded")
    assert ("your last score counts: 21.5" in document["output"]) == bool(previous)
    assert "Could not be graded: the kernel is too old" in capsys.readouterr().out


def test_the_memory_limit_is_what_the_container_has(
    rules: Policy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(entry, "LIMITS", (str(tmp_path / "none"), str(limit)))
    assert entry._fitting(rules) is rules
    for has_mb, wanted in (("max", 3072), (8192, 3072), (2048, 1648), (768, 400)):
        limit.write_text(str(has_mb if has_mb == "max" else int(has_mb) * 2**20), encoding="utf-8")
        assert entry._fitting(rules).execution.memory_mb == wanted
    assert "This container has 768 MB of memory; choose at least 1536 MB" in capsys.readouterr().out
