"""A wrong file or option for every command: one message with the culprit and the next step; exit code 2."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.layout import HOME
from autograder.submissions import collection
from autograder.submissions.submission import Submission
from autograder.tests import reports
from autograder.tests.cli.conftest import Call

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"
ROSTER = "name,email\nJos\u00e9,j@x.edu\n"
NO_FILE = "no such file; check the name and the current folder."
FOLDER = "it is a folder; name a file in it."
UTF8 = "save it again as CSV UTF-8"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wrong files, which no rejected command changes."""
    made = tmp_path_factory.mktemp("wrong")
    lay_out(made)
    return made


@pytest.fixture
def here(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That folder, as the current one, on a screen that wraps no message."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "1000")
    return folder


def lay_out(folder: Path) -> None:
    """Make a graded class in `out`, and files and folders that are something else."""
    for name in ("out", "folder", "folder.csv", "folder.ipynb", "no-gradebook", "no-file", "damaged", "empty"):
        (folder / name).mkdir()
    (folder / "no-file" / DATABASE).mkdir()
    (folder / "damaged" / DATABASE).write_bytes(b"no database" * 999)
    (folder / "empty" / DATABASE).touch()
    with Gradebook(folder / "out" / DATABASE) as book:
        report = reports.graded()
        book.record(Submission(report.name, "", b"{}"), report.name, report)
    contents = {
        "a.pdf": PDF,
        "a.ipynb": HOME.template.read_bytes(),
        "latin.csv": ROSTER.encode("latin-1"),
        "utf16.csv": ROSTER.encode("utf-16"),
        "empty.csv": b"",
        "grades.csv": b"file,total_points_earned,grading_status\nann.ipynb,26,Completed\n",
        "no.zip": b"hello",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for name, inside in (("book.xlsx", "xl/workbook.xml"), ("other.zip", "notes.txt")):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(inside, "x")


def assert_rejected(call: Call, line: str, *fragments: str) -> None:
    code, _, message = call(line)
    assert code == 2, message
    assert message.startswith("mnist-kit: ")
    assert "Traceback" not in message
    for fragment in fragments:
        assert fragment in message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nowhere", "nowhere: no such file or folder; check the name and the current folder"),
        ("folder", "folder: no notebook (.ipynb) and no zip file in it; name the folder that has them"),
        ("folder.ipynb", "folder.ipynb: no notebook (.ipynb) and no zip file in it"),
        ("a.pdf", "a.pdf: a.pdf is not a notebook; hand in the .ipynb file."),
        ("no.zip", "no.zip: The zip file cannot be read (File is not a zip file). There is nothing to grade"),
        ("other.zip", "other.zip: There is no notebook (.ipynb) in the zip file. There is nothing to grade"),
        ("a.pdf no.zip", "no.zip: The zip file cannot be read (File is not a zip file)."),
        ("a.ipynb -o a.pdf", "a.pdf: results cannot be written there (Not a directory); name another folder with -o"),
        ("a.ipynb -o damaged", "damaged/gradebook.db: file is not a database"),
        ("a.ipynb --database mysql://h/n", "mysql: expected a PostgreSQL database, postgresql://USER@HOST/NAME"),
        ("a.ipynb --database marks", "'marks' is not the URL of a database; expected postgresql://USER:PASSWORD@HOST"),
        ("a.ipynb --database postgresql://ann@127.0.0.1:1/n", "postgresql://ann@127.0.0.1:1/n: connection failed"),
    ],
)
def test_a_run_that_cannot_succeed_is_not_begun(call: Call, here: Path, arguments: str, message: str) -> None:
    assert_rejected(call, f"grade {arguments}", message)
    assert not (here / "out" / "grades.csv").exists()


def test_a_wrong_file_beside_a_right_one_is_a_students_submission(here: Path) -> None:
    paths = [here / "a.pdf", here / "a.ipynb"]
    found = collection.collect(paths, 10**6)
    collection.check_readable(found, paths)
    assert [bool(submission.problem) for submission in found] == [True, False]
    collection.check_readable(found[:1], [here])  # as in a folder that contains nothing else


