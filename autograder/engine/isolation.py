"""Which confinement this machine must have before student code runs, which it offers, and how to get the rest.

    python -I -m autograder.engine.isolation

prints the offers as JSON; each layer is tried in a child process, so nothing of the caller is confined.
"""

from __future__ import annotations

import json
import os
import platform
import pwd
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from autograder.engine.environment import command
from autograder.errors import WITH_DOCKER, IsolationError
from autograder.sandbox import confine, interpreter, seccomp
from autograder.sandbox.limits import Limits

__all__ = [
    "FIRST_UID",
    "HOW_TO_GET",
    "REMEDY",
    "ConfinementPlan",
    "Examination",
    "demand",
    "examine",
    "free_uid",
    "plan",
]

FIRST_UID = 61_200
"""Student processes get users from here on, one a slot: above what distributions give to people and services."""

REMEDY = (
    f"{WITH_DOCKER} Otherwise grade on Linux (kernel 5.13 or "
    "newer, Python outside /root), or, for notebooks you wrote yourself, add --unsafe-no-sandbox; every report will "
    "then say UNTRUSTED."
)
HOW_TO_GET = {
    "uid": "run as root with a Python that other users can read (not under /root), for example from /opt",
    "landlock": "a kernel from 5.13 on with landlock among its security modules (boot option lsm=landlock,...)",
    "seccomp": "the library libseccomp (Debian and Ubuntu: apt install libseccomp2) on x86_64 or aarch64",
    "network namespace": "unprivileged user namespaces (sysctl kernel.unprivileged_userns_clone=1)",
}


@dataclass(frozen=True)
class ConfinementPlan:
    """What must be in force before a student cell runs. `own_users`: each slot runs as a user of its own."""

    where: str
    own_users: bool
    required: tuple[str, ...]


@dataclass(frozen=True)
class Examination:
    """A plan, and what this machine offers of it."""

    plan: ConfinementPlan | None
    offers: tuple[confine.LayerStatus, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """Required layers that are not to be had; one entry saying so where no plan fits at all."""
        if self.plan is None:
            return ("Linux on x86_64 or aarch64",)
        there = {offer.layer for offer in self.offers if offer.there}
        return tuple(layer for layer in self.plan.required if layer not in there)


def plan() -> ConfinementPlan | None:
    """The plan for this machine and user; None where there is none."""
    if sys.platform != "linux" or platform.machine() not in seccomp.ARCHITECTURES:
        return None
    always = ("rlimits", "no new privileges", "seccomp")
    if os.geteuid() != 0:
        return ConfinementPlan("Linux, not root", False, (*always, "landlock"))
    if interpreter.others_can_read(map(Path, (sys.prefix, sys.base_prefix))):
        return ConfinementPlan("Linux, root", True, ("uid", *always))
    return ConfinementPlan(
        "Linux, root with a Python that others cannot read", False, ("no capabilities", *always, "landlock")
    )


def examine() -> Examination:
    """Try every layer, in a process of its own."""
    chosen = plan()
    if chosen is None:
        return Examination(None, ())
    done = subprocess.run(
        command("autograder.engine.isolation"), capture_output=True, text=True, check=False, timeout=60
    )
    try:
        offers = tuple(confine.LayerStatus(**each) for each in json.loads(done.stdout))
    except ValueError:
        offers = ()
    return Examination(chosen, offers)


def demand(examination: Examination) -> ConfinementPlan:
    """The plan, if it can be kept. Raises IsolationError, with the remedy, if not."""
    if examination.plan is None or examination.missing:
        missing = ", ".join(examination.missing)
        raise IsolationError(f"student code cannot be confined on this machine: {missing} missing.\n{REMEDY}")
    return examination.plan


def free_uid(taken: set[int]) -> int:
    """A user id that no account has and no other slot uses."""
    uid = FIRST_UID
    while uid in taken or _is_account(uid):
        uid += 1
    return uid


def _is_account(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _main() -> None:
    chosen = plan()
    with tempfile.TemporaryDirectory() as work:
        uid = free_uid(set()) if chosen and chosen.own_users else None
        limits = Limits(wall_s=60, memory_mb=3072, work_mb=64, files=100)
        jail = confine.Jail(Path(work), (), uid, (), limits)
        offers = confine.probe(jail, confine.prepare(interpreter.folders()))
    sys.stdout.write(json.dumps([vars(offer) for offer in offers]))


if __name__ == "__main__":
    _main()
