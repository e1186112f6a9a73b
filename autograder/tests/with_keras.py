"""TensorFlow and Keras for the few tests that need the real ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from autograder.judge.evidence import Model, live
from autograder.tests.journals import RULES


@contextmanager
def quiet_keras() -> Iterator[SimpleNamespace]:
    """TensorFlow, Keras, and short names for what most models are made of. The import takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        patch.setenv("CUDA_VISIBLE_DEVICES", "")
        import keras
        import tensorflow as tf

        layers = keras.layers
        yield SimpleNamespace(
            tf=tf,
            keras=keras,
            layers=layers,
            Model=keras.Model,
            Sequential=keras.Sequential,
            image=lambda: keras.Input((28, 28)),
            flatten=layers.Flatten,
            hidden=lambda activation="relu": layers.Dense(128, activation=activation),
            output=lambda activation="softmax": layers.Dense(10, activation=activation),
            classic=lambda: chain(keras, layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10, "softmax")),
        )


def chain(keras: Any, *layers: Any) -> Any:
    """A built Sequential model of these layers, on images."""
    return keras.Sequential([keras.Input((28, 28)), *layers])


def described(value: Any, question: str = "q5") -> Model:
    """The model that a journal holds for `question` if the variable `model` has this value."""
    model = live(RULES, question, {"model": value}).questions[question].model
    assert model is not None
    return model
