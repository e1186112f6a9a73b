"""The key of a grading, by which the gradebook knows what is graded already."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission
from autograder.version import kit_version

__all__ = ["content_digest", "grader_fingerprint", "grading_key"]


def grader_fingerprint(policy: Policy, tests: Mapping[str, str], data: Path, *, unsafe: bool) -> str:
    """Return a digest of all that determines a grade apart from the submission: kit, policy, hidden tests, images."""
    digest = hashlib.sha256()
    parts = [kit_version(), policy.fingerprint, "unconfined" if unsafe else "confined"]
    for part in (*parts, *(f"{id}\0{tests[id]}" for id in sorted(tests))):
        digest.update(hashlib.sha256(part.encode()).digest())
    with data.open("rb") as file:
        digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def grading_key(fingerprint: str, submission: Submission) -> str:
    """Return a key that is equal for the same content graded by a grader with the same fingerprint."""
    return hashlib.sha256(f"{fingerprint}\0{content_digest(submission)}".encode()).hexdigest()


def content_digest(submission: Submission) -> str:
    """Return a digest of a submission's bytes, or of its problem if it could not be read."""
    return hashlib.sha256(submission.problem.encode("utf-8", "replace") + b"\0" + submission.data).hexdigest()
