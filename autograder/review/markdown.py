"""Students' Markdown as HTML that is safe to show.

There are two lines of defence. HTML in the text is shown as it was typed, and formulas are written by `markup`; the
result still goes through its allowlist.
The work is bounded by the size of what reaches the parser (LONGEST, MOST_LINES) and by what one text may contain
(MOST_LINKS, MOST_MATHS, MOST_COLUMNS): some rules of Markdown look far ahead, and a text can make them do so again and
again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token
from markupsafe import Markup
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_inline_dollar

from autograder.policy.policy import Misconception
from autograder.review.markup import mathml, sanitize
from autograder.text import printable_lines

__all__ = ["LINK_REACH", "LONGEST", "MOST_COLUMNS", "MOST_LINES", "MOST_LINKS", "MOST_MATHS", "Rendered", "render"]

LONGEST = 20_000
"""The most characters that are rendered: some eight pages, where an answer takes one at most."""

MOST_LINES = 1000
"""The most lines that are rendered: each can be a row of a table or an item of a list."""

MOST_LINKS, LINK_REACH = 200, 1000
"""The most links in a text, and the most characters of a link, label and address together. Others stay text."""

MOST_COLUMNS = 20
"""The most columns of a table. A wider one stays text: empty cells are free to type and cost as much as full ones."""

MOST_MATHS = 6000
"""The most characters of all formulas in a text. Those beyond are shown as source."""

DEEPEST = 30
"""The greatest depth of nested quotes and lists, each of them one or two. A deeper text is shown as it was typed."""

ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f\\]+", re.IGNORECASE)  # an address that a link may have
VARIANTS = {"'": "['’]", "-": "[-‐‑–−]"}  # characters of a phrase that word processors replace with others

Rule = Callable[[StateInline, bool], bool]  # a rule of the parser; the flag is for finding the end of a match only


@dataclass(frozen=True)
class Rendered:
    """Safe HTML of a text. `cut`: the text goes on after it.

    `claims` are the misconceptions with a highlighted phrase; the highlight has the claim as its title, which not
    everybody can see.
    """

    html: Markup
    cut: bool
    claims: tuple[str, ...] = ()


def render(text: str, *, highlight: Sequence[Misconception] = ()) -> Rendered:
    """Render Markdown with formulas between $ or $$, and highlight phrases of misconceptions in its running text.

    Links go to http, https and mailto only, others become text; so do images. Headings become bold paragraphs, which
    do not mix with those of the page. Every text has a result, and none takes long.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    source = _beginning(text)
    highlighter = _Highlighter(highlight)
    env: dict[str, int] = {"links": MOST_LINKS, "maths": MOST_MATHS}
    parser = _parser()
    tokens = _parse(parser, printable_lines(source), env)
    for index, token in enumerate(tokens):
        if token.children:
            token.children = list(highlighter.highlight(_restrict(token.children)))
        if token.type in ("th_open", "th_close") and not tokens[index + token.nesting].content:
            token.tag = "td"  # an empty header is not a header
    raw = parser.renderer.render(tokens, parser.options, env)
    return Rendered(Markup(sanitize(raw)), bool(text[len(source) :].strip()), highlighter.found)


def _beginning(text: str) -> str:
    """Cut a text that is too long, at the end of a line or at least of a word."""
    beginning = text[:LONGEST]
    if len(text) > LONGEST:
        ends = (beginning.rfind(end, LONGEST // 2) for end in ("\n", " "))
        beginning = beginning[: next((end for end in ends if end > 0), LONGEST)]
    return "\n".join(beginning.split("\n", MOST_LINES)[:MOST_LINES])


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("js-default", {"html": False, "maxNesting": DEEPEST})
    # Links to addresses elsewhere in the text: nobody needs them, and each may be searched for from each.
    parser.disable("reference")
    parser.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_blank_lines=False,  # as in LaTeX; otherwise each $$ would be searched for to the end of the text
    )
    parser.inline.ruler.at("link", _limit_links(link))
    parser.inline.ruler.at("image", _limit_links(image))
    rule = math_inline_dollar(allow_space=True, allow_digits=False, allow_double=True)
    parser.inline.ruler.at("math_inline", _fix_first_formula(rule))
    parser.block.ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    parser.add_render_rule("heading_open", lambda *_: "<p><strong>")
    parser.add_render_rule("heading_close", lambda *_: "</strong></p>\n")
    for name in ("math_inline", "math_inline_double", "math_block"):
        parser.add_render_rule(name, _formula)
    # The library compiles its rules at first use, and must not do so in two threads at once.
    parser.render("*a*\n\n> - b\n\n|c|\n|-|\n")
    return parser


def _limit_links(rule: Rule) -> Rule:
    """Bound the rule for links or images: at most MOST_LINKS matches in a text, each within LINK_REACH characters."""

    def limited(state: StateInline, silent: bool) -> bool:
        end = min(state.posMax, state.pos + LINK_REACH)
        if state.src[state.pos] not in "![" or state.src.find("](", state.pos, end) < 0 or not state.env["links"]:
            return False
        state.env["links"] -= 1
        whole, state.posMax = state.posMax, end
        try:
            return rule(state, silent)
        finally:
            state.posMax = whole

    return limited


def _fix_first_formula(rule: Rule) -> Rule:
    """Fix a bug of the rule: to see what comes before the first character, it looks at the last."""

    def fixed(state: StateInline, silent: bool) -> bool:
        source = state.src
        if state.pos == 0:
            state.src = f"{source} "
        try:
            return rule(state, silent)
        finally:
            state.src = source

    return fixed


def _narrow_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start] : state.eMarks[start]]
    return line.count("|") <= MOST_COLUMNS + 1 and table(state, start, end, silent)


def _parse(parser: MarkdownIt, source: str, env: dict[str, int]) -> list[Token]:
    """Parse a text; if that fails, or if the parser would leave words out, return it as plain text."""
    try:
        tokens = parser.parse(source, env)
        if all(token.level < DEEPEST - 1 for token in tokens):
            return tokens
    except Exception:  # people must be able to read a text even if the parser fails on it
        pass
    words = Token("inline", "", 0, children=[Token("text", "", 0, content=source)])
    return [Token("pre_open", "pre", 1), words, Token("pre_close", "pre", -1)]


def _formula(_renderer: Any, tokens: Sequence[Token], index: int, _options: Any, env: dict[str, int]) -> str:
    """Render a formula, or its source if it cannot be converted or the text has too many."""
    token = tokens[index]
    source = token.content.strip()
    env["maths"] -= len(source)
    rendered = mathml(source, token.markup == "$$") if env["maths"] >= 0 else None
    if rendered is None:
        rendered = f"<code>{html.escape(f'{token.markup}{token.content}{token.markup}')}</code>"
    return f"<p>{rendered}</p>\n" if token.block else rendered


def _restrict(tokens: Iterable[Token]) -> Iterator[Token]:
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


class _Highlighter:
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
