"""CPU time of training with Keras, with the kit's faster Keras, and with a bare loop over the same arithmetic.

    python -m autograder.tools.bare_loop

Each runs in a process of its own, in turn: 60,000 images of float64, 5 epochs, batches of 32, Flatten, Dense(128,
relu), Dense(10, softmax), Adam. Prints the smallest of a few CPU times (user and system), the one that other work on
the machine affected least.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from typing import Any

import numpy as np
from rich.console import Console

from autograder.engine.launcher import ONE_THREAD

__all__ = ["WAYS", "bare_loop", "main", "seconds"]

REPEATS = 3
WAYS = ("keras", "quickened", "bare loop")
IMAGES, EPOCHS, BATCH = 60_000, 5, 32


def main(arguments: list[str]) -> None:
    """Measure one way, or all of them in processes of their own."""
    console = Console()
    if arguments:
        console.print(f"{_one(arguments[0]):.2f}")
        return
    taken: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(REPEATS):
        for way in WAYS:
            taken[way].append(seconds(way))
    for way in WAYS:
        console.print(f"{way}: {min(taken[way]):.2f} s of CPU time, {taken[way]}")
    console.print(f"quickened / bare loop: {min(taken['quickened']) / min(taken['bare loop']):.2f}")


def seconds(way: str) -> float:
    """Return the CPU seconds of one training in one of WAYS, in a process of its own with one thread."""
    one_thread = {**ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "autograder.tools.bare_loop", way]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **one_thread})
    return float(done.stdout)


def bare_loop(x: Any, y: Any, epochs: int, batch: int) -> list[Any]:
    """Train as the notebook does, with one graph an epoch, without the last partial batch. Return the weights."""
    import keras
    import tensorflow as tf

    images, labels = tf.constant(x.reshape(len(x), -1).astype("float32")), tf.constant(y.astype("int32"))
    shapes = ((images.shape[1], 128), (128,), (128, 10), (10,))
    draw = keras.initializers.GlorotUniform()
    weights = [tf.Variable(draw(shape) if len(shape) == 2 else tf.zeros(shape)) for shape in shapes]
    first, second = ([tf.Variable(tf.zeros(shape)) for shape in shapes] for _ in range(2))
    steps = len(x) // batch

    def step(begin: Any, count: Any, order: Any) -> tuple[Any, Any]:
        rows = order[begin : begin + batch]
        with tf.GradientTape() as tape:
            hidden = tf.nn.relu(tf.nn.bias_add(tf.matmul(tf.gather(images, rows), weights[0]), weights[1]))
            scores = tf.nn.bias_add(tf.matmul(hidden, weights[2]), weights[3])
            errors = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.gather(labels, rows), scores)
            loss = tf.reduce_mean(errors)
        rate = 0.001 * tf.sqrt(1 - tf.pow(0.999, count)) / (1 - tf.pow(0.9, count))
        for weight, mean, square, slope in zip(weights, first, second, tape.gradient(loss, weights), strict=True):
            mean.assign_add((slope - mean) * 0.1)
            square.assign_add((tf.square(slope) - square) * 0.001)
            weight.assign_sub(mean * rate / (tf.sqrt(square) + 1e-7))
        return begin + batch, count + 1

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow's
    def epoch(count: Any) -> Any:
        order = tf.random.shuffle(tf.range(len(x)))
        end = steps * batch
        return tf.while_loop(lambda begin, _: begin < end, lambda at, so_far: step(at, so_far, order), (0, count))[1]

    count = tf.constant(1.0)
    for _ in range(epochs):
        count = epoch(count)
    return [weight.numpy() for weight in weights]


def _one(way: str) -> float:
    import keras

    if way == "quickened":
        from autograder.sandbox.training import quicken

        quicken()
    rng = np.random.default_rng(0)
    x, y = rng.random((IMAGES, 28, 28)), rng.integers(0, 10, IMAGES, dtype="uint8")
    began = _cpu()
    if way == "bare loop":
        bare_loop(x, y, EPOCHS, BATCH)
        return _cpu() - began
    layers = keras.layers
    model = keras.Sequential(
        [keras.Input((28, 28)), layers.Flatten(), layers.Dense(128, "relu"), layers.Dense(10, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return _cpu() - began


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main(sys.argv[1:])
