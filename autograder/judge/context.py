"""The input of one submission's checks: its evidence, the policy, and the images that only the judge has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from autograder.calibration.reference import rules
from autograder.data import dataset
from autograder.judge.evidence import Evidence, Model, QuestionEvidence, ReportedValue
from autograder.judge.failure import CheckFailed, NotChecked
from autograder.judge.journal import live
from autograder.judge.scoring import Score, score
from autograder.layout import HOME
from autograder.policy.policy import Policy
from autograder.policy.questions import CodeQuestion

__all__ = ["CONTEXT", "CheckContext", "context_of"]

CONTEXT = "__check_context__"
"""The name under which the judge puts its CheckContext into a test's environment."""


@dataclass(frozen=True)
class CheckContext:
    """The input of one submission's checks. `scores` holds the models that were scored so far, by question."""

    evidence: Evidence
    policy: Policy
    public: dataset.Labelled
    private: dataset.Labelled
    scores: dict[str, Score] = field(default_factory=dict, init=False)

    def answer(self, id: str) -> QuestionEvidence:
        """Return the evidence that counts for a question. Raises CheckFailed if the notebook did not reach it."""
        at_check, at_end = self.evidence.questions.get(id), self.evidence.at_end.get(id)
        if at_check is None:
            raise _unreached()
        question = self.policy.code[id]
        if at_end is not None and _unfinished(question, at_check) and not _unfinished(question, at_end):
            return at_end
        return at_check

    def value(self, id: str, name: str) -> ReportedValue:
        """Return a reported value. Raises CheckFailed if the notebook did not reach the question."""
        return (self.answer(id).values or {}).get(name, ReportedValue(kind="missing"))

    def find_model(self, id: str) -> Model | CheckFailed:
        """Return the Keras model of a question, or the failure to report if there is none."""
        if id not in self.evidence.questions:
            return _unreached()
        model, name = self.answer(id).model, self.policy.code[id].variable
        if model is None or model.kind == "missing":
            hint = "has the answer cell been renamed or deleted?"
            return CheckFailed(f"there is no variable called `{name}`", "a Keras model", hint)
        if model.kind == "ellipsis":
            hint = "replace the ... in the answer cell"
            return CheckFailed(f"`{name}` has not been given a value", "a Keras model", hint)
        if model.kind == "other":
            hint = "fit returns a History; keep it under another name" if model.name == "History" else ""
            return CheckFailed(f"`{name}` is a {model.name}", "a Keras model", hint)
        return model

    def find_earlier_model(self, id: str) -> Model | CheckFailed | NotChecked:
        """Return the model that a later question works on, or the failure to report if there is none.

        NotChecked if it is also missing in the question that asks for its layers, which reports it.
        """
        model = self.find_model(id)
        if isinstance(model, CheckFailed) and id in self.evidence.questions:
            for builder in self.builders(id):
                if isinstance(self.find_model(builder), CheckFailed):
                    return NotChecked(f"question {builder} has to be answered first: there is no model yet")
        return model

    def builders(self, id: str) -> list[str]:
        """Return the questions that ask for the layers of the model which question `id` is about."""
        variable = self.policy.code[id].variable
        return [other for other, rule in self.policy.code.items() if rule.layers and rule.variable == variable]

    def model(self, id: str) -> Model:
        """Return the Keras model of a question. Raises CheckFailed if there is none."""
        model = self.find_model(id)
        if isinstance(model, CheckFailed):
            raise model
        return model

    def wrong_dataset(self, id: str) -> str | None:
        """Return the dataset that was loaded instead of the assignment's before a question was checked, if any was."""
        loaded = [name for name in self.answer(id).loaded if name in dataset.DATASETS]
        return None if self.policy.assignment.dataset in loaded else next(iter(loaded), None)

    def score(self, id: str) -> Score:
        """Rebuild the model of a question and score it, once. Raises CheckFailed."""
        if id not in self.scores:
            name = self.policy.assignment.dataset
            self.scores[id] = score(self.model(id), self.evidence, name, self.public, self.private)
        return self.scores[id]


def context_of(env: Mapping[str, Any], question: str) -> CheckContext:
    """Return the context of a test's environment; under stock Otter, take the evidence from the live objects in it."""
    context = env.get(CONTEXT)
    if isinstance(context, CheckContext):
        return context
    policy, public, private = _installed_kit()
    return CheckContext(live(policy, question, env), policy, public, private)


@lru_cache(maxsize=1)
def _installed_kit() -> tuple[Policy, dataset.Labelled, dataset.Labelled]:
    """Load the policy and the images of the installed copy of the kit (stock Otter only)."""
    policy = rules(HOME)
    data = dataset.load(HOME.data(policy.assignment.dataset))
    public, private = dataset.split(data.test, policy.assignment.split_seed)
    return policy, public, private


def _unreached() -> CheckFailed:
    return CheckFailed(
        "the notebook stopped before this question was reached",
        hint="run the whole notebook from the top (Run > Restart Kernel and Run All Cells)",
    )


def _unfinished(question: CodeQuestion, answer: QuestionEvidence) -> bool:
    """Return whether the model had yet to be compiled, or trained, if the question is about that."""
    if answer.model is None or not (question.optimizer or question.accuracy):
        return False
    return answer.model.compile is None or bool(question.accuracy and not answer.model.steps)
