"""Batches of arrays, taken inside the compiled graph.

Keras feeds arrays through `tf.data`, a pipeline of threads that delivers one batch at a time. That costs as much as the
arithmetic of a small model. Here the compiled graph loops over a permutation of the rows. The batches, their order and
their static shapes are Keras's, so the numbers are too. As in Keras, the permutation comes from the first random
operation of a graph of its own, because TensorFlow seeds the random operations of a graph by their number.

Anything but plain arrays and plain models is left to Keras.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from inspect import getclosurevars
from typing import Any

import numpy as np

__all__ = ["Rows", "loop_over"]

ALIGNMENT = 64
"""Bytes. TensorFlow computes only on memory aligned to this."""


class Rows:
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

    def __iter__(self) -> Rows:
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


def loop_over(make: Callable[[], Any], model: Any) -> Callable[[Any], Any]:
    """Return a train or test function with a faster path for `Rows`; `make` makes Keras's own.

    Keras's own is made once for each number of steps in a call, which it is compiled for.
    """
    plain: dict[int, Any] = {}
    loops: dict[str, Any] = {}

    def function(iterator: Any) -> Any:
        steps = model.steps_per_execution
        if steps not in plain:
            plain[steps] = make()
        if not isinstance(iterator, Rows):
            return plain[steps](iterator)
        kind = str((iterator.batch, iterator.size % iterator.batch == 0, iterator.specs(None)))
        if kind not in loops:
            loops[kind] = _loop(plain[steps], iterator, model)
        if loops[kind] is None:
            return plain[steps](iterator.batches())
        return iterator.advance(loops[kind], steps)

    return function


def _loop(plain: Any, rows: Rows, model: Any) -> Any:
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
