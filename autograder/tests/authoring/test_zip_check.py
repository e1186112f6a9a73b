"""`mnist-kit doctor --zip`: every way in which a zip has been spoilt is told, and a good one is left alone."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.authoring import build, zip_check
from autograder.authoring.zip_check import Finding
from autograder.errors import BuildError
from autograder.layout import HOME, Layout

Entries = dict[str, tuple[zipfile.ZipInfo, bytes]]
Edit = Callable[[Entries], Entries]


def spoilt(layout: Layout, path: Path, edit: Edit) -> Path:
    """A copy of the built zip, its entries changed."""
    with zipfile.ZipFile(layout.zip) as source:
        entries = {info.filename: (info, source.read(info)) for info in source.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
        for name, (info, content) in edit(entries).items():
            made = zipfile.ZipInfo(name, info.date_time)
            made.external_attr = info.external_attr
            target.writestr(made, content)
    return path


def wrong(path: Path) -> list[Finding]:
    return [finding for finding in zip_check.inspect(path) if finding.wrong]


def without(name: str) -> Edit:
    return lambda entries: {each: content for each, content in entries.items() if each != name}


def with_content(name: str, content: bytes) -> Edit:
    return lambda entries: {**entries, name: (entries.get(name, entries["setup.sh"])[0], content)}


def changed(name: str, old: bytes, new: bytes) -> Edit:
    def edit(entries: Entries) -> Entries:
        info, content = entries[name]
        assert old in content
        return {**entries, name: (info, content.replace(old, new))}

    return edit


def without_run_bit(entries: Entries) -> Entries:
    entries["run_autograder"][0].external_attr = 0o644 << 16
    return entries


def in_a_folder(entries: Entries) -> Entries:
    return {f"autograder/{name}": content for name, content in entries.items()}


MARGIN = changed("files/grading.yml", b"{full: 0.95,", b"{reference_margin: 0.02,")


def test_a_margin_needs_the_reference_in_the_zip(layout: Layout, tmp_path: Path) -> None:
    (finding,) = wrong(spoilt(layout, tmp_path / "bare.zip", MARGIN))
    assert "run `mnist-kit calibrate`, then build" in finding.wrong
    with_reference = with_content("files/solutions/calibration.json", HOME.calibration.read_bytes())
    assert not wrong(spoilt(layout, tmp_path / "whole.zip", lambda entries: with_reference(MARGIN(entries))))


def test_the_zip_of_the_repository_itself_is_right(tmp_path: Path) -> None:
    path = tmp_path / "autograder.zip"
    path.write_bytes(build.build(HOME).zip)
    assert not wrong(path)


SPOILT: dict[str, tuple[Edit, str]] = {
    "no setup": (without("setup.sh"), "missing: setup.sh; make it anew"),
    "no data": (without("files/assignment/data/mnist.npz"), "missing: files/assignment/data/mnist.npz"),
    "data of another dataset": (
        changed("files/grading.yml", b"dataset: mnist", b"dataset: fashion_mnist"),
        "missing: files/assignment/data/fashion_mnist.npz",
    ),
    "a folder was zipped": (in_a_folder, "inside the folder autograder; zip what is in that folder"),
    "Windows line ends": (changed("setup.sh", b"\n", b"\r\n"), "Windows line ends"),
    "no run bit": (without_run_bit, "its run bit is off"),
    "no shebang": (changed("run_autograder", b"#!/usr/bin/env bash", b"# bash"), "does not say what runs it"),
    "the solution": (with_content("files/solution.ipynb", b"{}"), "take out files/solution.ipynb"),
    "the master": (with_content("files/assignment/exercise.md", b""), "take out files/assignment/exercise.md"),
    "a token": (with_content("otter_config.json", b'{"token": "abc"}'), "otter_config.json holds token; take it out"),
    "no JSON": (with_content("otter_config.json", b"{"), "otter_config.json is no JSON"),
    "a mistake in grading.yml": (changed("files/grading.yml", b"optimizer: adam", b"optimizer: adm"), "mean: adam"),
    "other points": (changed("tests/q5.py", b"points=2,", b"points=1,"), "worth 7, and grading.yml says 8"),
    "a test that is no Python": (with_content("tests/q6.py", b"def ("), "worth None, and grading.yml says 4"),
    "no test of a question": (without("tests/q7.py"), "worth None, and grading.yml says 8"),
}


def test_the_zip_that_is_built_has_nothing_wrong(layout: Layout) -> None:
    findings = zip_check.inspect(layout.zip)
    assert [finding for finding in findings if finding.wrong] == []
    assert len(findings) >= 10


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_zip_is_told_with_what_to_do(layout: Layout, tmp_path: Path, how: str) -> None:
    edit, said = SPOILT[how]
    found = wrong(spoilt(layout, tmp_path / "spoilt.zip", edit))
    assert any(said in finding.wrong for finding in found), found


def test_a_zip_that_is_too_large_is_told(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_check, "SIZE_LIMIT_MB", 1)
    (found,) = wrong(layout.zip)
    assert "at most 1 can be uploaded" in found.wrong


def test_what_is_no_zip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "autograder.zip"
    path.write_bytes(b"PK")
    with pytest.raises(BuildError, match=r"autograder\.zip: it cannot be opened as a zip .*mnist-kit build"):
        zip_check.inspect(path)
