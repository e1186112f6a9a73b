"""Every mistake in grading.yml is reported with its line, what was found and what is allowed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.errors import PolicyError
from autograder.policy import grading_file, policy
from autograder.tests.policies import FILE, SAMPLE

UNKNOWN, NOTHING, TWICE = "an unknown key", "nothing", "the same key twice"
KEY, ONCE, YAML = "this key, which is required", "each key once", "valid YAML"
NUMBER, WHOLE = "a number, without quotes", "a whole number, without quotes"
TEXT = "text (in quotes if it looks like a number or a date)"
MAPPING = "a mapping (key: value)"
LIMITS = ", ".join(sorted(policy.Execution.model_fields))
KINDS = "'written' or 'code'"
OPTIMIZERS = "'adam', 'sgd', 'rmsprop', 'adamw', 'adagrad' or 'nadam'"
RISING = "bands that rise in accuracy and in points, all below full points"
ONE_THING = "exactly one of reports, layers, accuracy, or optimizer together with loss"
FACTS = (
    "'train_images_shape', 'train_labels_shape', 'train_labels_length', 'test_images_shape', 'test_labels_shape' "
    "or 'test_labels_length'"
)


RUBRIC = SAMPLE[SAMPLE.index("rubric") : SAMPLE.index("\n    misconceptions")]


class Mistake(NamedTuple):
    """`old` in the sample becomes `new`; the rest is in the message."""

    old: str
    new: str
    line: int
    key: str
    found: str
    allowed: str
    nearest: str = ""


MISTAKES = [
    Mistake("execution:", "exeuction:", 41, "exeuction", UNKNOWN,
            "assignment, attempts, execution, feedback, questions, review", "execution"),
    Mistake("split_seed", "splitseed", 5, "assignment.splitseed", UNKNOWN, "dataset, name, split_seed, title",
            "split_seed"),
    Mistake("    misconceptions:", "    misconception:", 14, "questions.q1.misconception", UNKNOWN,
            "kind, misconceptions, model_answer, points, rubric, title", "misconceptions"),
    Mistake("title: Compile", "titel: Compile", 33, "questions.q6.titel", UNKNOWN,
            "accuracy, kind, layers, loss, optimizer, points, reports, title, variable", "title"),
    Mistake("id: unseen, points", "id: unseen, pionts", 13, "questions.q1.rubric.1.pionts", UNKNOWN, "id, points, text",
            "points"),
    Mistake("correction", "corection", 16, "questions.q1.misconceptions.0.corection", UNKNOWN,
            "claim, correction, phrases", "correction"),
    Mistake("units", "unit", 29, "questions.q5.layers.1.unit", UNKNOWN, "activation, points, type, units", "units"),
    Mistake("id: unseen", "id: fit", 11, "questions.q1.rubric", "fit, fit", "a different id for each rubric item"),
    Mistake("kind: code\n    points: 6", "kind: code\n    variable: class\n    points: 6", 25, "questions.q5.variable",
            "'class' (str)", "a name that is not a keyword of Python"),
    Mistake("full", "fulll", 40, "questions.q7.accuracy.fulll", UNKNOWN,
            "bands, full, measured, reference, reference_margin, scaled", "full"),
    Mistake("timeout_s", "timeout", 42, "execution.timeout", UNKNOWN, LIMITS, "timeout_s"),
    Mistake("  show_hidden: hidden", "  when: hidden", 44, "feedback.when", UNKNOWN, "leaderboard, show_hidden"),
    Mistake("feedback:", "review: {reviewer: [ann]}\nfeedback:", 43, "review.reviewer", UNKNOWN, "reviewers, sample",
            "reviewers"),
    Mistake("feedback:", "review: {reviewers: [ann, Ann]}\nfeedback:", 43, "review.reviewers", "ann, Ann",
            "each reviewer once"),
    Mistake("feedback:", "review: {reviewers: [ann], sample: 10}\nfeedback:", 43, "review", "ann",
            "at least two reviewers for a sample"),
    Mistake("feedback:", "attempts:\n  per_dya: 3\nfeedback:", 44, "attempts.per_dya", UNKNOWN,
            "per_assignment, per_day", "per_day"),
    Mistake("feedback:", "attempts: {per_day: 0}\nfeedback:", 43, "attempts.per_day", "0 (int)",
            "greater than or equal to 1"),
    Mistake("feedback:", "attempts: {per_day: true}\nfeedback:", 43, "attempts.per_day", "True (bool)", WHOLE),
    Mistake("feedback:", "feedback:\n  leaderboard: yes", 44, "feedback.leaderboard", "'yes' (str)",
            "true or false, without quotes"),
    Mistake("  split_seed", "  5", 5, "assignment.5", UNKNOWN, "dataset, name, split_seed, title"),
    Mistake("points: 3\n", "points: [3]\n", 9, "questions.q1.points", "a list of 1", NUMBER),
    Mistake("points: 3\n", 'points: "3"\n', 9, "questions.q1.points", "'3' (str)", NUMBER),
    Mistake("points: 3\n", "points: true\n", 9, "questions.q1.points", "True (bool)", NUMBER),
    Mistake("title: Why?", "title: 2020-01-01", 10, "questions.q1.title", "datetime.date(2020, 1, 1) (date)", TEXT),
    Mistake("title: Why?", "title:", 10, "questions.q1.title", NOTHING, TEXT),
    Mistake("title: Why?", "title: ''", 10, "questions.q1.title", "'' (str)", "at least 1 character"),
    Mistake("Why?", "x" * 4001, 10, "questions.q1.title", "'" + "x" * 79, "at most 4000 characters"),
    Mistake("title: Why?", 'title: "\\ud800"', 10, "questions.q1.title", "'\\ud800' (str)",
            "text without lone surrogates"),
    Mistake("split_seed: 3", "split_seed: 0.5", 5, "assignment.split_seed", "0.5 (float)", WHOLE),
    Mistake("  q6:\n    kind: code\n", "  q6: 5\n  q8:\n    kind: code\n", 30, "questions.q6", "5 (int)", MAPPING),
    Mistake("  timeout_s: 60\n", "", 41, "execution", NOTHING, MAPPING),
    Mistake("phrases: [faster]", "phrases: {a: b}", 17, "questions.q1.misconceptions.0.phrases", "a mapping with a",
            "a list"),
    Mistake("    title: Compile\n", "", 30, "questions.q6.title", NOTHING, KEY),
    Mistake("    kind: code\n    points: 2", "    points: 2", 30, "questions.q6.kind", NOTHING, KINDS),
    Mistake("code\n    points: 2", "cod\n    points: 2", 31, "questions.q6.kind", "'cod' (str)", KINDS, "code"),
    Mistake("code\n    points: 2", "[code]\n    points: 2", 31, "questions.q6.kind", "a list of 1", KINDS),
    Mistake("optimizer: adam", "optimizer: adamm", 34, "questions.q6.optimizer", "'adamm' (str)", OPTIMIZERS, "adam"),
    Mistake("dataset: mnist", "dataset: fashion-mnist", 4, "assignment.dataset", "'fashion-mnist' (str)",
            "'mnist' or 'fashion_mnist'", "fashion_mnist"),
    Mistake("train_images_shape", "train_image_shape", 22, "questions.q4.reports.train_image_shape",
            "'train_image_shape' (str)", FACTS, "train_images_shape"),
    Mistake("first-steps", "First Steps", 2, "assignment.name", "'First Steps' (str)",
            "text that matches ^[a-z0-9][a-z0-9-]{0,60}$"),
    Mistake("  q6:", "  Q6:", 30, "questions.Q6", "'Q6' (str)", "text that matches ^[a-z][a-z0-9_]{0,20}$"),
    Mistake("  q6:", "  ~:", 30, "questions.None", NOTHING, TEXT),
    Mistake("  q6:", "  [a, b]:", 30, "questions.('a', 'b')", "('a', 'b') (tuple)", TEXT),
    Mistake("points: 8", "points: -8", 38, "questions.q7.points", "-8 (int)", "greater than 0"),
    Mistake("points: 8", "points: 8000", 38, "questions.q7.points", "8000 (int)", "less than or equal to 1000"),
    Mistake("points: 8", "points: .nan", 38, "questions.q7.points", "nan (float)", "a finite number"),
    Mistake("full: 0.95", "full: 96", 40, "questions.q7.accuracy.full", "96 (int)", "less than 1"),
    Mistake(RUBRIC, "rubric: []", 11, "questions.q1.rubric", "a list of 0", "at least 1 entry"),
    Mistake(RUBRIC, "rubric: [unseen]", 11, "questions.q1.rubric.0", "'unseen' (str)", MAPPING),
    Mistake("{id: fit, points: 1", "{id: fit, points: 1.5", 11, "questions.q1.rubric", "1.5 + 2 = 3.5",
            "points in rubric that add up to the question's 3"),
    Mistake("length: 3", "length: 2", 22, "questions.q4.reports", "1 + 2 = 3",
            "points in reports that add up to the question's 4"),
    Mistake("{type: Flatten, points: 2}", "{type: Flatten}", 27, "questions.q5.layers", "0 + 4 = 4",
            "points in layers that add up to the question's 6"),
    Mistake("units: 8, ", "", 29, "questions.q5.layers.1", "activation", "units and activation for a Dense layer"),
    Mistake("Flatten,", "Flatten, units: 3,", 28, "questions.q5.layers.0", "units", "no settings for a Flatten layer"),
    Mistake("[[0.8, 4], [0.9, 6]]", "[[0.9, 6], [0.8, 4]]", 40, "questions.q7.accuracy",
            "bands [[0.9, 6], [0.8, 4]] and full 0.95", RISING),
    Mistake("[0.9, 6]", "[0.95, 6]", 40, "questions.q7.accuracy", "bands [[0.8, 4], [0.95, 6]] and full 0.95", RISING),
    Mistake("[0.9, 6]", "[0.9, 8]", 40, "questions.q7.accuracy.bands", "bands [[0.8, 4], [0.9, 8]]",
            "bands worth less than the 8 points that the question has for accuracy"),
    Mistake("[0.9, 6]", "[0.9, 6, 7]", 40, "questions.q7.accuracy.bands.1", "a list of 3", "at most 2 entries"),
    Mistake("    optimizer", "    accuracy: {full: 0.5}\n    optimizer", 30, "questions.q6",
            "accuracy and optimizer and loss", ONE_THING),
    Mistake("    optimizer: adam\n", "", 30, "questions.q6", "loss", ONE_THING),
    Mistake("    optimizer: adam\n    loss: mean_squared_error\n", "", 30, "questions.q6", "none of them", ONE_THING),
    Mistake("  q4:", "  q1:", 18, "q1", TWICE, ONCE),
    Mistake("    title: Why?", "    points: 3\n    title: Why?", 10, "points", TWICE, ONCE),
    Mistake("claim: It is faster.", "claim: a\n        claim: b", 16, "claim", TWICE,
            ONCE),
    Mistake("{full", "{{full", 41, "(top level)",
            "while parsing a flow mapping (line 40): expected ',' or '}', but got '<scalar>'", YAML),
    Mistake("  title: First", "\ttitle: First", 3, "(top level)", "found character '\\t' that cannot start any token",
            YAML),
    Mistake("First steps", "First\x00steps", 3, "(top level)", "the character U+0000",
            "text without control characters"),
    Mistake("split_seed: 3", "split_seed: *seed", 5, "(top level)", "found undefined alias 'seed'", YAML),
    Mistake("title: Why?", "title: 2020-13-01", 10, "(top level)",
            "a value that cannot be read (month must be in 1..12)", YAML),
]  # fmt: skip


def message_about(text: str) -> str:
    """Return the message about a grading.yml with this text."""
    with pytest.raises(PolicyError) as caught:
        grading_file.parse(text, FILE)
    return str(caught.value)


def expected_message(line: int, key: str, found: str, allowed: str, nearest: str = "") -> str:
    """Return the message about one mistake."""
    text = f"grading.yml:{line}: {key}\n  found:   {found}\n  allowed: {allowed}"
    return f"{text}\n  did you mean: {nearest}" if nearest else text


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.key}, {mistake.found[:40]}")
def test_a_mistake_is_reported_with_line_key_found_allowed_and_nearest(mistake: Mistake) -> None:
    assert SAMPLE.count(mistake.old) == 1
    assert message_about(SAMPLE.replace(mistake.old, mistake.new)) == expected_message(*mistake[2:])


@pytest.mark.parametrize(
    ("text", "line", "found"),
    [
        ("", 1, NOTHING),
        ("# nothing yet\n", 1, NOTHING),
        ("\n\n- a\n- b\n", 3, "a list of 2"),
        ("hello\n", 1, "'hello' (str)"),
    ],
    ids=["empty", "a comment alone", "a list", "a word"],
)
def test_a_file_that_is_not_a_mapping_is_reported(text: str, line: int, found: str) -> None:
    assert message_about(text) == expected_message(
        line, "(top level)", found, "a mapping with the keys assignment and questions"
    )


def test_every_mistake_is_reported_at_once() -> None:
    text = SAMPLE.replace("execution:", "exeuction:").replace("full: 0.95", "full: 96").replace("    points: 3\n", "")
    assert [line for line in message_about(text).splitlines() if line.startswith("grading.yml")] == [
        "grading.yml:7: questions.q1.points",
        "grading.yml:39: questions.q7.accuracy.full",
        "grading.yml:40: exeuction",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("[" * 600 + "]" * 600, "lists or mappings nested too deeply\n"),
        (r'title: "\UFFFFFFFF"', "text that cannot be read ("),
    ],
    ids=["nested without end", "an escape that is no character"],
)
def test_what_the_yaml_library_fails_on_is_reported_without_a_line(text: str, found: str) -> None:
    assert message_about(text).startswith(f"grading.yml: (top level)\n  found:   {found}")


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    latin = tmp_path / "latin.yml"
    latin.write_bytes(SAMPLE.replace("Load", "Laden für q4").encode("latin-1"))
    for path, line, found in (
        (tmp_path / "grading.yml", "", "no such file\n  allowed: a grading.yml"),
        (tmp_path, "", "Is a directory\n  allowed: a readable file"),
        (latin, ":21", "the byte 0xfc\n  allowed: text saved as UTF-8"),
    ):
        with pytest.raises(PolicyError) as caught:
            grading_file.load(path)
        assert str(caught.value) == f"{path}{line}: (top level)\n  found:   {found}"
