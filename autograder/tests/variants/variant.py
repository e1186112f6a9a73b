"""One notebook of an honest student, with the points and the messages that it must get."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from nbformat import NotebookNode

from autograder.authoring.bundled_class import FULL, LOAD, Edit, Member

SEED = "tf.keras.utils.set_random_seed(7)\n"
INPUT = "keras.Input((28, 28))"
FLATTEN = "keras.layers.Flatten()"
HIDDEN = "keras.layers.Dense(128, activation='relu')"
OUTPUT = "keras.layers.Dense(10, activation='softmax')"

SCALE = "x_train, x_test = x_train / 255.0, x_test / 255.0"
COMPILE = "model.compile(keras.optimizers.Adam(0.005), 'sparse_categorical_crossentropy', metrics=['accuracy'])"
FIT = "history = model.fit(x_train, y_train, batch_size=512, epochs=2, verbose=0)"
"""Large steps on large batches: a third of the time for the same accuracy."""

ORDINARY_FIT = f"model.optimizer.learning_rate = 0.005\n{FIT}"
"""The same for an optimizer that was given a learning rate of its own, or none."""

MEASURE = "test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)"


def chain(*layers: str) -> str:
    """Code of a Sequential model of these layers, under a fixed seed."""
    listed = "".join(f"    {layer},\n" for layer in layers)
    return f"{SEED}model = keras.Sequential([\n{listed}])"


def trained(*, scale: str = SCALE, fit: str = FIT, measure: str = MEASURE) -> str:
    """Code that scales, trains and measures. As it stands it gives between 96 and 97 of 100 digits right."""
    return "\n".join(part for part in (scale, fit, measure) if part)


BUILT: Mapping[str, str] = MappingProxyType(
    {"q4": LOAD.strip(), "q5": chain(INPUT, FLATTEN, HIDDEN, OUTPUT), "q6": COMPILE}
)
RIGHT_ANSWERS: Mapping[str, str] = MappingProxyType({**BUILT, "q7": trained()})

NEVER_TRAINED = (
    " of hidden images right, no better than guessing; the model was never trained\n"
    "Expected: at least 80%\n"
    "Try: call fit with the training images and labels"
)
"""The message of the first level of accuracy about a model that is built and compiled only."""


@dataclass(frozen=True)
class Variant:
    """Answers to the coding questions, with their expectation.

    `name` says in a few words what they show. `answers` is code by question; a question that is not in it stays as in
    the template. `points` are those of q4 to q7. `says` holds by question what a message of a failing check must
    contain, line ends included, and `stops` what the remark on a cell that raised must contain. `unchecked` are the
    questions with a check that is not checked because of an earlier mistake.
    """

    name: str
    answers: Mapping[str, str]
    points: Mapping[str, float] = field(default_factory=lambda: FULL)
    says: Mapping[str, str] = field(default_factory=dict)
    stops: Mapping[str, str] = field(default_factory=dict)
    unchecked: tuple[str, ...] = ()
    edit: Edit | None = None

    def make(self, template: NotebookNode) -> bytes:
        """Make the file to hand in."""
        return Member(self.name, self.name, self.points, self.answers, self.edit).make(template)


def right(name: str, *, edit: Edit | None = None, blank: bool = False, **answers: str) -> Variant:
    """A variant with full marks: the plain right answers but for `answers`.

    With `blank` the template stays as it is but for `answers` and `edit`.
    """
    return Variant(name, answers if blank else {**RIGHT_ANSWERS, **answers}, edit=edit)


def wrong(
    name: str,
    earned: Mapping[str, float],
    says: Mapping[str, str],
    unchecked: tuple[str, ...] = (),
    *,
    stops: Mapping[str, str] | None = None,
    edit: Edit | None = None,
    **answers: str | None,
) -> Variant:
    """A variant that loses points: right answers to q4 to q6, and none to q7, but for `answers`.

    None leaves the question's cell as the template has it.
    """
    given = {question: code for question, code in {**BUILT, **answers}.items() if code is not None}
    return Variant(name, given, earned, says, stops or {}, unchecked, edit)


def points(**changes: float) -> Mapping[str, float]:
    """Full marks but for `changes`."""
    return {**FULL, **changes}
