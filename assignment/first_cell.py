# @title Run this cell first: it loads the public checks
# There is nothing to change here.
import os
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # hide TensorFlow's notes about this machine


class _CannotStart(Exception):
    """An error of which IPython shows only the message, without the code that raised it."""

    def _render_traceback_(self):
        return [str(self)]


_PYTHON = "{}.{}".format(*sys.version_info)
if sys.version_info < (3, 10):
    raise _CannotStart(
        f"This notebook needs Python 3.10 or newer; this kernel runs Python {_PYTHON}.\n"
        "Try: choose another kernel (menu Kernel, or at the top right), or open this file in Google Colab."
    )


def _install(packages):
    """Install missing packages for this kernel's Python. `packages` maps modules to their requirements for pip."""
    import importlib.util
    import subprocess

    missing = [package for module, package in packages.items() if importlib.util.find_spec(module) is None]
    if not missing:
        return
    print("Installing", ", ".join(missing), "... this happens once, and takes a minute or two.")
    pip = [sys.executable, "-m", "pip", "install", "--no-color", "--disable-pip-version-check", "-q", "--retries=1"]
    try:
        done = subprocess.run([*pip, *missing], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        problem = (done.stdout.strip() or "nothing") if done.returncode else ""
    except OSError as error:
        problem = str(error)
    if problem:
        reasons = [line for line in problem.splitlines() if "error" in line.lower()] or problem.splitlines()
        quoted = " ".join(f'"{package}"' for package in missing)
        raise _CannotStart(
            f"Missing, and not available here: {', '.join(missing)} (for Python {_PYTHON}).\n"
            f"What pip said: {reasons[-1].strip()[:200]}\n"
            "Try, with a connection to the internet, in a terminal:\n"
            f'  "{sys.executable}" -m pip install {quoted}\n'
            "Or open this file in Google Colab, where most packages are installed already."
        )
    importlib.invalidate_caches()


_install({"otter": "otter-grader>=7,<8", "tensorflow": "tensorflow>=2.16,<3", "matplotlib": "matplotlib>=3,<4"})
try:
    import otter
except Exception as error:
    raise _CannotStart(
        f"otter-grader is installed but does not start ({type(error).__name__}: {error}).\n"
        "Try: restart the kernel (in Colab: Runtime > Restart session), and run this cell again."
    ) from None


class _Findings:
    """Results of public checks. `parts` holds (question, whether all passed, messages); `closing` is the last line."""

    def __init__(self, parts, closing=""):
        self.parts, self.closing = parts, closing

    def __repr__(self):
        lines = []
        for question, passed, messages in self.parts:
            lines.append(f"{question}: " + ("the public checks pass." if passed else "not there yet."))
            lines += ["    " + line for message in messages for line in message.splitlines()]
        return "\n".join(lines + [self.closing] * bool(self.closing))

    def _repr_html_(self):
        import re
        from html import escape

        shown = ""
        for question, passed, messages in self.parts:
            colour, word = ("#2e7d32", "✓ the public checks pass") if passed else ("#c62828", "✗ not there yet")
            texts = [re.sub(r"`(.+?)`", r"<code>\1</code>", escape(text)) for text in messages]
            texts = [f'<div style="white-space: pre-wrap; margin-top: 0.3em">{text}</div>' for text in texts]
            style = f"border-left: 4px solid {colour}; padding: 0.2em 0.8em; margin: 0.4em 0"
            shown += f'<div style="{style}"><strong>{escape(question)}</strong> {word}{"".join(texts)}</div>'
        return shown + f"<p><strong>{escape(self.closing)}</strong></p>" * bool(self.closing)


class _Grader(otter.Notebook):
    """Otter's notebook with the public checks of this cell; it shows a check's message instead of its code."""

    def __init__(self, checks):
        import atexit
        import shutil
        import tempfile
        from pathlib import Path

        self.questions = tuple(checks)
        folder = tempfile.mkdtemp(prefix="public-checks-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        for question, text in checks.items():
            Path(folder, f"{question}.py").write_text(text, encoding="utf-8")
        super().__init__("", folder)

    def check(self, question, global_env=None):
        """Run the public checks of one question."""
        if self._grading_mode:
            return super().check(question, globals() if global_env is None else global_env)
        if question not in self.questions:
            print(f"There is no public check called {question!r}. The public checks are {', '.join(self.questions)}.")
            return None
        return _Findings([self._find(question, globals() if global_env is None else global_env)])

    def check_all(self):
        """Run the public checks of all questions."""
        if self._grading_mode:
            return super().check_all()
        parts = [self._find(question, globals()) for question in self.questions]
        missing = [question for question, passed, _ in parts if not passed]
        closing = f"Not there yet: {', '.join(missing)}."
        if not missing:
            closing = "All public checks pass. The points are given by hidden checks, after you hand in."
        return _Findings(parts, closing)

    def export(self, *_, **__):
        """Put the notebook, as last saved, into a zip file; if its file cannot be found, say what to do."""
        if self._grading_mode:
            return
        import os
        from datetime import datetime

        from otter.check.utils import save_notebook

        path = self._file()
        if path is None:
            on_colab = getattr(self.interpreter, "name", "") == "COLAB"
            menu = "File > Download > Download .ipynb" if on_colab else "File > Download"
            print(f"Save this notebook, choose {menu}, and hand in the file that you get.")
            return
        if "JPY_SESSION_NAME" in os.environ:
            save_notebook(path.name, timeout=5)
        saved = datetime.fromtimestamp(path.stat().st_mtime)
        made = f"{path.stem}_{datetime.now():%Y-%m-%d_%H-%M-%S}.zip"
        super().export(path.name, made, pdf=False, ignore_log=True)
        print(
            f"Created {made}, in the folder of the notebook.\nIt contains {path.name} as saved at {saved:%H:%M:%S}. "
            "If you have changed it since, save it and run this cell again."
        )

    def _find(self, question, environment):
        results = super().check(question, environment).test_case_results
        passed = all(result.passed for result in results)
        messages = [self._message(result) for result in results if result.passed == passed]
        return question, passed, [message for message in messages if message]

    def _message(self, result):
        import re

        if result.passed:
            return result.test_case.success_message
        kind, text = re.search(r"^(\w+)(?:: (.*))?\Z", result.message, re.MULTILINE | re.DOTALL).groups("")
        if kind == "AssertionError":
            return text
        return (
            f"Found: something that this check cannot handle ({kind}: {text[:200]})\n"
            "Try: restart the kernel and run all cells; if you see this again, tell your instructor."
        )

    def _file(self):
        """Return this notebook's path: from VS Code or Jupyter, or else the only notebook in the current folder."""
        import os
        from pathlib import Path

        named = (globals().get("__vsc_ipynb_file__"), os.environ.get("JPY_SESSION_NAME"))
        beside = list(Path.cwd().glob("*.ipynb"))
        paths = [Path(path) for path in named if path] + (beside if len(beside) == 1 else [])
        return next((path for path in paths if path.is_file() and path.parent.resolve() == Path.cwd().resolve()), None)


grader = _Grader({})
print("Ready. There are public checks for", ", ".join(grader.questions) + ".")
