"""A judge reads evidence from open files and writes a verdict."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from autograder.data.dataset import Labelled
from autograder.judge import evaluator, flags
from autograder.judge.context import CheckContext
from autograder.judge.grade_report import CheckResult, Outcome, Verdict
from autograder.tests.journals import RULES, line, of_model, otter_tests


def images(count: int) -> Labelled:
    return Labelled(np.zeros((count, 28, 28), np.uint8), np.zeros(count, np.uint8))


def answered(folder: Path, journal: bytes, body: str, **args: bool) -> Verdict:
    """The verdict that a judge writes, given these bytes and no weights."""
    folder.joinpath("journal").write_bytes(journal)
    folder.joinpath("blob").touch()
    fds = [os.open(folder / name, os.O_RDWR | os.O_CREAT) for name in ("journal", "blob", "result")]
    evaluator._answer(RULES, {"q5": otter_tests(body)}, (images(1), images(2), images(3)), dict(args), fds)
    for descriptor in fds[:2]:  # the result is closed
        os.close(descriptor)
    return Verdict.from_json(folder.joinpath("result").read_bytes())


def test_evidence_that_breaks_the_contract_is_a_fault_and_no_result(tmp_path: Path) -> None:
    verdict = answered(tmp_path, line(points=8), "pass")
    assert verdict.checks == {}
    assert verdict.fault == "the evidence breaks the contract: journal line 1: points: Extra inputs are not permitted"


def test_a_judge_writes_its_verdict(tmp_path: Path) -> None:
    verdict = answered(tmp_path, of_model("q5"), "from autograder.judge import checks; checks.layer(env, 'q5', 0)")
    assert (verdict.fault, verdict.checks["q5"]) == ("", (CheckResult("part 1", True, 2.0, Outcome.PASSED, ""),))


@pytest.mark.parametrize(("args", "expected"), [({}, ()), ({"retrain": False}, ()), ({"retrain": True}, ("1 2 3",))])
def test_a_judge_trains_again_only_on_request(
    args: dict[str, bool], expected: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def retrain(context: CheckContext, train: Labelled) -> list[str]:
        return [" ".join(str(len(some.labels)) for some in (train, context.public, context.private))]

    monkeypatch.setattr(flags, "retrain", retrain)
    body = "it = env['__check_context__']; assert (len(it.public.labels), len(it.private.labels)) == (2, 3)"
    verdict = answered(tmp_path, of_model("q5"), body, **args)
    assert verdict.flags == expected
    assert verdict.checks["q5"][0].outcome is Outcome.PASSED


def test_a_judge_reads_one_byte_more_than_the_limit_to_notice_the_excess(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_bytes(b"12345")
    with path.open("rb") as file:
        assert evaluator._read(file.fileno(), 3) == b"1234"
