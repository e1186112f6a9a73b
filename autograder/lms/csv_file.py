"""CSV files that people hand in, read so that a message can lead to the line.

A file is of a certain form, which its head decides; where it is not, the form's own error says what was expected.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from autograder.errors import KitError, unreadable

__all__ = ["DELIMITERS", "CsvFormat", "CsvTable", "Record", "number", "records", "refilled", "text"]

DELIMITERS = ",;"
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class CsvFormat:
    """What a file should be.

    `error` is raised where it is something else; `what` and `whose` name it there ("a CSV file of grades", "as
    Gradescope makes it"), and `expected` is the sentence about its columns, with the next step.
    """

    error: type[KitError]
    what: str
    whose: str
    expected: str


@dataclass(frozen=True)
class Record:
    """One row: the number of its first line, its cells, and how it stands in the file, line end included."""

    line: int
    cells: tuple[str, ...]
    raw: str

    @property
    def blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


@dataclass(frozen=True)
class CsvTable:
    """A CSV file of a known form: its head, and each row's line and cells by column."""

    path: Path
    form: CsvFormat
    delimiter: str
    head: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]

    @classmethod
    def of(cls, path: Path, form: CsvFormat, accepts: Callable[[frozenset[str]], bool]) -> Self:
        """The file at this path, if `accepts` takes the names of its columns. Raises the form's error."""
        content = text(path, form).removeprefix("\ufeff")
        delimiter = _delimiter(path, content, form, accepts)
        filled = (record for record in records(path, content, delimiter, form) if not record.blank)
        head = tuple(cell.strip() for cell in next(filled).cells)
        for column, times in Counter(filter(None, head)).items():
            if times > 1:
                raise form.error(
                    f"{path}: the column {column} stands there {times} times; expected every column once. Delete or "
                    "rename the others."
                )
        rows = []
        for record in filled:
            if len(record.cells) != len(head):
                raise form.error(
                    f"{path}, line {record.line}: {len(record.cells)} cells; expected {len(head)}, as many as the "
                    "head has. Look for a comma too many or too few in that line."
                )
            rows.append((record.line, dict(zip(head, map(str.strip, record.cells), strict=True))))
        return cls(path, form, delimiter, head, tuple(rows))

    def number(self, line: int, cells: Mapping[str, str], column: str) -> float | None:
        """What stands in this cell; None where it is empty. Raises the form's error for what is no number."""
        cell = cells[column]
        if not cell:
            return None
        value = number(cell.replace(",", ".") if self.delimiter == ";" else cell)
        if value is None:
            raise self.form.error(
                f"{self.path}, line {line}, column {column}: {cell!r} is no number; expected one such as 2.5, or "
                "nothing. Mend that cell, or make the file again."
            )
        return value


def text(path: Path, form: CsvFormat) -> str:
    """All of a file, with the mark that some programs put before UTF-8. Raises the form's error."""
    try:
        content = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise form.error(f"{path}: {unreadable(error)}. Expected {form.what}.") from error
    except UnicodeDecodeError as error:
        raise form.error(
            f"{path}: it is not text in UTF-8 (byte {error.start}); expected a CSV file {form.whose}. Where a "
            "spreadsheet wrote it, save it again as CSV UTF-8."
        ) from error
    if not content.removeprefix("\ufeff").strip():
        raise form.error(f"{path}: it is empty; {form.expected}")
    return content


def records(path: Path, content: str, delimiter: str, form: CsvFormat) -> Iterator[Record]:
    """All rows, blank ones too: put together, their `raw` is the content again. Raises the form's error."""
    lines = io.StringIO(content, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    before = 0
    try:
        for cells in reader:
            yield Record(before + 1, tuple(cells), "".join(lines[before : reader.line_num]))
            before = reader.line_num
    except csv.Error as error:
        raise form.error(
            f"{path}, line {before + 1}: {error}; expected cells as CSV has them, quotes in pairs. Make the file again."
        ) from error


def refilled(record: Record, delimiter: str, index: int, value: str) -> str:
    """How the record stands in a file when this value is in its cell number `index`; all else stays as it was."""
    cell = re.compile(rf'"[^"]*(?:""[^"]*)*"|[^{re.escape(delimiter)}\r\n]*')
    start = 0
    for _ in range(index):
        start = _match(cell, record.raw, start).end() + len(delimiter)
    old = _match(cell, record.raw, start)
    quoted = old.group().startswith('"') or bool(set(value) & {delimiter, '"', "\r", "\n"})
    quoted |= value == "" and len(record.cells) == 1  # an empty line would be no row at all
    new = '"{}"'.format(value.replace('"', '""')) if quoted else value
    return record.raw[:start] + new + record.raw[old.end() :]


def number(cell: str) -> float | None:
    """What stands there in figures; None where it is no number, or none that is finite."""
    value = float(cell) if NUMBER.fullmatch(cell) else math.nan
    return value if math.isfinite(value) else None


def _match(pattern: re.Pattern[str], content: str, start: int) -> re.Match[str]:
    found = pattern.match(content, start)
    assert found is not None  # the pattern takes nothing at all, too
    return found


def _delimiter(path: Path, content: str, form: CsvFormat, accepts: Callable[[frozenset[str]], bool]) -> str:
    """What parts the cells: that with which the head is an accepted one."""
    for delimiter in DELIMITERS:
        try:
            head = next(record for record in records(path, content, delimiter, form) if not record.blank)
        except (form.error, StopIteration):
            continue
        if accepts(frozenset(cell.strip() for cell in head.cells)):
            return delimiter
    raise form.error(f"{path}: its first line is {content.strip().splitlines()[0][:200]!r}; {form.expected}")
