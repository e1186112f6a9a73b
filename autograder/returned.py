"""Grades that were made elsewhere and come back as a CSV file: by `otter grade`, or from Gradescope.

Columns are found by their names, wherever they stand. What a row says is kept as it is; to whose submission it
belongs is decided by `match`, which leaves a row alone rather than guess.
"""

from __future__ import annotations

import csv
import io
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from autograder.errors import ReturnedError
from autograder.policy import Policy

__all__ = ["GRADESCOPE", "OTTER", "Comparison", "Joined", "Returned", "match", "read", "read_all"]

OTTER, GRADESCOPE = "otter grade", "Gradescope"

COMPLETED, GRADED = "Completed", "Graded"
"""The status of a row that is a grade: Otter's word and Gradescope's."""

MAXIMA = "points-per-question"
"""The file name in Otter's row of what each question is worth."""

OTTER_COLUMNS = ("file", "total_points_earned", "grading_status")
OTTER_OTHERS = frozenset((*OTTER_COLUMNS, "percent_correct"))
GRADESCOPE_COLUMNS = ("Total Score", "Status")
GRADESCOPE_WHO = ("Email", "SID", "Name", "First Name", "Last Name")
EXPECTED = (
    f"expected the columns {', '.join(OTTER_COLUMNS)} (final_grades.csv of `otter grade`), or "
    f"{', '.join(GRADESCOPE_COLUMNS)} and one or more of {', '.join(GRADESCOPE_WHO)} (Gradescope's grades of one "
    "assignment). Download or make the file again."
)

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
NUMBERED = re.compile(r"\d+(\.\d+)*\s*(:\s*|(?=\())", re.ASCII)
WORTH = re.compile(r"\s*\(\d+([.,]\d+)? pts?\)$", re.ASCII)
"""Gradescope's heads of question columns: `4: Title (6.0 pts)`, or `4.1 (6.0 pts)` where there is no title."""

SUFFIX = re.compile(r"\.(ipynb|zip)$")
AGAIN = re.compile(r" \(\d+\)$")
"""What the kit adds to tell submissions of one name apart; no part of anybody's name."""

NAMES_SHOWN = 5


@dataclass(frozen=True)
class Returned:
    """One row of a file that came back.

    `name` is the submitted file's without its suffix (Otter), or the email, else the SID, else the person's name
    (Gradescope). `total` is None where there is no grade; `points` are by question: by its id in grading.yml where
    the column could be told, else by the column's own head.
    """

    origin: str
    name: str
    email: str
    sid: str
    person: str
    total: float | None
    points: tuple[tuple[str, float | None], ...]
    status: str

    def automatic(self, policy: Policy) -> float | None:
        """The total without the points of written questions, which people gave; None where there is no grade."""
        if self.total is None:
            return None
        return self.total - sum(points or 0.0 for id, points in self.points if id in policy.written)


@dataclass(frozen=True)
class Joined:
    """A row and the name of the submission it belongs to; or None, and why."""

    row: Returned
    submission: str | None
    why: str = ""


@dataclass(frozen=True)
class Comparison:
    """A row beside the gradebook: automatic points there and here, None where there is no grade."""

    joined: Joined
    there: float | None
    here: float | None

    @property
    def difference(self) -> float | None:
        """How much more there is there than here."""
        if self.there is None or self.here is None:
            return None
        return round(self.there - self.here, 6) + 0.0


def read_all(paths: Iterable[Path], policy: Policy) -> tuple[Returned, ...]:
    """The rows of several files. Raises ReturnedError as `read` does, and where two files grade one submission."""
    rows: list[Returned] = []
    where: dict[tuple[str, str], Path] = {}
    for path in paths:
        for row in read(path, policy):
            first = where.setdefault((row.origin, row.name), path)
            if first != path:
                raise ReturnedError(
                    f"{path}: there is a row for {row.name}, and one in {first} too; expected one row for each "
                    "submission. Join the files one at a time: of a submission that was joined before, the later "
                    "row stays."
                )
            rows.append(row)
    return tuple(rows)


def read(path: Path, policy: Policy) -> tuple[Returned, ...]:
    """The rows of one file, in their order; which of the two kinds it is, its head says.

    Commas or semicolons may part the cells; where it is semicolons, a number may have a decimal comma. Raises
    ReturnedError where the file cannot be read, is of neither kind, holds no submission or one of them twice, or
    where something else stands in the place of a number.
    """
    sheet = _Sheet.of(path)
    lines: dict[str, int] = {}
    rows = []
    for line, row in _otter(sheet) if sheet.origin == OTTER else _gradescope(sheet, policy):
        if not row.name:
            raise ReturnedError(
                f"{path}, line {line}: the row names nobody; expected "
                f"{'a file name in `file`' if sheet.origin == OTTER else 'an email, an SID or a name'}. Fill it in, or "
                "delete the row."
            )
        if row.name in lines:
            raise ReturnedError(
                f"{path}, line {line}: a second row for {row.name}, the first is line {lines[row.name]}; expected one "
                "row for each submission. Delete the row that does not count."
            )
        lines[row.name] = line
        rows.append(row)
    if not rows:
        raise ReturnedError(f"{path}: no submission in it, only a head; expected a row for each. Make the file again.")
    return tuple(rows)


