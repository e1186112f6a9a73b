"""A submission: one file to grade, under a name."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

__all__ = ["Submission", "slug"]

PLAIN = re.compile(r"{part}(/{part})*".format(part=r"[a-z0-9]+([._-][a-z0-9]+)*"))
HASHED = re.compile(r"(^|-)[0-9a-f]{16}$")


@dataclass(frozen=True)
class Submission:
    """One file to grade, from `source`. If it could not be read, `problem` is set and `data` is empty."""

    name: str
    source: str
    data: bytes
    problem: str = ""


def slug(name: str) -> str:
    """Return a safe name for a folder: letters, digits, dot, dash and underscore, not empty.

    Different names give different folders, even if the file system ignores case: a name that must be changed gets a
    hash.
    """
    if PLAIN.fullmatch(name) and not HASHED.search(name) and len(name) <= 80:
        return name.replace("/", "__")
    safe = re.sub(r"[^\w.-]+", "_", name.replace("/", "__"), flags=re.ASCII).strip("._-")[:60]
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return f"{safe}-{digest}".lstrip("-")
