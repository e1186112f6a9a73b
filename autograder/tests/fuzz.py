"""Coverage-guided fuzzing of everything that reads untrusted bytes.

    python -m autograder.tests.fuzz TARGET RUNS

TARGET is evidence, notebook, zip or policy. Exits with code 0 after RUNS executions, or at once at an exception that
the parser does not declare, and prints its input. Needs `atheris` (Linux).
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["autograder"]):
    from autograder.errors import EvidenceError, PolicyError, SubmissionError
    from autograder.judge import evidence as journals
    from autograder.policy import grading_file
    from autograder.submissions import collection, notebook
    from autograder.submissions.submission import slug

from autograder.layout import HOME

RULES = grading_file.load(HOME.policy)


def read_evidence(data: bytes) -> None:
    journal, _, blob = data.partition(b"\x00\x00")
    try:
        journals.parse(journal + b"\n", blob)
    except EvidenceError as error:
        str(error)


def read_notebook(data: bytes) -> None:
    try:
        notebook.read(data, RULES)
    except SubmissionError as error:
        str(error)


def read_zip(data: bytes) -> None:
    with tempfile.NamedTemporaryFile(suffix=".zip", dir="/dev/shm") as file:
        file.write(data)
        file.flush()
        try:
            for found in collection.collect([Path(file.name)], 10_000):
                slug(found.name)
        except SubmissionError as error:
            str(error)


def read_policy(data: bytes) -> None:
    try:
        grading_file.parse(data.decode("utf-8", "replace"), Path("grading.yml"))
    except PolicyError as error:
        str(error)


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/one.ipynb", "{}")
        archive.writestr("two.ipynb", "x" * 300)
    return out.getvalue()


MODEL = {"kind": "keras", "layers": [{"type": "keras:Dense", "settings": {"units": 3}, "weights": [[2, 3]]}]}
JOURNAL = (
    {"cell": 1},
    {"question": "q4", "at": "check", "loaded": ["mnist"], "values": {"a": {"kind": "numbers", "value": [1, 2.5]}}},
    {"question": "q7", "at": "end", "model": {**MODEL, "blob": {"start": 0, "count": 2}}},
    {"error": {"cell": 1, "name": "NameError", "text": "x"}},
    {"finished": True},
)
CELL: dict[str, Any] = {
    "cell_type": "code", "id": "q4-answer", "metadata": {}, "source": "x", "outputs": [], "execution_count": None
}  # fmt: skip

# The parser of each target, and the inputs from which the fuzzer starts.
SEEDS: dict[str, tuple[Callable[[bytes], None], tuple[bytes, ...]]] = {
    "evidence": (read_evidence, ("\n".join(map(json.dumps, JOURNAL)).encode() + b"\x00\x00" + bytes(8),)),
    "notebook": (
        read_notebook,
        (json.dumps({"cells": [CELL], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode(),),
    ),
    "zip": (read_zip, (_zip(),)),
    "policy": (read_policy, (HOME.policy.read_bytes()[:1500], b"assignment: {name: a, title: b}\nquestions: {}\n")),
}


def main(target: str, runs: int) -> None:
    """Fuzz one target; atheris ends the process."""
    read, seeds = SEEDS[target]
    corpus = Path(tempfile.mkdtemp(prefix=f"fuzz-{target}-"))
    for number, seed in enumerate(seeds):
        read(seed)
        (corpus / f"seed-{number}").write_bytes(seed)
    options = [f"-runs={runs}", "-max_len=4096", "-print_final_stats=1", "-verbosity=0", "-timeout=20"]
    atheris.Setup([sys.argv[0], *options, str(corpus)], read)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
