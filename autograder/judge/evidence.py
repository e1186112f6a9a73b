"""The evidence that a student process left behind: frozen data, read strictly from bytes.

Border contract
---------------
In:    two byte strings. The *journal*, at most 256 KB of UTF-8: one JSON object a line with the keys below and no
       others, no duplicate keys, no NaN, numbers up to 1e15, texts of one line without control characters. The *blob*,
       at most 10 million little-endian float32 numbers; journal entries point into it by start and count, to at most
       5 million at a time.
Out:   an Evidence, frozen. Forged values are possible and harmless: a right value is right, and weights are judged by
       their predictions.
Ignored: a last line without its newline (the process was killed while writing); key order.
Never: nothing here is unpickled, evaluated, imported, or passed to a Keras loader.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from autograder.errors import EvidenceError
from autograder.policy.policy import CodeQuestion, Policy
from autograder.policy.schema import StrictModel
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT, take
from autograder.sandbox.variables import MAX_WEIGHTS, SETTINGS
from autograder.text import printable

__all__ = [
    "CellError",
    "CompileSettings",
    "Evidence",
    "Float32",
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
UNANSWERED = ("missing", "ellipsis")  # the kinds of values and models that are no answer
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
    """One layer: `type` is `keras:Dense`, `custom:Foo` or so; `weights` holds the shapes of its arrays, in order."""

    type: Text
    settings: Settings
    weights: Annotated[list[Shape], Field(max_length=16)]

    @model_validator(mode="after")
    def _has_known_settings(self) -> Self:
        unknown = sorted(set(self.settings) - KNOWN_SETTINGS)
        if unknown:
            raise ValueError(f"unknown layer setting {unknown[0]!r}")
        return self


class CompileSettings(StrictModel):
    """The arguments of compile. `from_logits` is None if the loss has no such setting."""

    optimizer: Text
    learning_rate: Number | None
    loss: Text | None
    from_logits: bool | None


class Blob(StrictModel):
    """The part of the blob that holds a model's weights, counted in float32 numbers."""

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

    @property
    def is_chain(self) -> bool:
        """True if the model is one plain chain of layers, from images to outputs."""
        return self.structure in ("sequential", "functional")


class QuestionEvidence(StrictModel):
    """One question's evidence, recorded at its check or at the end of the notebook: values, a model, or both.

    `loaded` holds the datasets that had been loaded by then, as modules of `keras.datasets`.
    """

    question: Text
    at: Literal["check", "end"]
    loaded: Annotated[list[Text], Field(max_length=8)] = Field(default_factory=list)
    values: Annotated[dict[Text, ReportedValue], Field(max_length=32)] | None = None
    model: Model | None = None

    @property
    def empty(self) -> bool:
        """True if nothing had been answered when this was recorded."""
        kinds: list[str] = [value.kind for value in (self.values or {}).values()]
        kinds += [self.model.kind] if self.model else []
        return all(kind in UNANSWERED for kind in kinds)

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


class Evidence(BaseModel):
    """All of one submission's evidence.

    `questions` holds the evidence from each question's last check, or from the end of the notebook if nothing was
    answered at a check; `at_end` holds that from the end. `last_cell` is the cell that was running when the journal
    ended (None: no cell was started); `finished` says whether the notebook ran to its end.
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
        """Return the model's weights, float32 [count]; None if none were recorded or the blob is too short."""
        if model.blob is None or model.blob.start + model.blob.count > len(self.blob):
            return None
        return self.blob[model.blob.start : model.blob.start + model.blob.count]


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
    records: list[_Record] = []
    for number, line in enumerate(journal.split(b"\n")[:-1], start=1):
        data = _json(line, number)
        try:
            if "question" in data:
                entry = QuestionEvidence.model_validate(data)
                known = questions.get(entry.question)
                if entry.at == "end":
                    at_end[entry.question] = entry
                if known and not known.empty and (entry.at == "end" or entry.empty):
                    entry = _filled(known, entry)
                questions[entry.question] = entry
            else:
                records.append(_Record.model_validate(data))
        except ValidationError as error:
            first = error.errors()[0]
            where = printable(".".join(map(str, first["loc"]))[:80])
            raise EvidenceError(f"journal line {number}: {where}: {first['msg'][:200]}") from None
    return Evidence(
        questions=questions,
        at_end=at_end,
        errors=tuple(record.error for record in records if record.error),
        notes=tuple(record.note for record in records if record.note is not None),
        last_cell=next((record.cell for record in reversed(records) if record.cell is not None), None),
        finished=any(record.finished for record in records),
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
