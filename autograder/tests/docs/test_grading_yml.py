"""docs/grading-yml.md against the models that read grading.yml: every key, default, range and example."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args, get_origin

import pytest
import yaml
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from autograder.layout import HOME
from autograder.policy import grading_file
from autograder.policy.grading_file import SECTIONS
from autograder.policy.policy import Policy

DOCUMENT = (HOME.root / "autograder" / "docs" / "grading-yml.md").read_text(encoding="utf-8")
MODELS: dict[str, type[BaseModel]] = {"The file": Policy, **SECTIONS}
HEAD = "| key | what it is | without it | meaning | example |"

FILE: dict[str, Any] = {
    "assignment": {"name": "a", "title": "b"},
    "questions": {"q": {"kind": "code", "points": 4, "title": "c", "optimizer": "adam", "loss": "mean_squared_error"}},
}
ITEM = {"id": "d", "points": 4, "text": "e"}
WRITTEN = {"kind": "written", "points": 4, "title": "c", "rubric": [ITEM]}
CODE = {"kind": "code", "points": 6, "title": "c"}
LAYER = {"type": "Dense", "units": 10, "activation": "softmax"}


class Row(NamedTuple):
    """One row of a table; `section` is from its heading."""

    section: str
    key: str
    what: str
    without: str
    meaning: str
    example: str


def rows() -> list[Row]:
    found = []
    for heading, text in re.findall(r"^#{2,3} (.*?)\n(.*?)(?=^#|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL):
        assert HEAD in text, f"no table below {heading}"
        for line in text.partition(HEAD)[2].splitlines()[2:]:
            if line.startswith("|"):
                key, *cells = (cell.strip() for cell in line.strip("|").split("|"))
                found.append(Row(heading.removeprefix("questions: "), key.strip("`"), *cells))
    return found


ROWS = rows()
each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.section}: {row.key}")


def field(row: Row) -> FieldInfo:
    return MODELS[row.section].model_fields[row.key]


def parts(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and all its parts."""
    yield annotation
    for part in get_args(annotation):
        yield from parts(part)


def test_every_section_and_every_key_has_its_row_in_order() -> None:
    documented: dict[str, list[str]] = {}
    for row in ROWS:
        documented.setdefault(row.section, []).append(row.key)
    assert documented == {name: list(model.model_fields) for name, model in MODELS.items()}


@each_row
def test_the_documented_default_is_the_models(row: Row) -> None:
    default = field(row).get_default(call_default_factory=True)
    if field(row).is_required():
        assert row.without == "needed"
    elif isinstance(default, str | int | float):
        assert yaml.safe_load(row.without.strip("`")) == default
    else:
        assert default is not PydanticUndefined
        assert row.without
        assert row.without[0] not in "`0123456789", "a value, where the model has none"
        assert row.without != "needed"


@each_row
def test_every_choice_and_every_limit_is_documented(row: Row) -> None:
    literals = [part for part in parts(field(row).annotation) if get_origin(part) is Literal]
    assert {str(choice) for each in literals for choice in get_args(each)} <= set(re.findall(r"`(.*?)`", row.what))
    if row.what.startswith(("seconds", "megabytes", "whole number")):  # points and fractions are explained once
        assert len(limits(field(row))) == 2
        assert limits(field(row)) <= set(re.findall(r"[0-9](?:[0-9,]*[0-9])?", row.what))


def limits(info: FieldInfo) -> set[str]:
    """Return the least and the highest value, as the document writes numbers."""
    inner = [each for part in parts(info.annotation) for each in getattr(part, "__metadata__", ())]
    found = [*info.metadata, *(each for outer in inner for each in outer.metadata)]
    lows = [each.ge for each in found if isinstance(each, Ge)] + [each.gt for each in found if isinstance(each, Gt)]
    highs = [each.le for each in found if isinstance(each, Le)] + [each.lt for each in found if isinstance(each, Lt)]
    return {f"{value:,.0f}" for value in (*lows, *highs)}


@each_row
def test_every_example_is_valid(row: Row) -> None:
    example = yaml.safe_load(row.example.strip("`"))
    assert list(example) == [row.key]
    grading_file.parse(yaml.safe_dump(around(row, example)), Path("grading.yml"))


def around(row: Row, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return a whole grading.yml with this example in its section."""
    item, layer = {**ITEM, **example}, {**LAYER, **example}
    trained = {"optimizer": "adam", "loss": "mean_squared_error"}
    tested = {} if {"reports", "layers", "accuracy"} & set(example) else trained
    accuracy = {**({} if "reference_margin" in example else {"full": 0.95}), **example}
    questions = {
        "written": {**WRITTEN, **example},
        "rubric": {**WRITTEN, "points": item["points"], "rubric": [item]},
        "misconceptions": {**WRITTEN, "misconceptions": [{"claim": "x", "correction": "y", **example}]},
        "code": {**CODE, **tested, **example},
        "layers": {**CODE, "points": layer.get("points", 6), "layers": [layer]},
        "accuracy": {**CODE, "points": 8, "accuracy": accuracy},
    }
    needed = {"assignment": FILE["assignment"], "review": {"reviewers": ["ann", "ben"]}}
    if row.section == "The file":
        return {**FILE, **example}
    if row.section in questions:
        return {**FILE, "questions": {"q": questions[row.section]}}
    return {**FILE, row.section: {**needed.get(row.section, {}), **example}}
