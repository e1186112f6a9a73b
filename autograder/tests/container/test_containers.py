"""`otter grade`, Gradescope's container and `mnist-kit grade --docker`, with a real Docker engine."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.authoring import build, bundled_class
from autograder.commands.grade_in_container import BASE as SHIPPED_BASE
from autograder.layout import Layout
from autograder.tests.report.test_results_json import validate

pytestmark = [pytest.mark.slow, pytest.mark.containers, pytest.mark.timeout(3600)]

BIN = Path(sys.executable).parent
BASE = os.environ.get("KIT_BASE_IMAGE", SHIPPED_BASE)
NAME = "mnist-kit-gradescope"

GRADESCOPE = """
ARG BASE
FROM ${BASE}
RUN mkdir -p /autograder/source /autograder/submission /autograder/results
COPY . /autograder/source/
RUN cp /autograder/source/run_autograder /autograder/run_autograder && bash /autograder/source/setup.sh
"""
"""The build of Gradescope: the content of the zip at its path, then setup.sh."""

TIMEOUT_S = 90  # seconds for a notebook of the class; some of them never end
SIZE_LIMIT_BYTES = 2_300_000_000  # the largest image that is acceptable at Gradescope; TensorFlow makes up most of it
RUN_LIMIT_S = 600  # seconds that Gradescope gives a submission by default
GRAB = """
import os, pickle, pathlib
class Bomb:
    def __reduce__(self):
        return (os.system, ("touch {marker}",))
for place in ("/autograder/results/results.pkl", "/autograder/results/results.json", "/autograder/source/tests/q5.py"):
    for mode in ("rb", "wb"):
        try:
            with open(place, mode) as file:
                file.write(pickle.dumps(Bomb())) if mode == "wb" else print(file.read())
        except OSError as error:
            print(error)
from autograder.judge import checks
for name in dir(checks):
    if callable(getattr(checks, name)):
        setattr(checks, name, lambda *_, **__: None)
"""


def docker(*arguments: str | Path, input: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(["docker", *map(str, arguments)], capture_output=True, check=False, input=input)
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:].decode(errors="replace")
    return done


@pytest.fixture(scope="module", autouse=True)
def engine_answers() -> None:
    try:
        subprocess.run(["docker", "info"], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"NOT TESTED: no Docker engine answers here ({error})")


@pytest.fixture(scope="module")
def hasty(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip with a time limit that a test can wait for."""
    copy = Layout(tmp_path_factory.mktemp("hasty") / "kit")
    shutil.copytree(layout.root, copy.root)
    text = copy.policy.read_text(encoding="utf-8")
    assert "timeout_s: 300" in text
    copy.policy.write_text(text.replace("timeout_s: 300", f"timeout_s: {TIMEOUT_S}"), encoding="utf-8")
    build.write(build.build(copy), copy)
    return copy.zip


