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
from autograder.tests.authoring.copies import replace

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


SPOILED: dict[str, tuple[Edit, str]] = {
    "a file is missing": (without("setup.sh"), "contents: missing: setup.sh → Run `mnist-kit build`"),
    "a file was edited": (changed("files/grading.yml", b"adam", b"sgd"), "contents: changed: files/grading.yml →"),
    "a file was added": (with_content("files/solution.ipynb", b"{}"), "contents: added: files/solution.ipynb →"),
    "Windows line endings": (changed("setup.sh", b"\n", b"\r\n"), "contents: changed: setup.sh →"),
    "no manifest": (without("files/kit.json"), "contents: missing: files/kit.json →"),
    "the manifest of an older kit": (
        with_content("files/kit.json", b"{}"),
        "files/kit.json is damaged, or of an older",
    ),
    "a folder was zipped": (
        lambda entries: {f"kit/{name}": entry for name, entry in entries.items()},
        "everything is inside the folder kit; its contents should be zipped",
    ),
    "zipped on Windows": (not_executable, "scripts: not executable: run_autograder; zips made on Windows lose that"),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_spoiled_zip_is_an_error_with_what_to_do(layout: Layout, tmp_path: Path, how: str) -> None:
    edit, message = SPOILED[how]
    found = [f"{each.title}: {each.detail} → {each.remedy}" for each in errors(spoil(layout, tmp_path / "a.zip", edit))]
    assert any(message in text for text in found), found


def test_the_zip_of_the_repository_itself_has_no_error(tmp_path: Path) -> None:
    path = tmp_path / "autograder.zip"
    path.write_bytes(build.build(HOME).zip)
    found = doctor.check_zip(path)
    assert [finding.title for finding in found] == ["size", "contents", "scripts", "secrets"]
    assert errors(path) == []


def test_a_token_for_gradescope_in_the_master_is_an_error(copy: Layout) -> None:
    replace(copy.master, "generate: true", "generate: {token: abc}")
    copy.zip.write_bytes(build.build(copy).zip)
    (found,) = errors(copy.zip)
    assert (found.title, found.detail) == ("secrets", "token")


def test_a_zip_that_is_too_large_is_an_error(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SIZE_LIMIT_MB", 1)
    (found,) = errors(layout.zip)
    assert "Gradescope takes at most 1 MB" in found.detail
