"""The confinement that this machine must have before student code runs, and the layers it offers.

    python -I -m autograder.engine.isolation

prints the layers as JSON; each is tried in a child process, so the caller itself stays unconfined.
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
from autograder.errors import WITH_DOCKER, SetupError
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
"""The first user id for student processes: above those that distributions give to people and services."""

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
    """The layers that must be in force before a student cell runs. `own_users`: each slot has a user of its own."""

    where: str
    own_users: bool
    required: tuple[str, ...]


@dataclass(frozen=True)
class Examination:
    """A plan and the layers that this machine offers."""

    plan: ConfinementPlan | None
    layers: tuple[confine.LayerStatus, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The required layers that are not available; if no plan fits, one entry that says so."""
        if self.plan is None:
            return ("Linux on x86_64 or aarch64",)
        there = {status.layer for status in self.layers if status.there}
        return tuple(layer for layer in self.plan.required if layer not in there)


def plan() -> ConfinementPlan | None:
    """Return the plan for this machine and user; None if there is none."""
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
    """Try every layer in a process of its own."""
    chosen = plan()
    if chosen is None:
        return Examination(None, ())
    done = subprocess.run(
        command("autograder.engine.isolation"), capture_output=True, text=True, check=False, timeout=60
    )
    try:
        layers = tuple(confine.LayerStatus(**status) for status in json.loads(done.stdout))
    except ValueError:
        layers = ()
    return Examination(chosen, layers)


def demand(examination: Examination) -> ConfinementPlan:
    """Return the plan if this machine can keep it. Raises SetupError with the remedy if not."""
    if examination.plan is None or examination.missing:
        missing = ", ".join(examination.missing)
        raise SetupError(f"student code cannot be confined on this machine: {missing} missing.\n{REMEDY}")
    return examination.plan


def free_uid(taken: set[int]) -> int:
    """Return a user id that belongs to no account and no other slot."""
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
        layers = confine.probe(jail, confine.prepare(interpreter.folders()))
    sys.stdout.write(json.dumps([vars(status) for status in layers]))


if __name__ == "__main__":
    _main()