@pytest.fixture(scope="module")
def folder(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled class, and a notebook that tries to grade itself."""
    place = tmp_path_factory.mktemp("class")
    bundled_class.write(layout, place)
    template = nbformat.read(layout.template, as_version=4)
    marker = place.parent / "unpickled"
    grab = bundled_class.fill(template, {**bundled_class.ANSWERS, "q5": GRAB.format(marker=marker) + "\nmodel = 5"})
    nbformat.write(grab, place / "grabber.ipynb")
    return place


@pytest.fixture(scope="module")
def native(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[str, str]]:
    """The grades of the class by `mnist-kit grade` on this machine: rows of grades.csv by name."""
    return grade(folder, tmp_path_factory.mktemp("native"), "--timeout", str(TIMEOUT_S))


def grade(folder: Path, out: Path, *options: str) -> Mapping[str, Mapping[str, str]]:
    command: list[str | Path] = [BIN / "mnist-kit", "grade", folder, "-o", out, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    return rows(out / "grades.csv")


def rows(path: Path) -> Mapping[str, Mapping[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return {row["submission"]: row for row in csv.DictReader(file)}


QUESTIONS = ("q4", "q5", "q6", "q7")
OUT = "/autograder/results"


def test_otter_grade_gives_the_points_of_mnist_kit_grade(
    hasty: Path, folder: Path, native: Mapping[str, Mapping[str, str]], tmp_path: Path
) -> None:
    """Without a network; the attack gains nothing, and nothing that it wrote is unpickled."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    command: list[str | Path] = [BIN / "otter", "grade", "-n", "mnist", "-a", hasty, "--image", BASE, "-o", tmp_path]
    command += ["--containers", str(os.cpu_count()), "--no-network", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    with (tmp_path / "final_grades.csv").open(encoding="utf-8", newline="") as file:
        maxima, *found = csv.DictReader(file)
    assert (maxima["file"], float(maxima["total_points_earned"])) == ("points-per-question", 26)
    by_otter = {Path(row["file"]).stem: row for row in found}
    assert {name for name, row in by_otter.items() if row["grading_status"] != "Completed"} == set()
    assert {name: [float(row[id]) for id in QUESTIONS] for name, row in by_otter.items()} == {
        name: [float(native[name][id]) for id in QUESTIONS] for name in by_otter
    }
    assert len(by_otter) == len(list(folder.glob("*.ipynb")))
    assert float(by_otter["grabber"]["q5"]) == 0
    assert not (folder.parent / "unpickled").exists()


@pytest.fixture(scope="module")
def gradescope(layout: Layout, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An image built as Gradescope builds it."""
    source = tmp_path_factory.mktemp("gradescope")
    (source / "Dockerfile").write_text(GRADESCOPE, encoding="utf-8")
    with zipfile.ZipFile(layout.zip) as archive:
        for info in archive.infolist():  # with permissions, which extractall drops
            Path(archive.extract(info, source)).chmod(info.external_attr >> 16)
    docker("build", "--no-cache", "--tag", NAME, "--build-arg", f"BASE={BASE}", source)
    assert int(docker("image", "inspect", "--format", "{{.Size}}", NAME).stdout) <= SIZE_LIMIT_BYTES
    return NAME


@pytest.fixture
def running(gradescope: str) -> Iterator[str]:
    """A waiting container with the resources of the smallest setting of Gradescope that is enough."""
    limits = ("--cpus", "0.5", "--memory", "2g", "--memory-swap", "2g", "--network", "none")
    name = docker("run", "--detach", "--rm", *limits, gradescope, "sleep", "3600").stdout.decode().strip()
    yield name
    docker("kill", name)


def hand_in(container: str, *files: tuple[str, bytes], metadata: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Run the autograder on these files; return the results, checked against Gradescope's documented form."""
    docker("exec", container, "sh", "-c", "rm -rf /autograder/submission/* /autograder/results/*")
    for name, content in files:
        docker("exec", "-i", container, "sh", "-c", f"cat > '/autograder/submission/{name}'", input=content)
    text = b"" if metadata is None else json.dumps(metadata).encode()
    docker("exec", "-i", container, "sh", "-c", "cat > /autograder/submission_metadata.json", input=text)
    run = ["docker", "exec", container, "/autograder/run_autograder"]
    subprocess.run(run, capture_output=True, check=False, timeout=RUN_LIMIT_S)
    document: dict[str, Any] = json.loads(docker("exec", container, "cat", f"{OUT}/results.json").stdout)
    validate(document)
    return document


def test_gradescope_grades_the_solution_on_half_a_core_and_two_gigabytes(layout: Layout, running: str) -> None:
    document = hand_in(running, ("solution.ipynb", layout.solution.read_bytes()))
    assert document["score"] == 26
    assert document["extra_data"]["isolation"]


def test_gradescope_gets_a_valid_answer_to_any_submission(layout: Layout, running: str) -> None:
    solution = layout.solution.read_bytes()
    for files, message in (
        ((), "No notebook was handed in."),
        ((("a.ipynb", solution), ("b.ipynb", solution)), "2 notebooks were handed in"),
        ((("a.py", b"1"),), "No notebook was handed in, only a.py."),
        ((("a.zip", b"PK"),), "zip"),
        ((("a.ipynb", b"x" * (100 * 2**20)),), "50 MB"),
    ):
        document = hand_in(running, *files)
        assert document["score"] == 0
        assert message in document["output"]


def test_a_notebook_that_uses_up_the_memory_keeps_the_points_before_that(layout: Layout, running: str) -> None:
    template = nbformat.read(layout.template, as_version=4)
    eats = "held = []\nwhile True: held.append(np.ones(2**25))"
    notebook = bundled_class.fill(template, {**bundled_class.ANSWERS, "q6": eats})
    document = hand_in(running, ("eats.ipynb", nbformat.writes(notebook).encode()))
    assert document["score"] == 14
    assert "memory" in document["output"]


def test_beyond_the_limit_of_attempts_the_last_score_counts(layout: Layout, running: str) -> None:
    docker("exec", running, "sh", "-c", "echo 'attempts: {per_assignment: 1}' >> /autograder/source/files/grading.yml")
    before = {"submission_time": "2026-09-13T10:00:00Z", "score": "21.0", "autograder_error": False, "results": {}}
    metadata = {"created_at": "2026-09-14T10:00:00Z", "previous_submissions": [before], "users": []}
    document = hand_in(running, ("solution.ipynb", layout.solution.read_bytes()), metadata=metadata)
    assert document["score"] == 21
    assert document["extra_data"]["attempt"] == "refused"


def test_a_batch_in_one_container_writes_the_same_folder(
    folder: Path, native: Mapping[str, Mapping[str, str]], tmp_path: Path
) -> None:
    few = tmp_path / "few"
    few.mkdir()
    for path in [*sorted(folder.glob("*.ipynb"))[:3], folder / "grabber.ipynb"]:
        (few / path.name).write_bytes(path.read_bytes())
    found = grade(few, tmp_path / "out", "--docker", "--image", BASE, "--timeout", str(TIMEOUT_S))
    assert len(found) == 4
    ids = (*QUESTIONS, "status")
    assert {name: [row[id] for id in ids] for name, row in found.items()} == {
        name: [native[name][id] for id in ids] for name in found
    }
    assert (tmp_path / "out" / "gradebook.db").exists()
    assert all(path.stat().st_uid == os.getuid() for path in (tmp_path / "out").rglob("*"))
