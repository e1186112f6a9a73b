"""A student's words as HTML that is safe to show: Markdown with $formulas$ in, a few harmless tags out.

Two lines of defence. Nothing of the text gets into a tag of its own: HTML in it is shown as it was typed, formulas are
turned into MathML here and written tag by tag. What comes of it still goes through nh3, which knows by TAGS and
ATTRIBUTES alone what may pass.
The work is bounded by what reaches the parser (LONGEST, MOST_LINES) and by what one text may ask for (MOST_LINKS,
MOST_MATHS, MOST_COLUMNS): some rules of Markdown look far ahead, and a text can be written to make them do so again and
again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element

import nh3
from latex2mathml.converter import Converter
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, table
from markdown_it.rules_inline import StateInline, image, link
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from mdit_py_plugins.dollarmath.index import math_inline_dollar

from autograder.policy.questions import Misconception

if TYPE_CHECKING:
    from markdown_it.renderer import RendererProtocol
    from markdown_it.utils import EnvType, OptionsDict

__all__ = ["ATTRIBUTES", "LONGEST", "MOST_LINES", "TAGS", "Rendered", "render"]

LONGEST = 20_000
"""Characters of a text that are rendered: some eight pages, of which an answer takes one at most."""

MOST_LINES = 1000
"""Lines of a text that are rendered: each can be a row of a table or an item of a list."""

MOST_LINKS, LINK_REACH = 200, 1000
"""Links in one text, and the characters one link may have, label and address together. Brackets beyond are words."""

MOST_COLUMNS = 20
"""Columns of a table. What has more stays text: empty cells are free to write and cost as much as full ones."""

MOST_MATHS, LONGEST_MATH, DEEPEST_MATH = 6000, 1000, 40
"""Characters of all formulas in a text, of one, and the depth of its MathML. What has more is shown as source."""

DEEPEST = 30
"""Quotes and lists inside each other, each of them one or two. A text with more is shown as it was typed."""


def _names(*lines: str) -> frozenset[str]:
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
"""Without href, style, class and id; and without colours and sizes, by which a formula can hide or shout."""

LENGTH = re.compile(r"(?:\d?(?:\.\d{1,3})?(?:em|ex)|\d{0,2}(?:\.\d{1,3})?(?:mu|pt|px|mm)|-0?\.\d{1,3}em|0)")
"""A length in a formula that stays near it: not above ten letters' width, and hardly back."""

TAGS = MATH_TAGS | _names("p br hr em strong s code pre blockquote ul ol li table thead tbody tr th td a mark")
ATTRIBUTES: dict[str, frozenset[str]] = {
    "a": frozenset({"href", "rel", "target"}),
    "mark": frozenset({"title"}),
    "ol": frozenset({"start"}),
    **dict.fromkeys(sorted(MATH_TAGS), MATH_ATTRIBUTES),
}
"""The attributes that each tag may have; those not named have none."""

ADDRESS = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f\\]+", re.IGNORECASE)
REL, TARGET = "noopener noreferrer nofollow", "_blank"

Rule = Callable[[StateInline, bool], bool]
"""A rule of the parser; the flag says that only the end of what matches is asked for."""

ODD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
"""What no page can show: control characters and halves of characters."""

ENTITY = re.compile(r"&#x[0-9A-Fa-f]{1,8};")
"""How latex2mathml writes a symbol in its tree."""

SAME = {"'": "['’]", "-": "[-‐‑–−]"}
"""Characters in a phrase that word processors put another in place of."""


@dataclass(frozen=True)
class Rendered:
    """`html` can be put into a page as it is. `cut`: the text goes on, but the page does not show it.

    `claims` are those of the misconceptions of which a phrase is marked in it, in their order: a mark says the same in
    its title, which not everybody can see.
    """

    html: str
    cut: bool
    claims: tuple[str, ...] = ()


