"""`mnist-kit`, called as a shell would call it, but in this process."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator

import pytest

from autograder.cli import app

Call = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Calls `mnist-kit`; returns the exit code and the words on both outputs, separated by single spaces."""
    handler = signal.getsignal(signal.SIGTERM)

    def calling(line: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mnist-kit", *line.split()])
        with pytest.raises(SystemExit) as ended:
            app.main()
        code = ended.value.code
        out, err = capsys.readouterr()
        return (code if isinstance(code, int) else 0), " ".join(out.split()), " ".join(err.split())

    yield calling
    signal.signal(signal.SIGTERM, handler)
