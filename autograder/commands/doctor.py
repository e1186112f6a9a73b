"""One run of `mnist-kit doctor`: whether this machine can confine student code, layer by layer."""

from __future__ import annotations

from collections.abc import Iterator

from autograder.authoring.finding import Finding, FindingStatus
from autograder.engine.isolation import HOW_TO_GET, Examination

__all__ = ["check_machine"]


def check_machine(examination: Examination) -> Iterator[Finding]:
    """Yield a finding for each layer of confinement: an error for a missing one that grading requires."""
    if examination.plan is None:
        yield Finding(FindingStatus.ERROR, "system", "student code can only be confined on Linux, x86_64 or aarch64")
        return
    yield Finding(FindingStatus.NOTE, "system", examination.plan.where)
    for offer in examination.layers:
        required = offer.layer in examination.plan.required
        if offer.there:
            yield Finding(FindingStatus.OK, offer.layer, f"available: {offer.why}" if offer.why else "available")
        else:
            status, need = (FindingStatus.ERROR, "required") if required else (FindingStatus.CHECK, "optional")
            remedy = f"Get it: {HOW_TO_GET.get(offer.layer, 'a newer kernel')}."
            yield Finding(status, offer.layer, f"missing, {need}: {offer.why}", remedy)
