"""Notebooks of honest students, with all that makes a grader stumble: none of it may cost a point."""

from __future__ import annotations

from nbformat import NotebookNode
from nbformat.v4 import new_output

from autograder.authoring.bundled_class import ANSWERS, FULL, LOAD, TRAIN, fill
from autograder.tests.hostile.case import RIGHT, UNTRAINED, Case

SHORT = (
    TRAIN.replace("epochs=3", "epochs=2")
    .replace("x_train / 255", "x_train[:2000] / 255")
    .replace("model.fit(x_train, y_train", "model.fit(x_train, y_train[:2000]")
)
TRAINED = {**FULL, "q7": 5}


def stale(template: NotebookNode) -> NotebookNode:
    """Outputs of another day, errors among them, in every code cell."""
    filled = fill(template, {**ANSWERS, **RIGHT, "q7": "..."})
    for cell in filled.cells:
        if cell.cell_type == "code":
            cell.execution_count = 99
            cell.outputs = [
                new_output("stream", name="stderr", text="Traceback: 100 % right\n" * 1000),
                new_output(
                    "error", ename="NameError", evalue="name 'x' is not defined", traceback=["\x1b[31mx\x1b[0m"]
                ),
                new_output("display_data", {"text/html": "<script>alert(1)</script>", "image/png": "AAAA" * 10**5}),
            ]
    return filled


CASES: tuple[Case, ...] = (
    Case("the answer that the question describes, on few of the images", {**RIGHT, "q7": SHORT}, TRAINED),
    Case(
        "four seconds of nothing, which the time limit allows",
        {**RIGHT, "q4": "import time; time.sleep(4)\n" + LOAD},
        UNTRAINED,
    ),
    Case(
        "warnings, a plot, a progress bar, a table, letters from everywhere",
        {
            **RIGHT,
            "q4": LOAD
            + """
import sys, warnings
warnings.warn('careful'); warnings.warn('old', DeprecationWarning); sys.stderr.write('ünïcödé 🎉\\n')
for step in range(1000): print(f'\\r{step / 10} %', end='', flush=True)
plt.imshow(x_train[0]); plt.title('5 ∈ ℕ'); plt.show()
plt.savefig('five.png')
display(x_train[0])
""",
            "q7": "history = model.fit(x_train[:640], y_train[:640], verbose=1)\nmodel.summary()",
        },
        {**UNTRAINED, "q7": 1},  # after 20 steps nobody can tell that the pixels were not scaled
    ),
    Case("outputs of another day in every cell", stale, UNTRAINED),
    Case(
        "lines that install and look around, as on Colab",
        {
            **RIGHT,
            "q4": "%pip install -q tensorflow\n!pip install keras\n!nvidia-smi\nfiles = !ls\n%matplotlib inline\n"
            "%load_ext autoreload\n%config InlineBackend.figure_format = 'retina'\n" + LOAD,
        },
        UNTRAINED,
        words=("The command `%pip install -q tensorflow` was skipped", "The command `nvidia-smi` was skipped"),
    ),
    Case("a model saved, loaded and removed again", {**RIGHT, "q7": """
import os, tempfile
model.save('model.keras'); model.save_weights('model.weights.h5')
model = keras.saving.load_model('model.keras')
os.remove('model.keras')
with tempfile.TemporaryDirectory() as folder: np.savez(folder + '/x', x_train[:9])
open('notes.txt', 'w').write('done')
raise SystemExit('all of this worked')
"""}, UNTRAINED, words=("stopped with SystemExit: all of this worked",)),
)  # fmt: skip
