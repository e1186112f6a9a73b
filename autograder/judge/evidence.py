"""What crosses the border: the strict reading of what a student process left behind.

Border contract
---------------
In:    two byte strings. The *journal*, at most 256 KB of UTF-8: one JSON object a line with the keys below
       and no other, no duplicate keys, no NaN, numbers up to 1e15, texts of one line without control
       characters. The *blob*, at most 10 million little-endian float32 numbers, to which journal entries
       point by start and count, for at most 5 million at a time.
Out:   an Evidence, frozen.
Meaningless: a last line without its newline (the process was killed while writing); key order.
Never: nothing here is unpickled, evaluated, imported, or handed to a Keras loader.
Forged values are possible and harmless: a right value is right, and weights are judged by what they do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autograder.errors import EvidenceError
from autograder.policy.closed_model import StrictModel
from autograder.policy.policy import Policy
from autograder.policy.questions import CodeQuestion
from autograder.sandbox.model_description import MAX_WEIGHTS, SETTINGS
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT, take
from autograder.text import printable

__all__ = [
    "BLOB_LIMIT",
    "MAX_WEIGHTS",
    "CellError",
    "CompileSettings",
    "Evidence",
    "Layer",
    "Model",
    "QuestionEvidence",
    "ReportedValue",
    "live",
    "parse",
    "specs",
]

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\p{Cc}\u2028\u2029]*$")]
Number = Annotated[int | float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Size = Annotated[int, Field(ge=0, le=2**31 - 1)]
Shape = Annotated[list[Size], Field(max_length=8)]
Setting = bool | Number | Text | None
Settings = Annotated[dict[Text, Setting | Annotated[list[Setting], Field(max_length=8)]], Field(max_length=12)]
KNOWN_SETTINGS = frozenset(name for names in SETTINGS.values() for name in names)
OPEN = ("missing", "ellipsis")
"""Kinds of what has not been answered."""

Float32 = npt.NDArray[np.float32]


class ReportedValue(StrictModel):
    """A reported value. `value` is set for the kinds bool, text, number and numbers."""

    kind: Literal["missing", "ellipsis", "none", "bool", "text", "number", "numbers", "array", "other"]
    value: bool | Number | Text | Annotated[list[Number | None], Field(max_length=8)] | None = None
    name: Text = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        # A number that is infinite, not a number, or beyond 1e15 is written as null.
        fits = {"bool": bool, "text": str, "number": int | float | None, "numbers": list}.get(self.kind, type(None))
        if not isinstance(self.value, fits) or (self.kind == "number" and isinstance(self.value, bool)):
            raise ValueError(f"no value of the kind {self.kind}")
        return self


class Layer(StrictModel):
    """`type` is `keras:Dense`, `custom:Foo` and the like; `weights` the shapes of its arrays, in order."""

    type: Text
    settings: Settings
    weights: Annotated[list[Shape], Field(max_length=16)]


class CompileSettings(StrictModel):
    """`from_logits` is None where the loss has no such setting."""

    optimizer: Text
    learning_rate: Number | None
    loss: Text | None
    from_logits: bool | None


class Blob(StrictModel):
    """Where in the blob a model's weights stand, counted in float32 numbers."""

    start: Size
    count: Annotated[int, Field(ge=0, le=MAX_WEIGHTS)]


class Model(StrictModel):
    """A model as described by the process that built it. Shapes begin with the batch size (None)."""

    kind: Literal["missing", "ellipsis", "other", "keras"]
    name: Text = ""
    structure: Literal["sequential", "functional", "branching", "subclassed", "unknown"] = "unknown"
    built: bool = False
    input_shape: Annotated[list[Size | None], Field(max_length=8)] | None = None
    output_shape: Annotated[list[Size | None], Field(max_length=8)] | None = None
    layers: Annotated[list[Layer], Field(max_length=200)] = Field(default_factory=list)
    compile: CompileSettings | None = None
    steps: Number = 0
    blob: Blob | None = None


