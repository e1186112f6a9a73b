"""Rows that name people, matched to submissions that have their names, without guessing.

A row is looked for by clues, the strongest first; what a stronger clue has matched, a weaker one does not take. If a
clue matches several targets, or several rows claim one, nobody gets it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, zip_longest
from typing import TypeVar

__all__ = [
    "Clue",
    "Match",
    "contains_account",
    "contains_word",
    "is_any_of",
    "is_named_after",
    "local_part",
    "match",
    "name_key",
    "normalized",
    "path_matches",
]

SUFFIX = re.compile(r"\.(ipynb|zip)$")
REPEAT = re.compile(r" \(\d+\)$")
"""The number that the kit adds to tell submissions of one name apart; no part of anybody's name."""

NAMES_SHOWN = 5

Target = TypeVar("Target")
Clue = Callable[[Target], bool]
"""A test of one target: is it what the row names?"""


@dataclass(frozen=True)
class Match:
    """The name of the matched target; or None, and why, which is empty if nothing matches at all."""

    name: str | None
    why: str = ""


def match(
    rows: Sequence[Sequence[Clue[Target]]],
    targets: Mapping[str, Target],
    noun: str = "submission",
    remedy: str = "",
) -> tuple[Match, ...]:
    """Match each row of clues to a target, if exactly one fits and no other row claims it by a clue as strong.

    `noun` and `remedy` are for the reasons: what a target is called, and where a person can name the right one
    ("in the roster's `file` column").
    """
    found: dict[int, Match] = {}
    free = dict(targets)
    for clues in zip_longest(*rows):
        claims: dict[int, list[str]] = {}
        for index, fits in enumerate(clues):
            if fits and index not in found and (names := sorted(name for name, target in free.items() if fits(target))):
                claims[index] = names
        claimants = Counter(names[0] for names in claims.values() if len(names) == 1)
        found |= {index: _settle(names, claimants, noun, remedy) for index, names in claims.items()}
        for name in set(chain(*claims.values())):
            del free[name]
    return tuple(found.get(index, Match(None)) for index in range(len(rows)))


def normalized(name: str) -> str:
    """Return a name for comparison: one form of each character, no capitals, no suffix of a notebook or zip file."""
    return SUFFIX.sub("", unicodedata.normalize("NFC", name.strip()).casefold())


def is_any_of(*names: str) -> Clue[str]:
    """Match a target whose whole name is one of these."""
    return {normalized(name) for name in names if name}.__contains__


def contains_word(*words: str) -> Clue[str]:
    """Match one of these in a name, with no letter or digit next to it, and no dot or @ that continues it."""
    keys = [word for word in map(normalized, words) if word]

    def fits(name: str) -> bool:
        # The quick look comes first: in a class, every row is compared with every submission.
        for word in keys:  # noqa: SIM110  # a generator takes twice as long
            if word in name and _as_word(word).search(REPEAT.sub("", name)):
                return True
        return False

    return fits


def contains_account(ids: Iterable[str], emails: Collection[str]) -> tuple[Clue[str], Clue[str]]:
    """Return two clues: one of these ids and emails is a word in a name; the part of an email before the @ is one."""
    return contains_word(*ids, *emails), contains_word(*map(local_part, emails))


def local_part(email: str) -> str:
    """Return the part of an email before the @, by which many systems know a person."""
    return email.partition("@")[0]


def path_matches(file: str) -> Clue[str]:
    """Match a name if it ends with this path, or this path with it."""
    path = normalized(file.replace("\\", "/")).lstrip("./")
    below, parts = f"/{path}", path.split("/")
    ends = {"/".join(parts[start:]) for start in range(len(parts))}
    return lambda name: path != "" and (name in ends or name.endswith(below))


def is_named_after(person: str) -> Clue[str]:
    """Match a name, or a folder in it, that is this person's and nothing else: "ann_smith", "Smith, Ann", "smithann".

    Written as one word, the last name comes last or first.
    """
    last, comma, first = person.partition(",")
    words = _words(first) + _words(last) if comma else _words(person)
    turned = _words(last) + _words(first) if comma else words[-1:] + words[:-1]
    keys = {tuple(sorted(words)), ("".join(words),), ("".join(turned),)} if words else set()
    return lambda name: not keys.isdisjoint(_folder_keys(name))


def name_key(name: str) -> tuple[str, ...]:
    """Return a key that two spellings of a person's name share: "Smith, Ann" and "Ann Smith"; empty for no name."""
    return tuple(sorted(_words(name)))


def _settle(names: Sequence[str], claimants: Mapping[str, int], noun: str, remedy: str) -> Match:
    if len(names) == claimants[names[0]] == 1:
        return Match(names[0])
    if len(names) > 1:
        shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
        why = f"matches {len(names)} {noun}s ({shown}); name one {remedy}"
    else:
        why = f"{claimants[names[0]]} rows match the {noun} {names[0]}; name it {remedy}"
    return Match(None, why if remedy else why.rpartition(";")[0])


@lru_cache(maxsize=10_000)
def _folder_keys(name: str) -> frozenset[tuple[str, ...]]:
    return frozenset(map(name_key, REPEAT.sub("", name).split("/")))


def _as_word(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?<![^\W_]\.){re.escape(word)}(?![^\W_]|\.[^\W_]|@)")


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", normalized(name))
