"""An IPython extension that gives notebooks in the kit's own environment the repository's images, without a network.

`make setup` switches it on in the virtual environment's `etc/ipython`; nothing outside it is changed.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from autograder.data import dataset
from autograder.layout import HOME
from autograder.sandbox.offline import Arrays, answer_with

__all__ = ["load_ipython_extension"]


def load_ipython_extension(shell: Any) -> None:  # noqa: ARG001  # IPython's signature
    """Serve the datasets in the repository from IPython's start; leave any other to Keras."""
    available = (name for name, published in dataset.DATASETS.items() if published.bundled or HOME.data(name).exists())
    answer_with({name: partial(_whole, name) for name in available})


@cache
def _whole(name: str) -> Arrays:
    data = dataset.load(HOME.data(name))
    return (data.train.images, data.train.labels), (data.test.images, data.test.labels)
