"""Wrong answers to the four coding questions, each with exactly what it must lose and what must be said."""

from __future__ import annotations

from autograder.tests.variants.variant import Variant
from autograder.tests.variants.wrong_compile import COMPILED
from autograder.tests.variants.wrong_layers import LAYERS
from autograder.tests.variants.wrong_training import TRAINING
from autograder.tests.variants.wrong_values import VALUES

__all__ = ["WRONG"]

WRONG: tuple[Variant, ...] = (*VALUES, *LAYERS, *COMPILED, *TRAINING)