TABLES = {
    "join": ("Expected a CSV file of grades", "Download or make the file again."),
    "export --roster": ("Expected a CSV file of students.", "Give the columns these names."),
    "export --canvas": ("Expected a gradebook exported from Canvas.", "use that file unchanged."),
    "requests --import": ("Expected a CSV file of requests.", "Give the columns these names."),
    "requests --roster": ("Expected a CSV file of students.", "Give the columns these names."),
}
"""Options for a CSV file: the message if there is no file, and the next step for a file of another kind."""


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("nowhere.csv", NO_FILE),
        ("folder.csv", FOLDER),
        ("a.pdf", UTF8),
        ("book.xlsx", UTF8),
        ("latin.csv", UTF8),
        ("utf16.csv", UTF8),
        ("empty.csv", "it is empty"),
        ("a.ipynb", "its first line is '{'"),
    ],
)
def test_a_file_that_is_no_table_is_rejected(call: Call, command: str, file: str, message: str) -> None:
    expected, next_step = TABLES[command]
    more = expected if message in (NO_FILE, FOLDER) else "expected a" if message == UTF8 else next_step
    assert_rejected(call, f"{command} {file}", f"mnist-kit: {file}: ", message, more)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("command", ["review", "export", "report", "requests"])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "there is no gradebook; expected one of a graded class. Run `mnist-kit grade"),
        ("no-gradebook", "there is no gradebook"),
        ("no-file", "there is no gradebook"),
        ("a.ipynb", "there is no gradebook; expected one of a graded class. a.ipynb is a file;"),
        ("damaged", "file is not a database. What was stored before is kept"),
        ("empty", "the gradebook has no submission; expected a graded class. Run `mnist-kit grade`"),
    ],
)
def test_a_folder_that_is_no_graded_class_is_rejected(call: Call, command: str, name: str, message: str) -> None:
    assert_rejected(call, f"{command} {name}", f"{name}/gradebook.db: {message}")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("nowhere.zip", NO_FILE),
        ("folder", FOLDER),
        ("a.pdf", "it cannot be opened as a zip (File is not a zip file)."),
        ("other.zip", "this is another kind of zip; it contains notes.txt."),
    ],
)
def test_a_file_that_is_no_autograder_zip_is_rejected(call: Call, file: str, message: str) -> None:
    assert_rejected(call, f"doctor --zip {file}", f"{file}: {message} Expected an autograder zip")


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("grade a.ipynb --yes", "--yes: It needs --regrade; add --regrade, or leave --yes out."),
        ("grade a.ipynb --image ubuntu", "--image: It needs --docker; add --docker, or leave --image out."),
        ("grade a.ipynb --docker --dask tcp://h:1", "leave out --dask, or --docker."),
        ("grade a.ipynb --docker --database postgresql://h/n", "leave out --database, or --docker."),
        ("export out --column x", "--column: It needs --canvas; add --canvas, or leave --column out."),
        ("grade", "Missing argument 'SUBMISSION'."),
        ("grade a.ipynb -n 0", "greater than or equal to 1"),
        ("review out --port 99999", "less than or equal to 65535"),
        ("grad a.ipynb", "No such command 'grad'. Did you mean 'grade'?"),
        ("calibrate --runs 3", "3 runs are too few"),
        ("grade a.ipynb -o new --dask tcp://127.0.0.1:1", "no Dask scheduler answers at tcp://127.0.0.1:1"),
        ("join grades.csv -o nowhere", "nowhere/gradebook.db: there is no gradebook; expected one of a graded class."),
        ("sample-class a.pdf", "a.pdf: it cannot be written to"),
        ("sample-class a.pdf/class", "name another folder"),
    ],
)
def test_a_call_that_cannot_work_is_one_message(call: Call, line: str, message: str) -> None:
    code, _, err = call(line)
    assert code == 2
    assert message in err
    assert "Traceback" not in err


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may read everything here")
@pytest.mark.parametrize("line", ["join secret.csv", "grade secret.ipynb", "doctor --zip secret.zip"])
def test_a_file_without_the_right_to_read_it_is_named(tmp_path: Path, line: str) -> None:
    lay_out(tmp_path)
    for kind in ("csv", "ipynb", "zip"):
        path = tmp_path / f"secret.{kind}"
        path.write_text("x", encoding="utf-8")
        path.chmod(0)
    # Without these capabilities, even root may not read every file.
    less = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    command = [*less, sys.executable, "-m", "autograder", *line.split()]
    environment = {**os.environ, "COLUMNS": "1000"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert done.returncode == 2
    assert done.stderr.startswith("mnist-kit: secret.")
    assert "you have no permission to read it" in done.stderr
