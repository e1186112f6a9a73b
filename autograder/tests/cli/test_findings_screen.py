"""The findings of `mnist-kit new-term` on the screen, and what to do next."""

from __future__ import annotations

from rich.console import Console

from autograder.cli.findings_screen import term_result
from autograder.commands import new_term
from autograder.commands.doctor import CHECK, ERROR, NOTE, OK, Finding
from autograder.layout import HOME


def test_uploads_are_listed_only_without_errors() -> None:
    for marks, words, listed in (
        ((OK, NOTE), "Ready.", True),
        ((CHECK,), "Ready, but check 1 thing above.", True),
        ((ERROR, ERROR, CHECK), "Not ready: 2 errors.", False),
    ):
        console = Console(width=80)
        with console.capture() as captured:
            console.print(term_result([Finding(mark, "x") for mark in marks], new_term.uploads(HOME), HOME.root))
        assert words in captured.get()
        assert ("Configure Autograder" in captured.get()) is listed
