"""The student process: the only code of the kit that runs alongside a student's.

Border contract
---------------
In:   a job (JSON file): code cells in order, the variables to look at, the time limit. A jail, or none.
Out:  on one pipe a line that names the layers of confinement, then the notebook's output; the journal and the blob
      (`recorder.py`).
Not:  tests, thresholds, answers, private images, other submissions, and no channel back to the launcher.
Dies: after the last cell; at the time limit by an exception in the running cell; if that was caught, a few seconds
      later by SIGKILL from outside. Everything in the journal by then counts.
"""

from __future__ import annotations

import contextlib
import importlib.abc
import json
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from IPython.core.interactiveshell import ExecutionResult, InteractiveShell
from traitlets.config import Config

from autograder.sandbox import confine
from autograder.sandbox.recorder import Recorder

__all__ = ["Shell", "TimeLimit", "make_shell", "run"]

JOB_LIMIT = 64 * 2**20

LINE_MAGICS = ("pip", "uv", "conda", "mamba", "micromamba", "cd", "tensorboard", "tensorflow_version")
CELL_MAGICS = ("bash", "sh", "script")
"""Magics that need a network, another process or another folder; they are skipped with a note."""

COLAB = "google.colab"


class TimeLimit(BaseException):
    """The notebook's time is up. Not an Exception, so that `except Exception` in a loop does not catch it."""


def run(gates: confine.Gates, shell: Shell, args: dict[str, Any], fds: list[int]) -> None:
    """Run one notebook in this freshly forked process. `fds` are job, journal, blob and output.

    `gates` and `shell` were prepared before the fork. Raises ConfineError, before any cell, if the confinement named in
    `args` is not available.
    """
    job_fd, journal, blob, output = fds
    _redirect(output)
    with os.fdopen(job_fd, "rb") as file:
        job = json.loads(file.read(JOB_LIMIT))
    _settle(args["work"])
    force: tuple[str, ...] = ("none: UNTRUSTED",)
    if args["jail"] is not None:
        jail = confine.Jail.from_json(args["jail"])
        force = confine.confine(jail, gates, keep=(journal, blob), parent=os.getppid())
    # Where student code can add to it but not take it back.
    os.write(1, json.dumps({"isolation": list(force)}).encode() + b"\n")
    shell.recorder = recorder = Recorder(job["questions"], journal, blob)
    sys.modules["otter"] = _otter(recorder, shell)
    sys.meta_path.append(_Colab(recorder.note))
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, job["timeout_s"])
    try:
        for cell in job["cells"]:
            if not _run_cell(shell, recorder, cell["index"], cell["source"]):
                break
    except TimeLimit:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    recorder.finish(shell.user_ns)


def _settle(work: str) -> None:
    """Point everything that a notebook or a library writes to the work folder."""
    os.chdir(work)
    with contextlib.suppress(OSError):  # when memory runs out, the kernel should kill this process first (proc(5))
        Path("/proc/self/oom_score_adj").write_text("1000")
    os.environ.update(HOME=work, TMPDIR=work, IPYTHONDIR=f"{work}/.ipython", MPLCONFIGDIR=f"{work}/.matplotlib")
    tempfile.tempdir = None  # read again from TMPDIR


