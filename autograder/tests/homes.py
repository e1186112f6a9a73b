"""The three homes of a notebook: what JupyterLab, VS Code and Colab are to its cells, and how each of them saves it."""

from __future__ import annotations

import copy
import hashlib
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbformat import NotebookNode

__all__ = ["colab_kernel", "run", "saved_by_colab", "saved_by_old_vscode", "saved_by_vscode", "shown"]

SHELL = """
from ipykernel.zmqshell import ZMQInteractiveShell
class Shell(ZMQInteractiveShell):
    pass
"""
LAUNCHER = """
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from google.colab._shell import Shell
class Kernel(IPythonKernel):
    shell_class = Shell
IPKernelApp.launch_instance(kernel_class=Kernel)
"""


def colab_kernel(folder: Path) -> Mapping[str, str]:
    """A kernel called `colab` under `folder`; returns the environment variables by which Jupyter finds it.

    As on Colab the shell is of `google.colab`'s own class, by which Otter tells, and that package can be imported.
    """
    package = folder / "site" / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "_shell.py").write_text(SHELL, encoding="utf-8")
    (package / "_launcher.py").write_text(LAUNCHER, encoding="utf-8")
    spec = {
        "argv": [sys.executable, "-m", "google.colab._launcher", "-f", "{connection_file}"],
        "display_name": "Python 3",
        "language": "python",
        "env": {"PYTHONPATH": str(folder / "site")},
    }
    kernel = folder / "jupyter" / "kernels" / "colab"
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return {"JUPYTER_PATH": str(folder / "jupyter")}


def run(notebook: NotebookNode, folder: Path, *, kernel: str = "python3", go_on: bool = False) -> NotebookNode:
    """Run all cells in a real kernel whose current folder is `folder`; an error stops it, unless it is to `go_on`."""
    client = NotebookClient(
        copy.deepcopy(notebook),
        timeout=300,
        kernel_name=kernel,
        allow_errors=go_on,
        resources={"metadata": {"path": str(folder)}},
    )
    executed: NotebookNode = client.execute()
    return executed


def shown(notebook: NotebookNode, id: str) -> str:
    """All that a cell displays, as text."""
    (cell,) = [cell for cell in notebook.cells if cell.id == id]
    parts: list[Any] = []
    for output in cell.outputs:
        parts += [
            output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output.get("traceback", []))
        ]
    return "\n".join(map(str, parts))


def saved_by_colab(notebook: NotebookNode) -> bytes:
    """As Colab downloads it: format 4.0, so no ids but Colab's own in the metadata, and a kernel of its own."""
    cells = []
    for number, cell in enumerate(notebook.cells):
        metadata: dict[str, Any] = {"id": _own_id(number, 12)}
        saved: dict[str, Any] = {"cell_type": cell.cell_type, "source": _lines(cell.source), "metadata": metadata}
        if cell.cell_type == "code":
            saved |= {"execution_count": cell.execution_count, "outputs": cell.outputs}
            metadata |= {"cellView": "form"} if "cellView" in cell.metadata else {}
        if cell.get("outputs"):
            metadata |= {
                "colab": {"base_uri": "https://localhost:8080/", "height": 35},
                "outputId": _own_id(number, 36),
            }
        cells.append(saved)
    metadata = {
        "colab": {"provenance": [], "gpuType": "T4"},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
        "accelerator": "GPU",
    }
    return json.dumps({"nbformat": 4, "nbformat_minor": 0, "metadata": metadata, "cells": cells}, indent=2).encode()


def saved_by_vscode(notebook: NotebookNode) -> bytes:
    """As VS Code saves it today: ids and metadata kept, keys sorted, the kernel of the environment chosen."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        cell.source = _lines(cell.source)
        if cell.cell_type == "code":
            cell.metadata["vscode"] = {"languageId": "python"}
    made.metadata["kernelspec"] = {"display_name": ".venv (3.12.4)", "language": "python", "name": "python3"}
    made.metadata["language_info"] = {
        "codemirror_mode": {"name": "ipython", "version": 3},
        "file_extension": ".py",
        "mimetype": "text/x-python",
        "name": "python",
        "nbconvert_exporter": "python",
        "pygments_lexer": "ipython3",
        "version": "3.12.4",
    }
    return json.dumps(made, indent=1, sort_keys=True).encode()


def saved_by_old_vscode(notebook: NotebookNode) -> bytes:
    """As VS Code saved it when it knew format 4.2 only: without ids, and what stood beside the cells replaced."""
    made = json.loads(saved_by_vscode(notebook))
    made |= {"nbformat_minor": 2, "orig_nbformat": 4}
    made["metadata"] = {"kernelspec": made["metadata"]["kernelspec"], "vscode": {"interpreter": {"hash": "0" * 64}}}
    for cell in made["cells"]:
        cell.pop("id")
        cell["metadata"] = {}
    return json.dumps(made, indent=1, sort_keys=True).encode()


def _lines(source: str) -> list[str]:
    return source.splitlines(keepends=True)


def _own_id(number: int, length: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()[:length]
