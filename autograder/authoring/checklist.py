"""What `mnist-kit new-term` found out, step by step, and what goes where: data only, for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

__all__ = ["Step", "StepStatus", "Upload"]


class StepStatus(StrEnum):
    """How a step came out. A `NOTE` is for reading; `LOOK` can wait, but is not as it should be; `WRONG` cannot."""

    RIGHT = "right"
    NOTE = "note"
    LOOK = "look"
    WRONG = "wrong"


@dataclass(frozen=True)
class Step:
    """One thing that was looked at: what was found and, where something is to be done, what."""

    what: str
    mark: StepStatus
    found: str
    remedy: str = ""

    @property
    def well(self) -> bool:
        return self.mark in (StepStatus.RIGHT, StepStatus.NOTE)


@dataclass(frozen=True)
class Upload:
    """Something that was built, and where it goes."""

    path: Path
    where: str
