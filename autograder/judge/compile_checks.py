"""The checks of the settings that a model was compiled with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.judge.architecture import canonical_name, loss_name, named_layers
from autograder.judge.context import context_of
from autograder.judge.evidence import Model
from autograder.judge.failure import CheckFailed, NotChecked, follow_up

__all__ = ["compile_loss", "compile_optimizer"]

LOSS_HINTS = {
    "categorical_crossentropy": "the labels here are whole numbers, not rows of ten zeros and ones",
    "mean_squared_error": "that loss is for measuring distances, not for choosing among classes",
}


def compile_optimizer(env: Mapping[str, Any], question: str) -> None:
    """Check that the model is compiled with the required optimizer."""
    context = context_of(env, question)
    rule, model = context.policy.code[question], context.find_earlier_model(question)
    if not isinstance(model, Model):
        raise model
    if model.compile is None:
        hint = "call its compile method before fit"
        raise CheckFailed(f"`{rule.variable}` was never compiled", "a compiled model", hint)
    found = canonical_name(model.compile.optimizer)
    if found != rule.optimizer:
        hint = "compile uses rmsprop when no optimizer is named" if found == "rmsprop" else "see the question's text"
        raise CheckFailed(f"the optimizer {found}", f"{rule.optimizer}", hint)


def compile_loss(env: Mapping[str, Any], question: str) -> None:
    """Check that the model is compiled with the required loss, and that the loss fits the model's outputs."""
    context = context_of(env, question)
    rule, model = context.policy.code[question], context.find_earlier_model(question)
    if not isinstance(model, Model):
        raise follow_up(model, "there is no model to check yet")
    if model.compile is None:
        raise NotChecked(f"`{rule.variable}` has to be compiled first")
    found = loss_name(model.compile)
    if found is None:
        raise CheckFailed("no loss was given to compile", "a loss", "without one, nothing tells fit what to improve")
    if found != rule.loss:
        hint = LOSS_HINTS.get(found, "which loss fits ten classes with whole-number labels?")
        raise CheckFailed(f"the loss {found}", f"{rule.loss}", hint)
    layers = named_layers(model)
    if model.compile.from_logits and layers and layers[-1].activation == "softmax":
        raise CheckFailed(
            "from_logits=True, on a model that ends in softmax",
            "a loss that expects probabilities",
            "softmax already turns the outputs into probabilities; leave from_logits out",
        )
