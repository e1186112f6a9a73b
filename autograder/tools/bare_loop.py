"""CPU time of a bare TensorFlow loop over the arithmetic of the notebook's training.

    python -m autograder.tools.bare_loop

60,000 images of float64, 5 epochs, batches of 32, Flatten, Dense(128, relu), Dense(10, softmax), Adam; one thread.
Prints the CPU seconds (user and system), the lower limit for any way of training this model.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from autograder.engine.warm_process import ONE_THREAD

__all__ = ["main", "seconds"]

IMAGES, EPOCHS, BATCH = 60_000, 5, 32


def seconds() -> float:
    """Return the CPU seconds of one training, in a process of its own with one thread."""
    environment = {**os.environ, **ONE_THREAD, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "autograder.tools.bare_loop"]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout)


def main() -> None:
    """Train as the notebook does, with one graph an epoch, and print the CPU seconds."""
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x, y = rng.random((IMAGES, 28, 28)), rng.integers(0, 10, IMAGES, dtype="uint8")
    began = time.process_time()
    images, labels = tf.constant(x.reshape(len(x), -1).astype("float32")), tf.constant(y.astype("int32"))
    shapes = ((images.shape[1], 128), (128,), (128, 10), (10,))
    draw = keras.initializers.GlorotUniform()
    weights = [tf.Variable(draw(shape) if len(shape) == 2 else tf.zeros(shape)) for shape in shapes]
    first, second = ([tf.Variable(tf.zeros(shape)) for shape in shapes] for _ in range(2))

    def step(begin: Any, count: Any, order: Any) -> tuple[Any, Any]:
        rows = order[begin : begin + BATCH]
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
        return begin + BATCH, count + 1

    @tf.function  # type: ignore[untyped-decorator]  # TensorFlow's
    def epoch(count: Any) -> Any:
        order = tf.random.shuffle(tf.range(IMAGES))
        return tf.while_loop(lambda begin, _: begin < IMAGES, lambda at, so_far: step(at, so_far, order), (0, count))[1]

    count = tf.constant(1.0)
    for _ in range(EPOCHS):
        count = epoch(count)
    sys.stdout.write(f"{time.process_time() - began:.2f}\n")


if __name__ == "__main__":
    main()
