"""The grading rules: grading.yml, with the accuracy that the hidden solution reaches."""

from __future__ import annotations

from pydantic import ValidationError

from autograder.calibration import calibration
from autograder.calibration.calibration import Origin
from autograder.errors import CalibrationError
from autograder.layout import Layout
from autograder.policy import grading_file
from autograder.policy.policy import Policy

__all__ = ["rules"]


def rules(layout: Layout, policy: Policy | None = None) -> Policy:
    """Return grading.yml, with the median accuracy of the stored calibration as `reference` if the file gives none.

    A calibration of another solution, other images or another split is not used. An unpacked autograder zip holds no
    solution to compare it with; the build compared it. Raises PolicyError, and CalibrationError if a band is relative
    to the reference and the reference is unknown, or leaves no room for the bands below.
    `policy` is grading.yml, if it is loaded already.
    """
    policy = policy or grading_file.load(layout.policy)
    reference, reason = _reference(layout, policy)
    if reference is not None:
        try:
            return policy.at_reference(reference)
        except ValidationError as error:
            raise CalibrationError(
                f"grading.yml: with the hidden solution's {reference:.2%}, `reference_margin` leaves no room for the "
                f"bands ({error.errors()[0]['msg']}). Lower the margin or the bands"
            ) from None
    if any(question.accuracy and question.accuracy.full_accuracy is None for question in policy.code.values()):
        raise CalibrationError(f"grading.yml asks for an accuracy relative to the hidden solution's: {reason}")
    return policy


def _reference(layout: Layout, policy: Policy) -> tuple[float | None, str]:
    """Return the stored reference, or None and the reason why it cannot be used."""
    if not layout.calibration.exists():
        return None, f"{layout.calibration} is missing. Make it: mnist-kit calibrate"
    stored = calibration.load(layout)
    about = policy.assignment
    if not layout.unpacked and not stored.is_current(Origin.of(layout, about.dataset, about.split_seed)):
        return (
            None,
            f"{layout.calibration} is of another solution, data or split_seed. Make it again: mnist-kit calibrate",
        )
    return stored.reference, ""
