"""Groups of like answers: what students write, in sixty answers, and what else can stand in an answer cell."""

from __future__ import annotations

import random
import re
import string
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.gradebook import similar_answers as module
from autograder.gradebook.similar_answers import LONGEST, similar_answers

ZOO: dict[str, dict[str, tuple[tuple[str, ...], ...]]] = {
    "q1": {
        "unseen": (
            (
                "We split the data so that we can test the model on images it has never seen before.",
                "we split the data so that we can test the model on images it has never seen before",
                "We split the data so we can test our model on images that it has never seen before.",
                "The data is split so that we can test the model on images which it has never seen before!",
            ),
            (
                "The test set shows how well the network generalises, because no picture in it was used to train.",
                "The test set shows how well the network generalizes because no picture in it was used to train it.",
            ),
            ("To get an honest estimate of the accuracy on new data, some data has to be kept back.",),
            ("Because otherwise we would be grading the model with the questions it practised on, like an exam.",),
            ("The training set is for learning the weights. The test set is for checking how it does on new clothes.",),
        ),
        "overfit": (
            (
                "Without a test set we would not notice overfitting, the model could simply memorise training images.",
                "Without a test set we would not notice overfitting: the model could just memorize training images.",
            ),
            ("Without the test set we wouldn't see that the model memorised its images, that is overfitting.",),
            ("So you can see if it overfits. If train accuracy is high but test accuracy is low it learned by heart.",),
        ),
        "speed": (
            (
                "Splitting makes the training faster because there is less data to train on.",
                "Splitting the data makes training faster, because there is less data to train on.",
            ),
            ("It saves time, 70000 images at once would be too many for the computer.",),
        ),
        "fit on test": (
            (
                "First the model learns from the training data and then it improves with the test data.",
                "First, the model learns from the training data, then it improves with the test data",
            ),
            ("The test data is used to adjust the parameters a second time so that they get even better.",),
        ),
        "epochs": (
            ("With more epochs the model gets better and better, so there must be enough data for all of them.",),
        ),
        "noticed": (
            ("With a test set we notice underfitting: the model is then too simple for the training images.",),
        ),
        "slower": (("Splitting makes the training slower because the data is read twice.",),),
        "shrug": (("I don't know", "i dont know", "I don't know."),),
    },
    "q2": {
        "all three": (
            (
                "relu keeps positive values and sets negative values to 0. softmax turns the outputs into "
                "probabilities that sum to 1. There are 10 neurons because there are 10 classes.",
                "relu keeps positive values and sets negative values to zero. Softmax turns the outputs into "
                "probabilities which sum to 1. There are ten neurons because there are ten classes.",
                "ReLU keeps the positive values and sets the negative values to 0, softmax turns the output into "
                "probabilities that sum up to 1. There are 10 neurons because there are 10 classes of clothes.",
            ),
            (
                "The activation max(0, x) makes the network non-linear. At the end, softmax gives a distribution over "
                "the kinds of clothing, one neuron for each kind, hence ten.",
            ),
            (
                "relu: f(x) = x if x > 0 else 0\nsoftmax: numbers between 0 and 1, adding up to 100 percent\n"
                "10: T-shirt, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag, boot",
            ),
        ),
        "argmax": (
            (
                "Softmax sets the highest probability to 1 and all the others to 0.",
                "softmax sets the highest probability to 1 and all others to 0",
                "The softmax sets the highest probability to 1 and all of the others to 0.",
            ),
            ("With softmax only the winner stays: the biggest number becomes one, the rest become zero.",),
        ),
        "weights": (
            (
                "relu removes the negative weights from the network.",
                "Relu removes negative weights from the network",
            ),
            ("relu deletes all weights below zero so that learning is easier",),
        ),
        "good size": (
            ("Ten neurons is a good size, it could be any number.",),
            ("10 is just a number that works well in practice, with 20 it would also work but take longer.",),
        ),
        "relu only": (
            (
                "relu returns 0 for negative inputs and the input itself for positive inputs.",
                "Relu returns 0 for negative input and the input itself for positive input.",
            ),
            ("relu is an activation function",),
        ),
        "negative kept": (("relu returns 0 for positive inputs and leaves negative inputs as they are",),),
        "values": (("relu removes negative values from the outputs",),),
        "ten images": (("There are ten neurons because there are ten images in each batch.",),),
        "ten kinds": (("Ten neurons because there are ten kinds of clothing in the labels.",),),
        "shrug": (("no idea, sorry",),),
    },
    "q3": {
        "gradient": (
            (
                "The loss measures how wrong the predictions are. The optimizer changes the weights a little in the "
                "direction in which the loss gets smaller, and this is repeated for every batch.",
                "The loss measures how wrong the predictions are. The optimizer changes the weights a little bit in "
                "the direction in which the loss becomes smaller. This is repeated for every batch.",
                "The loss function measures how wrong predictions are, the optimizer changes the weights a little in "
                "the direction where the loss gets smaller and this is repeated for each batch.",
            ),
            ("Gradient descent: w = w - lr * dL/dw, again and again, starting from random numbers.",),
            (
                "It is like walking downhill in fog. The loss is the height where you stand, and Adam tells you which "
                "way to step next, until you are in a valley.",
            ),
            (
                "Parameters start random. After each batch backpropagation computes the gradient of the cross entropy, "
                "Adam takes one small step against it. Five epochs later we have our parameters.",
            ),
        ),
        "best of many": (
            (
                "The optimizer tries all models and chooses the best model.",
                "The optimizer tries out all the models and chooses the best model.",
            ),
            ("adam picks the network with the highest accuracy out of many networks",),
        ),
        "error rate": (
            (
                "The loss is the percentage of wrong answers and the optimizer makes it smaller.",
                "The loss is the percentage of wrong answers, the optimizer makes this smaller.",
            ),
            ("loss = 1 - accuracy",),
        ),
        "compile": (
            (
                "compile() trains the model with the optimizer and the loss.",
                "Compile trains the model with the optimizer and the loss",
            ),
            ("When we call compile the computer learns which parameters are good, then fit shows the result.",),
        ),
        "fit": (("fit() trains the model, with the optimizer that reduces the loss.",),),
        "accuracy": (("The loss is the percentage of right answers.",),),
        "opposite": (("The loss gets bigger in each epoch until the optimizer stops it.",),),
    },
}
"""By question and idea: families of near-copies. Families with the same idea say it in words of their own."""


