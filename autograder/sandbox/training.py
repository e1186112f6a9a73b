"""Faster training with the same results.

Keras feeds arrays through `tf.data`, a pipeline of threads that delivers one batch at a time. That costs as much as the
arithmetic of a small model. Here the compiled graph loops over a permutation of the rows, with `steps_per_execution`
for many batches in one call. The batches, their order and their static shapes are Keras's, so the weights are too, to
the bit. As in Keras, the permutation comes from the first random operation of a graph of its own, because TensorFlow
seeds the random operations of a graph by their number.

Only events between batches (progress bars, callbacks for single batches) become coarser. So `steps_per_execution` is
set for one call, if the student set none and the call has no callback for single batches. Anything but plain arrays and
plain models is left to Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial, wraps
from inspect import getclosurevars, signature
from typing import Any

import numpy as np

__all__ = ["quicken"]

STEPS = 100  # batches per call; longer chunks did not help when measured
ALIGNMENT = 64  # bytes; TensorFlow computes only on memory aligned to this
COUNTS = ("steps", "steps_per_epoch", "validation_steps")
BATCH_EVENTS = [f"on_{kind}batch_{end}" for kind in ("", "train_", "test_") for end in ("begin", "end")]


def quicken() -> None:
    """Change how Keras trains in this process."""
    import keras
    from keras.src.backend.tensorflow.trainer import TensorFlowTrainer as backend
    from keras.src.trainers.data_adapters.array_data_adapter import ArrayDataAdapter

    dataset, make, predict = ArrayDataAdapter.get_tf_dataset, backend._make_function, backend.predict
    # One entry for each running fit, evaluate or predict: the model, its own steps, whether its data may be _Rows.
    running: list[tuple[Any, int, bool]] = []

    @wraps(make)
    def make_function(self: Any, step: Any) -> Any:
        return _loop_over(partial(make, self, step), self)

    @wraps(dataset)
    def get_tf_dataset(self: Any) -> Any:
        return _Rows(self, dataset) if running and running[-1][2] and _Rows.can_hold(self) else dataset(self)

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
    """Whether the train and test functions are Keras's own, wrapped by `_loop_over`."""
    import tensorflow as tf

    names = ("make_train_function", "make_test_function", "_make_function")
    functions = (model.train_function, model.test_function)
    return (
        all(getattr(type(model), name) is getattr(backend, name) and name not in vars(model) for name in names)
        and all(function is None or function.__module__ == _loop_over.__module__ for function in functions)
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


class _Rows:
    """A stand-in for Keras's dataset of batches, and the iterator over them; each `iter` begins another epoch."""

    def __init__(self, adapter: Any, plain: Callable[[Any], Any]) -> None:
        from keras import tree

        self._adapter, self._plain = adapter, plain
        self.size, self.batch = adapter._num_samples, adapter._batch_size
        self.arrays = tree.lists_to_tuples(tree.map_structure(_tensor, adapter._inputs))
        self._orders = _permutation(self.size, adapter._shuffle)

    @staticmethod
    def can_hold(adapter: Any) -> bool:
        """Whether the data is numbers in arrays, in batches of a known size."""
        from keras import tree

        return (
            type(adapter).__name__ == "ArrayDataAdapter"
            and type(adapter._batch_size) is int
            and adapter._batch_size > 0
            and adapter._num_samples > 0
            and type(adapter._shuffle) is bool
            and all(type(array) is np.ndarray and array.dtype.kind in "biuf" for array in tree.flatten(adapter._inputs))
        )

    @cached_property
    def _dataset(self) -> Any:
        """Keras's own dataset of the same batches."""
        return self._plain(self._adapter)

    def specs(self, rows: int | None) -> Any:
        """Describe `rows` rows of the arrays; None is any number."""
        import tensorflow as tf

        return tf.nest.map_structure(lambda array: tf.TensorSpec([rows, *array.shape[1:]], array.dtype), self.arrays)

    def __iter__(self) -> _Rows:
        self._begin, self._order, self._batches = 0, None, None
        return self

    def __next__(self) -> Any:
        return next(self.batches())

    def batches(self) -> Any:
        """Return Keras's iterator over the single batches of this epoch."""
        if self._batches is None:
            self._batches = iter(self._dataset)
        return self._batches

    def advance(self, loop: Callable[..., Any], steps: int) -> Any:
        """Run `steps` more batches of this epoch, or as many as there are."""
        import tensorflow as tf

        begin, self._begin = self._begin, min(self._begin + steps * self.batch, self.size)
        if begin == self.size:
            raise StopIteration
        if self._order is None:
            self._order = next(iter(self._orders))
        return loop(self._order, tf.constant(begin, tf.int64), tf.constant(self._begin, tf.int64), self.arrays)


def _loop_over(make: Callable[[], Any], model: Any) -> Callable[[Any], Any]:
    """Return a train or test function with a faster path for `_Rows`; `make` makes Keras's own.

    Keras's own is made once for each number of steps in a call, which it is compiled for.
    """
    plain: dict[int, Any] = {}
    loops: dict[str, Any] = {}

    def function(iterator: Any) -> Any:
        steps = model.steps_per_execution
        if steps not in plain:
            plain[steps] = make()
        if not isinstance(iterator, _Rows):
            return plain[steps](iterator)
        kind = str((iterator.batch, iterator.size % iterator.batch == 0, iterator.specs(None)))
        if kind not in loops:
            loops[kind] = _loop(plain[steps], iterator, model)
        if loops[kind] is None:
            return plain[steps](iterator.batches())
        return iterator.advance(loops[kind], steps)

    return function


def _loop(plain: Any, rows: _Rows, model: Any) -> Any:
    """Compile a loop of the step in Keras's own function over batches of these rows; None if Keras has to run them."""
    import tensorflow as tf

    step = getclosurevars(plain).nonlocals.get("one_step_on_data")
    if step is None or model.run_eagerly or model.jit_compile:
        return None
    size = rows.batch if rows.size % rows.batch == 0 else None
    place = tf.TensorSpec([], tf.int64)

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # TensorFlow's
    def run(order: Any, begin: Any, end: Any, arrays: Any) -> Any:
        def body(first: Any, _: Any) -> Any:
            which = order[first : tf.minimum(first + rows.batch, end)]
            which.set_shape([size])
            return first + rows.batch, step(tf.nest.map_structure(lambda array: tf.gather(array, which), arrays))

        nothing = tf.nest.map_structure(lambda output: tf.zeros(output.shape, output.dtype), outputs)
        return tf.while_loop(lambda first, _: first < end, body, (begin, nothing))[1]

    try:
        _build(model, rows)
        outputs = step.__wrapped__.get_concrete_function(rows.specs(size)).structured_outputs
        signature = [tf.TensorSpec([None], tf.int64), place, place, rows.specs(None)]
        loop = tf.function(run, input_signature=signature)
        loop.get_concrete_function()
    except Exception:  # Keras reports it in its own words, or can run it
        return None
    return loop


def _build(model: Any, rows: _Rows) -> None:
    """Create the variables that the first batch would create: Keras repeats a trace that creates some."""
    import keras

    metrics, optimizer = model._compile_metrics, model.optimizer
    outputs = getattr(model, "outputs", None)
    if not isinstance(rows.arrays, tuple) or len(rows.arrays) < 2 or not model.built or not outputs:
        return
    if metrics is not None and not metrics.built and len(outputs) == 1 and hasattr(rows.arrays[1], "shape"):
        labels = keras.KerasTensor(rows.arrays[1].shape, rows.arrays[1].dtype.name)
        metrics.build(labels, outputs[0])
    if optimizer is not None and not optimizer.built and type(optimizer).__module__.startswith("keras.src."):
        with keras.name_scope(optimizer.name):
            optimizer.build(model.trainable_variables)


def _permutation(size: int, shuffle: bool) -> Any:
    """Make a dataset whose every iteration is the order of the rows in one epoch."""
    import tensorflow as tf

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # TensorFlow's
    def permutation(_: Any) -> Any:
        indices = tf.range(size, dtype=tf.int64)
        return tf.random.shuffle(indices) if shuffle else indices

    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False  # they take longer than they save
    return tf.data.Dataset.range(1).map(permutation).with_options(options)


def _tensor(array: Any) -> Any:
    """Copy an array into a tensor as Keras does; floats in one pass, of which Keras makes three."""
    import tensorflow as tf
    from keras.src.trainers.data_adapters import array_slicing

    if array.dtype not in (np.float32, np.float64) or tf.keras.config.floatx() != "float32":
        return tf.convert_to_tensor(array_slicing.convert_to_sliceable(array, target_backend="tensorflow"))
    size = array.size * 4
    memory = np.empty(size + ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT
    floats = memory[begin : begin + size].view(np.float32).reshape(array.shape)
    np.copyto(floats, array, casting="same_kind")
    return tf.experimental.dlpack.from_dlpack(floats.__dlpack__())
