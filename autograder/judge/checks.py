"""The checks that hidden tests call, one line each: `checks.layer(env, "q5", 0)`.

Every check takes the environment that Otter gives to a test, the id of a question, and which part of it to check. It
raises CheckFailed or NotChecked, with a message of at most three lines: what was found, what was expected, what to
try. In the kit's engine the environment holds a CheckContext; under stock Otter it holds the student's live objects,
from which the same evidence is taken on the spot, so the points are the same.
"""

from __future__ import annotations

from autograder.judge.compile_checks import compile_loss, compile_optimizer
from autograder.judge.layer_checks import layer
from autograder.judge.training_checks import accuracy, measured, scaled
from autograder.judge.value_checks import report

__all__ = ["accuracy", "compile_loss", "compile_optimizer", "layer", "measured", "report", "scaled"]
