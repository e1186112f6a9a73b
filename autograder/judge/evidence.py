"""The evidence that a student process left behind, as frozen data; `journal` reads it from bytes.

Forged values are possible and harmless: a right value is right, and weights are judged by their predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

from autograder.policy.closed_model import StrictModel
from autograder.sandbox.model_description import MAX_WEIGHTS, SETTINGS

__all__ = [
    "UNANSWERED",
    "CellError",
    "CompileSettings",
    "Evidence",
    "Float32",
    "Layer",
    "Model",
    "QuestionEvidence",
    "ReportedValue",
    "Size",
    "Text",
]

Text = Annotated[str, Field(max_length=200, pattern=r"^[^\p{Cc}\u2028\u2029]*$")]
Number = Annotated[int | float, Field(ge=-1e15, le=1e15, allow_inf_nan=False)]
Size = Annotated[int, Field(ge=0, le=2**31 - 1)]
Shape = Annotated[list[Size], Field(max_length=8)]
Setting = bool | Number | Text | None
Settings = Annotated[dict[Text, Setting | Annotated[list[Setting], Field(max_length=8)]], Field(max_length=12)]
KNOWN_SETTINGS = frozenset(name for names in SETTINGS.values() for name in names)
UNANSWERED = ("missing", "ellipsis")
"""The kinds of values and models that are no answer."""

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