def _redirect(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  # lives as long as the process
    sys.stdout = open(1, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115  # the same
    sys.stderr = open(2, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115  # the same


def _ring(*_: Any) -> None:
    raise TimeLimit("the notebook's time is up")


def _run_cell(shell: InteractiveShell, recorder: Recorder, index: int, source: str) -> bool:
    """Run one cell. Return False if the time is up."""
    recorder.cell(index)
    result: ExecutionResult = shell.run_cell(source, store_history=False)  # type: ignore[no-untyped-call]  # IPython's
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return True
    try:
        text = str(error).partition("\n")[0]
    except Exception:
        text = ""
    recorder.error(index, type(error).__name__, text)
    return not isinstance(error, TimeLimit)


class Shell(InteractiveShell):
    """An IPython shell without a screen, a history file or a system shell."""

    recorder: Recorder

    def enable_matplotlib(self, gui: str | None = None) -> tuple[str | None, str | None]:
        """Accept backends for a screen too, even if they are not installed here."""
        with contextlib.suppress(ImportError, RuntimeError, ValueError):
            return super().enable_matplotlib(gui)  # type: ignore[no-untyped-call, no-any-return]  # IPython's
        return gui, None

    def enable_gui(self, gui: str | None = None) -> None:
        """Do nothing: there is no window to draw in."""

    def system(self, cmd: str) -> None:
        self._skip(cmd)

    system_piped = system_raw = system

    def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:  # noqa: ARG002  # IPython's signature
        self._skip(cmd)
        return [] if split else ""

    def _skip(self, cmd: str) -> None:
        self.recorder.note(f"The command `{str(cmd)[:60]}` was skipped; everything the assignment needs is installed.")


def make_shell() -> Shell:
    """Make the shell that every student process inherits; called once, in the warm process."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Minimal"  # the long form takes seconds after a deep recursion
    shell: Shell = Shell.instance(config=config)
    magics: list[tuple[Any, str, Any]] = [
        ("line", name, partial(_skip_magic, shell, f"%{name}")) for name in LINE_MAGICS
    ]
    magics += [("cell", name, partial(_skip_magic, shell, f"%%{name}")) for name in CELL_MAGICS]
    magics += [("line", "load_ext", partial(_load_extension, shell))]
    for kind, name, magic in magics:
        shell.register_magic_function(magic, magic_kind=kind, magic_name=name)  # type: ignore[call-arg]  # a traitlets wrapper hides the signature
    return shell


def _skip_magic(shell: Shell, name: str, line: str, _cell: str = "") -> None:
    shell._skip(f"{name} {line}")


def _load_extension(shell: Shell, line: str) -> None:
    try:
        shell.extension_manager.load_extension(line.strip())
    except ImportError:
        shell._skip(f"%load_ext {line}")


def _otter(recorder: Recorder, shell: InteractiveShell) -> ModuleType:
    """Make the `otter` module of a student process: a recorder that looks like Otter's Notebook."""

    class Notebook:
        _grading_mode = True  # as in Otter's own; the template's first cell reads it

        def __init__(self, *_: Any, **__: Any) -> None:
            pass

        def check(self, question: str, global_env: dict[str, Any] | None = None) -> str:
            known = recorder.check(str(question), global_env or shell.user_ns)
            return f"{question}: recorded for grading" if known else f"{question}: there is no such question"

        def check_all(self) -> str:
            return "recorded for grading"

        def __getattr__(self, name: str) -> Any:
            # Nothing to do for export, to_pdf and the like while grading.
            return lambda *_, **__: None

    module = ModuleType("otter")
    module.__spec__ = ModuleSpec("otter", None)  # so that find_spec finds it
    module.Notebook = Notebook  # type: ignore[attr-defined]  # a stand-in module
    return module


class _Colab(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes `google.colab` and all below it importable: a notebook that mounts a drive or asks for a file goes on."""

    def __init__(self, note: Callable[[str], None]) -> None:
        self._note = note

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002  # importlib's signature
        target: ModuleType | None = None,  # noqa: ARG002  # the same
    ) -> ModuleSpec | None:
        if fullname == COLAB or fullname.startswith(f"{COLAB}."):
            return ModuleSpec(fullname, self, is_package=True)
        return None

    def exec_module(self, module: ModuleType) -> None:
        module.__getattr__ = _Nothing(module.__name__, self._note).__getattr__  # type: ignore[method-assign]  # PEP 562


class _Nothing:
    """A function or module of Colab that does nothing; a call leaves a note and returns an empty dictionary."""

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        self._name, self._note = name, note

    def __getattr__(self, name: str) -> _Nothing:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Nothing(f"{self._name}.{name}", self._note)

    def __call__(self, *_: Any, **__: Any) -> dict[str, Any]:
        self._note(f"`{self._name}` was skipped: it works only on Colab, and the assignment does not need it.")
        return {}
