"""A wrong file for every command: one message with the culprit, what was expected and the next step; exit code 2."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.cli import app
from autograder.gradebook.database import DATABASE
from autograder.gradebook.gradebook import Gradebook
from autograder.layout import HOME
from autograder.submissions import collection
from autograder.submissions.submission import Submission
from autograder.tests import reports

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj"
ROSTER = "name,email\nJos\u00e9,j@x.edu\n"
UTF8 = "save it again as CSV UTF-8"
FOLDER = "it is a folder; name a file in it."
NO_FILE = "no such file; check the name and the current folder."

Call = Callable[[str], tuple[int, str]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder full of wrong things; what is refused leaves it as it is."""
    folder = tmp_path_factory.mktemp("place")
    lay_out(folder)
    return folder


@pytest.fixture
def call(place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Calls `mnist-kit` there, as a shell would; returns the exit code and what was said."""
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "1000")
    handler = signal.getsignal(signal.SIGTERM)

    def calling(line: str) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["mnist-kit", *line.split()])
        with pytest.raises(SystemExit) as ended:
            app.main()
        code = ended.value.code
        return (code if isinstance(code, int) else 0), " ".join(capsys.readouterr().err.split())

    yield calling
    signal.signal(signal.SIGTERM, handler)


def lay_out(folder: Path) -> None:
    """A graded class in `out`, and files and folders that are something else."""
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
        "no.zip": b"hello",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    for name, inside in (("book.xlsx", "xl/workbook.xml"), ("other.zip", "notes.txt")):
        with zipfile.ZipFile(folder / name, "w") as archive:
            archive.writestr(inside, "x")


def refused(call: Call, line: str, *said: str) -> None:
    code, told = call(line)
    assert code == 2, told
    assert told.startswith("mnist-kit: ")
    assert "Traceback" not in told
    for words in said:
        assert words in told


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere", "nowhere: no such file or folder; check the name and the current folder"),
        ("folder", "folder: no notebook (.ipynb) and no zip file in it; name the folder that has them"),
        ("folder.ipynb", "folder.ipynb: no notebook (.ipynb) and no zip file in it"),
        (
            "a.pdf",
            "a.pdf: a.pdf is not a notebook; hand in the .ipynb file. There is nothing to grade here. Expected",
        ),
        ("no.zip", "no.zip: The zip file cannot be read (File is not a zip file). There is nothing to grade here."),
        ("other.zip", "other.zip: There is no notebook (.ipynb) in the zip file. There is nothing to grade here."),
        ("a.pdf no.zip", "no.zip: The zip file cannot be read (File is not a zip file). There is nothing to grade"),
        ("a.ipynb -o a.pdf", "a.pdf: results cannot be written there (Not a directory); name another folder with -o"),
        ("a.ipynb --database mysql://h/n", "mysql: expected a PostgreSQL database, postgresql://USER@HOST/NAME"),
        ("a.ipynb --database marks", "'marks' is not the URL of a database; expected postgresql://USER:PASSWORD@HOST"),
        ("a.ipynb --database postgresql://ann@127.0.0.1:1/n", "postgresql://ann@127.0.0.1:1/n: connection failed"),
    ],
)
def test_what_cannot_be_graded_is_not_begun(call: Call, place: Path, given: str, said: str) -> None:
    refused(call, f"grade {given}", said)
    assert not (place / "out" / "grades.csv").exists()


def test_a_wrong_file_beside_a_right_one_was_handed_in_by_a_student(place: Path) -> None:
    paths = [place / "a.pdf", place / "a.ipynb"]
    found = collection.collect(paths, 10**6)
    collection.check_readable(found, paths)
    assert [bool(each.problem) for each in found] == [True, False]
    collection.check_readable(found[:1], [place])  # as in a folder that has nothing else


TABLES = {
    "join": ("Expected a CSV file of grades", "Download or make the file again."),
    "export --roster": ("Expected a CSV file of students.", "Give the columns these names."),
    "export --canvas": ("Expected a gradebook exported from Canvas.", "use that file unchanged."),
    "requests --import": ("Expected a CSV file of requests.", "Give the columns these names."),
    "requests --roster": ("Expected a CSV file of students.", "Give the columns these names."),
}
"""Where a CSV file is expected: what is said where there is none, and the next step for a file of another kind."""


@pytest.mark.parametrize("command", TABLES)
@pytest.mark.parametrize(
    ("given", "said"),
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
def test_a_table_that_is_none_is_told(call: Call, command: str, given: str, said: str) -> None:
    what, next_step = TABLES[command]
    more = what if said in (NO_FILE, FOLDER) else "expected a" if said == UTF8 else next_step
    refused(call, f"{command} {given}", f"mnist-kit: {given}: ", said, more)


@pytest.mark.parametrize("command", ["review", "export", "report", "requests"])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "nowhere",
            "nowhere/gradebook.db: there is no gradebook; expected one of a graded class. Run `mnist-kit grade",
        ),
        ("no-gradebook", "no-gradebook/gradebook.db: there is no gradebook; expected one of a graded class. Run"),
        ("no-file", "no-file/gradebook.db: there is no gradebook; expected one of a graded class. Run"),
        ("a.ipynb", "a.ipynb/gradebook.db: there is no gradebook; expected one of a graded class. a.ipynb is a file;"),
        ("damaged", "damaged/gradebook.db: file is not a database. What was stored before is kept; fix that, or name"),
        (
            "empty",
            "empty/gradebook.db: the gradebook has no submission; expected a graded class. Run `mnist-kit grade`",
        ),
    ],
)
def test_a_folder_that_is_no_graded_class_is_told(call: Call, command: str, given: str, said: str) -> None:
    refused(call, f"{command} {given}", said)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere.zip", NO_FILE),
        ("folder", FOLDER),
        ("a.pdf", "it cannot be opened as a zip (File is not a zip file)."),
        ("other.zip", "this is another kind of zip; it contains notes.txt."),
    ],
)
def test_what_is_no_autograder_zip_is_told(call: Call, given: str, said: str) -> None:
    what = "Expected an autograder zip, made by `mnist-kit build`: dist/autograder.zip."
    refused(call, f"doctor --zip {given}", f"{given}: {said} {what}")


@pytest.mark.parametrize("given", ["a.pdf", "a.pdf/class"])
def test_a_place_that_is_no_folder_is_told(call: Call, given: str) -> None:
    refused(call, f"sample-class {given}", f"{given}: it cannot be written to", "name another folder")


@pytest.mark.parametrize(
    ("line", "said"),
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
    ],
)
def test_a_call_that_means_nothing_is_told(call: Call, line: str, said: str) -> None:
    code, told = call(line)
    assert code == 2
    assert said in told


def unprivileged() -> list[str]:
    """What makes even root ask before it reads a file."""
    return ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="root may read everything here")
@pytest.mark.parametrize("line", ["join {}.csv", "grade {}.ipynb", "doctor --zip {}.zip"])
def test_a_file_that_one_may_not_read_is_told(here: Path, line: str) -> None:
    lay_out(here)
    for kind in ("csv", "ipynb", "zip"):
        path = here / f"secret.{kind}"
        path.write_text("x", encoding="utf-8")
        path.chmod(0)
    command = [*unprivileged(), sys.executable, "-m", "autograder", *line.format("secret").split()]
    environment = {**os.environ, "COLUMNS": "1000"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=here, env=environment)
    assert done.returncode == 2
    assert "you may not read it; allow it (chmod u+r), or ask its owner" in " ".join(done.stderr.split())
    assert done.stderr.startswith("mnist-kit: secret.")
