"""The check of a model's layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograder.judge.architecture import NamedLayer, align, chain, named_layers, required_layers
from autograder.judge.context import context_of
from autograder.judge.evidence import Model
from autograder.judge.failure import CheckFailed, NotChecked, count

__all__ = ["layer"]

STRUCTURES = {
    "subclassed": "a model of your own class",
    "branching": "a model whose layers branch, or are used twice",
    "unknown": "a model whose layers cannot be read",
}

COMPARE = "compare with the list in the question, from the first layer to the last"


def layer(env: Mapping[str, Any], question: str, index: int) -> None:
    """Check that the required layer at `index` is in its place.

    The two chains are aligned as a whole, so that one mistake costs one layer: a missing layer its own points, an extra
    one those of the required layer that follows it (or of the last). What concerns the whole model is reported for the
    first layer only, missing layers for the first that is missing.
    """
    context = context_of(env, question)
    model = context.find_model(question)
    if not isinstance(model, Model):
        raise NotChecked("there is no model to check yet") if index else model
    if not model.is_chain:
        failure = CheckFailed(STRUCTURES[model.structure], "one plain chain of layers", "use keras.Sequential")
        raise NotChecked("the model has to be one plain chain of layers first") if index else failure
    found, wanted = named_layers(model), required_layers(context.policy.code[question])
    rule, alignment = wanted[index], align(found, wanted)
    partner = alignment.partners[index]
    if partner is None:
        if None in alignment.partners[:index]:
            raise NotChecked("the number of layers has to be right first")
        if rule in [extra for _, extra in alignment.extra]:
            order = f"layers in another order: {chain(found)}"
            raise CheckFailed(order, f"{rule.type} as layer {index + 1}", COMPARE)
        raise CheckFailed(_number_of(found), count(len(wanted), "layer"), COMPARE)
    if partner != rule:
        raise _different(partner, rule, index)
    missing = [rule for rule, partner in zip(wanted, alignment.partners, strict=True) if partner is None]
    for place, extra in alignment.extra:
        if place == index and extra not in missing:  # one that is missing elsewhere is reported there
            without = _described(extra, found, repeated=extra in wanted)
            raise CheckFailed(_number_of(found), f"{count(len(wanted), 'layer')}, without {without}", COMPARE)


def _described(extra: NamedLayer, found: tuple[NamedLayer, ...], *, repeated: bool) -> str:
    if found.count(extra) == 1:
        return f"{extra} as layer {found.index(extra) + 1}"
    return f"the repeated {extra}" if repeated else str(extra)


def _number_of(found: tuple[NamedLayer, ...]) -> str:
    return f"{count(len(found), 'layer')}: {chain(found)}"


def _different(found: NamedLayer, rule: NamedLayer, index: int) -> CheckFailed:
    """Return the failure of a layer that differs from the required one."""
    place = f"layer {index + 1}"
    if found.type != rule.type:
        hint = "the images are grids; a Dense layer wants one row of numbers" if rule.type == "Flatten" else ""
        return CheckFailed(f"{place} is {found}", f"a {rule.type} layer", hint)
    if found.units != rule.units:
        return CheckFailed(
            f"{place} has {count(found.units or 0, 'neuron')}", f"{rule.units}", "see the question's text"
        )
    return CheckFailed(
        f"{place} has the activation {found.activation}",
        "another activation",
        "what should come out of this layer: any positive number, or a probability?",
    )
