"""The three homes of a notebook: what JupyterLab, VS Code and Colab are to its cells, and how each of them saves it."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from nbclient import NotebookClient
from nbformat import NotebookNode

FOLDERS = ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
SITE = Path(sysconfig.get_path("purelib"))

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
    """Make a kernel called `colab`. Return the environment variables with which Jupyter finds it.

    As on Colab, `google.colab` can be imported, and the shell is of its class, by which Otter recognises Colab.
    """
    package = folder / "site" / "google" / "colab"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "_shell.py").write_text(SHELL, encoding="utf-8")
    (package / "_launcher.py").write_text(LAUNCHER, encoding="utf-8")
    return _kernel(folder, "colab", [sys.executable, "-m", "google.colab._launcher"], PYTHONPATH=str(folder / "site"))


def kernel_without_otter(folder: Path) -> Mapping[str, str]:
    """Make a kernel called `bare` in an environment with pip and all packages of this one except Otter."""
    venv.create(folder / "bare", with_pip=True)
    others = folder / "others"
    others.mkdir()
    for path in SITE.iterdir():
        if not path.name.startswith(("otter", "pip", "__editable__", "mnist_kit")):
            (others / path.name).symlink_to(path)
    site = next((folder / "bare" / "lib").glob("python*")) / "site-packages"
    (site / "others.pth").write_text(str(others), encoding="utf-8")
    return _kernel(folder, "bare", [str(folder / "bare" / "bin" / "python"), "-m", "ipykernel_launcher"])


def otter_wheel(folder: Path) -> Path:
    """Pack the installed Otter as a wheel that pip can install without a network."""
    folder.mkdir()
    (info,) = SITE.glob("otter_grader-*.dist-info")
    wheel = folder / f"{info.name.removesuffix('.dist-info')}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path in [*(SITE / "otter").rglob("*"), *info.rglob("*")]:
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(SITE))
    return wheel


def _kernel(folder: Path, name: str, command: list[str], **environment: str) -> Mapping[str, str]:
    argv = [*command, "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python", "env": environment}
    kernel = folder / "jupyter" / "kernels" / name
    kernel.mkdir(parents=True)
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return {"JUPYTER_PATH": str(folder / "jupyter")}


@contextmanager
def jupyterlab(folder: Path, own: Path) -> Iterator[str]:
    """Run JupyterLab on the notebooks in `folder`, with its settings in `own`. Yield the URL up to a file's name."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"]
    command += [f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
    environment = {**os.environ, **dict.fromkeys(FOLDERS, str(own))}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT) as lab:
        try:
            _wait_for(f"http://127.0.0.1:{port}/api")
            yield f"http://127.0.0.1:{port}/lab/tree/"
        finally:
            lab.terminate()  # ends its kernels as well


def _wait_for(address: str, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            with urlopen(address):
                return
        except (URLError, ConnectionError):
            if time.monotonic() > end:
                raise
            time.sleep(0.2)


def run(notebook: NotebookNode, folder: Path, *, kernel: str = "python3", go_on: bool = False) -> NotebookNode:
    """Run all cells in a real kernel in `folder`. An error stops it, unless `go_on`."""
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
    """Return everything a cell displays, as text."""
    (cell,) = [cell for cell in notebook.cells if cell.id == id]
    return "\n".join(
        str(output.get("text") or output.get("data", {}).get("text/plain") or "\n".join(output.get("traceback", [])))
        for output in cell.outputs
    )


def saved_by_colab(notebook: NotebookNode) -> bytes:
    """Save a notebook as Colab downloads it: format 4.0, with Colab's own ids in the metadata and its own kernel."""
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
        "colab": {"provenance": [], "gpuType": "T4"}, "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"}, "accelerator": "GPU",
    }  # fmt: skip
    return json.dumps({"nbformat": 4, "nbformat_minor": 0, "metadata": metadata, "cells": cells}, indent=2).encode()


def saved_by_vscode(notebook: NotebookNode) -> bytes:
    """Save a notebook as VS Code does today: ids and metadata kept, keys sorted, the kernel of an environment."""
    made = copy.deepcopy(notebook)
    for cell in made.cells:
        cell.source = _lines(cell.source)
        if cell.cell_type == "code":
            cell.metadata["vscode"] = {"languageId": "python"}
    made.metadata["kernelspec"] = {"display_name": ".venv (3.12.4)", "language": "python", "name": "python3"}
    made.metadata["language_info"] = {
        "codemirror_mode": {"name": "ipython", "version": 3}, "file_extension": ".py", "mimetype": "text/x-python",
        "name": "python", "nbconvert_exporter": "python", "pygments_lexer": "ipython3", "version": "3.12.4",
    }  # fmt: skip
    return json.dumps(made, indent=1, sort_keys=True).encode()


def saved_by_old_vscode(notebook: NotebookNode) -> bytes:
    """Save a notebook as VS Code did when it knew only format 4.2: without ids, its metadata replaced."""
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
