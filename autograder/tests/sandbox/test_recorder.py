"""The journal and the blob of a student process: their content and their bounds."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest

from autograder.judge.evidence import Evidence, parse, specs
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT, Recorder
from autograder.tests.journals import RULES
from autograder.tests.with_keras import chain

pytestmark = pytest.mark.slow

SHAPE, LENGTH = "train_images_shape", "train_labels_length"


class Files:
    """A recorder and the two files that it writes."""

    def __init__(self, folder: Path) -> None:
        self._files = [open(folder / name, "w+b", buffering=0) for name in ("journal", "blob")]  # noqa: SIM115  # close() does
        self.recorder = Recorder(specs(RULES), *(file.fileno() for file in self._files))

    def read(self) -> Evidence:
        return parse(*(os.pread(file.fileno(), BLOB_LIMIT + 1, 0) for file in self._files))

    def close(self) -> None:
        for file in self._files:
            file.close()


def compiled(k: Any) -> Any:
    model = k.classic()
    model.compile("adam", "sparse_categorical_crossentropy")
    return model


def flat(model: Any) -> Any:
    """All weights of a Keras model in one array."""
    return np.concatenate([array.ravel() for array in model.get_weights()])


def weights(evidence: Evidence) -> Any:
    """The weights that were recorded for question 7."""
    model = evidence.questions["q7"].model
    assert model is not None
    return np.asarray(evidence.weights(model))


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path)
    yield files
    files.close()


def test_a_notebook_is_written_down_from_its_first_cell_to_its_end(files: Files, k: Any) -> None:
    model = compiled(k)
    model.fit(np.ones((2, 28, 28)), np.zeros(2), verbose=0)
    recorder = files.recorder
    recorder.cell(0)
    recorder.note("One\nthing\x1b.")
    assert recorder.check("q4", {SHAPE: (60000, 28, 28)})
    assert not recorder.check("q1", {})
    recorder.cell(4)
    recorder.error(4, "Value\ud800Error", "x" * 999)
    assert recorder.check("q7", {"model": model})
    recorder.finish({"model": model, SHAPE: None})
    read = files.read()
    assert (read.notes, read.last_cell, read.finished) == (("One thing .",), 4, True)
    assert [(error.cell, error.name, error.text) for error in read.errors] == [(4, "Value Error", "x" * 200)]
    taken_at = {id: taken.at for id, taken in read.questions.items()}
    assert taken_at == {"q4": "check", "q5": "end", "q6": "end", "q7": "check"}
    assert np.array_equal(weights(read), flat(model))
    assert len(read.blob) == len(flat(model))  # at the end they are not written again


def test_weights_are_written_again_at_the_end_if_the_model_was_not_trained_before(files: Files, k: Any) -> None:
    model = compiled(k)
    assert files.recorder.check("q7", {"model": model})
    before = flat(model)
    model.fit(np.ones((2, 28, 28)), np.zeros(2), verbose=0)
    files.recorder.finish({"model": model})
    read = files.read()
    assert np.array_equal(read.blob[: len(before)], before)
    trained = read.at_end["q7"].model
    assert trained is not None
    assert trained.steps == 1
    assert np.array_equal(np.asarray(read.weights(trained)), flat(model))
    assert not np.array_equal(before, flat(model))


def test_the_steps_of_training_are_known_after_the_model_was_compiled_again(files: Files, k: Any) -> None:
    model = compiled(k)
    model.fit(np.ones((6, 28, 28)), np.zeros(6), batch_size=2, epochs=4, verbose=0)
    model.compile("adam", "sparse_categorical_crossentropy")
    files.recorder.check("q7", {"model": model})
    described = files.read().questions["q7"].model
    assert described is not None
    assert described.steps == 12


def test_an_earlier_answer_is_not_spoiled_by_what_follows(files: Files, k: Any) -> None:
    model = k.classic()
    before = flat(model)
    files.recorder.check("q7", {"model": model})
    model.set_weights([array + 1 for array in model.get_weights()])
    files.recorder.finish({"model": model})
    assert np.array_equal(weights(files.read()), before)


def test_a_question_checked_without_end_leaves_room_for_the_end(files: Files, k: Any) -> None:
    model = k.classic()
    for cell in range(600):
        files.recorder.cell(cell)
        files.recorder.check("q5", {"model": model})
    files.recorder.finish({"model": model, LENGTH: 60000})
    read = files.read()
    assert read.finished
    assert read.questions.keys() == {"q4", "q5", "q6", "q7"}


def test_a_large_model_checked_often_keeps_its_first_weights_and_says_so(files: Files, k: Any) -> None:
    model = chain(k.keras, k.flatten(), k.layers.Dense(6000))
    for _ in range(4):
        files.recorder.check("q7", {"model": model})
    read = files.read()
    assert len(read.blob) == 2 * model.count_params()
    assert read.notes == ("q7 was checked so often that only its first checks were recorded.",) * 2
    assert len(weights(read)) == model.count_params()


def test_the_journal_is_never_longer_than_the_judge_reads(files: Files, tmp_path: Path) -> None:
    for number in range(3000):
        files.recorder.error(number, "ValueError", "x" * 300)
    files.recorder.finish({})
    assert JOURNAL_LIMIT - 70_000 < (tmp_path / "journal").stat().st_size <= JOURNAL_LIMIT
    assert files.read().finished


class Clock(BaseException):
    """Like the time limit, not an Exception: only the cell may catch it."""


class Late(dict[str, Any]):
    """Variables that raise the time limit as soon as they are looked for."""

    def __contains__(self, name: object) -> NoReturn:
        raise Clock(name)


def test_the_time_limit_ends_a_check_but_not_the_end_of_the_notebook(files: Files) -> None:
    with pytest.raises(Clock):
        files.recorder.check("q5", Late())
    files.recorder.finish(Late())
    assert files.read().finished
