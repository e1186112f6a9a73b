"""The grader of a submission: everything that determines its grade apart from the submission itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission
from autograder.version import kit_version

__all__ = ["Grader", "content_digest"]


@dataclass(frozen=True)
class Grader:
    """The kit's version, the policy, the tests and the images as one fingerprint."""

    fingerprint: str

    @classmethod
    def of(cls, policy: Policy, tests: Mapping[str, str], data: Path, *, unsafe: bool) -> Self:
        """Return the grader with this policy, these hidden tests and these images, run by this version of the kit."""
        digest = hashlib.sha256()
        parts = [kit_version(), policy.fingerprint, "unconfined" if unsafe else "confined"]
        for part in (*parts, *(f"{id}\0{tests[id]}" for id in sorted(tests))):
            digest.update(hashlib.sha256(part.encode()).digest())
        with data.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        return cls(digest.hexdigest())

    def key(self, submission: Submission) -> str:
        """Return a key that is equal for the same content graded by the same grader."""
        return hashlib.sha256(f"{self.fingerprint}\0{content_digest(submission)}".encode()).hexdigest()


def content_digest(submission: Submission) -> str:
    """Return a digest of a submission's bytes, or of its problem if it could not be read."""
    return hashlib.sha256(submission.problem.encode("utf-8", "replace") + b"\0" + submission.data).hexdigest()
