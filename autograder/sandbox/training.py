"""Faster training with the same results.

With `steps_per_execution` Keras runs many batches in one call of the compiled graph, and `training_loop` takes the
batches of plain arrays inside that graph. The arithmetic, its order and so the weights are the same to the bit; only
events between batches (progress bars, callbacks for single batches) become coarser. So it is set only if the student
set nothing, and is undone for calls with a callback for single batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from inspect import signature
from typing import Any

from autograder.sandbox.training_loop import Rows, loop_over

__all__ = ["STEPS", "quicken"]

STEPS = 100
"""Batches per call; longer chunks did not help when measured."""

COUNTS = ("steps", "steps_per_epoch", "validation_steps")
BATCH_EVENTS = [f"on_{kind}batch_{end}" for kind in ("", "train_", "test_") for end in ("begin", "end")]


def quicken() -> None:
    """Change Keras's defaults in this process."""
    import keras
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

    trainer: Any = next(base for base in keras.Model.__mro__ if base.__name__ == "Trainer")
    backend: Any = next(base for base in keras.Model.__mro__ if "fit" in vars(base) and base is not trainer)
    compile_, dataset_, make_ = trainer.compile, ArrayDataAdapter.get_tf_dataset, backend._make_function
    inside: list[bool] = []  # one entry for each running fit, evaluate or predict: whether its data may be Rows

    @wraps(compile_)
    def compile_model(self: Any, *args: Any, **settings: Any) -> None:
        # The seventh positional argument is steps_per_execution itself.
        if len(args) < 7 and "steps_per_execution" not in settings and not settings.get("run_eagerly"):
            settings["steps_per_execution"] = STEPS
            compile_(self, *args, **settings)
            self._kit_steps = True
        else:
            compile_(self, *args, **settings)

    @wraps(make_)
    def make_function(self: Any, step: Any) -> Any:
        return loop_over(make_(self, step), self)

    @wraps(dataset_)
    def get_tf_dataset(self: Any) -> Any:
        return Rows(self, dataset_) if inside and inside[-1] and Rows.can_hold(self) else dataset_(self)

    def watched(method: Any) -> Any:
        parameters = signature(method)

        @wraps(method)
        def call(self: Any, *args: Any, **settings: Any) -> Any:
            try:
                given = parameters.bind(self, *args, **settings).arguments
            except TypeError:
                given = {}  # Keras will report the mistake in the call
            single = method is predict_ or self.run_eagerly or _wants_single_batches(given, keras)
            with _steps(self, single), _pushed(inside, method is not predict_ and _is_plain(self, backend)):
                return method(self, *args, **settings)

        return call

    trainer.compile = compile_model
    predict_ = backend.predict
    backend.fit, backend.evaluate, backend.predict = map(watched, (backend.fit, backend.evaluate, predict_))
    backend._make_function = make_function
    ArrayDataAdapter.get_tf_dataset = get_tf_dataset


@contextmanager
def _steps(model: Any, single: bool) -> Iterator[None]:
    """Run one batch at a time during one call, if that is wanted and running many was our choice.

    Only for this call: a callback can make it in the middle of a fit.
    """
    if not single or not getattr(model, "_kit_steps", False) or model.steps_per_execution == 1:
        yield
        return
    before = model.steps_per_execution, model.train_function, model.test_function
    # These were, or would be, compiled for many steps; Keras compiles them again for one.
    model.steps_per_execution, model.train_function, model.test_function = 1, None, None
    try:
        yield
    finally:
        model.steps_per_execution, model.train_function, model.test_function = before


@contextmanager
def _pushed(stack: list[bool], value: bool) -> Iterator[None]:
    stack.append(value)
    try:
        yield
    finally:
        stack.pop()


def _is_plain(model: Any, backend: Any) -> bool:
    """Whether the train and test functions are Keras's own, wrapped by `loop_over`."""
    import tensorflow as tf

    names = ("make_train_function", "make_test_function", "_make_function")
    functions = (model.train_function, model.test_function)
    return (
        all(getattr(type(model), name) is getattr(backend, name) and name not in vars(model) for name in names)
        and all(function is None or function.__module__ == loop_over.__module__ for function in functions)
        and not tf.distribute.has_strategy()
        and model._distribute_strategy is None
    )


def _wants_single_batches(given: dict[str, Any], keras: Any) -> bool:
    """Whether the call counts batches, or a callback acts at single ones."""
    # Keras runs whole calls, so it would exceed a number of steps that is not a multiple of STEPS.
    if any(given.get(name) for name in COUNTS) or keras.config.max_steps_per_epoch():
        return True
    callbacks = given.get("callbacks")
    if isinstance(callbacks, keras.callbacks.CallbackList):
        # Keras passes this to the validation of a fit; its own progress bar does not count.
        bar = keras.callbacks.ProgbarLogger
        callbacks = [callback for callback in callbacks.callbacks if not isinstance(callback, bar)]
    if not isinstance(callbacks, list | tuple):
        callbacks = () if callbacks is None else (callbacks,)
    plain = keras.callbacks.Callback
    # On the instance, since a LambdaCallback holds functions.
    return any(
        getattr(getattr(callback, name, None), "__func__", None) is not getattr(plain, name)
        for callback in callbacks
        for name in BATCH_EVENTS
    )
