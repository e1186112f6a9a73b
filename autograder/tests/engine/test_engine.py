"""The engine with real processes: the border, the limits, and its own faults."""

from __future__ import annotations

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat import NotebookNode

from autograder.authoring.autograder_zip import read_tests
from autograder.authoring.bundled_class import ANSWERS, COMPILE, LOAD, MODEL, Member, fill
from autograder.engine.engine import Engine
from autograder.errors import DatasetError, GraderFault
from autograder.judge.grade_report import GradeReport, Outcome, Status
from autograder.layout import Layout
from autograder.policy.policy import Policy
from autograder.submissions.submission import Submission

pytestmark = pytest.mark.slow


def submit(template: NotebookNode, name: str = "one", **answers: str) -> Submission:
    member = Member(name, "made for a test", {}, answers)
    return Submission(name, f"{name}.ipynb", member.make(template))


def earned(report: GradeReport) -> dict[str, float | None]:
    return {question.id: question.earned for question in report.questions if not question.written}


def message(report: GradeReport, question: str) -> str:
    graded = next(found for found in report.questions if found.id == question)
    return "\n".join([*report.notes, graded.message, *(check.message for check in graded.checks)])


@pytest.fixture(scope="module")
def short(rules: Policy) -> Policy:
    """A time limit of seconds, for notebooks that never end."""
    limits = rules.execution.model_copy(update={"timeout_s": 4.0, "output_mb": 0.5})
    return rules.model_copy(update={"execution": limits})


@pytest.fixture(scope="module")
def hasty(short: Policy, layout: Layout) -> object:
    with Engine(short, read_tests(layout.zip), layout.data("mnist")) as running:
        yield running


def test_a_student_process_holds_no_hidden_image_test_threshold_or_judge(
    engine: Engine, template: NotebookNode
) -> None:
    """Ask from inside the student process."""
    spy = """
import sys
loaded = [name for name in sys.modules if name.startswith("autograder")]
secret = [name for name in loaded if name.split(".")[1:2] in (["judge"], ["policy"], ["calibration"])]
(_, _), (x_test, y_test) = tf.keras.datasets.mnist.load_data()
half = bool((x_test[:5000] == x_test[5000:]).all())
import numpy, gc
thresholds = [o for o in gc.get_objects() if type(o).__name__ in ("Policy", "CheckContext", "AccuracyRule")]
raise RuntimeError(f"{len(secret)} secret modules, test images twice over: {half}, {len(thresholds)} rules")
"""
    report = engine.grade(submit(template, q4=spy))
    assert "0 secret modules, test images twice over: True, 0 rules" in message(report, "q4")


def test_a_notebook_that_loads_another_dataset_gets_the_right_images_and_a_note(
    engine: Engine, template: NotebookNode
) -> None:
    other = LOAD.replace("mnist", "fashion_mnist")
    peek = "\nfrom keras.datasets import mnist\nassert (x_test == mnist.load_data()[1][0]).all()"
    report = engine.grade(submit(template, q4=other, q5=MODEL + peek, q6=COMPILE))
    assert earned(report) == {"q4": 0, "q5": 8, "q6": 4, "q7": 0}
    assert "Found: keras.datasets.fashion_mnist, the images of Fashion MNIST" in message(report, "q4")
    assert any("was given the images of MNIST instead" in note for note in report.notes)
    assert not next(found for found in report.questions if found.id == "q5").message


def test_public_checks_say_the_same_of_evidence_as_of_live_objects(engine: Engine, template: NotebookNode) -> None:
    report = engine.grade(submit(template, q4=LOAD, q5="model = keras.Sequential([keras.layers.Dense(3)])"))
    public = next(question for question in report.questions if question.id == "q5").checks[0]
    assert not public.hidden
    assert "does not know the shape of its inputs" in public.message


@pytest.mark.parametrize(
    "value",
    [
        "None", "'60000'", "[1, 2]", "(n for n in ())", "float('nan')", "10 ** 400", "{}", "object()", "print",
        "type('X', (), {'__eq__': lambda *_: 1 / 0, 'shape': property(lambda _: 1 / 0)})()",
        "type('X', (), {'__class__': property(lambda _: 1 / 0)})()",
        "np.zeros((60000, 28, 28))", "[0] * 10 ** 6",
    ],
)  # fmt: skip
def test_any_value_of_a_variable_is_graded_with_a_plain_message(
    hasty: Engine, template: NotebookNode, value: str
) -> None:
    answers = f"train_images_shape = train_labels_length = test_images_shape = {value}"
    report = hasty.grade(submit(template, q4=answers, q5=f"model = {value}"))
    assert report.status is Status.GRADED
    assert earned(report) == {"q4": 0, "q5": 0, "q6": 0, "q7": 0}
    missed = {Outcome.FAILED, Outcome.NOT_CHECKED}
    assert all(check.outcome in missed for question in report.questions for check in question.checks[1:])
    assert "Traceback" not in "".join(message(report, question) for question in ("q4", "q5", "q6", "q7"))


