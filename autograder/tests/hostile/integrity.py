"""Attempts to get points, or to read what points depend on, by other means than the right answer."""

from __future__ import annotations

from collections.abc import Mapping

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_raw_cell

from autograder.authoring.bundled_class import FULL, LOAD, fill
from autograder.judge.grade_report import Status
from autograder.submissions.cells import cell_id
from autograder.tests.hostile.case import KIT, RIGHT, SECRET, UNDECIDED, UNTRAINED, Case

EVIDENCE = """
import json, os, stat
def writable():
    for number in range(3, 256):
        try:
            if stat.S_ISREG(os.fstat(number).st_mode): yield number
        except OSError:
            pass
def forge(*records, at=None):
    for number in writable():
        text = b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\\n" for r in records)
        os.pwrite(number, text, at) if at is not None else os.write(number, text)
"""
"""Finds the journal and the blob among the open files, and writes into both."""

FORGED_MODEL = """
def dense(units, activation, *shapes):
    settings = {"units": units, "activation": "keras:" + activation, "use_bias": True}
    return {"type": "keras:Dense", "settings": settings, "weights": list(shapes)}
def forged(**more):
    return {"kind": "keras", "name": "Sequential", "structure": "sequential", "built": True,
        "input_shape": [None, 28, 28], "output_shape": [None, 10], "steps": 9375,
        "layers": [{"type": "keras:Flatten", "settings": {}, "weights": []},
            dense(128, "relu", [784, 128], [128]), dense(10, "softmax", [128, 10], [10])],
        "compile": {"optimizer": "keras:adam", "learning_rate": 0.001,
            "loss": "keras:sparse_categorical_crossentropy", "from_logits": False}, **more}
def taken(question, model):
    return {"question": question, "at": "check", "model": model}
"""
"""A description of the right model, as the recorder would write it."""

TOKEN = """
import re
TOKEN = re.compile("secret-" + "[0-9a-f]{32}")
def look(where, texts):
    for text in texts:
        try: found = TOKEN.search(text if isinstance(text, str) else bytes(text).decode("latin-1"))
        except Exception: continue
        if found: raise RuntimeError(f"ESCAPED: {where} {found[0]}")
"""
"""Searches texts for the planted secret."""

MARK = "\x1b[31m<script>alert(1)</script><img src=x onerror=alert(1)><b>bold</b> **md** [a](b)"

FALLS: Mapping[str, str] = {
    "patched-test-class": """
from otter.test_files import abstract_test, exception_test
def run(self, env):
    self.test_case_results = [abstract_test.TestCaseResult(case, "", True) for case in self.test_cases]
exception_test.ExceptionTestFile.run = run
""",
    "rewritten-tests": """
import pathlib
for file in pathlib.Path("tests").glob("q*.py"):
    points = {"q4": 6, "q5": 8, "q6": 4, "q7": 8}[file.stem]
    file.write_text("\\n".join((
        "OK_FORMAT = False", f"name = '{file.stem}'", "points = None", "from otter.test_files import test_case",
        f"@test_case(points={points})", "def test_nothing(env): pass",
    )))
""",
    "passed-set": """
from otter.execute import Checker
real = Checker.get_results
def get_results():
    for result in [each for file in real() for each in file.test_case_results]: result.passed = True
    return real()
Checker.get_results = get_results
""",
    "patched-checks": """
from autograder.judge import checks
for name in ("report", "layer", "compile_optimizer", "compile_loss", "scaled", "accuracy", "measured"):
    setattr(checks, name, lambda *_, **__: None)
from otter.test_files import exception_test
checked = exception_test.test_case.call_func
def call_func(self, env):
    if self.hidden: checked(self, env)
exception_test.test_case.call_func = call_func
""",
    "patched-dump": """
import pickle
dump = pickle.dump
def generous(results, file, *more):
    for test in results.results.values():
        for result in test.test_case_results: result.passed = True
    dump(results, file, *more)
pickle.dump = generous
""",
}
"""Cells of question 4 with which an otherwise blank notebook gets full marks from stock Otter."""


