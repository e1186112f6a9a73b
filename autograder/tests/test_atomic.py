"""A file is written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import atomic


def test_text_and_bytes_replace_what_was_there_and_leave_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for content, written in (("né\ud800", b"n\xc3\xa9?"), (b"\xff\n", b"\xff\n")):
        atomic.write(path, content)
        assert path.read_bytes() == written
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def test_a_file_that_cannot_be_put_in_place_is_an_error_and_leaves_no_draft(tmp_path: Path) -> None:
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(IsADirectoryError):
        atomic.write(tmp_path / "a.txt", "new")
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    (tmp_path / "a.txt.part").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        atomic.write(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]