def test_answers_count_as_they_were_at_their_check_or_at_the_end_if_there_is_none(
    engine: Engine, template: NotebookNode
) -> None:
    spoiled, bare = (fill(template, {"q4": LOAD, "q5": MODEL, "q6": COMPILE}) for _ in range(2))
    last = next(cell for cell in spoiled.cells if cell.id == "q7-answer")
    last.source = "train_images_shape = None\nmodel = None"
    bare.cells = [cell for cell in bare.cells if not cell.id.endswith("-check")]
    for book in (spoiled, bare):
        report = engine.grade(Submission("one", "", nbformat.writes(book).encode()))
        assert earned(report) == {"q4": 6, "q5": 8, "q6": 4, "q7": 0}


def test_a_file_that_could_not_be_read_is_reported_not_skipped(engine: Engine) -> None:
    report = engine.grade(Submission("gone", "gone.ipynb", b"", "It is not a regular file."))
    assert report.status is Status.REJECTED
    assert report.notes == ("It is not a regular file.",)


def test_the_same_notebook_gets_the_same_accuracy_twice(engine: Engine, template: NotebookNode) -> None:
    answers = {**ANSWERS, "q7": ANSWERS["q7"].replace("epochs=3", "epochs=1")}
    first, second = (engine.grade(submit(template, **answers)) for _ in range(2))
    assert first.accuracy == second.accuracy
    assert earned(first) == earned(second)


def test_a_warm_process_that_died_is_started_again(short: Policy, layout: Layout, template: NotebookNode) -> None:
    """Killed while it grades: the submission gets its grade all the same, and so does the next. So if a half dies."""
    with Engine(short, read_tests(layout.zip), layout.data("mnist")) as running:
        victim = running.warm().pid
        slow = submit(template, "slow", q4=LOAD + "\nimport time; time.sleep(2)")
        timer = threading.Timer(1.0, os.kill, (victim, signal.SIGKILL))
        timer.start()
        with ThreadPoolExecutor(2) as pool:
            reports = list(pool.map(running.grade, [slow, submit(template, q4=LOAD)]))
        timer.join()
        assert running.warm().pid != victim
        (evaluator,) = psutil.Process(running.warm().pid).children()
        evaluator.kill()
        evaluator.wait(5)
        reports.append(running.grade(submit(template, q4=LOAD)))
    assert [earned(report)["q4"] for report in reports] == [6, 6, 6]


def test_a_test_that_breaks_is_a_fault_of_the_grader(short: Policy, layout: Layout, template: NotebookNode) -> None:
    tests = read_tests(layout.zip)
    tests["q4"] = tests["q4"].replace("checks.report(env, 'q4', 'train_labels_length')", "1 / 0")
    with Engine(short, tests, layout.data("mnist")) as running:
        report = running.grade(submit(template, q4=LOAD))
    question = next(found for found in report.questions if found.id == "q4")
    assert (question.earned, question.outcome) == (None, Outcome.UNGRADED)
    assert not report.complete
    assert "ZeroDivisionError" in message(report, "q4")


def test_nothing_is_left_running_when_the_engine_closes(short: Policy, layout: Layout, template: NotebookNode) -> None:
    with Engine(short, read_tests(layout.zip), layout.data("mnist")) as running:
        mine = psutil.Process(running.warm().pid)
        running.grade(submit(template, q4="import subprocess; subprocess.Popen(['sleep', '600'])"))
        family = [mine, *mine.children(recursive=True)]
        assert running._folder is not None
        folder = running._folder.path
    assert not [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    assert not folder.exists()
    assert not [each for each in psutil.process_iter(["cmdline"]) if each.info["cmdline"] == ["sleep", "600"]]


def test_missing_data_and_tests_that_do_not_compile_stop_the_run_before_it_begins(
    rules: Policy, layout: Layout, tmp_path: Path
) -> None:
    with pytest.raises(DatasetError, match="is missing: restore it from the repository"):
        Engine(rules, read_tests(layout.zip), tmp_path / "mnist.npz").__enter__()
    with pytest.raises(GraderFault, match="the grading process did not start"):
        Engine(rules, {"q4": "def broken("}, layout.data("mnist")).__enter__()


ONE_EPOCH = """
x_train, x_test = x_train / 255.0, x_test / 255.0
history = model.fit(x_train, y_train, batch_size=256, epochs=2, verbose=0)
test_loss, test_accuracy = model.evaluate(x_test, y_test, verbose=0)
"""


def test_an_odd_result_is_flagged_with_the_accuracy_the_grader_reaches_and_costs_nothing(
    engine: Engine, template: NotebookNode
) -> None:
    answers = {"q4": LOAD, "q5": MODEL, "q6": COMPILE}
    plain = engine.grade(submit(template, "plain", **answers, q7=ONE_EPOCH))
    literal = engine.grade(submit(template, "literal", **answers, q7=f"{ONE_EPOCH}\nnote = '{'x' * 5000}'"))
    again = engine.grade(submit(template, "again", **answers, q7=f"{ONE_EPOCH}\n{COMPILE}"))
    assert earned(plain) == earned(literal) == earned(again)
    assert plain.flags == again.flags == ()  # to compile again after training is nothing odd
    odd, reached = literal.flags
    assert "holds a large literal (5," in odd
    assert reached.startswith("q7: the same layers (Flatten → Dense(128, relu) → Dense(10, softmax)), trained by ")
    assert plain.accuracy is not None
    assert reached.endswith(f"the notebook's model gets {plain.accuracy:.2%}")
    without_a_model = engine.grade(submit(template, q4=f"{LOAD}\nnote = '{'x' * 5000}'"))
    assert len(without_a_model.flags) == 1  # there is nothing to train again
