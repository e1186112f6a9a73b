"""Landlock: the files, TCP ports and signals that a process may use.

`py-landlock` (typed, MIT, rulesets up to ABI 7) makes the system calls.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["restrict"]


def restrict(work: Path, readable: Iterable[int]) -> str:
    """Restrict this process to one folder and to what stands below some open paths (landlock(7)).

    It can read and write `work`, and read what the descriptors `readable` point to. Rights that this kernel does not
    know are left out. Returns the kernel's version of Landlock; raises OSError or ImportError.

    Every process gets a ruleset of its own: rules added to a shared one would open each other's work folders.
    """
    from py_landlock import AccessFs, RulesetAttr, create_ruleset, get_abi_version, restrict_self
    from py_landlock.abi import get_supported_fs, get_supported_net, get_supported_scope

    abi = get_abi_version()
    attributes = RulesetAttr()
    attributes.handled_access_fs = known = get_supported_fs(abi)
    attributes.handled_access_net = get_supported_net(abi)
    attributes.scoped = get_supported_scope(abi)
    ruleset = create_ruleset(attributes)
    read = AccessFs.READ_FILE | AccessFs.READ_DIR
    write = AccessFs.WRITE_FILE | AccessFs.TRUNCATE | AccessFs.MAKE_REG | AccessFs.MAKE_DIR
    write |= AccessFs.REMOVE_FILE | AccessFs.REMOVE_DIR
    for handle in readable:
        _allow(ruleset, handle, read & known)
    for path, access in (
        (Path(f"/proc/{os.getpid()}"), read),
        (Path("/dev/null"), AccessFs.READ_FILE | AccessFs.WRITE_FILE),
        (work, read | write),
    ):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        _allow(ruleset, handle, access & known)
        os.close(handle)
    restrict_self(ruleset, None)
    os.close(ruleset)
    return str(abi)


def _allow(ruleset: int, handle: int, access: Any) -> None:
    """Add a rule for a path and everything below it; rights that only folders have are left out for a file."""
    from py_landlock import AccessFs, PathBeneathAttr, RulesetFd, add_rule

    if not stat.S_ISDIR(os.fstat(handle).st_mode):
        access &= AccessFs.READ_FILE | AccessFs.WRITE_FILE | AccessFs.TRUNCATE
    rule = PathBeneathAttr()
    rule.allowed_access = access
    rule.parent_fd = handle
    add_rule(RulesetFd(ruleset), rule)