def answers(question: str) -> list[tuple[str, int, str]]:
    """The idea, the number of the family, and the text of each answer to a question."""
    ideas = ZOO[question].items()
    return [
        (idea, number, text) for idea, families in ideas for number, family in enumerate(families) for text in family
    ]


def grouped(*texts: str | None) -> list[tuple[int, ...]]:
    return list(similar_answers(dict(enumerate(texts))))


@pytest.mark.parametrize("threshold", [module.THRESHOLD - 0.03, module.THRESHOLD, module.THRESHOLD + 0.03])
@pytest.mark.parametrize("question", ZOO)
def test_near_copies_are_grouped_and_different_ideas_are_not(
    question: str, threshold: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "THRESHOLD", threshold)
    zoo = answers(question)
    found = similar_answers({id: text for id, (_, _, text) in enumerate(zoo)})
    families = {zoo[id][:2] for id in range(len(zoo))}
    copied = {family for family in families if [each[:2] for each in zoo].count(family) > 1}
    assert [{zoo[id][:2] for id in group} for group in found if len({zoo[id][0] for id in group}) > 1] == []
    whole = {
        family for family in copied for group in found if {i for i, e in enumerate(zoo) if e[:2] == family} <= {*group}
    }
    assert whole == copied


@pytest.mark.parametrize(
    "blank", [None, "", " \n\t\u00a0", "...", "- - -", "?!", "$$ $$", "**__**", "\x00\u200b", "|", "\ud800"]
)
def test_answers_that_say_nothing_come_first(blank: str | None) -> None:
    copies = ["Softmax gives ten probabilities."] * 3
    assert grouped(*copies, blank, None) == [(3, 4), (0, 1, 2)]


