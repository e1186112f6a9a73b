"""Student text as HTML: what Markdown and formulas become, and that nothing else gets through."""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.parser_inline import ParserInline
from markupsafe import Markup

from autograder.policy.policy import Misconception
from autograder.review import markdown as module
from autograder.review import markup
from autograder.review.markdown import LONGEST, MOST_LINES, Rendered, render
from autograder.review.markup import ATTRIBUTES, TAGS, sanitize

ALLOWED = {**ATTRIBUTES, "a": {"href", "rel", "target"}}
VOID = {"br", "hr"}

SPEED = Misconception(claim="Training gets faster", correction="No.", phrases=("faster", "saves time", "don't wait"))
ARGMAX = Misconception(claim='Others to "0" <b>', correction="No.", phrases=("others to 0", "to 0", "1 - accuracy"))


class Fragment(HTMLParser):
    """The tags, attributes and words of a piece of HTML, of which each tag must be closed in its turn."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.words = ""
        self.marked: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(str(source))
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "mark":
            self.marked.append((dict(attrs)["title"] or "", ""))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if "mark" in self._open:
            title, before = self.marked.pop()
            self.marked.append((title, before + data))

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)


def shown(source: str, *hints: Misconception) -> Fragment:
    """Render a text as a page does; check that it has known tags and attributes only, all of which `sanitize` keeps."""
    html = render(source, highlight=hints).html
    assert sanitize(html) == html
    fragment = Fragment(html)
    assert fragment.tags.keys() <= TAGS
    for tag, name, value in fragment.attributes:
        assert name in ALLOWED.get(tag, ()), (tag, name)
        assert name != "href" or re.match(r"(https?://|mailto:)", value, re.IGNORECASE), value
    links = Counter(name for tag, name, _ in fragment.attributes if tag == "a")
    assert {links[name] for name in ("href", "rel", "target")} == {fragment.tags["a"]}
    return fragment


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a *b* **c** ~~d~~ `e`", "<p>a <em>b</em> <strong>c</strong> <s>d</s> <code>e</code></p>"),
        ("a\nb\n\nc", "<p>a\nb</p>\n<p>c</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>"),
        ("```python\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>"),
        ("# a *b*", "<p><strong>a <em>b</em></strong></p>"),
        ("a\n===", "<p><strong>a</strong></p>"),
        ("a  \nb\n\n---", "<p>a<br>\nb</p>\n<hr>"),
        ("a\r\nb\rc", "<p>a\nb\nc</p>"),
        ("[a]: http://example.org", "<p>[a]: http://example.org</p>"),
        ("![a *graph*](http://example.org/x.png)", "<p>a graph</p>"),
        ("![](http://example.org/x.png)", "<p>(image)</p>"),
        ("![in a cell](attachment:image.png)", "<p>in a cell</p>"),
        ("[my file](notes.md) [it](javascript:a)", "<p>my file (notes.md) [it](javascript:a)</p>"),
        ("![![in](a) out](http://b)", "<p>in out</p>"),
        ("", ""),
        (" \n\t\n", ""),
    ],
)
def test_markdown_becomes_plain_tags(source: str, expected: str) -> None:
    assert render(source) == Rendered(Markup(expected + "\n" if expected else ""), False)


@pytest.mark.parametrize(
    ("source", "headers", "cells"), [("|a|b|\n|:-:|-:|\n|1|2|", 2, 2), ("| |b|\n|-|-|\n|1||", 1, 3)]
)
def test_a_table_has_no_styles_and_no_empty_headers(source: str, headers: int, cells: int) -> None:
    fragment = shown(source)
    assert (fragment.tags["th"], fragment.tags["td"], fragment.attributes) == (headers, cells, [])


@pytest.mark.parametrize("address", ["http://example.org/a?b=c&d=e", "https://example.org", "mailto:ann@example.org"])
@pytest.mark.parametrize("spelling", ["[here]({})", "<{}>", "[here](<{}> 'title')"])
def test_links_to_the_web_open_elsewhere_and_tell_nothing(address: str, spelling: str) -> None:
    fragment = shown(spelling.format(address))
    assert fragment.attributes == [
        ("a", "href", address),
        ("a", "target", "_blank"),
        ("a", "rel", "noopener noreferrer nofollow"),
    ]


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)", "JaVaScRiPt:alert(1)", "javascript&colon;alert(1)", "&#106;avascript:alert(1)",
        "&#x6A&#x61;vascript:alert(1)", "java&Tab;script:alert(1)", "java\tscript:alert(1)", "\\javascript:alert(1)",
        "%6Aavascript:alert(1)", "\x01javascript:alert(1)", "vbscript:x", "data:text/html;base64,PHNjcmlwdD4=",
        "data:image/png;base64,AAAA", "file:///etc/passwd", "blob:http://example.org/1", "//example.org", "/admin",
        "?reveal=1", "#top", "http:example", "http://?", "",
    ],
)  # fmt: skip
@pytest.mark.parametrize("spelling", ["[a]({})", "[a](<{}>)", "<{}>", "![a]({})", "[a][b]\n\n[b]: {}", "[![a]({})](x)"])
def test_no_link_goes_anywhere_else(address: str, spelling: str) -> None:
    assert shown(spelling.format(address)).tags["a"] == 0


def test_a_link_without_words_shows_where_it_goes() -> None:
    assert shown("[](http://example.org) [ ](http://example.com)").words.split() == [
        "http://example.org",
        "http://example.com",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<svg/onload=alert(1)>",
        '<a href="javascript:alert(1)" onclick="alert(1)">a</a>', "<style>*{display:none}</style>",
        "<iframe srcdoc='<script>alert(1)</script>'>", "<form action=/settle><input name=points value=4><button>",
        "<!-- a -->", "<![CDATA[a]]>", "<?php a ?>", "<!DOCTYPE html>", "</div></main></body>",
        "<math><mi href='javascript:alert(1)'>a</mi></math>", "<mark title='no'>faked</mark>",
        "<math><annotation-xml encoding='text/html'><img src=x onerror=alert(1)></annotation-xml></math>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>", "<<script>script>alert(1)<</script>/script>",
        "<p style='position:fixed'>a", "&lt;script&gt;alert(1)&lt;/script&gt;", "&#60;script&#62;",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    "place", ["{}", "a {} b", "# {}", "> {}", "- {}", "|a|\n|-|\n|{}|", "`{}`", "```\n{}\n```", "*{}*"]
)
def test_html_is_shown_as_it_was_typed(source: str, place: str) -> None:
    fragment = shown(place.format(source))
    assert not fragment.tags.keys() & {"script", "img", "svg", "style", "iframe", "form", "input", "mark", "math"}
    if "`" in place:
        assert source in fragment.words
    else:
        assert "<" in fragment.words


@pytest.mark.parametrize(
    ("source", "display"),
    [
        (r"The loss is $-\sum_{i} y_i \log p_i$.", "inline"),
        ("$n$ classes make 10", "inline"),  # what ends a paragraph does not spoil the formula that begins it
        ("$n$ and a \\", "inline"),
        ("$$x^2$$", "block"),
        ("$$\nx^2\n$$", "block"),
        ("as in $$x^2$$ here", "block"),
        ("> $$\n> x^2\n> $$", "block"),
    ],
)
def test_formulas_become_mathml(source: str, display: str) -> None:
    fragment = shown(source)
    assert (fragment.tags["math"], fragment.tags["code"]) == (1, 0)
    assert ("math", "display", display) in fragment.attributes
    assert "$" not in fragment.words


@pytest.mark.parametrize("source", ["It costs $5 and $6.", r"\$a\$", "`$a$`", "one $ alone", "$$ never closed\n\na $"])
def test_not_every_dollar_is_a_formula(source: str) -> None:
    assert shown(source).tags["math"] == 0


@pytest.mark.parametrize(
    "latex",
    [
        r"\text{<img src=x onerror=alert(1)>}",
        r"\text{</mtext></math><script>alert(1)</script>}",
        r"\text{&#x3C;script&#x3E;}",
        r"\text{&lt;script&gt;}",
        r"\mbox{<b>a</b>} \textbf{<b onclick=x>}",
        r"\href{javascript:alert(1)}{x}",
        r"\class{admin}{x} \id{points}{x} \style{position:fixed}{x}",
        r"\color{red}{x} \colorbox{black}{x} \Huge x",
        r"\begin{annotation-xml}<img>\end{annotation-xml}",
        r"\operatorname{<script>} <script>",
        r"\left<x\right> \middle< \big<",
        r"\unknown{<script>} \<script\>",
        r"\hspace{x\" onclick=\"alert(1)} \rule{1em}{<b>}",
        "a\x00b\ud800",
    ],
)
@pytest.mark.parametrize("sign", ["$", "$$"])
def test_nothing_gets_out_of_a_formula(latex: str, sign: str) -> None:
    fragment = shown(f"{sign}{latex}{sign}")
    assert not fragment.tags.keys() & {"script", "img", "b", "a"}


@pytest.mark.parametrize(
    "latex", [r"\hspace{-99em}", r"\hspace{999em}", r"\rule{500em}{500em}", r"\kern-40em", r"\raise{90em}{x}"]
)
def test_a_formula_cannot_leave_its_place(latex: str) -> None:
    assert all(len(value) < 8 for _, name, value in shown(f"${latex} x$").attributes if name != "display")
    assert not re.search(r"\d{2}em", render(f"${latex} x$").html)


@pytest.mark.parametrize(
    "latex",
    [
        "x_",
        "{" * 50 + "x" + "}" * 50,
        r"\sqrt " * 150 + "x",
        "x^" * 300 + "x",
        "a" * (markup.LONGEST + 1),
        r"\newcommand{\a}[1]{#1#1#1}\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{\a{x}}}}}}}}}}}}}}}}}",
        r"\def\a{xx}\def\b{\a\a\a\a}\b",
        r"\DeclareMathOperator{\a}{a}\a",
        r"\newenvironment{a}{xx}{xx}\begin{a}\end{a}",
    ],
    ids=["half", "braces", "roots", "powers", "long", "macro", "def", "operator", "environment"],
)
def test_a_formula_that_cannot_be_shown_is_shown_as_source(latex: str) -> None:
    fragment = shown(f"a ${latex}$ b")
    assert (fragment.tags["math"], fragment.tags["code"]) == (0, 1)
    assert latex.strip() in fragment.words


def test_formulas_beyond_a_limit_are_shown_as_source() -> None:
    each = "$" + "a" * 100 + "$ "
    fragment = shown(each * 100)
    assert (fragment.tags["math"], fragment.tags["code"]) == (module.MOST_MATHS // 100, 100 - module.MOST_MATHS // 100)


def test_phrases_of_misconceptions_are_marked_with_the_claim() -> None:
    found = render("Training is FASTER, and it\nsaves  time.", highlight=[SPEED])
    assert Fragment(found.html).marked == [(SPEED.claim, "FASTER"), (SPEED.claim, "saves  time")]
    assert found.claims == (SPEED.claim,)


@pytest.mark.parametrize(
    ("source", "marked"),
    [
        ("It sets all others to 0.", ["others to 0"]),
        ("It goes to 0.", ["to 0"]),
        ("others\nto 0", ["others\nto 0"]),
        ("- *others to 0*", ["others to 0"]),
        ("# Others to 0", ["Others to 0"]),
        ("|others to 0|\n|-|\n|to 0|", ["others to 0", "to 0"]),
        ("[others to 0](http://example.org)", ["others to 0"]),
        ("we don’t wait", ["don’t wait"]),
        ("loss = 1 – accuracy", ["1 – accuracy"]),
        ("others to 05, brothers to 00", []),
        ("`others to 0` ```to 0```", []),
        ("$\\text{others to 0}$", []),
        ("[a](http://example.org/faster)", []),
        ("&#102;aster", ["faster"]),
        ("others *to* 0", []),
        ("<b title='to 0'>", ["to 0"]),
        ("> " * 40 + "faster", ["faster"]),
    ],
)
def test_phrases_are_whole_words_of_running_text(source: str, marked: list[str]) -> None:
    fragment = shown(source, SPEED, ARGMAX)
    assert [words for _, words in fragment.marked] == marked
    assert {claim for claim, _ in fragment.marked} <= {SPEED.claim, ARGMAX.claim}
    assert shown(source).words == fragment.words


def test_claims_come_in_their_order_and_only_those_that_were_found() -> None:
    silent = Misconception(claim="Silent", correction="No.", phrases=("never said", " "))
    found = render("to 0 and others to 0 and faster", highlight=[silent, SPEED, ARGMAX])
    assert found.claims == (SPEED.claim, ARGMAX.claim)
    bare = Misconception(claim="Bare", correction="No.")
    assert render("a b", highlight=[bare]) == render("a b")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("word " * 200_000, LONGEST - 1),
        ("x" * 1_000_000, LONGEST),
        ("a\n" * 500_000, 2 * MOST_LINES - 1),
        ("a\n" + "x" * 1_000_000, LONGEST),
        ("x" * (LONGEST - 500) + "\n" + "y" * 1_000_000, LONGEST - 500),
        ("\r\n" * 10 + "x " * 500_000, LONGEST),
    ],
    ids=["words", "one word", "lines", "a short line first", "a long line first", "Windows lines"],
)
def test_of_a_huge_text_only_the_beginning_reaches_the_parser(
    text: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    tokens = module._parse

    def counted(markdown: Any, source: str, env: dict[str, int]) -> Any:
        sizes.append(len(source))
        return tokens(markdown, source, env)

    monkeypatch.setattr(module, "_parse", counted)
    assert render(text).cut
    assert size - 1 <= sizes[0] <= size


def test_a_text_that_just_fits_is_not_cut() -> None:
    assert not render("x" * LONGEST + "\n" * 50).cut
    assert not render("a\n" * MOST_LINES).cut


def test_links_beyond_a_limit_stay_words() -> None:
    fragment = shown("[a](http://b) " * 300)
    assert fragment.tags["a"] == module.MOST_LINKS
    assert fragment.words.count("[a](http://b)") == 300 - module.MOST_LINKS


def test_brackets_are_not_followed_further_than_a_link_may_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = 0
    skip = ParserInline.skipToken

    def counted(parser: Any, state: Any) -> None:
        nonlocal steps
        steps += 1
        skip(parser, state)

    monkeypatch.setattr(ParserInline, "skipToken", counted)
    for hostile in ("[" * 19_000 + "](x)", "[](" * 6000, "![" * 4000 + "](x)" * 2000, "[](x)" * 4000, "![[](" * 4000):
        render(hostile)
    assert 0 < steps <= 5 * 2 * module.MOST_LINKS * module.LINK_REACH


def test_a_table_of_too_many_columns_stays_text() -> None:
    wide = module.MOST_COLUMNS
    for columns, tables in ((wide, 1), (wide + 1, 0)):
        source = "|a" * columns + "|\n" + "|-" * columns + "|\n" + "|\n" * 900
        assert shown(source).tags["table"] == tables


@pytest.mark.parametrize("sign", ["> ", "- ", "1. ", "> - "])
def test_words_are_not_lost_however_deep_they_stand(sign: str) -> None:
    for depth in (5, 13, 14, 15, 28, 29, 30, 31, 300):
        fragment = shown(sign * depth + "inmost")
        assert "inmost" in fragment.words


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\x1bb", "a\x7fb", "a\u202eb", "a\x0cb", "a\x85b"])
def test_what_no_page_can_show_is_replaced(text: str) -> None:
    found = render(text).html
    assert found == "<p>a\ufffdb</p>\n"
    found.encode()


def test_a_text_on_which_the_parser_stumbles_is_shown_as_it_was_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: object) -> None:
        raise RecursionError

    monkeypatch.setattr(MarkdownIt, "parse", stumble)
    module._parser.cache_clear()
    try:
        monkeypatch.setattr(MarkdownIt, "render", lambda *_: "")
        assert render("*a* <b>").html == "<pre>*a* &lt;b&gt;</pre>"
    finally:
        module._parser.cache_clear()


def test_what_passes_the_first_line_of_defence_is_held_by_the_second() -> None:
    raw = (
        "<p style=a onclick=b class=c id=d>x<script>y</script><img src=z><a href='javascript:1' class=q>l</a>"
        "<a href='/settle'>m</a><math><mi href='http://a' style=b>i</mi><annotation-xml>n</annotation-xml></math></p>"
    )
    held = sanitize(raw)
    assert "script" not in held
    assert Fragment(held).tags.keys() <= TAGS
    assert all(name in ALLOWED.get(tag, ()) for tag, name, _ in Fragment(held).attributes)
    assert 'href="/settle"' not in held


PIECES = (
    ("<", ">", "&", '"', "'", "/", "=", "!", "?", "#", "-", "_", "*", "~", "`", "```", "$", "$$", "[", "]", "(", ")"),
    ("{", "}", "\\", "|", ":", "\n", "\n\n", " ", "\t", "> ", "- ", "1. ", "    ", "|-|-|", "0", "a", "faster"),
    ("<script>", "</script>", "<img onerror=x>", "<!--", "-->", "<style>", "<math>", "</math>", "<annotation-xml>"),
    ("javascript:", "data:", "http://a", "mailto:b", "](javascript:a)", "](http://a)", "![", "[a](", "<http://"),
    ("\\text{", "\\href{", "\\frac{", "\\begin{matrix}", "\\end{matrix}", "\\left", "\\right", "\\color{", "\\style{"),
    ("&#x3C;", "&lt;", "&quot;", " onclick=x", " style=x", "<mtext>", "\x00", "\ud800", "é", "数", "👍"),
)
HOSTILE = st.sampled_from([piece for line in PIECES for piece in line])


@settings(max_examples=300, deadline=None)
@given(st.lists(HOSTILE | st.text(max_size=5), max_size=40).map("".join))
def test_whatever_is_typed_only_allowed_tags_and_attributes_come_out(source: str) -> None:
    shown(source, SPEED, ARGMAX)


@settings(max_examples=150, deadline=None)
@given(st.lists(HOSTILE | st.text(max_size=5), max_size=20).map("".join))
def test_whatever_a_formula_says_only_allowed_tags_and_attributes_come_out(latex: str) -> None:
    written = markup.mathml(latex, False)
    if written is not None:
        fragment = Fragment(written)
        assert fragment.tags.keys() <= markup.MATH_TAGS
        assert {name for _, name, _ in fragment.attributes} <= markup.MATH_ATTRIBUTES