def _with_metadata(notebook: NotebookNode) -> NotebookNode:
    passing = {
        "name": "q4",
        "points": 26,
        "suites": [{"type": "doctest", "cases": [{"code": ">>> 1\n1", "points": 26}]}],
    }
    notebook.metadata.otter.update(OK_FORMAT=True, tests=dict.fromkeys(FULL, passing))
    notebook.cells.insert(0, new_raw_cell("# ASSIGNMENT CONFIG\nrun_tests: false\ntests: {ok_format: true}"))
    return notebook


def _ignored(notebook: NotebookNode) -> NotebookNode:
    filled = fill(notebook, RIGHT)
    for cell in filled.cells:
        if cell.get("id") == cell_id("q5", "answer"):
            cell.metadata["tags"] = ["otter_ignore"]
    return filled


def _checked_before(notebook: NotebookNode) -> NotebookNode:
    filled = fill(notebook, RIGHT)
    early = "import otter\nearly = otter.Notebook()\nfor name in ('q4', 'q5', 'q6', 'q7'): early.check(name)"
    filled.cells.insert(0, new_code_cell(early, id="early"))
    return filled


def blank(name: str, code: str, *words: str) -> Case:
    """An attempt in the cell of question 4 of a blank notebook, which earns nothing."""
    return Case(name, {"q4": code}, words=words)


def undecided(name: str, code: str, *words: str) -> Case:
    """An attempt in the cell of question 4 that spoils the evidence: no points are given and none taken."""
    return Case(name, {"q4": code}, UNDECIDED, Status.UNGRADED, words)


def beside(name: str, code: str, *words: str) -> Case:
    """An attempt in the cell of question 7, beside right answers to the other questions."""
    return Case(name, {**RIGHT, "q7": code}, UNTRAINED, words=words)


