"""Adam's step with what all variables share computed once, not once a variable.

Keras works out the size of the step from the number of steps so far and the learning rate for every variable anew,
which is a sixth of all operations of a small model's training. The formula, its operations and their order are
Keras's (`keras.optimizers.Adam.update_step`), so every value is the same to the bit.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

__all__ = ["share"]


def share() -> None:
    """Change Keras's Adam, and what derives from it, in this process."""
    import tensorflow as tf
    from keras import ops
    from keras.optimizers import Adam

    apply_, update_ = Adam._backend_update_step, Adam.update_step

    @wraps(apply_)
    def apply(self: Any, *args: Any, **settings: Any) -> Any:
        # Valid within one application only: the next has another count, and perhaps another graph.
        self.__dict__["_kit_sizes"] = {} if not tf.distribute.has_strategy() else None
        try:
            return apply_(self, *args, **settings)
        finally:
            del self.__dict__["_kit_sizes"]

    @wraps(update_)
    def update(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        sizes = self.__dict__.get("_kit_sizes")
        if sizes is None or self.amsgrad:
            update_(self, gradient, variable, learning_rate)
            return
        dtype = variable.dtype
        if dtype not in sizes:
            sizes[dtype] = _size(self, ops, dtype, learning_rate)
        gradient = ops.cast(gradient, dtype)
        index = self._get_variable_index(variable)
        mean, square = self._momentums[index], self._velocities[index]
        self.assign_add(mean, ops.multiply(ops.subtract(gradient, mean), 1 - self.beta_1))
        self.assign_add(square, ops.multiply(ops.subtract(ops.square(gradient), square), 1 - self.beta_2))
        change = ops.divide(ops.multiply(mean, sizes[dtype]), ops.add(ops.sqrt(square), self.epsilon))
        self.assign_sub(variable, change)

    Adam._backend_update_step, Adam.update_step = apply, update


def _size(adam: Any, ops: Any, dtype: Any, learning_rate: Any) -> Any:
    """The learning rate, corrected for means that started at zero (Kingma and Ba 2015, section 2)."""
    step = ops.cast(adam.iterations + 1, dtype)
    first, second = (ops.power(ops.cast(beta, dtype), step) for beta in (adam.beta_1, adam.beta_2))
    return ops.cast(learning_rate, dtype) * ops.sqrt(1 - second) / (1 - first)