def render(text: str, *, highlight: Sequence[Misconception] = ()) -> Rendered:
    """Markdown with formulas between $ or $$ as HTML; phrases of the misconceptions in `highlight` are marked.

    Links go to http, https and mailto only, others are words; images are replaced by their descriptions. Headings come
    out as bold paragraphs, so that they do not mix with the page's own. Phrases are looked for in whole words, in any
    case, in running text: not in code, not in formulas. Any text has a result, and none takes long.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    source = _head(text)
    hints = _Hints(highlight)
    env: dict[str, int] = {"links": MOST_LINKS, "maths": MOST_MATHS}
    markdown = _markdown()
    tokens = _tokens(markdown, ODD.sub("\ufffd", source), env)
    for before, token in pairwise([Token("", "", 0), *tokens]):
        _tame(before, token)
        if token.children:
            token.children = list(hints.marked(_joined(_linked(_worded(token.children)))))
    raw = markdown.renderer.render(tokens, markdown.options, env)
    claims = tuple(one.claim for one in highlight if one.claim in hints.found)
    return Rendered(_sanitised(raw), bool(text[len(source) :].strip()), tuple(dict.fromkeys(claims)))


def _head(text: str) -> str:
    """What is rendered of a text: whole lines if they are not too long, else whole words."""
    head = text[:LONGEST]
    if len(text) > LONGEST:
        ends = (head.rfind(end, LONGEST // 2) for end in ("\n", " "))
        head = head[: next((end for end in ends if end > 0), LONGEST)]
    return "\n".join(head.split("\n", MOST_LINES)[:MOST_LINES])


@cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("js-default", {"html": False, "maxNesting": DEEPEST})
    # Links to addresses that stand elsewhere in the text: nobody needs them, and each may be looked for from each.
    markdown.disable("reference")
    markdown.use(
        dollarmath_plugin,
        allow_labels=False,
        allow_blank_lines=False,  # nor does LaTeX; with them each $$ would be looked for to the end of the text
    )
    markdown.inline.ruler.at("link", _within_reach(link))
    markdown.inline.ruler.at("image", _within_reach(image))
    rule = math_inline_dollar(allow_space=True, allow_digits=False, allow_double=True)
    markdown.inline.ruler.at("math_inline", _from_the_first(rule))
    markdown.block.ruler.at("table", _narrow_table, {"alt": ["paragraph", "reference"]})
    for name in ("math_inline", "math_inline_double", "math_block"):
        markdown.add_render_rule(name, _formula)
    # The library compiles its rules at first use, and threads must not meet that half done.
    markdown.render("*a*\n\n> - b\n\n|c|\n|-|\n")
    return markdown


def _within_reach(rule: Rule) -> Rule:
    """The rule for links or images, on the next LINK_REACH characters alone, MOST_LINKS times in a text."""

    def bounded(state: StateInline, silent: bool) -> bool:
        end = min(state.posMax, state.pos + LINK_REACH)
        if state.src[state.pos] not in "![" or state.src.find("](", state.pos, end) < 0 or not state.env["links"]:
            return False
        state.env["links"] -= 1
        whole, state.posMax = state.posMax, end
        try:
            return rule(state, silent)
        finally:
            state.posMax = whole

    return bounded


def _from_the_first(rule: Rule) -> Rule:
    """The rule for formulas, mended: for what stands before the first character it looks at the last."""

    def mended(state: StateInline, silent: bool) -> bool:
        source = state.src
        if state.pos == 0:
            state.src = f"{source} "
        try:
            return rule(state, silent)
        finally:
            state.src = source

    return mended


def _narrow_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start] : state.eMarks[start]]
    return line.count("|") <= MOST_COLUMNS + 1 and table(state, start, end, silent)


def _tokens(markdown: MarkdownIt, source: str, env: dict[str, int]) -> list[Token]:
    """The parsed text; one block of plain text where it cannot be parsed, or the parser would leave words out."""
    try:
        tokens = markdown.parse(source, env)
    except Exception:  # whatever a strange text makes of the parser, people must be able to read it
        return _plain(source)
    return _plain(source) if any(token.level >= DEEPEST - 1 for token in tokens) else tokens


def _plain(source: str) -> list[Token]:
    words = Token("inline", "", 0, children=[_text(source)])
    return [Token("pre_open", "pre", 1), words, Token("pre_close", "pre", -1)]


def _text(content: str) -> Token:
    return Token("text", "", 0, content=content)


def _tame(before: Token, token: Token) -> None:
    """Take from a block, which comes after another, what does not belong into somebody else's page."""
    if token.type in ("heading_open", "heading_close"):
        token.tag = "p"
    if before.type == "heading_open":
        strong = Token("strong_open", "strong", 1), Token("strong_close", "strong", -1)
        token.children = [strong[0], *(token.children or ()), strong[1]]
    # The heading of a column that says nothing is none.
    if before.type == "th_open" and not token.content:
        before.tag = "td"
    if token.type == "th_close" and not before.content:
        token.tag = "td"
    if token.tag in ("th", "td"):
        token.attrs = {}  # alignment, as a style
    token.info = ""  # the language of a block of code, which would be a class


def _worded(tokens: Sequence[Token]) -> Iterator[Token]:
    """Images replaced by their descriptions."""
    for token in tokens:
        yield _text(_words(token.children or ()).strip() or "(image)") if token.type == "image" else token


def _words(tokens: Sequence[Token]) -> str:
    return "".join(_words(token.children or ()) if token.type == "image" else token.content for token in tokens)


def _linked(tokens: Iterator[Token]) -> Iterator[Token]:
    """Links that go to the web and can be seen; of others, which are words, the address is another word."""
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
    said = any(token.content.strip() for token in inside)
    if ADDRESS.fullmatch(address):
        opening.attrs = {"href": address}
        yield from (opening, *(inside if said else [_text(address)]), closing)
        return
    yield from inside
    if address and opening.info != "auto":  # of those in <> it is what is inside
        yield _text(f" ({address})")


