"""Requests to look at a mark again: read from a CSV file, and written with the answers.

In comes whose submission it is (`submission`, `email` or `id`), `question` and `text`; out goes the same with the
status, the reply and the points before and after. What goes out can come in again.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from autograder.errors import RequestError
from autograder.lms import row_matching
from autograder.lms.csv_file import CsvFormat, CsvTable, read_table
from autograder.lms.roster import MatchedRoster
from autograder.text import escape_formula, printable_lines, unescape_formula

__all__ = ["RegradeRequest", "Standing", "read", "render"]

Standing = Literal["open", "accepted", "declined"]
STANDINGS: tuple[Standing, ...] = get_args(Standing)
WHO = ("submission", "email", "id")
COLUMNS = ("submission", "question", "text", "status", "reply", "before", "after")
FORM = CsvFormat(
    RequestError,
    "a CSV file of requests",
    "expected the columns question and text, and one or more of submission, email and id. Give the columns these "
    "names.",
)

SHOWN = 5


@dataclass(frozen=True)
class RegradeRequest:
    """One request and what became of it. Points are those of the question, None where there are none."""

    submission: str
    question: str
    text: str
    status: Standing = "open"
    reply: str = ""
    before: float | None = None
    after: float | None = None


def read(
    path: Path, questions: Collection[str], submissions: Collection[str], roll: MatchedRoster | None = None
) -> tuple[RegradeRequest, ...]:
    """The requests of one file, in its order.

    Whose a request is, the `submission` in its row says, failing that its email or id: by the roster where one was
    joined, else in the submission's name. Raises RequestError where the file cannot be read, holds no request, or a
    request without a text, on no question there is, twice, or of nobody who handed in; all such rows are named.
    """
    sheet = read_table(path, FORM, lambda columns: _is_form({column.casefold() for column in columns}))
    rows = [(line, {name.casefold(): cell for name, cell in cells.items()}) for line, cells in sheet.rows]
    rows = [(line, {**cells, "question": cells["question"].casefold()}) for line, cells in rows]
    if not rows:
        raise RequestError(f"{path}: no request in it, only a head; expected a row for each. Make the file again.")
    names = _submissions([cells for _, cells in rows], submissions, roll)
    asked: dict[tuple[str, str, str], int] = {}
    requests, wrong = [], []
    for (line, cells), met in zip(rows, names, strict=True):
        told = _trouble(cells, met, questions)
        if met.name is not None and not told:
            first = asked.setdefault((met.name, cells["question"], cells["text"]), line)
            if first != line:
                told = f"the same request of {met.name} on {cells['question']} as in line {first}"
        if told:
            wrong.append(f"line {line}: {told}")
        elif met.name is not None:
            requests.append(_request(sheet, line, cells, met.name))
    if wrong:
        more = f" (and {len(wrong) - SHOWN} more rows)" if len(wrong) > SHOWN else ""
        raise RequestError(f"{path}, {'; '.join(wrong[:SHOWN])}{more}. Mend or delete these rows; nothing was taken.")
    return tuple(requests)


def render(requests: Sequence[RegradeRequest]) -> str:
    """A CSV file with a row for each; nothing in it is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for each in requests:
        points = ("" if value is None else f"{value:g}" for value in (each.before, each.after))
        texts = (each.submission, each.question, each.text, each.status, each.reply)
        writer.writerow([*(escape_formula(printable_lines(_lines(text))) for text in texts), *points])
    return out.getvalue()


def _is_form(columns: Collection[str]) -> bool:
    return {"question", "text"} <= set(columns) and not set(WHO).isdisjoint(columns)


def _submissions(
    rows: Sequence[Mapping[str, str]], submissions: Collection[str], roll: MatchedRoster | None
) -> list[row_matching.Match]:
    """Whose each request is. Several may be of one person, so each is looked for on its own, and once."""
    names = {name: row_matching.normalized(name) for name in submissions}
    people = [(_who(cells, "submission"), _who(cells, "email"), _who(cells, "id")) for cells in rows]
    found = {who: _submission(*who, names, roll) for who in dict.fromkeys(people)}
    return [found[who] for who in people]


def _who(cells: Mapping[str, str], kind: str) -> str:
    return unescape_formula(cells.get(kind, ""))


def _submission(
    submission: str, email: str, id: str, names: Mapping[str, str], roll: MatchedRoster | None
) -> row_matching.Match:
    if not (submission or email or id):
        return row_matching.Match(None, "the row names nobody; expected a submission, an email or an id")
    said = " or ".join(filter(None, (submission, email, id and f"id {id}")))
    if submission or roll is None:
        clues = [row_matching.is_any_of(submission)] if submission else [row_matching.contains_word(email, id)]
        if not submission:
            clues += [row_matching.contains_word(row_matching.local_part(email))]
        (met,) = row_matching.match([clues], names, remedy="in the `submission` column")
        return met if met.name or met.why else row_matching.Match(None, f"no submission of {said}")
    marks = {row_matching.normalized(mark) for mark in (email, id) if mark}
    rows = [each for each in roll.enrolments if _has_mark(each.student.ids + each.student.emails, marks)]
    if len(rows) != 1:
        return row_matching.Match(None, f"{len(rows) or 'no'} students on the roster have {said}")
    (found,) = rows
    return row_matching.Match(found.submission, "" if found.submission else found.why or f"no submission of {said}")


def _has_mark(marks: Collection[str], wanted: Collection[str]) -> bool:
    return not {row_matching.normalized(mark) for mark in marks}.isdisjoint(wanted)


def _trouble(cells: Mapping[str, str], met: row_matching.Match, questions: Collection[str]) -> str:
    """What is wrong with a row; empty where nothing is."""
    if met.name is None:
        return met.why
    if cells["question"] not in questions:
        return f"no question {cells['question']!r}; expected one of {', '.join(questions)}"
    if not cells["text"]:
        return "no text; expected what the student asks for"
    if cells.get("status", "") not in ("", *STANDINGS):
        return f"the status {cells['status']!r}; expected one of {', '.join(STANDINGS)}, or nothing"
    return ""


def _request(sheet: CsvTable, line: int, cells: Mapping[str, str], submission: str) -> RegradeRequest:
    numbers = {name.casefold(): name for name in sheet.header}
    before, after = (
        sheet.number(line, {numbers[kind]: cells[kind]}, numbers[kind]) if kind in numbers else None
        for kind in ("before", "after")
    )
    status = next((each for each in STANDINGS if each == cells.get("status")), STANDINGS[0])
    text, reply = (unescape_formula(_lines(cells.get(kind, ""))) for kind in ("text", "reply"))
    return RegradeRequest(submission, cells["question"], text, status, reply, before, after)


def _lines(text: str) -> str:
    """Every line end as one character, whatever the spreadsheet made of it."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
