"""`quicken` changes how long training takes and nothing else: weights and histories are compared to the bit."""

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

def digest(arrays):
    return hashlib.sha256(b"".join(np.asarray(each).tobytes() for each in arrays)).hexdigest()[:16]

def dense(**compile_settings):
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(16, "relu"),
                              keras.layers.Dropout(0.2), keras.layers.Dense(10, "softmax")])
    settings = {"metrics": ["accuracy"], **compile_settings}
    model.compile(settings.pop("optimizer", "adam"), "sparse_categorical_crossentropy", **settings)
    return model

class Steps(keras.Model):  # a step of one's own, not built before its first batch
    def __init__(self):
        super().__init__()
        self.inner = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    def call(self, x):
        return self.inner(x)
    def train_step(self, data):
        logs = super().train_step(data)
        return {**logs, "twice": 2 * logs["loss"]}

class Odd(Steps):  # answers with what no loop can carry
    def train_step(self, data):
        super().train_step(data)
        return {"mean": data[0][:, 0, 0]}

class Wrapped(Steps):  # looks at what feeds its train function
    kinds = ()
    def make_train_function(self, force=False):
        super().make_train_function(force)
        inner = self.train_function
        def function(iterator):
            self.kinds = isinstance(iterator, tf.data.Iterator)
            return inner(iterator)
        self.train_function = function

def other(kind):
    keras.utils.set_random_seed(3)
    model = kind()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

def two_inputs(**_):
    keras.utils.set_random_seed(3)
    a, b = keras.Input((28, 28), name="a"), keras.Input((3,), name="b")
    joined = keras.layers.Concatenate()([keras.layers.Flatten()(a), b])
    model = keras.Model([a, b], keras.layers.Dense(10, "softmax")(joined))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model

