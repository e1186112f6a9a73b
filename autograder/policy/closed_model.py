"""The bases of all data that is read from files."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["ClosedModel", "StrictModel"]


class ClosedModel(BaseModel):
    """Frozen data in which every key must be a known one."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StrictModel(ClosedModel):
    """Closed data in which nothing is converted: every value has its own type, and every number is finite."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)