def _joined(tokens: Iterator[Token]) -> Iterator[Token]:
    """Text that goes on in the next line as one text."""
    text = ""
    for token in tokens:
        if token.type in ("text", "softbreak"):
            text += token.content if token.type == "text" else "\n"
            continue
        if text:
            yield _text(text)
            text = ""
        yield token
    if text:
        yield _text(text)


class _Hints:
    """Marks phrases of misconceptions; `found` are the claims of those that were there."""

    def __init__(self, misconceptions: Sequence[Misconception]) -> None:
        pairs = [(phrase, each.claim) for each in misconceptions for phrase in each.phrases if phrase.strip()]
        # The longest first: of "faster" and "faster training" the one that says more.
        pairs.sort(key=lambda pair: -len(pair[0]))
        self.found: set[str] = set()
        self._claims = [claim for _, claim in pairs]
        one = "|".join(f"({_pattern(phrase)})" for phrase, _ in pairs)
        self._phrases = re.compile(rf"(?<!\w)(?:{one})(?!\w)", re.IGNORECASE) if pairs else None

    def marked(self, tokens: Iterator[Token]) -> Iterator[Token]:
        for token in tokens:
            if token.type == "text" and self._phrases is not None:
                yield from self._parts(token.content, self._phrases)
            else:
                yield token

    def _parts(self, text: str, phrases: re.Pattern[str]) -> Iterator[Token]:
        end = 0
        for match in phrases.finditer(text):
            assert match.lastindex is not None  # each alternative is a group
            claim = self._claims[match.lastindex - 1]
            self.found.add(claim)
            yield _text(text[end : match.start()])
            yield Token("mark_open", "mark", 1, attrs={"title": claim})
            yield _text(match.group())
            yield Token("mark_close", "mark", -1)
            end = match.end()
        yield _text(text[end:])


def _pattern(phrase: str) -> str:
    words = ("".join(SAME.get(char, re.escape(char)) for char in word) for word in phrase.split())
    return r"\s+".join(words)


def _formula(_renderer: RendererProtocol, tokens: Sequence[Token], at: int, _options: OptionsDict, env: EnvType) -> str:
    token = tokens[at]
    source = token.content.strip()
    env["maths"] -= len(source)
    written = _mathml(source, token.markup == "$$") if env["maths"] >= 0 and len(source) <= LONGEST_MATH else None
    if written is None:
        written = f"<code>{html.escape(f'{token.markup}{token.content}{token.markup}')}</code>"
    return f"<p>{written}</p>\n" if token.block else written


@lru_cache(maxsize=1024)
def _mathml(source: str, display: bool) -> str | None:
    """A formula as MathML; None where it is not one, or is nested too deeply."""
    try:
        converter = Converter(display="block" if display else "inline")
        converter.macros = _NoMacros()
        return _written(converter.convert_to_element(source), DEEPEST_MATH)
    except Exception:  # it has a dozen errors of its own, and raises IndexError and StopIteration as well
        return None


class _NoMacros(dict[str, Any]):
    """No commands of a student's own: with three lines of them a formula grows without end."""

    def __setitem__(self, name: str, meaning: Any) -> None:
        raise ValueError(f"{name} cannot be defined")


def _written(element: Element, depth: int) -> str:
    """One element of a formula. Raises ValueError where it is too deep or not a tag of formulas.

    The library writes its own tree without escaping it, so that \\text{<b>} would be a tag.
    """
    if depth == 0 or element.tag not in MATH_TAGS:
        raise ValueError(element.tag)
    attributes = "".join(
        f' {name}="{html.escape(value)}"' for name, value in element.attrib.items() if _allowed(name, value)
    )
    inside = html.escape(_symbols(element.text)) + "".join(
        _written(child, depth - 1) + html.escape(_symbols(child.tail)) for child in element
    )
    return f"<{element.tag}{attributes}>{inside}</{element.tag}>"


def _allowed(name: str, value: str) -> bool:
    return name in MATH_ATTRIBUTES and (name not in LENGTHS or LENGTH.fullmatch(value) is not None)


def _symbols(text: str | None) -> str:
    return ENTITY.sub(lambda found: html.unescape(found.group()), text or "")


def _sanitised(raw: str) -> str:
    allowed: dict[str, Any] = {tag: set(names) - {"rel", "target"} for tag, names in ATTRIBUTES.items()}
    return nh3.clean(
        raw,
        tags=set(TAGS),
        attributes={**allowed, "*": set()},
        url_schemes={"http", "https", "mailto"},
        url_relative="deny",
        link_rel=REL,
        set_tag_attribute_values={"a": {"target": TARGET}},
    )