class Batches(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []
    def on_train_batch_end(self, batch, logs=None):
        self.seen.append((batch, sorted(logs.items())))

class Tests(keras.callbacks.Callback):
    seen = 0
    def on_test_batch_end(self, batch, logs=None):
        self.seen += 1

class Stop(keras.callbacks.Callback):
    def on_train_batch_end(self, batch, logs=None):
        if batch == 2:
            self.model.stop_training = True

class Nosy(keras.callbacks.Callback):  # evaluates and predicts in the middle of a fit
    def on_epoch_end(self, epoch, logs=None):
        tests = Tests()
        logs["own"] = self.model.evaluate(x[:90], y[:90], verbose=0, callbacks=[tests])[0] + tests.seen
        logs["guess"] = float(self.model.predict(x[:90], verbose=0).sum())

class Folder(keras.utils.PyDataset):
    def __len__(self):
        return 7
    def __getitem__(self, index):
        return x[index * 100 : index * 100 + 100], y[index * 100 : index * 100 + 100]

def train(name, *data, model=None, make=dense, compile={}, **settings):
    model = model or make(**compile)
    history = model.fit(*data, **{"verbose": 0, **settings})
    print(name, digest(model.get_weights()), int(model.optimizer.iterations), model.stop_training, history.epoch)
    print(name, sorted((key, *map(str, map(np.asarray, values))) for key, values in history.history.items()))
    return model

three = rng.random((700, 3), dtype="float32")
half = tf.data.Dataset.from_tensor_slices((x, y)).batch(30)
for size in (32, 50, 700, 1000):
    train(f"batches of {size}", x, y, epochs=3, batch_size=size)
for images, labels in (("float32", "int32"), ("float16", "uint8"), ("uint8", "uint8"), ("bool", "float32")):
    train(f"{images}, {labels}", (x * 255).astype(images), y.astype(labels))
train("tensors", tf.constant(x, "float32"), tf.constant(y))
train("transposed", x.T.copy().T, y[:, None])
train("split", x, y, epochs=2, validation_split=0.1)
train("validation", x, y, epochs=3, validation_data=(x[:90], y[:90]), validation_freq=2, validation_batch_size=20)
train("validation of a dataset", x, y, validation_data=half)
train("validation in steps", x, y, batch_size=50, validation_data=(x, y), validation_steps=3)
train("sample weights", x, y, sample_weight=rng.random(700))
train("class weights", x, y, class_weight={each: 1 + each / 7 for each in range(10)})
train("in order", x, y, shuffle=False, epochs=2)
train("shuffled in batches", x, y, shuffle="batch", epochs=2)
train("dataset", half, epochs=2)
train("generator", ((x[i : i + 20], y[i : i + 20]) for i in range(0, 700, 20)), steps_per_epoch=15, epochs=2)
train("own sequence", Folder(workers=1), epochs=2)
train("steps", x, y, steps_per_epoch=5, epochs=2)
train("steps and batches", x, y, batch_size=10, steps_per_epoch=30, epochs=4)
train("from the third", x, y, initial_epoch=2, epochs=4)
train("named", [x, three], y, make=two_inputs)
train("by name", {"b": three, "a": x}, y, make=two_inputs, epochs=2)
decay = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
for name, optimizer in {
    "weight decay": keras.optimizers.AdamW(weight_decay=0.1),
    "amsgrad": keras.optimizers.Adam(amsgrad=True),
    "accumulates": keras.optimizers.Adam(gradient_accumulation_steps=3),
    "averages": keras.optimizers.Adam(use_ema=True, ema_overwrite_frequency=5),
    "schedule": keras.optimizers.Adam(decay, clipnorm=0.5),
    "nadam": keras.optimizers.Nadam(),
    "adamax": keras.optimizers.Adamax(),
}.items():
    train(name, x, y, epochs=2, compile={"optimizer": optimizer})
train("metrics", x, y, compile={"metrics": ["sparse_categorical_accuracy"], "weighted_metrics": ["accuracy"]})
train("metrics in a list", x, y, compile={"metrics": [["accuracy"]]})
train("loss by name", x, y, compile={"metrics": {"dense_1": "accuracy"}})
train("own steps", x, y, compile={"steps_per_execution": 3})
train("compiled by XLA", x[:64], y[:64], compile={"jit_compile": True})
train("eager", x[:64], y[:64], compile={"run_eagerly": True})
late = dense()
late.run_eagerly = True
train("eager later", x[:96], y[:96], model=late, epochs=2)
for kind in (Steps, Odd):
    train(kind.__name__, x, y, model=other(kind), epochs=2)
print(train("Wrapped", x, y, model=other(Wrapped)).kinds)
early = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=1)
seen = []
each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
train("stops in an epoch", x, y, callbacks=[Stop()])
train("stops early", x, y, epochs=4, callbacks=[early])
train("by a function", x, y, callbacks=each)
train("nosy", x, y, epochs=2, callbacks=[Nosy()])
watch, tests = Batches(), Tests()
model = dense()
model.fit(x, y, 50, 1, 0, [watch, tests], 0.2)
print("seen", digest(model.get_weights()), digest([str(watch.seen).encode()]), tests.seen, len(seen))
model = train("once", x, y)
tf.random.uniform((2,)), np.random.random()
train("again", x[:500], y[:500], model=model, epochs=2)
watch = Batches()
train("again, watched", x, y, model=model, validation_split=0.1, callbacks=[watch])
train("again, not watched", x, y, model=model)
model.compile("sgd", "sparse_categorical_crossentropy")
train("compiled anew", x, y, model=model)
tf.random.set_seed(11)
train("with another seed", x, y, model=model, epochs=2)
print("watched", len(watch.seen), digest([str(watch.seen).encode()]))
for count in (700, 640, 5):
    result = model.evaluate(x[:count], y[:count], verbose=0, return_dict=True)
    print("evaluated", [(name, float(each).hex()) for name, each in result.items()])
    print("predicted", digest([model.predict(x[:count], verbose=0, batch_size=count // 5)]))
print("on batches", model.train_on_batch(x[:8], y[:8]), model.test_on_batch(x, y), digest([model.predict_on_batch(x)]))
x32 = x.astype("float32")
swap = keras.callbacks.LambdaCallback(on_epoch_begin=lambda *_: x32.fill(0))
train("changed while training", x32, y, epochs=2, callbacks=[swap])
for data in ((x, y[:5]), (x.astype("complex64").astype("str"), y), (x[:0], y[:0]), (x, y + 90), (x[:, :5], y)):
    try:
        model.fit(*data, verbose=0)
    except Exception as error:
        print(type(error).__name__, str(error).partition(chr(10))[0][:60])
"""


def result(how: str) -> list[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "", "TF_NUM_INTRAOP_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM, how]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


def test_every_kind_of_training_ends_with_the_same_numbers() -> None:
    plain, quick = result("plain"), result("quick")
    assert len(plain) > 100
    assert quick == plain
