"""What `mnist-kit --help` says at every level, to somebody who reads it for the first time, on 80 columns."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from autograder.cli import app, options
from autograder.layout import HOME

COMMANDS: dict[str, Any] = typer.main.get_command(app.app).commands  # type: ignore[attr-defined]  # it is a group
PANELS = (options.TERM, options.RUN, options.WRITTEN, options.UPKEEP)
DOCUMENTS = (HOME.root / "README.md", *sorted((HOME.root / "autograder" / "docs").glob("*.md")))


def told(*arguments: str) -> str:
    done = CliRunner().invoke(app.app, [*arguments, "--help"], prog_name="mnist-kit", env={"COLUMNS": "80"})
    assert done.exit_code == 0
    return done.output


def first_line(command: Any) -> str:
    return str(command.help).strip().splitlines()[0]


def test_the_list_shows_each_command_once_in_its_panel_and_none_is_cut() -> None:
    page = told()
    assert max(map(len, page.splitlines())) <= 80
    assert not re.search(r"…|\.\.\.$|\.\.\. *│", page)
    panels = re.split(r"╭─ (.*?) ─+╮", page)[1:]
    shown = dict(zip(panels[::2], panels[1::2], strict=True))
    assert list(shown) == ["Options", *PANELS]
    listed = {
        name: line.strip()
        for panel in PANELS
        for name, line in re.findall(r"^│ ([a-z-]+) +(\S.*?) +│$", shown[panel], re.MULTILINE)
    }
    assert listed == {name: first_line(command) for name, command in COMMANDS.items()}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_page_fits_and_says_what_the_command_does_and_what_each_option_means(name: str) -> None:
    page = told(name)
    assert f"Usage: mnist-kit {name}" in page
    assert max(map(len, page.splitlines())) <= 80
    assert first_line(COMMANDS[name]).endswith(".")
    for parameter in COMMANDS[name].params:
        assert len(str(parameter.help or "").split()) >= 3, f"{parameter.name} is not explained"
        for option in parameter.opts if parameter.param_type_name == "option" else ():
            assert option in page


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_examples_of_a_command_are_calls_that_it_takes(name: str) -> None:
    calls = re.findall(r"- `mnist-kit (.*?)`", COMMANDS[name].epilog)
    assert calls
    for call in calls:
        command, *arguments = shlex.split(call)
        assert command == name
        COMMANDS[name].make_context(command, arguments)  # raises for what is no call of it


def test_the_exit_codes_are_told() -> None:
    assert "Exit code 0: done. 2: not done" in " ".join(told().split())
    said = " ".join(told("grade").split())
    assert "Exit code 0: every submission has a grade." in said
    assert "3: some submissions could not be graded" in said


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_stands_in_a_document(name: str) -> None:
    def names(path: Path) -> bool:
        return f"mnist-kit {name}" in path.read_text(encoding="utf-8")

    assert any(map(names, DOCUMENTS)), f"mnist-kit {name} is in none of {', '.join(path.name for path in DOCUMENTS)}"
