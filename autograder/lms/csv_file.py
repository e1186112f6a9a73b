"""CSV files from other systems, read without losing a byte, so that every message names the line.

The header decides whether a file has the expected form; if it has not, the message says what was expected.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import ImportedFileError, unreadable

__all__ = ["CsvFile", "CsvFormat", "CsvRow", "parse_number", "parse_rows", "read_file", "read_table"]

BOM = "\ufeff"
DELIMITERS = ",;"
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


@dataclass(frozen=True)
class CsvFormat:
    """The expected form of a file.

    `description` names the form in messages ("a CSV file of grades"), and `expected` is the sentence about its columns,
    with the next step.
    """

    description: str
    expected: str


@dataclass(frozen=True)
class CsvRow:
    """One row: the number of its first line, its cells without blanks around them, and its text, line end included."""

    line: int
    cells: tuple[str, ...]
    text: str

    def refilled(self, delimiter: str, index: int, value: str) -> str:
        """Return the row's text with this value in cell number `index`; everything else stays as it was."""
        cell = re.compile(rf'"[^"]*(?:""[^"]*)*"|[^{re.escape(delimiter)}\r\n]*')  # matches the empty text, too
        start = 0
        for _ in range(index):
            start = cell.match(self.text, start).end() + len(delimiter)  # type: ignore[union-attr]
        end = cell.match(self.text, start).end()  # type: ignore[union-attr]
        quoted = self.text.startswith('"', start) or not {delimiter, '"', "\r", "\n"}.isdisjoint(value)
        quoted |= value == "" and len(self.cells) == 1  # an empty line would not be a row
        new = '"{}"'.format(value.replace('"', '""')) if quoted else value
        return self.text[:start] + new + self.text[end:]


@dataclass(frozen=True)
class CsvFile:
    """A whole file: `bom` and the texts of `all_rows`, joined. `rows` are those below the header that are not blank."""

    path: Path
    bom: str
    delimiter: str
    header: tuple[str, ...]
    all_rows: tuple[CsvRow, ...]

    @property
    def rows(self) -> tuple[CsvRow, ...]:
        return tuple(row for row in self.all_rows if any(row.cells))[1:]

    def cells(self, row: CsvRow) -> dict[str, str]:
        """Return a row's cells by column."""
        return dict(zip(self.header, row.cells, strict=False))

    def check_width(self, row: CsvRow) -> None:
        """Raise ImportedFileError if a row has more or fewer cells than the header."""
        if len(row.cells) != len(self.header):
            raise ImportedFileError(
                f"{self.path}, line {row.line}: {len(row.cells)} cells; expected {len(self.header)}, as in the header. "
                "Look for an extra or a missing comma in that line, or make the file again."
            )

    def number(self, row: CsvRow, column: str) -> float | None:
        """Parse a cell as a number; None if it is empty. Raises ImportedFileError if it is something else."""
        cell = self.cells(row)[column]
        if not cell:
            return None
        value = parse_number(cell.replace(",", ".") if self.delimiter == ";" else cell)
        if value is None:
            raise ImportedFileError(
                f"{self.path}, line {row.line}, column {column}: {cell!r} is not a number; expected one such as 2.5, "
                "or nothing. Correct that cell, or make the file again."
            )
        return value


def read_table(path: Path, form: CsvFormat, accepts: Callable[[frozenset[str]], bool]) -> CsvFile:
    """Read a file like `read_file`, in which every column has one name and every row has all columns."""
    file = read_file(path, form, accepts)
    for column, times in Counter(filter(None, file.header)).items():
        if times > 1:
            raise ImportedFileError(
                f"{path}: {times} columns are called {column}; expected every name once. Delete or rename the others."
            )
    for row in file.rows:
        file.check_width(row)
    return file


def read_file(path: Path, form: CsvFormat, accepts: Callable[[frozenset[str]], bool]) -> CsvFile:
    """Read a file if `accepts` takes the names of its columns. Raises ImportedFileError."""
    try:
        content = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ImportedFileError(f"{path}: {unreadable(error)}. Expected {form.description}.") from error
    except UnicodeDecodeError as error:
        raise ImportedFileError(
            f"{path}: it is not UTF-8 text (byte {error.start}); expected {form.description}. If a spreadsheet wrote "
            "it, save it again as CSV UTF-8."
        ) from error
    text = content.removeprefix(BOM)
    if not text.strip():
        raise ImportedFileError(f"{path}: it is empty; {form.expected}")
    for delimiter in DELIMITERS:
        try:
            header = next((row.cells for row in parse_rows(path, text, delimiter) if any(row.cells)), ())
        except ImportedFileError:
            continue
        if accepts(frozenset(header)):
            bom = content[: len(content) - len(text)]
            return CsvFile(path, bom, delimiter, header, tuple(parse_rows(path, text, delimiter)))
    raise ImportedFileError(f"{path}: its first line is {text.strip().splitlines()[0][:200]!r}; {form.expected}")


def parse_rows(path: Path, text: str, delimiter: str) -> Iterator[CsvRow]:
    """Yield all rows, blank ones too; their texts, joined, are the text again. Raises ImportedFileError."""
    lines = io.StringIO(text, newline="").readlines()
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    end = 0
    try:
        for cells in reader:
            yield CsvRow(end + 1, tuple(map(str.strip, cells)), "".join(lines[end : reader.line_num]))
            end = reader.line_num
    except csv.Error as error:
        raise ImportedFileError(
            f"{path}, line {end + 1}: {error}; expected CSV cells, with quotes in pairs. Make the file again."
        ) from error


def parse_number(cell: str) -> float | None:
    """Parse a cell as a float; None if it is not a finite number."""
    value = float(cell) if NUMBER.fullmatch(cell) else math.nan
    return value if math.isfinite(value) else None
