"""Lines that only make sense in an editor or on Colab are skipped with a note, and the rest of their cell runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode

SCRIPT = """
import json, os, sys
from autograder.sandbox import notebook_runner
job, journal, work = sys.argv[1:]
fds = [os.open(job, os.O_RDONLY), os.open(journal, os.O_WRONLY | os.O_CREAT), os.open(os.devnull, os.O_WRONLY)]
notebook_runner.run(None, notebook_runner.make_shell(), {"work": work, "jail": None}, [*fds, os.dup(1)])
"""


def recorded(cells: list[str], folder: Path, names: list[str]) -> list[dict[str, Any]]:
    """Run cells as a student process does, without its confinement; returns the journal. `names` are looked at."""
    (folder / "work").mkdir()
    job = {
        "cells": [{"index": index, "source": source} for index, source in enumerate(cells)],
        "questions": {"q4": {"reports": names}},
        "timeout_s": 60,
    }
    (folder / "job").write_text(json.dumps(job), encoding="utf-8")
    arguments = [str(folder / name) for name in ("job", "journal", "work")]
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in (folder / "journal").read_text(encoding="utf-8").splitlines()]


SKIPPED = {
    "%pip install x": "`%pip install x`",
    "%pip install x\r": "`%pip install x`",
    "!pip install x": "`pip install x`",
    "files = !ls": "`ls`",
    "%cd /content": "`%cd /content`",
    "%tensorflow_version 2.x": "`%tensorflow_version 2.x`",
    "%load_ext tensorboard": "`%load_ext tensorboard`",
    "%tensorboard --logdir logs": "`%tensorboard --logdir logs`",
    "from google.colab import files\nfor name in files.upload(): open(name)": "`google.colab.files.upload`",
    "from google.colab import drive\ndrive.mount('/content/drive')": "`google.colab.drive.mount`",
    "import google.colab.userdata as u\nu.get('key')": "`google.colab.userdata.get`",
    "from google.colab.patches import cv2_imshow\ncv2_imshow(1)": "`google.colab.patches.cv2_imshow`",
}
ACCEPTED = (
    "%matplotlib inline",
    "%matplotlib inline\r",
    "%matplotlib widget",
    "%matplotlib qt",
    "%config InlineBackend.figure_format = 'retina'",
    "%load_ext autoreload\n%autoreload 2",
    "from ipywidgets import interact\n@interact(x=3)\ndef show(x): print(x)",
    "import ipywidgets\nwith ipywidgets.Output(): print(3)",
    "from IPython.display import clear_output\nclear_output()",
)


def test_a_cell_goes_on_after_a_line_for_an_editor(tmp_path: Path) -> None:
    sources = [*SKIPPED, *ACCEPTED]
    names = [f"after_{index}" for index in range(len(sources))]
    cells = [f"{source}\n{name} = 1" for source, name in zip(sources, names, strict=True)]
    journal = recorded([*cells, "%%bash\nls"], tmp_path, names)
    assert [record["error"] for record in journal if "error" in record] == []
    (end,) = [record for record in journal if "question" in record]
    assert {name for name in names if end["values"][name] != {"kind": "number", "value": 1}} == set()
    notes = [record["note"] for record in journal if "note" in record]
    assert [note for note, line in zip(notes, [*SKIPPED.values(), "`%%bash `"], strict=True) if line not in note] == []
    assert all("was skipped" in note for note in notes)


def test_colab_is_imported_only_on_request(tmp_path: Path) -> None:
    journal = recorded(["import sys\nthere = 'google.colab' in sys.modules"], tmp_path, ["there"])
    assert journal[1]["values"]["there"] == {"kind": "bool", "value": False}


@pytest.mark.parametrize("last", ["grader.check_all()", "grader.export()"])
def test_the_templates_own_cells_record_and_change_nothing(last: str, template: NotebookNode, tmp_path: Path) -> None:
    cells = [template.cells[0].source, "a = 4", 'grader.check("q4")', "a = 5", last]
    journal = recorded(cells, tmp_path, ["a"])
    assert [record["error"] for record in journal if "error" in record] == []
    assert [(record["at"], record["values"]["a"]["value"]) for record in journal if "question" in record] == [
        ("check", 4),
        ("end", 5),
    ]