def test_groups_come_by_size_and_then_by_the_smallest_id() -> None:
    fruit = {"red apples": (9, 5), "green pears": (3, 7), "blue plums": (1, 2, 4), "one quince": (8,), "": (6,)}
    texts = {id: text for text, ids in fruit.items() for id in ids}
    assert similar_answers(texts) == ((1, 2, 4), (3, 7), (5, 9))
    assert similar_answers({}) == ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("the and of it is", "the and of it is"),
        ("a", "a"),
        ("训练集用于拟合参数，测试集用于评估模型。", "训练集用于拟合参数、测试集用于评估模型！"),
        ("テストデータは学習に使わない画像です", "テストデータは、学習に使わない画像です。"),
        ("مجموعة الاختبار تحتوي على صور لم يرها النموذج", "مجموعة الاختبار تحتوي علي صور لم يرها النموذج."),
        ("Тестовая выборка нужна для оценки модели", "тестовая выборка нужна для оценки модели!"),
        ("👍👍", "👍👍"),
        ("ｓｏｆｔｍａｘ gives probabilities", "softmax gives probabilities"),
        ("**softmax** gives _probabilities_", "softmax gives probabilities"),
        ("it doesn’t see the test set", "It doesn't see the test set."),
    ],
)
def test_the_same_in_other_clothes_is_one_group(one: str, other: str) -> None:
    assert grouped("Ten neurons, one for each kind of clothing.", one, other) == [(1, 2)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("👍", "👎"),
        ("训练集用于拟合参数", "有十个类别所以有十个神经元"),
        ("مجموعة الاختبار", "عشرة أصناف من الملابس"),
        ("yes", "no"),
        (
            "The test set is used to train the parameters of the model after the first epoch.",
            "The test set is not used to train the parameters of the model after the first epoch.",
        ),
    ],
)
def test_different_answers_and_opposites_stay_alone(one: str, other: str) -> None:
    assert grouped(one, other) == []


def test_a_chain_of_small_changes_does_not_make_one_group() -> None:
    words = [f"{letter}{letter}{letter}{letter}" for letter in string.ascii_lowercase]
    chain = [" ".join(words[start : start + 8]) for start in range(18)]
    found = grouped(*chain)
    assert found
    assert all(group[-1] - group[0] < 8 for group in found)


def test_only_the_beginning_of_a_long_answer_is_compared() -> None:
    same = "overfitting " * 90_000
    assert grouped(same, same + "or not", "Something else.") == [(0, 1)]
    unfolds = "\ufdfa" * (LONGEST // len(unicodedata.normalize("NFKC", "\ufdfa")) + 1)
    assert grouped(unfolds + " one thing", unfolds + " and another, which is not it") == [(0, 1)]


def test_more_answers_alike_than_can_be_divided_at_once_are_divided_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 4)
    words = re.findall(
        r"\S+", "The training images are what the parameters of the network are fitted to, in every epoch anew"
    )
    texts = [" ".join(words[:place] + words[place + 1 :]) for place in range(10)]
    assert sorted(len(group) for group in grouped(*texts)) == [2, 4, 4]


@settings(max_examples=25, deadline=None)
@given(
    st.dictionaries(st.integers(0, 99), st.none() | st.text(max_size=40), max_size=12),
    st.randoms(use_true_random=False),
)
def test_whatever_the_texts_groups_are_disjoint_and_the_same_in_any_order(
    texts: dict[int, str | None], rng: random.Random
) -> None:
    found = similar_answers(texts)
    ids = [id for group in found for id in group]
    assert len(ids) == len(set(ids))
    assert set(ids) <= texts.keys()
    assert all(len(group) > 1 and list(group) == sorted(group) for group in found)
    shuffled = list(texts.items())
    rng.shuffle(shuffled)
    assert similar_answers(dict(shuffled)) == found


def test_the_module_is_imported_without_the_learning_library() -> None:
    code = "import sys, autograder.gradebook.similar_answers; print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
