"""Regrade requests as a CSV file: read from a form or a spreadsheet, and written with the replies.

A row names the submission (by `submission`, `email` or `id`), the `question` and the `text`. The written file also has
the status, the reply and the points before and after; it can be read again, without these columns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from autograder.errors import ImportedFileError
from autograder.gradebook.request_store import RegradeRequest
from autograder.lms import row_matching
from autograder.lms.csv_file import CsvFormat, read_table
from autograder.lms.roster import MatchedRoster
from autograder.lms.row_matching import Match
from autograder.text import escape_formula, printable_lines, unescape_formula

__all__ = ["read", "render"]

OWNER_COLUMNS = ("submission", "email", "id")
COLUMNS = ("submission", "question", "text", "status", "reply", "before", "after")
FORM = CsvFormat(
    "a CSV file of requests",
    "expected the columns question and text, and one or more of submission, email and id. Give the columns these "
    "names.",
)

MOST_SHOWN = 5  # rows with a mistake that one message names


def read(
    path: Path, questions: Collection[str], submissions: Collection[str], roster: MatchedRoster | None = None
) -> tuple[RegradeRequest, ...]:
    """Return the requests of one file, in its order.

    The `submission` of a row counts first, then its email or id, which is looked up in the roster if there is one and
    in the submissions' names otherwise. Raises ImportedFileError, which names the rows, if the file cannot be read, has
    no request, or has one without a text, on an unknown question, twice, or from nobody who handed in.
    """
    table = read_table(path, FORM, lambda columns: _has_columns({column.casefold() for column in columns}))
    if not table.rows:
        raise ImportedFileError(f"{path}: a header but no request; expected a row for each. Make the file again.")
    names = {name: row_matching.normalized(name) for name in submissions}
    matches: dict[tuple[str, str, str], Match] = {}
    requests: dict[RegradeRequest, int] = {}
    problems = []
    for row in table.rows:
        line, cells = row.line, {column.casefold(): unescape_formula(cell) for column, cell in table.cells(row).items()}
        owner = (cells.get("submission", ""), cells.get("email", ""), cells.get("id", ""))
        if owner not in matches:
            matches[owner] = _match(*owner, names, roster)
        match = matches[owner]
        request = RegradeRequest(match.name or "", cells["question"].casefold(), _one_line_end(cells["text"]))
        if match.name is None:
            problems.append(f"line {line}: {match.why}")
        elif request.question not in questions:
            problems.append(f"line {line}: no question {request.question!r}; expected one of {', '.join(questions)}")
        elif not request.text:
            problems.append(f"line {line}: no text; expected the student's words")
        elif requests.setdefault(request, line) != line:
            first = f"line {requests[request]}"
            problems.append(f"line {line}: the same request of {match.name} on {request.question} as in {first}")
    if problems:
        more = f" (and {len(problems) - MOST_SHOWN} more rows)" if len(problems) > MOST_SHOWN else ""
        shown = "; ".join(problems[:MOST_SHOWN])
        raise ImportedFileError(f"{path}, {shown}{more}. Fix or delete these rows; nothing was imported.")
    return tuple(requests)


def render(requests: Iterable[RegradeRequest]) -> str:
    """Return a CSV file with a row for each request; no cell is a formula to a spreadsheet."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for request in requests:
        texts = (request.submission, request.question, request.text, request.status, request.reply)
        points = ("" if value is None else f"{value:g}" for value in (request.before, request.after))
        writer.writerow([*(escape_formula(printable_lines(_one_line_end(text))) for text in texts), *points])
    return out.getvalue()


def _has_columns(columns: Collection[str]) -> bool:
    return {"question", "text"} <= set(columns) and not set(OWNER_COLUMNS).isdisjoint(columns)


def _match(submission: str, email: str, id: str, names: Mapping[str, str], roster: MatchedRoster | None) -> Match:
    """Return the submission that a row means, or the reason why there is none."""
    if not (submission or email or id):
        return Match(None, "the row names nobody; expected a submission, an email or an id")
    wanted = " or ".join(filter(None, (submission, email, id and f"id {id}")))
    if submission or roster is None:
        clues = [row_matching.contains_word(email, id), row_matching.contains_word(row_matching.local_part(email))]
        if submission:
            clues = [row_matching.is_any_of(submission)]
        (match,) = row_matching.match([clues], names, remedy="in the `submission` column")
        return match if match.name or match.why else Match(None, f"no submission of {wanted}")
    keys = {row_matching.normalized(key) for key in (email, id) if key}
    found = [
        enrolment
        for enrolment in roster.enrolments
        if not keys.isdisjoint(map(row_matching.normalized, enrolment.student.ids + enrolment.student.emails))
    ]
    if len(found) != 1:
        return Match(None, f"{len(found) or 'no'} students on the roster have {wanted}")
    enrolment = found[0]
    return Match(enrolment.submission, "" if enrolment.submission else enrolment.why or f"no submission of {wanted}")


def _one_line_end(text: str) -> str:
    """Return the text with every kind of line end as one character."""
    return text.replace("\r\n", "\n").replace("\r", "\n")
