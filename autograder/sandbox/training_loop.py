"""Batches of arrays, taken inside the compiled graph.

Keras feeds arrays through `tf.data`, a pipeline of threads that delivers one batch at a time. That costs as much as the
arithmetic of a small model. Here the compiled graph loops over a permutation of the rows. The batches, their order and
their static shapes are Keras's, so the numbers are too. As in Keras, the permutation comes from the first random
operation of a graph of its own, because TensorFlow seeds the random operations of a graph by their number.

Anything but plain arrays and plain models is left to Keras.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

__all__ = ["Epoch", "Rows", "loop_over"]

ALIGNMENT = 64
"""Bytes. TensorFlow uses memory aligned to this as it is, and copies any other."""


class Rows:
    """A stand-in for Keras's dataset of batches; every iteration over it is one epoch.

    Everything but iteration is left to Keras's own dataset, made on first use.
    """

    def __init__(self, adapter: Any, plain: Callable[[Any], Any]) -> None:
        self._adapter, self._plain, self._dataset = adapter, plain, None
        self.size, self.batch = adapter._num_samples, adapter._batch_size
        self.arrays = _tensors(adapter._inputs)
        self._order = _permutation(self.size, adapter._shuffle)

    @staticmethod
    def can_hold(adapter: Any) -> bool:
        """Whether the data is numbers in arrays, in batches of a known size."""
        return (
            type(adapter).__name__ == "ArrayDataAdapter"
            and type(adapter._batch_size) is int
            and adapter._batch_size > 0
            and adapter._num_samples > 0
            and type(adapter._shuffle) is bool
            and _plain_arrays(adapter._inputs)
        )

    def dataset(self) -> Any:
        """Return Keras's own dataset of the same batches."""
        if self._dataset is None:
            self._dataset = self._plain(self._adapter)
        return self._dataset

    def order(self) -> Any:
        """Draw the order of the rows in one epoch."""
        return next(iter(self._order))

    def __iter__(self) -> Epoch:
        return Epoch(self)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dataset(), name)


class Epoch:
    """One pass over the rows, chunk by chunk."""

    def __init__(self, rows: Rows) -> None:
        self.rows, self.begin, self._order = rows, 0, None
        self._batches: Iterator[Any] | None = None

    def batches(self) -> Iterator[Any]:
        """Return Keras's iterator over single batches."""
        if self._batches is None:
            self._batches = iter(self.rows.dataset())
        return self._batches

    def __iter__(self) -> Epoch:
        return self

    def __next__(self) -> Any:
        return next(self.batches())

    def advance(self, loop: Callable[..., Any], steps: int) -> Any:
        """Run `steps` more batches, or as many as there are."""
        import tensorflow as tf

        rows = self.rows
        end = min(self.begin + steps * rows.batch, rows.size)
        if self.begin >= end:
            raise StopIteration
        if self._order is None:
            self._order = rows.order()
        begin, self.begin = self.begin, end
        return loop(
            self._order, tf.constant(begin, tf.int64), tf.constant(end, tf.int64), *tf.nest.flatten(rows.arrays)
        )


def loop_over(plain: Callable[[Any], Any], model: Any) -> Callable[[Any], Any]:
    """Wrap Keras's `plain` train or test function with a faster path for the batches of `Rows`."""
    cells = dict(zip(plain.__code__.co_freevars, plain.__closure__ or (), strict=True))
    step: Any = cells["one_step_on_data"].cell_contents if "one_step_on_data" in cells else None
    can = step is not None and not model.run_eagerly and not model.jit_compile
    loops: dict[Any, Any] = {}

    def function(iterator: Any) -> Any:
        if not isinstance(iterator, Epoch):
            return plain(iterator)
        kind = _kind(iterator.rows)
        if kind not in loops:
            loops[kind] = _loop(step, iterator.rows, model) if can else None
        if loops[kind] is None:
            return plain(iterator.batches())
        return iterator.advance(loops[kind], model.steps_per_execution)

    return function


