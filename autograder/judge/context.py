"""The input of one submission's checks: its evidence, the policy, and the images that only the judge has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from autograder.calibration.reference import rules
from autograder.data import dataset
from autograder.judge.evidence import Evidence, Model, QuestionEvidence, ReportedValue, live
from autograder.judge.failure import CheckFailed, NotChecked
from autograder.judge.scoring import Score, score
from autograder.layout import HOME
from autograder.policy.policy import CodeQuestion, Policy

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
            raise CheckFailed(
                "the notebook stopped before this question was reached",
                hint="run the whole notebook from the top (Run > Restart Kernel and Run All Cells)",
            )
        question = self.policy.code[id]
        if at_end is not None and _unfinished(question, at_check) and not _unfinished(question, at_end):
            return at_end
        return at_check

    def value(self, id: str, name: str) -> ReportedValue:
        """Return a reported value. Raises CheckFailed if the notebook did not reach the question."""
        return (self.answer(id).values or {}).get(name, ReportedValue(kind="missing"))

    def model(self, id: str) -> Model:
        """Return the Keras model of a question. Raises CheckFailed if there is none."""
        model, name = self.answer(id).model, self.policy.code[id].variable
        if model is None or model.kind == "missing":
            hint = "has the answer cell been renamed or deleted?"
            raise CheckFailed(f"there is no variable called `{name}`", "a Keras model", hint)
        if model.kind == "ellipsis":
            hint = "replace the ... in the answer cell"
            raise CheckFailed(f"`{name}` has not been given a value", "a Keras model", hint)
        if model.kind == "other":
            hint = "fit returns a History; keep it under another name" if model.name == "History" else ""
            raise CheckFailed(f"`{name}` is a {model.name}", "a Keras model", hint)
        return model

    def earlier_model(self, id: str) -> Model:
        """Return the model that a later question works on. Raises CheckFailed if there is none.

        NotChecked if it is also missing in the question that asks for its layers, which reports it.
        """
        for builder in self.builders(id):
            if id in self.evidence.questions and not self._has_model(id) and not self._has_model(builder):
                raise NotChecked(f"question {builder} has to be answered first: there is no model yet")
        return self.model(id)

    def _has_model(self, id: str) -> bool:
        model = self.answer(id).model if id in self.evidence.questions else None
        return model is not None and model.kind == "keras"

    def builders(self, id: str) -> list[str]:
        """Return the questions that ask for the layers of the model which question `id` is about."""
        variable = self.policy.code[id].variable
        return [other for other, rule in self.policy.code.items() if rule.layers and rule.variable == variable]

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


def _unfinished(question: CodeQuestion, answer: QuestionEvidence) -> bool:
    """Return whether the model had yet to be compiled, or trained, if the question is about that."""
    if answer.model is None or not (question.optimizer or question.accuracy):
        return False
    return answer.model.compile is None or bool(question.accuracy and not answer.model.steps)
