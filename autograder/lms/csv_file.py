"""CSV files from other systems, read so that every message names the line.

The header decides whether a file has the expected form; if it has not, the message says what was expected.
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

from autograder.errors import ImportedFileError, unreadable

__all__ = ["DELIMITERS", "CsvFormat", "CsvTable", "parse_number", "parse_rows", "read_table", "read_text", "wrong_form"]

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
class CsvTable:
    """A CSV file of a known form: its header, and each row's line and cells by column."""

    path: Path
    form: CsvFormat
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]

    def number(self, line: int, cells: Mapping[str, str], column: str) -> float | None:
        """Parse a cell as a number; None if it is empty. Raises ImportedFileError if it is something else."""
        cell = cells[column]
        if not cell:
            return None
        value = parse_number(cell.replace(",", ".") if self.delimiter == ";" else cell)
        if value is None:
            raise ImportedFileError(
                f"{self.path}, line {line}, column {column}: {cell!r} is not a number; expected one such as 2.5, or "
                "nothing. Correct that cell, or make the file again."
            )
        return value


def read_table(path: Path, form: CsvFormat, accepts: Callable[[frozenset[str]], bool]) -> CsvTable:
    """Read a file if `accepts` takes the names of its columns; blank rows are skipped. Raises ImportedFileError."""
    content = read_text(path, form).removeprefix("\ufeff")
    for delimiter in DELIMITERS:
        try:
            header = next(_filled_rows(path, content, delimiter), (1, ()))[1]
        except ImportedFileError:
            continue
        if accepts(frozenset(header)):
            break
    else:
        raise wrong_form(path, content, form)
    for column, times in Counter(filter(None, header)).items():
        if times > 1:
            raise ImportedFileError(
                f"{path}: {times} columns are called {column}; expected every name once. Delete or rename the others."
            )
    rows = []
    for line, cells in list(_filled_rows(path, content, delimiter))[1:]:
        if len(cells) != len(header):
            raise ImportedFileError(
                f"{path}, line {line}: {len(cells)} cells; expected {len(header)}, as in the header. Look for an "
                "extra or a missing comma in that line."
            )
        rows.append((line, dict(zip(header, cells, strict=True))))
    return CsvTable(path, form, delimiter, header, tuple(rows))


def read_text(path: Path, form: CsvFormat) -> str:
    """Return all of a file, byte order mark included. Raises ImportedFileError."""
    try:
        content = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ImportedFileError(f"{path}: {unreadable(error)}. Expected {form.description}.") from error
    except UnicodeDecodeError as error:
        raise ImportedFileError(
            f"{path}: it is not UTF-8 text (byte {error.start}); expected {form.description}. If a spreadsheet wrote "
            "it, save it again as CSV UTF-8."
        ) from error
    if not content.removeprefix("\ufeff").strip():
        raise ImportedFileError(f"{path}: it is empty; {form.expected}")
    return content


def parse_rows(path: Path, content: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield the first line and the cells of every row, blank ones too. Raises ImportedFileError."""
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, tuple(cells)
            line = reader.line_num + 1
    except csv.Error as error:
        raise ImportedFileError(
            f"{path}, line {line}: {error}; expected CSV cells, with quotes in pairs. Make the file again."
        ) from error


def parse_number(cell: str) -> float | None:
    """Parse a cell as a float; None if it is not a finite number."""
    value = float(cell) if NUMBER.fullmatch(cell) else math.nan
    return value if math.isfinite(value) else None


def wrong_form(path: Path, content: str, form: CsvFormat) -> ImportedFileError:
    """Return the error for a file with another header."""
    return ImportedFileError(f"{path}: its first line is {content.strip().splitlines()[0][:200]!r}; {form.expected}")


def _filled_rows(path: Path, content: str, delimiter: str) -> Iterator[tuple[int, tuple[str, ...]]]:
    for line, cells in parse_rows(path, content, delimiter):
        stripped = tuple(map(str.strip, cells))
        if any(stripped):
            yield line, stripped