def _loop(step: Any, rows: Rows, model: Any) -> Any:
    """Compile a loop of `step` over batches of these rows; None if Keras has to run them."""
    import tensorflow as tf

    size = rows.batch if rows.size % rows.batch == 0 else None
    many = [tf.TensorSpec([None, *each.shape[1:]], each.dtype) for each in tf.nest.flatten(rows.arrays)]
    one = [tf.TensorSpec([size, *each.shape[1:]], each.dtype) for each in many]
    place = tf.TensorSpec([], tf.int64)

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # TensorFlow's
    def run(order: Any, begin: Any, end: Any, *flat: Any) -> Any:
        def take(first: Any) -> Any:
            which = order[first : tf.minimum(first + rows.batch, end)]
            which.set_shape([size])
            return tf.nest.pack_sequence_as(rows.arrays, [tf.gather(each, which, axis=0) for each in flat])

        def body(first: Any, _: Any) -> Any:
            return first + rows.batch, step(take(first))

        nothing = tf.nest.map_structure(lambda each: tf.zeros(each.shape, each.dtype), outputs)
        return tf.while_loop(lambda first, _: first < end, body, (begin, nothing))[1]

    try:
        _build(model, rows)
        outputs = step.__wrapped__.get_concrete_function(tf.nest.pack_sequence_as(rows.arrays, one)).structured_outputs
        order = tf.TensorSpec([None], tf.int64)
        loop = tf.function(run, input_signature=[order, place, place, *many])
        loop.get_concrete_function()
    except Exception:  # Keras reports it in its own words, or can run it
        return None
    return loop


def _build(model: Any, rows: Rows) -> None:
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


def _kind(rows: Rows) -> Any:
    import tensorflow as tf

    flat = tf.nest.flatten(rows.arrays)
    shapes = tuple((tuple(each.shape[1:]), each.dtype) for each in flat)
    return rows.batch, rows.size % rows.batch == 0, shapes, repr(tf.nest.map_structure(lambda _: 0, rows.arrays))


def _permutation(size: int, shuffle: bool) -> Any:
    import tensorflow as tf

    @tf.autograph.experimental.do_not_convert  # type: ignore[untyped-decorator]  # TensorFlow's
    def permutation(_: Any) -> Any:
        indices = tf.range(size, dtype=tf.int64)
        return tf.random.shuffle(indices) if shuffle else indices

    options = tf.data.Options()
    options.experimental_optimization.apply_default_optimizations = False  # they take longer than they save
    return tf.data.Dataset.range(1).map(permutation).with_options(options)


def _plain_arrays(inputs: Any) -> bool:
    if type(inputs) in (tuple, list, dict):
        return bool(inputs) and all(map(_plain_arrays, inputs.values() if type(inputs) is dict else inputs))
    return type(inputs) is np.ndarray and inputs.dtype.kind in "biuf"


def _tensors(arrays: Any) -> Any:
    """Copy arrays into tensors as Keras does; lists become tuples, as there."""
    import tensorflow as tf
    from keras.src.trainers.data_adapters import array_slicing

    if isinstance(arrays, list | tuple):
        return tuple(map(_tensors, arrays))
    if isinstance(arrays, dict):
        return {name: _tensors(each) for name, each in arrays.items()}
    if arrays.dtype in (np.float32, np.float64) and tf.keras.config.floatx() == "float32":
        return _float_tensor(arrays)
    return tf.convert_to_tensor(array_slicing.convert_to_sliceable(arrays, target_backend="tensorflow"))


def _float_tensor(array: Any) -> Any:
    """Convert in one pass. Keras makes three: to float32, into a copy, into a tensor."""
    import tensorflow as tf
    from tensorflow.python.eager import context
    from tensorflow.python.framework import dtypes, ops

    size = array.size * 4
    memory = np.empty(size + ALIGNMENT, np.uint8)
    begin = -memory.ctypes.data % ALIGNMENT
    floats = memory[begin : begin + size].view(np.float32).reshape(array.shape)
    np.copyto(floats, array, casting="same_kind")
    try:
        return ops.EagerTensor(floats, context.context().device_name, dtypes.float32.as_datatype_enum)
    except (AttributeError, TypeError):  # EagerTensor is not public; the public function copies once more
        return tf.convert_to_tensor(floats)
