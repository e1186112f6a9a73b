"""Wrong answers to the four coding questions, each with the exact points and the messages that it must get."""

from __future__ import annotations

from autograder.tests.variants.variant import Variant
from autograder.tests.variants.wrong_compile import COMPILED
from autograder.tests.variants.wrong_layers import LAYERS
from autograder.tests.variants.wrong_measures import REPORTED
from autograder.tests.variants.wrong_models import MODELS
from autograder.tests.variants.wrong_notebooks import NOTEBOOKS
from autograder.tests.variants.wrong_settings import SETTINGS
from autograder.tests.variants.wrong_training import LEARNED
from autograder.tests.variants.wrong_values import VALUES

WRONG: tuple[Variant, ...] = (*VALUES, *LAYERS, *SETTINGS, *MODELS, *COMPILED, *LEARNED, *REPORTED, *NOTEBOOKS)
