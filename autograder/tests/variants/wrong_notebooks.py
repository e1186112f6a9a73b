"""Notebooks in which a whole question is blank, or its model gone by the time it is checked."""

from __future__ import annotations

from autograder.authoring.bundled_class import NOTHING, PROSE
from autograder.tests.variants.right_notebooks import put
from autograder.tests.variants.variant import (
    BUILT,
    NEVER_TRAINED,
    RIGHT_ANSWERS,
    SCALE,
    Variant,
    points,
    trained,
    wrong,
)
from autograder.tests.variants.wrong_models import NO_MODEL

NO_VALUE = "Found: `train_images_shape` has not been given a value"
NO_ANSWER = (
    "Found: `model` has not been given a value\nExpected: a Keras model\nTry: replace the ... in the answer cell"
)


def commented(question: str) -> str:
    return "\n".join(f"# {line}" for line in RIGHT_ANSWERS[question].splitlines())


def replaced(name: str, code: str, says: str) -> Variant:
    """The model is something else when question 7 is checked."""
    return wrong(name, points(q7=0), {"q7": says}, ("q7",), q7=code)


NOT_A_MODEL: tuple[Variant, ...] = (
    replaced(
        "what fit returns kept as the model",
        f"{SCALE}\nmodel = model.fit(x_train[:640], y_train[:640])",
        "Found: `model` is a History\nExpected: a Keras model\nTry: fit returns a History; keep it under another name",
    ),
    replaced(
        "what evaluate returns kept as the model",
        f"{SCALE}\nmodel.fit(x_train[:640], y_train[:640])\nmodel = model.evaluate(x_test, y_test)",
        "Found: `model` is a list\nExpected: a Keras model",
    ),
    replaced("the model deleted", "del model", "Found: there is no variable called `model`"),
)

BLANK: tuple[Variant, ...] = (
    wrong(
        "question 4 left as it was: there is nothing to train on",
        points(q4=0, q7=0),
        {"q4": NO_VALUE, "q7": NEVER_TRAINED},
        ("q7",),
        q4=None,
        q7=trained(),
        stops={"q7": "stopped with NameError: name 'x_train' is not defined"},
    ),
    wrong("question 7 left as it was", points(q7=0), {"q7": NEVER_TRAINED}, ("q7",)),
    wrong(
        "the template as it was handed out",
        NOTHING,
        {"q4": NO_VALUE, "q5": NO_ANSWER, "q6": NO_MODEL, "q7": NO_MODEL},
        ("q5", "q6", "q7"),
        q4=None,
        q5=None,
        q6=None,
    ),
    Variant(
        "only the written questions answered",
        PROSE,
        NOTHING,
        {"q4": NO_VALUE, "q5": NO_ANSWER, "q6": NO_MODEL, "q7": NO_MODEL},
        unchecked=("q5", "q6", "q7"),
    ),
    wrong(
        "right answers, all of them commented out",
        NOTHING,
        {"q4": NO_VALUE, "q5": "Found: there is no variable called `model`", "q6": NO_MODEL, "q7": NO_MODEL},
        ("q5", "q6", "q7"),
        q4=commented("q4"),
        q5=commented("q5"),
        q6=commented("q6"),
        q7=commented("q7"),
    ),
    wrong(
        "the notebook exits in question 6",
        points(q6=0, q7=0),
        {"q6": "Found: `model` was never compiled", "q7": NEVER_TRAINED},
        ("q6", "q7"),
        q6=f"raise SystemExit\n{BUILT['q6']}",
        stops={"q6": "stopped with SystemExit"},
    ),
    wrong(
        "a cell that Python cannot read",
        points(q4=0, q7=0),
        {"q4": NO_VALUE, "q7": NEVER_TRAINED},
        ("q7",),
        q4=BUILT["q4"] + "\nprint(x_train.shape",
        stops={"q4": "stopped with SyntaxError"},
    ),
    wrong(
        "a cell after the training that builds the model anew, before its check",
        points(q7=0),
        {"q7": NEVER_TRAINED},
        ("q7",),
        q7=trained(fit="history = model.fit(x_train[:640], y_train[:640])"),
        edit=put("q7-answer", BUILT["q5"]),
    ),
)

NOTEBOOKS: tuple[Variant, ...] = (*NOT_A_MODEL, *BLANK)
