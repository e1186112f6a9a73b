"""The evaluator: a warm process with the policy, the tests and the private images, which forks judges.

In:    once, from the launcher, a file with policy, tests and the path of the images; then one
       request per submission, with its journal and blob and a file for the result, all open.
Out:   into that file, a Verdict as JSON. Evidence that breaks its contract gives a Verdict with a fault and no checks.
Never: student code runs here, or in a judge.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from otter.test_files import TestFile
from otter.test_files.exception_test import ExceptionTestFile

from autograder.data import dataset
from autograder.data.dataset import Labelled
from autograder.errors import EvidenceError
from autograder.judge import checks, flags  # noqa: F401  # checks: loaded once, before judges are forked
from autograder.judge.context import CheckContext
from autograder.judge.grade_report import Verdict
from autograder.judge.journal import parse
from autograder.judge.judge import judge
from autograder.policy.policy import Policy
from autograder.sandbox import zygote
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT

__all__ = ["serve"]


def serve(control: socket.socket) -> None:
    """Receive the secrets in the launcher's first message, then fork a judge for every request."""
    _, fds, _, _ = socket.recv_fds(control, zygote.MESSAGE_LIMIT, 1)
    with os.fdopen(fds[0], "rb") as file:
        config = json.load(file)
    policy = Policy.model_validate(config["policy"])
    data = dataset.load(Path(config["data"]))
    public, private = dataset.split(data.test, policy.assignment.split_seed)
    tests = {id: ExceptionTestFile.from_string(text, path=f"{id}.py") for id, text in config["tests"].items()}
    control.send(b"ready")
    zygote.serve(control, partial(_answer, policy, tests, (data.train, public, private)))


def _answer(
    policy: Policy,
    tests: Mapping[str, TestFile],
    images: tuple[Labelled, Labelled, Labelled],
    args: dict[str, Any],
    fds: list[int],
) -> None:
    train, public, private = images
    journal, blob, result = fds
    try:
        evidence = parse(_read(journal, JOURNAL_LIMIT), _read(blob, BLOB_LIMIT))
        context = CheckContext(evidence, policy, public, private)
        verdict = judge(tests, context)
        if args.get("retrain"):
            verdict = replace(verdict, flags=tuple(flags.retrain(context, train)))
    except EvidenceError as error:
        verdict = Verdict({}, None, fault=f"the evidence breaks the contract: {error}")
    with os.fdopen(result, "w", encoding="utf-8") as file:
        file.write(verdict.to_json())


def _read(descriptor: int, limit: int) -> bytes:
    """Read an open file from its start, at most one byte more than `limit`, so that `parse` notices the excess."""
    return os.pread(descriptor, limit + 1, 0)
