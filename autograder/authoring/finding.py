"""One result type for everything that `mnist-kit new-term` and `mnist-kit doctor` check."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "FindingStatus"]


class FindingStatus(StrEnum):
    """The outcome of one check: a `NOTE` is only for reading, a `CHECK` can wait, an `ERROR` must be fixed first."""

    OK = "ok"
    NOTE = "note"
    CHECK = "check"
    ERROR = "error"


@dataclass(frozen=True)
class Finding:
    """The result of one check: its title, what was found and, if something should be done, what to do."""

    status: FindingStatus
    title: str
    detail: str = ""
    remedy: str = ""

    @property
    def is_error(self) -> bool:
        return self.status is FindingStatus.ERROR
