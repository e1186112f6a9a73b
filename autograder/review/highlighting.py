"""Highlights in running text: phrases that often go with a misconception."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from markdown_it.token import Token

from autograder.policy.questions import Misconception

__all__ = ["Highlighter"]

VARIANTS = {"'": "['’]", "-": "[-‐‑–−]"}
"""Characters of a phrase that word processors replace with others."""


class Highlighter:
    """Phrases of misconceptions to highlight in tokens; `found` are the claims of those that occurred.

    Phrases match whole words in any case and any spacing; of several that match at one place, the longest.
    """

    def __init__(self, misconceptions: Sequence[Misconception]) -> None:
        self._misconceptions = misconceptions
        pairs = [(phrase, one.claim) for one in misconceptions for phrase in one.phrases if phrase.strip()]
        pairs.sort(key=lambda pair: -len(pair[0]))
        self._claims = [claim for _, claim in pairs]
        any_phrase = "|".join(f"({_pattern(phrase)})" for phrase, _ in pairs)
        self._phrases = re.compile(rf"(?<!\w)(?:{any_phrase})(?!\w)", re.IGNORECASE) if pairs else None
        self._found: set[str] = set()

    @property
    def found(self) -> tuple[str, ...]:
        """The claims in the order of the misconceptions."""
        claims = dict.fromkeys(one.claim for one in self._misconceptions)
        return tuple(claim for claim in claims if claim in self._found)

    def highlight(self, tokens: Iterable[Token]) -> Iterator[Token]:
        for token in tokens:
            if token.type == "text" and self._phrases is not None:
                yield from self._split(token.content, self._phrases)
            else:
                yield token

    def _split(self, text: str, phrases: re.Pattern[str]) -> Iterator[Token]:
        end = 0
        for match in phrases.finditer(text):
            claim = self._claims[(match.lastindex or 0) - 1]  # each alternative is a group
            self._found.add(claim)
            yield Token("text", "", 0, content=text[end : match.start()])
            yield Token("mark_open", "mark", 1, attrs={"title": claim})
            yield Token("text", "", 0, content=match.group())
            yield Token("mark_close", "mark", -1)
            end = match.end()
        yield Token("text", "", 0, content=text[end:])


def _pattern(phrase: str) -> str:
    words = ("".join(VARIANTS.get(char, re.escape(char)) for char in word) for word in phrase.split())
    return r"\s+".join(words)
