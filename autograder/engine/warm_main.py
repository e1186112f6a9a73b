"""The process that is started once per run: it imports TensorFlow, then becomes the evaluator and the zygote.

    python -I -m autograder.engine.warm_main STUDENTS_FD EVALUATOR_FD PUBLIC_FOLDER

The evaluator is forked before any student code exists and loads the secrets only then; the rest of the process is the
zygote, which never loads them.
"""

from __future__ import annotations

import fcntl
import gc
import os
import select
import socket
import sys
from functools import partial
from pathlib import Path

import numpy as np

from autograder.data.dataset import ARRAYS, DATASETS
from autograder.engine.environment import hide_unused
from autograder.sandbox import confine, notebook_runner, offline, training, zygote

__all__ = ["main"]


def main(arguments: list[str]) -> None:
    """Become the evaluator and the zygote; returns when the launcher closes the sockets."""
    hide_unused()
    students, judges = (socket.socket(fileno=int(fd)) for fd in arguments[:2])
    _end_with_the_launcher(students, True)
    _import_what_students_import()
    select.select([judges], [], [])  # the evaluator's brief, sent when the public data is ready
    _offer_public_data(Path(arguments[2]))
    gc.collect()
    gc.freeze()  # so that no child's garbage collector touches, and thereby copies, the memory of these imports
    if not zygote.single_threaded():
        raise RuntimeError("an imported library has started a thread; forking from here is not safe")
    _end_with_the_launcher(students, False)
    if os.fork() == 0:
        students.close()
        from autograder.judge.judge import serve

        serve(judges)
        os._exit(0)
    judges.close()
    gates = confine.prepare(Path(arguments[2]))
    shell = notebook_runner.make_shell()
    if not zygote.single_threaded():
        raise RuntimeError("an imported library has started a thread; forking from here is not safe")
    students.send(b"ready")
    zygote.serve(students, partial(notebook_runner.run, gates, shell))


def _end_with_the_launcher(students: socket.socket, on: bool) -> None:
    """Make a closed socket end this process during the imports: it sends SIGIO, which kills by default (fcntl(2))."""
    flags = fcntl.fcntl(students, fcntl.F_GETFL)
    fcntl.fcntl(students, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(students, fcntl.F_SETFL, flags | os.O_ASYNC if on else flags & ~os.O_ASYNC)


def _import_what_students_import() -> None:
    """Import once here instead of once per submission."""
    import h5py  # noqa: F401  # Keras imports it when a model is saved
    import keras
    import matplotlib.pyplot  # noqa: F401  # notebooks plot with it
    import tensorflow as tf

    _ = tf.keras.Sequential, tf.keras.datasets.mnist  # lazily loaded until touched
    _ = keras.datasets.mnist
    training.quicken()


def _offer_public_data(folder: Path) -> None:
    """Offer the assignment's images under the name of every dataset; the checks report the use of another name."""
    x_train, y_train, x_test, y_test = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ARRAYS)
    offline.answer_with(dict.fromkeys(DATASETS, lambda: ((x_train, y_train), (x_test, y_test))))


if __name__ == "__main__":
    main(sys.argv[1:])
