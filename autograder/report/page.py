"""How pages are made of templates: every word escaped and cleaned, whoever wrote it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import jinja2
from markupsafe import Markup

from autograder.grade import Outcome
from autograder.report.gradescope import clean

__all__ = ["environment"]

STYLES = {Outcome.NOT_CHECKED: "unchecked", Outcome.AWAITING: "waiting", Outcome.UNGRADED: "waiting"}
"""Classes of base.html for the outcomes whose own words make no class."""


@lru_cache(maxsize=1)
def environment() -> jinja2.Environment:
    """The templates beside this module, with the filters that they use."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_final,
    )
    made.filters["number"] = lambda value: f"{value:g}"
    made.filters["plus"] = lambda value: f"{value:+g}".replace("-", "−")
    made.filters["percent"] = lambda share: "–" if share is None else f"{share:.0%}".replace("%", " %")
    made.filters["signed"] = lambda value: "–" if value is None else f"{value:z.2f}".replace("-", "−")
    made.filters["style"] = lambda outcome: STYLES.get(outcome, outcome.value)
    return made


def _final(value: Any) -> Any:
    """Markup is what macros and charts made, of words that went through here before."""
    return value if isinstance(value, Markup) else clean(value)