CASES: tuple[Case, ...] = (
    Case("an object with .layers, .shape and an .evaluate that says 1.0 is no model", {"q5": """
class Fake:
    layers, shape, input_shape, built, optimizer = [1, 2, 3], (28, 28), (None, 28, 28), True, "adam"
    evaluate = lambda *_, **__: (0.0, 1.0)
    fit = compile = predict = lambda *_, **__: None
model = Fake()
"""}, words=("`model` is a Fake", "Expected: a Keras model")),
    Case("a subclass of keras.Model called Sequential that lies about its layers is no chain of layers", {"q5": """
real = keras.Sequential([keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)])
Fake = type("Sequential", (keras.Model,), {
    "layers": property(lambda self: real.layers), "evaluate": lambda *_, **__: (0, 1.0),
    "__module__": "keras.src.models.sequential"})
model = Fake()
"""}, words=("a model of your own class",)),
    beside(
        "get_weights of a replaced layer class cannot say more than real weights do",
        "keras.layers.Layer.get_weights = lambda self: [np.full((784, 128), np.nan), np.zeros(128)]",
    ),
    blank("objects that are equal to everything are not the right shape", """
class Any(tuple):
    shape = property(lambda self: (60000, 28, 28))
    __eq__ = lambda *_: True
    __hash__ = tuple.__hash__
    __class__ = property(lambda self: tuple)
train_images_shape = train_labels_length = test_images_shape = Any((60000, 28, 28))
""", "a value of type Any"),
    *(
        blank(
            f"{name}, which gives full marks under stock Otter (test_stock_otter.py), gives nothing here",
            "import sys\nsys.modules.pop('otter')" + code,
        )
        for name, code in FALLS.items()
    ),
    blank("unittest and the assert helpers may say what they like", """
import unittest
for name in dir(unittest.TestCase):
    if name.startswith("assert"): setattr(unittest.TestCase, name, lambda *_, **__: None)
unittest.TestCase.run = lambda self, result=None: result
"""),
    blank("a grader that says passed=True has no say", """
class Passed:
    passed, score, grade, possible = True, 26, 1.0, 26
    results = test_case_results = []
import otter
otter.Notebook.check = otter.Notebook.check_all = lambda *_, **__: Passed()
grader.check = lambda *_, **__: Passed()
"""),
    beside("Model.evaluate and predict of the student process are not what measures the accuracy", """
keras.Model.evaluate = lambda *_, **__: (0.0, 1.0)
keras.Model.predict = lambda self, x, **__: np.eye(10)[y_test[:len(x)]]
test_loss, test_accuracy = model.evaluate(x_test, y_test)
model.optimizer.iterations.assign(9375)
""", "of hidden images right"),
    beside("a Model.fit that trains nothing and returns a beautiful history earns nothing", """
class History: history = {"accuracy": [1.0], "loss": [0.0]}
keras.Model.fit = lambda *_, **__: History()
history = model.fit(x_train, y_train)
""", "the model was never trained"),
    undecided("json.dumps and pickle.dump replaced: whatever is written then is read as strictly as ever", """
import json, pickle
pickle.dump = pickle.dumps = lambda *_, **__: b"everything passed"
json.dumps = lambda *_, **__: '{"score": 26, "passed": true}'
""", "the evidence breaks the contract"),
    blank("builtins that lie break only the process that they are patched in", """
import builtins
builtins.isinstance = builtins.issubclass = lambda *_: True
builtins.len = lambda *_: 60000
builtins.open = builtins.print = lambda *_, **__: None
"""),
    blank("a pickled log beside the notebook is never unpickled", f"""
import pickle
class Bomb:
    def __reduce__(self): return exec, ("open('{KIT}/bombed', 'w').write('x'); print('ESCAPED')",)
for name in (".OTTER_LOG", "results.pkl", ".otter_results"):
    with open(name, "wb") as file: file.write(pickle.dumps(Bomb()))
"""),
    blank("numpy.py, tensorflow.py and otter/ beside the notebook replace nothing that judges", """
import os, sys
os.mkdir("otter")
for name in ("numpy.py", "tensorflow.py", "keras.py", "otter/__init__.py", "autograder.py"):
    with open(name, "w") as file: file.write("def __getattr__(name): return lambda *_, **__: 1.0")
sys.path.insert(0, os.getcwd())
for name in ("numpy", "tensorflow", "keras", "otter", "autograder"): sys.modules.pop(name, None)
import autograder, keras, numpy, otter, tensorflow
numpy.ndarray = int
"""),
    blank("a tests folder, a grading.yml and a results.json of the student's own making are not read", """
import os
os.mkdir("tests")
for name in ("tests/q4.py", "tests/q5.py", "grading.yml", "results.json", "otter_config.json", "conftest.py"):
    with open(name, "w") as file: file.write('{"score": 26, "tests": [], "points_possible": 26}')
"""),
    blank("no loaded module and no live object holds a hidden test or the planted secret", f"""{TOKEN}
import gc, sys
look("module", [repr(vars(sys.modules[name])) for name in list(sys.modules) if name.startswith("autograder")])
for item in gc.get_objects():
    values = list(item.values()) if type(item) is dict else item if type(item) in (list, tuple) else ()
    look("object", [value for value in values if isinstance(value, (str, bytes))])
raise RuntimeError("held: nothing found")
""", "held: nothing found"),
    blank("the frames below a cell, down to the warm process, hold names of variables and no expectation", f"""{TOKEN}
import inspect, sys
frame, seen = sys._getframe(), ""
while frame is not None:
    seen += repr(frame.f_locals) + (repr(frame.f_globals) if "autograder" in frame.f_code.co_filename else "")
    frame = frame.f_back
look("frames", [seen])
for word in ("CheckFailed", "accuracy_rule", "'bands'", "'full'", "0.95", "hidden=True"):
    if word in seen.replace(open.__doc__, "").replace(TOKEN.pattern, "") and word not in In[-1]:
        raise RuntimeError(f"ESCAPED: {{word}}")
raise RuntimeError("held: nothing found")
""", "held: nothing found"),
    blank("the memory inherited from the warm process holds no secret, wherever one looks", """
import re
pattern = re.compile(b"secret-" + b"[0-9a-f]{32}")
read = 0
with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
    for line in maps:
        span, rights, *_ = line.split()
        low, high = (int(part, 16) for part in span.split("-"))
        if not rights.startswith("rw") or "[v" in line: continue
        memory.seek(low)
        try: held = memory.read(min(high - low, 2 ** 28))
        except OSError: continue
        read += len(held)
        found = pattern.search(held)
        if found: raise RuntimeError(f"ESCAPED: {found[0]}")
raise RuntimeError("held: nothing found" if read > 2 ** 26 else f"ESCAPED: only {read} bytes looked at")
""", "held: nothing found"),
    blank("importing the judge's modules brings code, never tests, thresholds or data", f"""{TOKEN}
import gc
try:
    from autograder.authoring.autograder_zip import read_tests
    from autograder.judge import checks, judge
    from autograder.policy import grading_file
    from autograder.data import dataset
    from autograder.layout import HOME, Layout
    from pathlib import Path
    for home in (HOME, Layout(Path("{KIT}"))):
        data = home.data("mnist")
        for read, path in ((grading_file.load, home.policy), (dataset.load, data), (read_tests, home.zip)):
            try: read(path)
            except Exception: continue
            raise RuntimeError("ESCAPED: it was read")
except (ImportError, PermissionError): pass  # the latter where the kit is not installed but linked to
raise RuntimeError("held: nothing could be read")
""", "held: nothing could be read"),
    blank(
        "the text of an error cannot carry what cannot be read",
        f"raise RuntimeError(open('{SECRET}').read())",
        "PermissionError",
    ),
    Case(
        "a thread that never ends does not keep the notebook's process alive",
        {
            **RIGHT,
            "q7": """
import threading, time
def stay():
    while True: time.sleep(0.01)
for _ in range(5): threading.Thread(target=stay).start()
""",
        },
        UNTRAINED,
        bound_s=11,  # before the kill from outside, which comes at 12
    ),
    beside("nothing of the notebook runs after its end: no atexit, no __del__", f"""{EVIDENCE}
import atexit, weakref
class Late:
    def __del__(self): forge({{"score": 26}})
late = Late()
weakref.finalize(late, forge, {{"score": 26}})
atexit.register(forge, {{"score": 26}})
"""),
    Case("tests and settings in the notebook's metadata are not those that judge", _with_metadata),
    Case("a tag that tells Otter to skip a cell has no effect", _ignored, UNTRAINED),
    Case("checks before any answer neither give nor take points", _checked_before, UNTRAINED),
    Case(
        "an answer that was wrong at an early check counts as it is at the last one",
        {
            **RIGHT,
            "q4": "train_images_shape = train_labels_length = test_images_shape = 0\ngrader.check('q4')\n" + LOAD,
        },
        UNTRAINED,
    ),
    Case(
        "a typed value is right (documented); a forged model without weights earns nothing for training",
        {
            "q4": f"""{EVIDENCE}{FORGED_MODEL}
forge(*(taken(name, forged()) for name in ("q5", "q6", "q7")))
import os; os._exit(0)
"""
        },
        {"q4": 0, "q5": 8, "q6": 4, "q7": 0},
        words=("a model without parameters",),
    ),
    blank("weights that were made up are scored for what they do", f"""{EVIDENCE}{FORGED_MODEL}
journal, blob = writable()
os.write(blob, np.random.default_rng(1).normal(size=101770).astype("<f4").tobytes())
os.write(journal, json.dumps(taken("q7", forged(blob={{"start": 0, "count": 101770}}))).encode() + b"\\n")
os._exit(0)
""", "of hidden images right"),
    blank("weights that point outside the blob are no weights", f"""{EVIDENCE}{FORGED_MODEL}
forge(taken("q7", forged(blob={{"start": 2 ** 30, "count": 101770}})))
os._exit(0)
""", "a model without parameters"),
    *(
        undecided(
            f"{name}: the evidence is refused as a whole, and nothing is decided",
            f"{EVIDENCE}{FORGED_MODEL}\nforge({record})",
            "the evidence breaks the contract",
        )
        for name, record in (
            ("a record of an accuracy, which no process beside a student may report", "{'accuracy': 1.0}"),
            ("a record of a score", "{'question': 'q7', 'at': 'check', 'score': 8, 'model': forged()}"),
            ("the same key twice", 'b\'{"cell": 1, "cell": 2}\''),
            ("a number that is none", "taken('q7', forged(steps=float('nan')))"),
            ("lists a thousand deep", "b'[' * 100_000"),
            ("a text with control characters", "{'note': chr(27) + '[31mred'}"),
            ("a pickle in place of a record", "__import__('pickle').dumps(object)"),
        )
    ),
    undecided(
        "a journal of megabytes is not read",
        f"{EVIDENCE}\nforge(b'x' * 5_000_000)",
        "more evidence than the contract allows",
    ),
    undecided(
        "what confined the process is told by what the process said before the student's code ran",
        f"{EVIDENCE}\nforge({{'isolation': ['ESCAPED']}}, at=0)\nforge({{'isolation': ['ESCAPED']}})",
    ),
    Case(
        "a journal that the notebook cuts off decides nothing: no points given, none taken",
        {**RIGHT, "q7": f"{EVIDENCE}\nfor number in writable(): os.ftruncate(number, 0)"},
        UNDECIDED,
        Status.UNGRADED,
        words=("the evidence breaks the contract",),
    ),
    Case(
        "a journal cut off and begun anew holds what was answered from then on, and no more",
        {**RIGHT, "q6": f"{EVIDENCE}\nfor number in writable(): os.ftruncate(number, 0); os.lseek(number, 0, 0)"},
        {"q4": 6, "q5": 8, "q6": 0, "q7": 0},
    ),
    beside(
        "weights that were taken away are not weights",
        f"{EVIDENCE}\ngrader.check('q7')\nos.ftruncate(list(writable())[-1], 400)",
    ),
    Case("load_data replaced by one that answers with ten images of the student's choice", {**RIGHT, "q4": """
def load_data(path="mnist.npz"):
    return (np.zeros((10, 28, 28)), np.zeros(10)), (np.zeros((10, 28, 28)), np.zeros(10))
tf.keras.datasets.mnist.load_data = keras.datasets.mnist.load_data = load_data
""" + LOAD}, {**UNTRAINED, "q4": 0}),
    Case(
        "the exit code of a failed handler, taken by the notebook, is no fault of the grader and gives nothing",
        {"q4": LOAD, "q5": "import os; os._exit(70)"},
        {"q4": 6, "q5": 0, "q6": 0, "q7": 0},
        words=("process ended in the cell that begins `import os; os._exit(70)`",),
    ),
    *(
        blank(f"escape sequences, HTML and Markdown stay text in {name}", f"mark = {MARK!r}\n{code}", *words)
        for name, code, words in (
            ("output", "print(mark); from IPython.display import HTML, display; display(HTML(mark))", ()),
            ("errors", "raise RuntimeError(mark)", ("stopped with RuntimeError",)),
            ("error-names", "raise type(mark, (Exception,), {})('x')", ("stopped with",)),
            ("values", "train_images_shape = mark", ("the text",)),
            ("type-names", "train_images_shape = type(mark, (), {})()", ("a value of type",)),
            ("commands", "get_ipython().system(mark)", ("was skipped",)),
        )
    ),
    Case(
        "with otter and grader replaced nothing is checked on the way, and the end of the notebook counts",
        {
            **RIGHT,
            "q4": "import sys\nsys.modules['otter'] = None\ngrader = type('G', (), {'check': lambda *_: 26})()" + LOAD,
        },
        UNTRAINED,
    ),
)  # fmt: skip
