"""The strict reader of what a student process left behind.

Border contract
---------------
In:    two byte strings. The *journal*, at most 256 KB of UTF-8: one JSON object a line with the keys below and no
       others, no duplicate keys, no NaN, numbers up to 1e15, texts of one line without control characters. The *blob*,
       at most 10 million little-endian float32 numbers; journal entries point into it by start and count, to at most
       5 million at a time.
Out:   an Evidence, frozen.
Ignored: a last line without its newline (the process was killed while writing); key order.
Never: nothing here is unpickled, evaluated, imported, or passed to a Keras loader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
from pydantic import ValidationError

from autograder.errors import EvidenceError
from autograder.judge.evidence import UNANSWERED, CellError, Evidence, QuestionEvidence, Size, Text
from autograder.policy.closed_model import StrictModel
from autograder.policy.policy import Policy
from autograder.policy.questions import CodeQuestion
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT, take
from autograder.text import printable

__all__ = ["live", "parse", "specs"]


class _Record(StrictModel):
    """A line of the journal that is about no question."""

    cell: Size | None = None
    error: CellError | None = None
    note: Text | None = None
    finished: bool | None = None


def parse(journal: bytes, blob: bytes) -> Evidence:
    """Parse a journal and a blob. Raises EvidenceError at the first breach of the contract."""
    if len(journal) > JOURNAL_LIMIT:
        raise EvidenceError(f"the journal has {len(journal)} bytes; at most {JOURNAL_LIMIT} are read")
    if len(blob) > BLOB_LIMIT:
        raise EvidenceError(f"the blob has {len(blob)} bytes; at most {BLOB_LIMIT} are read")
    questions: dict[str, QuestionEvidence] = {}
    at_end: dict[str, QuestionEvidence] = {}
    errors: list[CellError] = []
    notes: list[str] = []
    last_cell: int | None = None
    finished = False
    for number, line in enumerate(journal.split(b"\n")[:-1], start=1):
        data = _json(line, number)
        try:
            if "question" in data:
                entry = QuestionEvidence.model_validate(data)
                known = questions.get(entry.question)
                if entry.at == "end":
                    at_end[entry.question] = entry
                if known is None or known.empty or (entry.at == "check" and not entry.empty):
                    questions[entry.question] = entry
                else:
                    questions[entry.question] = _filled(known, entry)
                continue
            record = _Record.model_validate(data)
        except ValidationError as error:
            first = error.errors()[0]
            where = printable(".".join(map(str, first["loc"]))[:80])
            raise EvidenceError(f"journal line {number}: {where}: {first['msg'][:200]}") from None
        if record.error:
            errors.append(record.error)
        if record.note is not None:
            notes.append(record.note)
        last_cell = record.cell if record.cell is not None else last_cell
        finished = finished or bool(record.finished)
    return Evidence(
        questions=questions,
        at_end=at_end,
        errors=tuple(errors),
        notes=tuple(notes),
        last_cell=last_cell,
        finished=finished,
        blob=np.frombuffer(blob[: len(blob) // 4 * 4], dtype="<f4"),
    )


def _filled(known: QuestionEvidence, later: QuestionEvidence) -> QuestionEvidence:
    """Fill in the values that were still open at the check with those that they got later."""
    values = {
        name: (later.values or {}).get(name, value) if value.kind in UNANSWERED else value
        for name, value in (known.values or {}).items()
    }
    return known.model_copy(update={"values": values}) if values else known


def specs(policy: Policy) -> dict[str, dict[str, Any]]:
    """Return what a student process must know to record each question: names of variables, none of their values."""
    return {id: _spec(question) for id, question in policy.code.items()}


def _spec(question: CodeQuestion) -> dict[str, Any]:
    if question.reports is not None:
        return {"reports": list(question.reports)}
    measured = question.accuracy.measured if question.accuracy else None
    spec: dict[str, Any] = {"model": question.variable, "weights": question.accuracy is not None}
    return {**spec, "reports": list(measured)} if measured else spec


def live(policy: Policy, question: str, namespace: Mapping[str, Any]) -> Evidence:
    """Take the evidence of one question from live objects, through the same journal.

    Only for stock Otter, whose tests run alongside the student's objects; the kit's own engine never does this.
    """
    spec = specs(policy)[question]
    record, arrays = take(spec, namespace)
    blob = b"".join(array.tobytes() for array in arrays)
    if arrays:
        record["model"]["blob"] = {"start": 0, "count": len(blob) // 4}
    journal = json.dumps({"question": question, "at": "check", **record}).encode() + b"\n"
    return parse(journal, blob)


def _json(line: bytes, number: int) -> dict[str, Any]:
    try:
        data = json.loads(line.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_not_a_number)
    except (ValueError, RecursionError) as error:
        raise EvidenceError(f"journal line {number}: not JSON ({printable(str(error)[:80])})") from None
    if not isinstance(data, dict):
        raise EvidenceError(f"journal line {number}: not a JSON object")
    return data


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("the same key twice")
    return found


def _not_a_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")
