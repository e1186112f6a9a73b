"""Faster training with the same results.

With `steps_per_execution` Keras runs many batches in one call of the compiled graph, and `training_loop` takes the
batches of plain arrays inside that graph. The arithmetic, its order and so the weights are the same to the bit; only
events between batches (progress bars, callbacks for single batches) become coarser. So it is set for one call, if the
student set nothing and the call has no callback for single batches.
"""

from __future__ import annotations

from functools import partial, wraps
from inspect import signature
from typing import Any

from autograder.sandbox.training_loop import Rows, loop_over

__all__ = ["STEPS", "quicken"]

STEPS = 100
"""Batches per call; longer chunks did not help when measured."""

COUNTS = ("steps", "steps_per_epoch", "validation_steps")
BATCH_EVENTS = [f"on_{kind}batch_{end}" for kind in ("", "train_", "test_") for end in ("begin", "end")]


def quicken() -> None:
    """Change how Keras trains in this process."""
    import keras
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer as backend
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

    dataset, make, predict = ArrayDataAdapter.get_tf_dataset, backend._make_function, backend.predict
    # One entry for each running fit, evaluate or predict: the model, its own steps, whether its data may be Rows.
    running: list[tuple[Any, int, bool]] = []

    @wraps(make)
    def make_function(self: Any, step: Any) -> Any:
        return loop_over(partial(make, self, step), self)

    @wraps(dataset)
    def get_tf_dataset(self: Any) -> Any:
        return Rows(self, dataset) if running and running[-1][2] and Rows.can_hold(self) else dataset(self)

    def watched(method: Any) -> Any:
        parameters = signature(method)

        @wraps(method)
        def call(self: Any, *args: Any, **settings: Any) -> Any:
            try:
                given = parameters.bind(self, *args, **settings).arguments
            except TypeError:
                given = {}  # Keras will report the mistake in the call
            before = self.steps_per_execution
            own = next((steps for model, steps, _ in running if model is self), before)  # in a callback of a fit
            plain = method is not predict and _is_plain(self, backend)
            many = plain and own == 1 and not self.run_eagerly and not _wants_single_batches(given, keras)
            running.append((self, own, plain))
            self.steps_per_execution = STEPS if many else own
            try:
                return method(self, *args, **settings)
            finally:
                running.pop()
                self.steps_per_execution = before

        return call

    backend.fit, backend.evaluate, backend.predict = map(watched, (backend.fit, backend.evaluate, predict))
    backend._make_function = make_function
    ArrayDataAdapter.get_tf_dataset = get_tf_dataset


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
    if isinstance(callbacks, keras.callbacks.CallbackList):  # Keras passes this to the validation of a fit
        callbacks = callbacks.callbacks
    # The method is looked up on the instance, since a LambdaCallback holds functions. A progress bar does not count.
    return any(
        getattr(getattr(callback, name, None), "__func__", None) is not getattr(keras.callbacks.Callback, name)
        for callback in keras.tree.flatten(callbacks or ())
        if not isinstance(callback, keras.callbacks.ProgbarLogger)
        for name in BATCH_EVENTS
    )
