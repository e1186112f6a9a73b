"""A warm process that cannot import TensorFlow: one message with the remedy, and no grades."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from autograder.engine.environment import REPAIR
from autograder.layout import HOME
from autograder.tests.environments import run, without

NO_AVX = "The TensorFlow library was compiled to use AVX instructions, but these aren't available on your machine."
BY_SIGNAL = "import os, signal\nos.kill(os.getpid(), signal.{})"
WITH_WORDS = f'import os, sys\nprint("{NO_AVX}", file=sys.stderr, flush=True)\nos.abort()'
START = """import sys, pathlib
from autograder.engine.warm_process import WarmProcess
WarmProcess(pathlib.Path(sys.argv[1])).students.await_ready()"""


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("raise ImportError('libgomp.so.1: cannot open')", ["ImportError: libgomp.so.1: cannot open", REPAIR]),
        (BY_SIGNAL.format("SIGILL"), ["ended with SIGILL", "a processor with AVX", "Grade on another machine"]),
        (WITH_WORDS, ["ended with SIGABRT", NO_AVX, "Grade on another machine"]),
        (BY_SIGNAL.format("SIGKILL"), ["ended with SIGKILL", "memory runs out", "lower --workers"]),
    ],
    ids=["broken", "no AVX", "no AVX, in words", "no memory"],
)
def test_a_tensorflow_that_does_not_start_is_reported_with_the_remedy(
    tmp_path: Path, source: str, words: list[str]
) -> None:
    python = without(tmp_path / "environment", fakes={"tensorflow": source})
    done = subprocess.run([python, "-c", START, tmp_path], capture_output=True, text=True, check=False)
    message = done.stderr.partition("GraderFault: the grading process did not start: ")[2]
    assert all(word in message for word in words), done.stderr


def test_without_tensorflow_nothing_is_graded(tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_bytes(HOME.template.read_bytes())
    done = run(without(tmp_path / "environment", modules=["tensorflow"]), "grade", "a.ipynb", cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-3:] == [
        "mnist-kit: the grading process did not start: it ended with exit code 1",
        "ModuleNotFoundError: No module named 'tensorflow'",
        f"{REPAIR}.",
    ]
    assert not (tmp_path / "out" / "grades.csv").exists()
