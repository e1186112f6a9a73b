"""The allowlist of tags and attributes: whatever a renderer lets through, nothing else reaches a page."""

from __future__ import annotations

import nh3

from autograder.review.formulas import MATH_ATTRIBUTES, MATH_TAGS, names

__all__ = ["ATTRIBUTES", "TAGS", "sanitize"]

TAGS = MATH_TAGS | names("p br hr em strong s code pre blockquote ul ol li table thead tbody tr th td a mark")
ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href"}),
    "mark": frozenset({"title"}),
    "ol": frozenset({"start"}),
    **dict.fromkeys(sorted(MATH_TAGS), MATH_ATTRIBUTES),
}
"""The attributes of each tag that a renderer may give; other tags have none."""

CLEANER = nh3.Cleaner(
    tags=set(TAGS),
    attributes={**{tag: set(own) for tag, own in ATTRIBUTES.items()}, "*": set()},
    url_schemes={"http", "https", "mailto"},
    url_relative="deny",
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}},
)


def sanitize(raw: str) -> str:
    """Remove all HTML that is not allowed; links open in a new tab that learns nothing about this page."""
    return CLEANER.clean(raw)
