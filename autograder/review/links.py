"""Links and images in a student's text: only links to the web stay links."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from markdown_it.token import Token

from autograder.review.sanitizing import sanitize

__all__ = ["replace_images", "restrict_links"]

ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f\\]+", re.IGNORECASE)
"""An address that a link may have."""


def replace_images(tokens: Iterable[Token]) -> Iterator[Token]:
    """Replace images with their descriptions."""
    for token in tokens:
        yield _text(_words(token.children or ()).strip() or "(image)") if token.type == "image" else token


def restrict_links(tokens: Iterable[Token]) -> Iterator[Token]:
    """Keep visible links to the web; make others text, followed by their address."""
    inside: list[Token] = []
    opening: Token | None = None
    for token in tokens:
        if token.type == "link_open":
            opening, inside = token, []
        elif token.type == "link_close" and opening is not None:
            yield from _link(opening, inside, token)
            opening = None
        elif opening is not None:
            inside.append(token)
        else:
            yield token


def _link(opening: Token, inside: Sequence[Token], closing: Token) -> Iterator[Token]:
    address = str(opening.attrs.get("href", ""))
    if ADDRESS.fullmatch(address) and "href=" in sanitize(f'<a href="{html.escape(address)}">'):  # a valid one
        opening.attrs = {"href": address}
        visible = any(token.content.strip() for token in inside)
        yield from (opening, *(inside if visible else [_text(address)]), closing)
        return
    yield from inside
    if address and opening.info != "auto":  # a link in <> shows its address
        yield _text(f" ({address})")


def _words(tokens: Sequence[Token]) -> str:
    return "".join(_words(token.children or ()) if token.type == "image" else token.content for token in tokens)


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
