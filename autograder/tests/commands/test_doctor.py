"""`mnist-kit doctor --zip`: an error for every way in which a zip can be spoiled, and none for a good one."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.authoring import build
from autograder.commands import doctor
from autograder.commands.doctor import Finding
from autograder.layout import HOME, Layout

Entries = dict[str, tuple[zipfile.ZipInfo, bytes]]
Edit = Callable[[Entries], Entries]


def spoil(layout: Layout, path: Path, edit: Edit) -> Path:
    """Write a copy of the built zip with its entries changed."""
    with zipfile.ZipFile(layout.zip) as source:
        entries = {info.filename: (info, source.read(info)) for info in source.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name, (info, content) in edit(entries).items():
            copied = zipfile.ZipInfo(name, info.date_time)
            copied.external_attr = info.external_attr
            target.writestr(copied, content)
    return path


def errors(path: Path) -> list[Finding]:
    return [finding for finding in doctor.check_zip(path) if finding.is_error]


def without(removed: str) -> Edit:
    return lambda entries: {name: entry for name, entry in entries.items() if name != removed}


def with_content(name: str, content: bytes) -> Edit:
    return lambda entries: {**entries, name: (entries.get(name, entries["setup.sh"])[0], content)}


def changed(name: str, old: bytes, new: bytes) -> Edit:
    def edit(entries: Entries) -> Entries:
        info, content = entries[name]
        assert old in content
        return {**entries, name: (info, content.replace(old, new))}

    return edit


def not_executable(entries: Entries) -> Entries:
    entries["run_autograder"][0].external_attr = 0o644 << 16
    return entries


MARGIN = changed("files/grading.yml", b"{full: 0.95,", b"{reference_margin: 0.02,")

SPOILED: dict[str, tuple[Edit, str]] = {
    "no setup": (without("setup.sh"), "contents: missing: setup.sh → Run `mnist-kit build`"),
    "no data": (without("files/assignment/data/mnist.npz"), "images: missing: files/assignment/data/mnist.npz"),
    "a folder was zipped": (
        lambda entries: {f"kit/{name}": entry for name, entry in entries.items()},
        "everything is inside the folder kit",
    ),
    "Windows line endings": (changed("setup.sh", b"\n", b"\r\n"), "Windows line endings"),
    "not executable": (not_executable, "run_autograder: it is not executable"),
    "no shebang": (changed("run_autograder", b"#!/usr/bin/env bash", b"# bash"), "does not name an interpreter"),
    "the solution": (with_content("files/solution.ipynb", b"{}"), "answers: files/solution.ipynb"),
    "the master": (with_content("files/assignment/exercise.md", b""), "answers: files/assignment/exercise.md"),
    "a token": (with_content("otter_config.json", b'{"token": "abc"}'), "otter_config.json contains token"),
    "no JSON": (with_content("otter_config.json", b"{"), "otter_config.json is not valid JSON"),
    "a mistake in grading.yml": (changed("files/grading.yml", b"optimizer: adam", b"optimizer: adm"), "mean: adam"),
    "no reference": (MARGIN, "calibration: reference_margin needs it, and it is missing"),
    "other points": (changed("tests/q5.py", b"points=2,", b"points=1,"), "worth 7 points; grading.yml says 8"),
    "a test that is no Python": (with_content("tests/q6.py", b"def ("), "tests/q6.py: missing, or not Python"),
    "no test of a question": (without("tests/q7.py"), "tests/q7.py: missing, or not Python"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_zip_is_an_error_with_what_to_do(layout: Layout, tmp_path: Path, how: str) -> None:
    edit, message = SPOILED[how]
    found = [f"{each.title}: {each.detail} → {each.remedy}" for each in errors(spoil(layout, tmp_path / "a.zip", edit))]
    assert any(message in text for text in found), found


def test_the_zip_of_the_repository_itself_has_no_error(tmp_path: Path) -> None:
    path = tmp_path / "autograder.zip"
    path.write_bytes(build.build(HOME).zip)
    assert len(doctor.check_zip(path)) >= 10
    assert errors(path) == []


def test_a_margin_with_its_reference_in_the_zip_is_no_error(layout: Layout, tmp_path: Path) -> None:
    with_reference = with_content("files/solutions/calibration.json", HOME.calibration.read_bytes())
    assert errors(spoil(layout, tmp_path / "a.zip", lambda entries: with_reference(MARGIN(entries)))) == []


def test_a_zip_that_is_too_large_is_an_error(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SIZE_LIMIT_MB", 1)
    (found,) = errors(layout.zip)
    assert "Gradescope takes at most 1 MB" in found.detail
