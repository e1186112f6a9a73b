"""The zip's program, in folders like Gradescope's; `commands/test_new_term.py` runs and interrupts the real zip."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.self_test import self_test

GRADED: dict[str, Any] = {
    "tests": [
        {"name": "q1: Why?", "max_score": 4, "tags": ["written"], "output": "waits"},
        {"name": "q4: Load", "max_score": 6, "score": 6, "status": "passed", "tags": ["code"], "output": "fine"},
        {"name": "q5: Build", "max_score": 8, "score": 5, "status": "failed", "tags": ["code"], "output": "layer 1"},
        {"name": "q4: public check", "status": "passed"},
    ],
    "extra_data": {"status": "graded", "complete": True, "peak_memory_mb": 1058.5},
}
WRITES = "(root / 'results' / 'results.json').write_text({!r})"


def writes(**changes: Any) -> str:
    return WRITES.format(json.dumps({**GRADED, **changes}))


def zipped(folder: Path, *lines: str) -> Path:
    """An autograder zip whose program is this one; it knows `root`, the folder that it was given."""
    program = "\n".join(["import sys", "from pathlib import Path", "root = Path(sys.argv[1])", *lines])
    path = folder / "autograder.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("tests/q4.py", "")
        for name in ("autograder/__init__.py", "autograder/gradescope/__init__.py"):
            archive.writestr(f"files/{name}", "")
        archive.writestr("files/autograder/gradescope/entry.py", program)
    return path


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    path = tmp_path / "solution.ipynb"
    path.write_text("{}", encoding="utf-8")
    return path


def test_the_points_and_the_questions_without_full_points_are_found(tmp_path: Path, notebook: Path) -> None:
    (result,) = self_test(zipped(tmp_path, writes()), [notebook])
    assert (result.earned, result.possible, result.memory_mb) == (11, 14, 1058.5)
    assert result.short == ("q5: Build\nlayer 1",)
    assert result.fault == ""


def test_the_program_finds_what_gradescope_would_give_it_and_runs_beside_another(
    tmp_path: Path, notebook: Path
) -> None:
    other = notebook.with_name("blank.ipynb")
    other.write_text("[]", encoding="utf-8")
    program = (
        "import json, os, tempfile, time",
        "names = sorted(path.name for path in (root / 'submission').iterdir())",
        "inside = Path(tempfile.gettempdir()).is_relative_to(root)",
        "print(names, (root / 'submission_metadata.json').read_text(), (root / 'source/tests/q4.py').exists(), inside)",
        "meet = root.parent / f'here-{root.name}'",
        "meet.touch()",
        "end = time.monotonic() + 20",
        "while len(list(root.parent.glob('here-*'))) < 2 and time.monotonic() < end: time.sleep(0.02)",
        "print('together', len(list(root.parent.glob('here-*'))))",
    )
    results = self_test(zipped(tmp_path, *program), [notebook, other])
    for path, result in zip((notebook, other), results, strict=True):
        assert f"['{path.name}'] {{}} True True\ntogether 2" in result.fault


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["print('no such module'); sys.exit(3)"], "ended with code 3 and no results.json:\nno such module"),
        ([WRITES.format("{")], "no results.json"),
        ([writes(extra_data={"status": "rejected", "complete": True}), "print('not a notebook')"], "not a notebook"),
        ([writes(extra_data={"status": "graded", "complete": False}, output="q7")], "q7"),
    ],
    ids=["crash", "broken results", "rejected", "not complete"],
)
def test_a_fault_has_its_reason(tmp_path: Path, notebook: Path, lines: list[str], message: str) -> None:
    (result,) = self_test(zipped(tmp_path, *lines), [notebook])
    assert message in result.fault
