"""The help pages of `mnist-kit`, as somebody reads them for the first time, on 80 columns."""

from __future__ import annotations

import re
import shlex
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from autograder.cli import app, shell
from autograder.layout import HOME

COMMANDS: dict[str, Any] = typer.main.get_command(app.app).commands  # type: ignore[attr-defined]  # it is a group
DOCUMENTS = (HOME.root / "README.md", *sorted((HOME.root / "autograder" / "docs").glob("*.md")))


def help_page(*arguments: str) -> str:
    done = CliRunner().invoke(app.app, [*arguments, "--help"], prog_name="mnist-kit", env={"COLUMNS": "80"})
    assert done.exit_code == 0
    assert max(map(len, done.output.splitlines())) <= 80
    return done.output


def first_line(command: Any) -> str:
    return str(command.help).strip().splitlines()[0]


def test_the_list_shows_each_command_once_in_its_panel_and_none_is_cut() -> None:
    page = help_page()
    panels = re.split(r"╭─ (.*?) ─+╮", page)[1:]
    shown = dict(zip(panels[::2], panels[1::2], strict=True))
    assert list(shown) == ["Options", *shell.PANELS]
    listed = {
        name: line.strip()
        for panel in shell.PANELS
        for name, line in re.findall(r"^│ ([a-z-]+) +(\S.*?) +│$", shown[panel], re.MULTILINE)
    }
    assert listed == {name: first_line(command) for name, command in COMMANDS.items()}
    assert "Exit code 0: done. 2: not done" in " ".join(page.split())


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_page_explains_the_command_and_each_option_with_examples_that_it_takes(name: str) -> None:
    page = help_page(name)
    assert f"Usage: mnist-kit {name}" in page
    assert first_line(COMMANDS[name]).endswith(".")
    for parameter in COMMANDS[name].params:
        assert len(str(parameter.help or "").split()) >= 3, f"{parameter.name} is not explained"
        for option in parameter.opts if parameter.param_type_name == "option" else ():
            assert option in page
    calls = re.findall(r"- `mnist-kit (.*?)`", COMMANDS[name].epilog)
    assert calls
    for call in calls:
        command, *arguments = shlex.split(call)
        assert command == name
        COMMANDS[name].make_context(command, arguments)  # raises if the command does not take them


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_a_document(name: str) -> None:
    assert any(f"mnist-kit {name}" in path.read_text(encoding="utf-8") for path in DOCUMENTS)
