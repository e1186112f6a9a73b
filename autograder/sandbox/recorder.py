"""The record that a student process keeps of its variables.

Border contract
---------------
In:   for every code question, which variables to look at (never what they should hold).
Out:  two open files. The *journal* takes one JSON object a line, in the order things happened; a line cut
      short by a kill is meaningless. The *blob* takes the weights of models, little-endian float32.
It is not trusted: the process it runs in can write anything at all into both. `judge/evidence.py` defines their
format and enforces it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

from autograder.sandbox import offline
from autograder.sandbox.variables import MAX_WEIGHTS, describe_model, describe_value, one_line

__all__ = ["BLOB_LIMIT", "JOURNAL_LIMIT", "Recorder", "take"]

JOURNAL_LIMIT = 256 * 1024
"""Bytes. The trusted side reads no more than this."""

END_RESERVE = 64 * 1024
"""Bytes of the journal that are kept for the end of the notebook, however often a question is checked."""

BLOB_LIMIT = 4 * 2 * MAX_WEIGHTS
"""Bytes of blob that are read: twice the largest model, because a check can be repeated."""

Spec = Mapping[str, Any]  # `{"reports": [names]}`, `{"model": name, "weights": bool}`, or both in one


class Recorder:
    """The writer of the journal and the blob.

    `journal` and `blob` are file descriptors open for writing; `questions` maps each code question to its
    Spec. No error of the student's objects leaves this class.
    """

    def __init__(self, questions: Mapping[str, Spec], journal: int, blob: int) -> None:
        self._questions, self._journal, self._blob = questions, journal, blob
        self._written = self._blob_floats = 0
        self._weighed: set[str] = set()
        self._trained: set[str] = set()

    def cell(self, index: int) -> None:
        """Record that cell `index` starts."""
        self._append({"cell": index})

    def error(self, index: int, name: str, text: str) -> None:
        """Record that cell `index` raised an error of class `name`."""
        self._append({"error": {"cell": index, "name": one_line(name), "text": one_line(text)}})

    def note(self, text: str) -> None:
        """Record a remark for the student about how the notebook was run."""
        self._append({"note": one_line(text)})

    def check(self, question: str, namespace: Mapping[str, Any]) -> bool:
        """Take the evidence of `question` now. Return False if there is no such code question."""
        if question not in self._questions:
            return False
        self._record(question, "check", namespace)
        return True

    def finish(self, namespace: Mapping[str, Any]) -> None:
        """Take every question's evidence once more, at the end of the notebook.

        The judge prefers the evidence taken at a check; this is for questions that were never checked, or were checked
        before they were answered.
        """
        for question in self._questions:
            with contextlib.suppress(BaseException):  # the clock has stopped: nothing here may end the process
                self._record(question, "end", namespace)
        self._append({"finished": True}, JOURNAL_LIMIT)

    def _record(self, question: str, at: str, namespace: Mapping[str, Any]) -> None:
        evidence, arrays = take(self._questions[question], namespace)
        if arrays and not (at == "end" and question in self._trained):
            if 4 * (self._blob_floats + sum(array.size for array in arrays)) <= BLOB_LIMIT:
                self._weighed.add(question)
                if evidence["model"]["steps"]:
                    self._trained.add(question)  # an untrained model may still be trained before the end
                evidence["model"]["blob"] = self._write_weights(arrays)
            elif question in self._weighed:
                self.note(f"{question} was checked so often that only its first checks were recorded.")
                return
        self._append({"question": question, "at": at, **evidence}, JOURNAL_LIMIT if at == "end" else None)

    def _write_weights(self, arrays: list[Any]) -> dict[str, int]:
        start = self._blob_floats
        for array in arrays:
            _write_all(self._blob, array.tobytes())
            self._blob_floats += int(array.size)
        return {"start": start, "count": self._blob_floats - start}

    def _append(self, record: Mapping[str, Any], limit: int | None = None) -> None:
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        if self._written + len(line) <= (limit or JOURNAL_LIMIT - END_RESERVE):
            self._written += len(line)
            _write_all(self._journal, line)


def take(spec: Spec, namespace: Mapping[str, Any]) -> tuple[dict[str, Any], list[Any]]:
    """Return the evidence for one question, and the model's weights (numpy arrays) if the spec asks for them."""
    evidence: dict[str, Any] = {}
    arrays: list[Any] = []
    if loaded := offline.loaded():
        evidence["loaded"] = list(loaded)
    if "reports" in spec:
        evidence["values"] = {name: describe_value(namespace, name) for name in spec["reports"]}
    if "model" in spec:
        evidence["model"], arrays = describe_model(namespace, spec["model"], weights=spec["weights"])
    return evidence, arrays


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
