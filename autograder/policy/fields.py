"""Types of the values in grading.yml, and the mistakes that concern several of them."""

from __future__ import annotations

import keyword
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

__all__ = [
    "Count",
    "Fraction",
    "Limit",
    "Points",
    "Reviewer",
    "Text",
    "Variable",
    "check_sum",
    "check_unique",
    "mistake",
]


def mistake(allowed: str, found: str, *keys: str) -> PydanticCustomError:
    """Return the error for a value that does not fit others; `keys` lead to it from the model's own place."""
    return PydanticCustomError("mistake", "{allowed}", {"allowed": allowed, "found": found, "at": keys})


def check_sum(key: str, parts: Sequence[float], total: float) -> None:
    """Raise a mistake if the points of the parts do not add up to the question's."""
    if round(sum(parts), 6) != round(total, 6):
        found = f"{' + '.join(f'{part:g}' for part in parts)} = {sum(parts):g}"
        raise mistake(f"points in {key} that add up to the question's {total:g}", found, key)


def check_unique(key: str, names: Sequence[str], allowed: str) -> None:
    """Raise a mistake if a name is there twice, in any case."""
    if len({name.casefold() for name in names}) < len(names):
        raise mistake(allowed, ", ".join(names), key)


def _assignable(name: str) -> str:
    if keyword.iskeyword(name):
        raise PydanticCustomError("keyword", "{allowed}", {"allowed": "a name that is not a keyword of Python"})
    return name


Text = Annotated[str, Field(strict=True, min_length=1, max_length=4000)]
Points = Annotated[float, Field(strict=True, gt=0, le=1000, allow_inf_nan=False)]
Fraction = Annotated[float, Field(strict=True, gt=0, lt=1, allow_inf_nan=False)]
Variable = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$"), AfterValidator(_assignable)]
Reviewer = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._@-]{0,60}$")]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]
Limit = Annotated[int, Field(strict=True, ge=1, le=1000)]
