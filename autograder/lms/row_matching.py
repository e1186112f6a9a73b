"""Who is meant: rows that name people, and what bears their names, brought together without a guess.

A row is looked for by clues, the strongest first; what a stronger clue speaks for, a weaker one does not take. Where
a clue fits several, or several rows want one, nobody gets it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeVar

__all__ = ["Clue", "Match", "account", "filed", "folded", "match", "named", "same_person", "whole", "words"]

SUFFIX = re.compile(r"\.(ipynb|zip)$")
AGAIN = re.compile(r" \(\d+\)$")
"""What the kit adds to tell submissions of one name apart; no part of anybody's name."""

NAMES_SHOWN = 5

Target = TypeVar("Target")
Clue = Callable[[Target], bool]
"""Whether something bears the mark that is looked for."""


@dataclass(frozen=True)
class Match:
    """The name of what was found; or None, and why, which is empty where nothing fits at all."""

    name: str | None
    why: str = ""


def match(
    rows: Sequence[Sequence[Clue[Target]]], targets: Mapping[str, Target], noun: str = "submission"
) -> tuple[Match, ...]:
    """What each row of clues leads to, where exactly one fits and no other row claims that by a clue as strong."""
    found = [Match(None)] * len(rows)
    waiting = dict(enumerate(rows))
    free = dict(targets)
    for strength in range(max(map(len, rows), default=0)):
        claims = {index: _fitting(clues[strength : strength + 1], free) for index, clues in waiting.items()}
        claims = {index: names for index, names in claims.items() if names}
        wanted = Counter(names[0] for names in claims.values() if len(names) == 1)
        for index, names in claims.items():
            del waiting[index]
            found[index] = _settled(names, wanted, noun)
        for name in {name for names in claims.values() for name in names}:
            del free[name]
    return tuple(found)


def folded(name: str) -> str:
    """A name for comparing: one form of each character, no capitals, no suffix of a file that can be handed in."""
    return SUFFIX.sub("", unicodedata.normalize("NFC", name.strip()).casefold())


def whole(*names: str) -> Clue[str]:
    """The name is one of these."""
    known = {folded(name) for name in names if name}
    return known.__contains__ if known else _never


def words(*wanted: str) -> Clue[str]:
    """One of these stands in the name with no letter or digit beside it, nor a dot or an @ that leads to more."""
    keys = [word for word in map(folded, wanted) if word]

    def has(name: str) -> bool:
        # The quick look comes first: in a class everybody is asked about everybody.
        for word in keys:  # noqa: SIM110  # a generator takes twice as long
            if word in name and _alone(word).search(AGAIN.sub("", name)):
                return True
        return False

    return has if keys else _never


def account(email: str) -> str:
    """The part of an email before the @, by which many systems know a person; before another @ it is another's."""
    return email.partition("@")[0]


def filed(file: str) -> Clue[str]:
    """The name is the end of this path, or this path the end of it."""
    path = folded(file.replace("\\", "/")).lstrip("./")
    below, parts = f"/{path}", f"/{path}".split("/")
    ends = {"/".join(parts[start:]) for start in range(1, len(parts))}
    return (lambda name: name in ends or name.endswith(below)) if path else _never


def named(person: str) -> Clue[str]:
    """The name, or a folder in it, is this person's and nothing else: "ann_smith", "Smith, Ann", "smithann"."""
    keys = {_key(person), *_joined(person)} - {()}
    return (lambda name: not keys.isdisjoint(_part_keys(name))) if keys else _never


def same_person(one: str, other: str) -> bool:
    """Whether two names are made of the same words: "Smith, Ann" and "Ann Smith"."""
    return _key(one) == _key(other) != ()


def _fitting(clues: Sequence[Clue[Target]], targets: Mapping[str, Target]) -> list[str]:
    return sorted(name for fits in clues if fits is not _never for name, target in targets.items() if fits(target))


def _settled(names: Sequence[str], wanted: Mapping[str, int], noun: str) -> Match:
    if len(names) > 1:
        shown = ", ".join(names[:NAMES_SHOWN]) + (", …" if len(names) > NAMES_SHOWN else "")
        return Match(None, f"{len(names)} {noun}s could be meant: {shown}")
    if wanted[names[0]] > 1:
        return Match(None, f"{wanted[names[0]]} rows could mean the {noun} {names[0]}")
    return Match(names[0])


def _alone(word: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?<![^\W_]\.){re.escape(word)}(?![^\W_]|\.[^\W_]|@)")


def _words(name: str) -> list[str]:
    return re.findall(r"[^\W_]+", folded(name))


def _never(name: str) -> bool:  # noqa: ARG001  # a clue that nobody left
    return False


@lru_cache(maxsize=10_000)
def _part_keys(name: str) -> frozenset[tuple[str, ...]]:
    return frozenset(map(_key, AGAIN.sub("", name).split("/")))


def _key(name: str) -> tuple[str, ...]:
    return tuple(sorted(_words(name)))


def _joined(person: str) -> set[tuple[str, ...]]:
    """A person's names written as one word, the last of them last or first."""
    last, comma, first = person.partition(",")
    parts = _words(first) + _words(last) if comma else _words(person)
    turned = _words(last) + _words(first) if comma else parts[-1:] + parts[:-1]
    return {("".join(each),) for each in (parts, turned) if each}
