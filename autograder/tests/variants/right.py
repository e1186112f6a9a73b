"""Right answers to the four coding questions, all of them worth full marks."""

from __future__ import annotations

from autograder.tests.variants.right_compile import COMPILED
from autograder.tests.variants.right_layers import LAYERS
from autograder.tests.variants.right_notebooks import NOTEBOOKS
from autograder.tests.variants.right_training import TRAINING
from autograder.tests.variants.right_values import DATA
from autograder.tests.variants.variant import Variant, right

PLAIN = right("the answers that all others differ from")

RIGHT: tuple[Variant, ...] = (PLAIN, *DATA, *LAYERS, *COMPILED, *TRAINING, *NOTEBOOKS)
