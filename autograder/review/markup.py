"""The markup that may reach a page: the allowlist of tags and attributes, and formulas as MathML.

Formulas are escaped here tag by tag: latex2mathml writes its own tree without escaping.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element

import nh3
from latex2mathml.converter import Converter

__all__ = ["ATTRIBUTES", "DEEPEST", "LONGEST", "MATH_ATTRIBUTES", "MATH_TAGS", "TAGS", "mathml", "sanitize"]

LONGEST, DEEPEST = 1000, 40  # the most characters of a formula, and the greatest depth of its MathML


def _names(*lines: str) -> frozenset[str]:
    """Return the words of these lines."""
    return frozenset(" ".join(lines).split())


MATH_TAGS = _names(
    "math mrow mi mn mo mtext ms mspace msub msup msubsup munder mover munderover mmultiscripts mprescripts none mfrac",
    "msqrt mroot mtable mtr mtd mstyle mpadded mphantom menclose mfenced",
)
LENGTHS = _names("width height depth voffset lspace rspace minsize maxsize linethickness")
MATH_ATTRIBUTES = LENGTHS | _names(
    "display displaystyle scriptlevel mathvariant stretchy fence form accent accentunder separator symmetric largeop",
    "movablelimits columnalign columnlines rowlines rowalign columnspacing rowspacing notation open close",
)
"""Without href, style, class and id, and without colours and sizes: a formula must neither hide nor shout."""

TAGS = MATH_TAGS | _names("p br hr em strong s code pre blockquote ul ol li table thead tbody tr th td a mark")
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

LENGTH = re.compile(r"(?:\d?(?:\.\d{1,3})?(?:em|ex)|\d{0,2}(?:\.\d{1,3})?(?:mu|pt|px|mm)|-0?\.\d{1,3}em|0)")
"""A length of at most ten letters' width, and hardly any backwards: a formula stays in its place."""

ENTITY = re.compile(r"&#x[0-9A-Fa-f]{1,8};")
"""A symbol in latex2mathml's tree."""


def sanitize(raw: str) -> str:
    """Remove all HTML that is not allowed; links open in a new tab that learns nothing about this page."""
    return CLEANER.clean(raw)


@lru_cache(maxsize=1024)
def mathml(source: str, display: bool) -> str | None:
    """Convert a formula, on a line of its own if `display`; None if it is no formula, too long or nested too deeply."""
    if len(source) > LONGEST:
        return None
    try:
        converter = Converter(display="block" if display else "inline")
        converter.macros = _NoMacros()
        return _serialize(converter.convert_to_element(source), DEEPEST)
    except Exception:  # the library has a dozen errors of its own, and raises IndexError and StopIteration as well
        return None


class _NoMacros(dict[str, Any]):
    """A dictionary that rejects a formula's own commands: with three lines of them it grows without end."""

    def __setitem__(self, name: str, meaning: Any) -> None:
        raise ValueError(f"{name} cannot be defined")


def _serialize(element: Element, depth: int) -> str:
    """Write an element as text. Raises ValueError if it is too deep or not allowed in formulas."""
    if depth == 0 or element.tag not in MATH_TAGS:
        raise ValueError(element.tag)
    attributes = "".join(
        f' {name}="{html.escape(value)}"'
        for name, value in element.attrib.items()
        if name in MATH_ATTRIBUTES and (name not in LENGTHS or LENGTH.fullmatch(value))
    )
    content = _escape(element.text) + "".join(_serialize(child, depth - 1) + _escape(child.tail) for child in element)
    return f"<{element.tag}{attributes}>{content}</{element.tag}>"


def _escape(text: str | None) -> str:
    """Escape text in which symbols are entities."""
    return html.escape(ENTITY.sub(lambda entity: html.unescape(entity.group()), text or ""))