class QuestionEvidence(StrictModel):
    """One question's evidence, taken at its check or at the end of the notebook: values, a model, or both.

    `loaded` are the datasets that had been asked for by then, as modules of `keras.datasets`.
    """

    question: Text
    at: Literal["check", "end"]
    loaded: Annotated[list[Text], Field(max_length=8)] = Field(default_factory=list)
    values: Annotated[dict[Text, ReportedValue], Field(max_length=32)] | None = None
    model: Model | None = None

    @property
    def empty(self) -> bool:
        """Nothing had been answered when this was taken."""
        kinds: list[str] = [value.kind for value in (self.values or {}).values()]
        kinds += [self.model.kind] if self.model else []
        return all(kind in OPEN for kind in kinds)

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.values is None and self.model is None:
            raise ValueError("neither values nor a model")
        return self


class CellError(StrictModel):
    """A cell that raised."""

    cell: Size
    name: Text
    text: Text


class _Record(StrictModel):
    cell: Size | None = None
    error: CellError | None = None
    note: Text | None = None
    finished: bool | None = None


class Evidence(BaseModel):
    """All of one submission's evidence.

    `questions` holds what counts: what was taken at a question's check, or at the end of the notebook where nothing
    was answered before; `at_end` what was taken at the end. `last_cell` is the cell that was running when the journal
    ended (None: no cell was started), and `finished` says that the notebook ran to its end.
    """

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    questions: Mapping[str, QuestionEvidence]
    at_end: Mapping[str, QuestionEvidence] = Field(default_factory=dict)
    errors: tuple[CellError, ...] = ()
    notes: tuple[str, ...] = ()
    last_cell: int | None = None
    finished: bool = False
    blob: Float32

    def weights(self, model: Model) -> Float32 | None:
        """The model's weights, float32 [count], or None where none were taken or the blob is too short."""
        if model.blob is None or model.blob.start + model.blob.count > len(self.blob):
            return None
        return self.blob[model.blob.start : model.blob.start + model.blob.count]


def parse(journal: bytes, blob: bytes) -> Evidence:
    """Read a journal and a blob. Raises EvidenceError on the first breach of the contract."""
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
                _check_settings(entry, number)
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
    """What had no value yet at the check has the one it got later."""
    values = {
        name: (later.values or {}).get(name, value) if value.kind in OPEN else value
        for name, value in (known.values or {}).items()
    }
    return known.model_copy(update={"values": values}) if values else known


def specs(policy: Policy) -> dict[str, dict[str, Any]]:
    """What a student process has to be told: names of variables, and nothing about their values."""
    return {id: _spec(question) for id, question in policy.code.items()}


def _spec(question: CodeQuestion) -> dict[str, Any]:
    if question.reports is not None:
        return {"reports": list(question.reports)}
    measured = question.accuracy.measured if question.accuracy else None
    asked: dict[str, Any] = {"model": question.variable, "weights": question.accuracy is not None}
    return {**asked, "reports": list(measured)} if measured else asked


def live(policy: Policy, question: str, namespace: Mapping[str, Any]) -> Evidence:
    """Evidence of one question from live objects, through the same journal form.

    For stock Otter, whose tests run beside the student's objects; the kit's own engine never does this.
    """
    spec = specs(policy)[question]
    record, arrays = take(spec, namespace)
    blob = b"".join(array.tobytes() for array in arrays)
    if arrays:
        record["model"]["blob"] = {"start": 0, "count": len(blob) // 4}
    journal = json.dumps({"question": question, "at": "check", **record}).encode() + b"\n"
    return parse(journal, blob)


def _json(line: bytes, number: int) -> dict[str, Any]:
    def refuse(why: str) -> NoReturn:
        raise EvidenceError(f"journal line {number}: {why}")

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            refuse("a key stands there twice")
        return found

    def constant(name: str) -> NoReturn:
        refuse(f"{name} is no number")

    try:
        data = json.loads(line.decode("utf-8"), object_pairs_hook=once, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        refuse(f"not JSON ({printable(str(error)[:80])})")
    if not isinstance(data, dict):
        refuse("not a JSON object")
    return data


def _check_settings(entry: QuestionEvidence, number: int) -> None:
    for layer in entry.model.layers if entry.model else ():
        unknown = set(layer.settings) - KNOWN_SETTINGS
        if unknown:
            raise EvidenceError(f"journal line {number}: unknown layer setting {sorted(unknown)[0]!r}")
