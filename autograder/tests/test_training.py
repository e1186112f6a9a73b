"""`quicken` changes how long training takes and nothing else: weights are compared to the bit."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
import hashlib, sys
import numpy as np, tensorflow as tf, keras
if sys.argv[1] == "quick":
    from autograder.sandbox.training import quicken
    quicken()
rng = np.random.default_rng(0)
x, y = rng.random((700, 28, 28)), rng.integers(0, 10, 700)

def digest(model):
    return hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest()[:16]

def fresh(**compile_settings):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(16, "relu"),
                              keras.layers.Dropout(0.2), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], **compile_settings)
    return model

class Batches(keras.callbacks.Callback):
    seen = 0
    def on_train_batch_end(self, batch, logs=None):
        self.seen += 1

class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            self.model.stop_training = True

def train(name, *data, compile=None, **settings):
    model = fresh(**(compile or {}))
    history = model.fit(*data, verbose=0, **settings)
    print(name, digest(model), int(model.optimizer.iterations), model.stop_training, sorted(history.history))
    return model

batches, early = Batches(), keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1)
train("plain", x, y, epochs=2)
train("batch size", x, y, epochs=2, batch_size=50)
train("validation", x, y, epochs=2, validation_split=0.2)
train("sample weights", x, y, sample_weight=rng.random(700))
train("in order", x.astype("float32"), y, shuffle=False)
train("dataset", tf.data.Dataset.from_tensor_slices((x, y)).batch(30), epochs=2)
train("looks at batches", x, y, callbacks=[batches])
print("batches seen", batches.seen)
train("stops in an epoch", x, y, callbacks=[Stop()])
train("stops early", x, y, epochs=4, callbacks=[early])
print("own steps", train("own steps", x, y, compile={"steps_per_execution": 3}).steps_per_execution)
print("eager", train("eager", x[:64], y[:64], compile={"run_eagerly": True}).steps_per_execution)
model = train("once", x, y)
model.fit(x, y, verbose=0)
print("twice", digest(model))
batches.seen = 0
model.fit(x, y, verbose=0, validation_split=0.1, callbacks=[batches])
print("looks at batches the third time", digest(model), batches.seen)
print("evaluate", [round(float(v), 6) for v in fresh().evaluate(x, y, verbose=0)])
"""


def result(how: str) -> list[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "TF_NUM_INTRAOP_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


def test_every_kind_of_training_ends_with_the_same_weights() -> None:
    plain, quick = result("plain"), result("quick")
    assert len(plain) == 18
    assert quick == plain
