"""The confinement that this machine must have before student code runs, and the layers it offers.

    python -I -m autograder.engine.isolation

prints the layers as JSON; each is tried in a child process, so the caller itself stays unconfined.
"""

from __future__ import annotations

import contextlib
import itertools
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
from autograder.sandbox import confine, seccomp
from autograder.sandbox.limits import Limits

__all__ = [
    "HOW_TO_GET",
    "NO_PLAN",
    "REMEDY",
    "ConfinementPlan",
    "Examination",
    "demand",
    "examine",
    "free_uid",
    "others_can_enter",
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


NO_PLAN = ConfinementPlan("an unknown system", False, ("Linux on x86_64 or aarch64",))
"""The plan for a machine that cannot have one: no machine offers what it requires."""


@dataclass(frozen=True)
class Examination:
    """A plan and the layers that this machine offers."""

    plan: ConfinementPlan
    layers: tuple[confine.LayerStatus, ...]

    @property
    def missing(self) -> tuple[str, ...]:
        """The required layers that are not available."""
        there = {status.layer for status in self.layers if status.there}
        return tuple(layer for layer in self.plan.required if layer not in there)


def _plan() -> ConfinementPlan:
    """Return the plan for this machine and user."""
    if sys.platform != "linux" or platform.machine() not in seccomp.ARCHITECTURES:
        return NO_PLAN
    always = ("rlimits", "no new privileges", "seccomp")
    if os.geteuid() != 0:
        return ConfinementPlan("Linux, not root", False, (*always, "landlock"))
    pythons = Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()
    if all(others_can_enter(python) and python.stat().st_mode & 0o004 for python in pythons):
        return ConfinementPlan("Linux, root", True, ("uid", *always))
    return ConfinementPlan(
        "Linux, root with a Python that others cannot read", False, ("no capabilities", *always, "landlock")
    )


def others_can_enter(folder: Path) -> bool:
    """Whether another user can pass through a folder and all above it."""
    return all(parent.stat().st_mode & 0o001 for parent in (folder.resolve(), *folder.resolve().parents))


def examine() -> Examination:
    """Try every layer in a process of its own."""
    plan = _plan()
    if plan is NO_PLAN:
        return Examination(plan, ())
    me = command("autograder.engine.isolation")
    printed = subprocess.run(me, capture_output=True, text=True, check=False, timeout=60).stdout
    return Examination(plan, tuple(confine.LayerStatus(**status) for status in json.loads(printed or "[]")))


def demand(examination: Examination) -> ConfinementPlan:
    """Return the plan if this machine can keep it. Raises SetupError with the remedy if not."""
    if missing := ", ".join(examination.missing):
        raise SetupError(f"student code cannot be confined on this machine: {missing} missing.\n{REMEDY}")
    return examination.plan


def free_uid(taken: set[int]) -> int:
    """Return a user id that belongs to no account and no other slot."""
    return next(uid for uid in itertools.count(FIRST_UID) if uid not in taken and not _is_account(uid))


def _is_account(uid: int) -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwuid(uid))
    return False


def _main() -> None:
    with tempfile.TemporaryDirectory() as work:
        uid = free_uid(set()) if _plan().own_users else None
        limits = Limits(wall_s=60, memory_mb=3072, work_mb=64, files=100)
        jail = confine.Jail(Path(work), (), uid, (), limits)
        layers = confine.probe(jail, confine.prepare())
    sys.stdout.write(json.dumps([vars(status) for status in layers]))


if __name__ == "__main__":
    _main()
