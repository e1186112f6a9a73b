"""A page as the tests look at it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

__all__ = ["ParsedPage"]

VOID = {"meta", "link", "br"}


class ParsedPage(HTMLParser):
    """The tags, attributes, words and tables (by label) of a page; a tag that is closed wrongly is an error."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.tables: dict[str, list[list[str]]] = {}
        self.headings: list[str] = []
        self._parts: list[str] = []
        self._open: list[str] = []
        self._label = ""
        self.feed(source)
        self.close()
        assert self._open == []
        self.words = " ".join(" ".join(self._parts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag == "div" and (label := dict(attrs).get("aria-label")):
            self._label = label
        elif tag == "table":
            assert self._label not in self.tables, "two tables have the same name"
            self.tables[self._label] = []
        elif tag == "tr":
            self.tables[self._label].append([])
        elif tag in ("th", "td"):
            self.tables[self._label][-1].append("")
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            return
        self._parts.append(data)
        if {"th", "td"} & set(self._open):
            row = self.tables[self._label][-1]
            row[-1] = " ".join(f"{row[-1]} {data}".split())
        elif self._open and self._open[-1] == "h2":
            self.headings.append(data)

    def values(self, name: str) -> list[str]:
        return [value for found, value in self.attributes if found == name]

    def unknown_styles(self) -> list[str]:
        """Return the classes that the page uses and does not define."""
        used = {style for value in self.values("class") for style in value.split()}
        return [style for style in used if not re.search(rf"\.{style}\b[^{{}}]*{{", self.source)]
