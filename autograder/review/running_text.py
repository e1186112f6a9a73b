"""The running text of a student, as the parser's tokens: only links to the web, no images, highlighted phrases."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from markdown_it.token import Token

from autograder.policy.policy import Misconception
from autograder.review.markup import sanitize

__all__ = ["Highlighter", "restrict"]

ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f\\]+", re.IGNORECASE)  # an address that a link may have
VARIANTS = {"'": "['’]", "-": "[-‐‑–−]"}  # characters of a phrase that word processors replace with others


def restrict(tokens: Iterable[Token]) -> Iterator[Token]:
    """Keep links to the web and show where they go; make others text, followed by their address, and images too."""
    address, web, visible = "", False, False
    for token in tokens:
        if token.type == "link_open":
            address, visible = str(token.attrs["href"]), False
            web = bool(ADDRESS.fullmatch(address)) and "href=" in sanitize(
                f'<a href="{html.escape(address)}">'
            )  # valid
            if web:
                yield Token("link_open", "a", 1, attrs={"href": address})
            elif token.info == "auto":  # a link in <> shows its address
                address = ""
        elif token.type == "link_close":
            if web:
                yield from (token,) if visible else (_text(address), token)
            elif address:
                yield _text(f" ({address})")
        else:
            shown = _text(_words(token).strip() or "(image)") if token.type == "image" else token
            visible = visible or bool(shown.content.strip())
            yield shown


class Highlighter:
    """Phrases of misconceptions to highlight in tokens.

    Phrases match whole words in any case and any spacing; of several that match at one place, the longest.
    """

    def __init__(self, misconceptions: Sequence[Misconception]) -> None:
        pairs = [(phrase, one.claim) for one in misconceptions for phrase in one.phrases if phrase.strip()]
        pairs.sort(key=lambda pair: -len(pair[0]))
        self._claims = [claim for _, claim in pairs]
        any_phrase = "|".join(f"({_pattern(phrase)})" for phrase, _ in pairs) or "(?!)"  # without phrases, no match
        self._phrases = re.compile(rf"(?<!\w)(?:{any_phrase})(?!\w)", re.IGNORECASE)
        self._found = dict.fromkeys((one.claim for one in misconceptions), False)

    @property
    def found(self) -> tuple[str, ...]:
        """The claims whose phrases occurred, in the order of the misconceptions."""
        return tuple(claim for claim, found in self._found.items() if found)

    def highlight(self, tokens: Iterable[Token]) -> Iterator[Token]:
        """Highlight phrases, also across lines: text that goes on in the next line becomes one token."""
        for is_text, group in groupby(tokens, key=lambda token: token.type in ("text", "softbreak")):
            if is_text:
                yield from self._split("".join("\n" if one.type == "softbreak" else one.content for one in group))
            else:
                yield from group

    def _split(self, text: str) -> Iterator[Token]:
        end = 0
        for match in self._phrases.finditer(text):
            claim = self._claims[(match.lastindex or 0) - 1]  # each alternative is a group
            self._found[claim] = True
            yield _text(text[end : match.start()])
            yield Token("mark_open", "mark", 1, attrs={"title": claim})
            yield _text(match.group())
            yield Token("mark_close", "mark", -1)
            end = match.end()
        yield _text(text[end:])


def _pattern(phrase: str) -> str:
    words = ("".join(VARIANTS.get(char, re.escape(char)) for char in word) for word in phrase.split())
    return r"\s+".join(words)


def _words(token: Token) -> str:
    return "".join(map(_words, token.children or ())) if token.type == "image" else token.content


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)