def match(rows: Sequence[Returned], submissions: Collection[str]) -> tuple[Joined, ...]:
    """Each row with the submission it belongs to, where exactly one fits and no other row of its origin claims that.

    A row belongs to the submission of its own name, in whatever case; failing that, to the one in whose name its
    email or SID stands as a word, failing that, the part of the email before the @. What a stronger reason speaks
    for, a weaker one does not take.
    """
    found: dict[int, Joined] = {}
    folded = {name: _folded(name) for name in submissions}
    for origin in {row.origin for row in rows}:
        waiting = {index: row for index, row in enumerate(rows) if row.origin == origin}
        free = dict(folded)
        for fits in (_is_named, _names_identity, _names_account):
            claims = {index: _candidates(row, free, fits) for index, row in waiting.items()}
            claims = {index: names for index, names in claims.items() if names}
            wanted = Counter(names[0] for names in claims.values() if len(names) == 1)
            for index, names in claims.items():
                found[index] = _settled(waiting.pop(index), names, wanted)
            for name in {name for names in claims.values() for name in names}:
                del free[name]
        for index, row in waiting.items():
            found[index] = Joined(row, None, f"no submission has {_marks(row)} in its name")
    return tuple(found[index] for index in range(len(rows)))


def _settled(row: Returned, names: Sequence[str], wanted: Mapping[str, int]) -> Joined:
    if len(names) > 1:
        shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
        return Joined(row, None, f"{len(names)} submissions could be meant: {shown}")
    if wanted[names[0]] > 1:
        return Joined(row, None, f"{wanted[names[0]]} rows could mean the submission {names[0]}")
    return Joined(row, names[0])


def _marks(row: Returned) -> str:
    marks = [mark for mark in (row.email, row.sid and f"SID {row.sid}") if mark]
    return " or ".join(marks or [row.name])


def _candidates(
    row: Returned, names: Mapping[str, str], fits: Callable[[Returned], Callable[[str], bool]]
) -> list[str]:
    accepts = fits(row)
    return sorted(name for name, folded in names.items() if accepts(folded))


def _is_named(row: Returned) -> Callable[[str], bool]:
    name = _folded(row.name)
    return lambda submission: submission == name


def _names_identity(row: Returned) -> Callable[[str], bool]:
    return _has_word(row.email, row.sid)


def _names_account(row: Returned) -> Callable[[str], bool]:
    """An account is the part of an email before the @; before another @ it is somebody else's."""
    return _has_word(row.email.partition("@")[0])


def _has_word(*words: str) -> Callable[[str], bool]:
    """Whether one of these stands in a name with no letter or digit beside it, nor a dot or an @ that leads to more."""
    keys = [(word, _alone(word)) for word in map(_folded, words) if word]

    def has(name: str) -> bool:
        plain = AGAIN.sub("", name)
        return any(word in plain and pattern.search(plain) for word, pattern in keys)

    return has


def _alone(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?<![^\W_]\.){re.escape(word)}(?![^\W_]|\.[^\W_]|@)")


def _folded(name: str) -> str:
    """A name for comparing: one form of each character, no capitals, no suffix of a file that can be handed in."""
    return SUFFIX.sub("", unicodedata.normalize("NFC", name.strip()).casefold())


