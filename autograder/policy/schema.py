"""The parts that schemas of files are made of: strict models, text, and mistakes that concern several values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

__all__ = ["ClosedModel", "StrictModel", "Text", "check_sum", "check_unique", "mistake"]

Text = Annotated[str, Field(strict=True, min_length=1, max_length=4000)]


class ClosedModel(BaseModel):
    """Frozen data in which every key must be a known one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StrictModel(ClosedModel):
    """Closed data in which nothing is converted: every value has its own type, and every number is finite."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


def mistake(allowed: str, found: str, *keys: str) -> PydanticCustomError:
    """Return the error for a value that does not fit others; `keys` lead to it from the model's own place."""
    return PydanticCustomError("mistake", "{allowed}", {"allowed": allowed, "found": found, "at": keys})


def check_sum(key: str, parts: Sequence[float], total: float) -> None:
    """Raise a mistake if points do not add up to the question's."""
    if round(sum(parts), 6) != round(total, 6):
        found = f"{' + '.join(f'{part:g}' for part in parts)} = {sum(parts):g}"
        raise mistake(f"points in {key} that add up to the question's {total:g}", found, key)


def check_unique(key: str, names: Sequence[str], allowed: str) -> None:
    """Raise a mistake if a name is there twice, in any case."""
    if len({name.casefold() for name in names}) < len(names):
        raise mistake(allowed, ", ".join(names), key)
