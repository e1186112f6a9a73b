"""Training made quicker without changing what comes out of it.

With `steps_per_execution` Keras runs many batches in one call of the compiled graph. The arithmetic, its
order and so the weights are the same to the bit; only what happens between batches (progress bars,
callbacks that look at single batches) becomes coarser. So it is set only where the student set nothing, and
taken back where a callback looks at batches.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

__all__ = ["STEPS", "quicken"]

STEPS = 100
"""Batches per call; longer chunks did not help when measured."""


def quicken() -> None:
    """Change Keras's defaults in this process."""
    import keras

    trainer: Any = next(base for base in keras.Model.__mro__ if base.__name__ == "Trainer")
    backend: Any = next(base for base in keras.Model.__mro__ if "fit" in vars(base) and base is not trainer)
    compile_, fit_ = trainer.compile, backend.fit

    @wraps(compile_)
    def compile_model(self: Any, *args: Any, **settings: Any) -> None:
        # The seventh positional argument is steps_per_execution itself.
        if len(args) < 7 and "steps_per_execution" not in settings and not settings.get("run_eagerly"):
            settings["steps_per_execution"] = STEPS
            compile_(self, *args, **settings)
            self._kit_steps = True
        else:
            compile_(self, *args, **settings)

    @wraps(fit_)
    def fit(self: Any, *args: Any, **settings: Any) -> Any:
        callbacks = settings.get("callbacks") or ()
        if getattr(self, "_kit_steps", False) and _looks_at_batches(callbacks, keras):
            self.steps_per_execution = 1
            # Compiled for many steps by an earlier fit; Keras makes them anew for one.
            self.train_function = self.test_function = self.predict_function = None
        return fit_(self, *args, **settings)

    trainer.compile = compile_model
    backend.fit = fit


def _looks_at_batches(callbacks: Any, keras: Any) -> bool:
    plain = keras.callbacks.Callback
    names = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")
    if not isinstance(callbacks, list | tuple):
        callbacks = (callbacks,)
    return any(getattr(type(each), name, None) is not getattr(plain, name) for each in callbacks for name in names)