@dataclass(frozen=True)
class _Sheet:
    """A CSV file of a known kind: its head, and each row's line and cells by column."""

    path: Path
    origin: str
    semicolons: bool
    head: tuple[str, ...]
    rows: tuple[tuple[int, Mapping[str, str]], ...]

    @classmethod
    def of(cls, path: Path) -> _Sheet:
        text = _text(path)
        delimiter, origin = _kind(path, text)
        records = _records(path, text, delimiter)
        head = tuple(cell.strip() for cell in next(records)[1])
        for column, times in Counter(filter(None, head)).items():
            if times > 1:
                raise ReturnedError(
                    f"{path}: the column {column} stands there {times} times; expected every column once. Delete or "
                    "rename the others."
                )
        rows = []
        for line, cells in records:
            if len(cells) != len(head):
                raise ReturnedError(
                    f"{path}, line {line}: {len(cells)} cells; expected {len(head)}, as many as the head has. Look "
                    "for a comma too many or too few in that line."
                )
            rows.append((line, dict(zip(head, map(str.strip, cells), strict=True))))
        return cls(path, origin, delimiter == ";", head, tuple(rows))

    def number(self, line: int, cells: Mapping[str, str], column: str) -> float | None:
        """What stands in this cell; None where it is empty."""
        cell = cells[column]
        plain = cell.replace(",", ".") if self.semicolons else cell
        if not plain:
            return None
        value = float(plain) if NUMBER.fullmatch(plain) else math.nan
        if not math.isfinite(value):
            raise ReturnedError(
                f"{self.path}, line {line}, column {column}: {cell!r} is no number; expected one such as 2.5, or "
                "nothing. Mend that cell, or make the file again."
            )
        return value


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ReturnedError(f"{path}: it cannot be read ({error.strerror}); expected a CSV file of grades") from error
    except UnicodeDecodeError as error:
        raise ReturnedError(
            f"{path}: it is not text in UTF-8 (byte {error.start}); expected a CSV file as `otter grade` or Gradescope "
            "makes it. Where a spreadsheet wrote it, save it again as CSV UTF-8."
        ) from error
    if not text.strip():
        raise ReturnedError(f"{path}: it is empty; {EXPECTED}")
    return text


def _kind(path: Path, text: str) -> tuple[str, str]:
    """What parts the cells, and where the file comes from."""
    for delimiter in ",;":
        try:
            head = {cell.strip() for cell in next(_records(path, text, delimiter))[1]}
        except (ReturnedError, StopIteration):
            continue
        if head.issuperset(OTTER_COLUMNS):
            return delimiter, OTTER
        if head.issuperset(GRADESCOPE_COLUMNS) and not head.isdisjoint(GRADESCOPE_WHO):
            return delimiter, GRADESCOPE
    found = text.strip().splitlines()[0]
    raise ReturnedError(f"{path}: its first line is {found[:200]!r}; {EXPECTED}")


def _records(path: Path, text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not blank, each with the number of its first line."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    line = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        raise ReturnedError(
            f"{path}, line {line}: {error}; expected cells as CSV has them, quotes in pairs. Make the file again."
        ) from error


def _otter(sheet: _Sheet) -> Iterator[tuple[int, Returned]]:
    questions = [column for column in sheet.head if column and column not in OTTER_OTHERS]
    for line, cells in sheet.rows:
        if cells["file"] == MAXIMA:
            continue
        graded = cells["grading_status"] == COMPLETED
        yield (
            line,
            Returned(
                origin=OTTER,
                name=PurePath(cells["file"]).stem,
                email="",
                sid="",
                person="",
                total=sheet.number(line, cells, "total_points_earned") if graded else None,
                points=tuple((each, sheet.number(line, cells, each) if graded else None) for each in questions),
                status=cells["grading_status"],
            ),
        )


def _gradescope(sheet: _Sheet, policy: Policy) -> Iterator[tuple[int, Returned]]:
    questions = _questions(sheet.head, policy)
    for line, cells in sheet.rows:
        email, sid = cells.get("Email", ""), cells.get("SID", "")
        both = " ".join(filter(None, (cells.get("First Name", ""), cells.get("Last Name", ""))))
        person = both or cells.get("Name", "")
        total = sheet.number(line, cells, "Total Score")
        yield (
            line,
            Returned(
                origin=GRADESCOPE,
                name=email or sid or person,
                email=email,
                sid=sid,
                person=person,
                total=total if cells["Status"] == GRADED else None,
                points=tuple((id, sheet.number(line, cells, column)) for column, id in questions.items()),
                status=cells["Status"],
            ),
        )


def _questions(head: Iterable[str], policy: Policy) -> dict[str, str]:
    """Gradescope's question columns: the question's id where the head tells it beyond doubt, else the head itself.

    It does so by `id:` after the number, or by the title of grading.yml. Of several columns that begin with one
    id (a public check has a column of its own) it is the one with the title.
    """
    words = {column: text for column in head if (text := _title(column)) is not None}
    titles = Counter(question.title for question in policy.questions.values())
    named = {column: column for column in words}
    for id, question in policy.questions.items():
        fitting = [column for column, text in words.items() if text.startswith(f"{id}:")]
        if not fitting and titles[question.title] == 1:
            fitting = [column for column, text in words.items() if text == question.title]
        elif len(fitting) > 1:
            fitting = [column for column in fitting if words[column] == f"{id}: {question.title}"]
        if len(fitting) == 1:
            named[fitting[0]] = id
    return named


def _title(column: str) -> str | None:
    """What stands between a question's number and its points; None where the column is no question."""
    number = NUMBERED.match(column)
    if number is None and WORTH.search(column) is None:
        return None
    return WORTH.sub("", column[number.end() if number else 0 :])
