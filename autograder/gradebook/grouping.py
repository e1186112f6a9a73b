"""Like answers put together, so that a reviewer can mark them in one go.

Nothing is marked here, and nothing understood: answers that share most of their wording are put side by side, and a
person decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["ALIKE", "LONGEST", "groups"]

ALIKE = 0.74
"""The cosine that any two answers of a group exceed. Of the sixty answers in tests/test_grouping.py, near-copies have
0.78 and more, different ideas 0.70 and less: that two are opposites in the same words, all others are below 0.65."""

LONGEST = 5000
"""Characters of an answer that are compared: some two pages, by which two answers can be told apart."""

AT_ONCE = 10_000_000
"""Numbers that are held at once when answers are compared (40 MB)."""

LARGEST = 2000
"""Answers that are divided into groups at once: that takes a number for each two of them (32 MB)."""

# Chinese and Japanese, Korean, Thai: there a character is compared where elsewhere a word is.
UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
WORD = rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|[^\w\s]"

APOSTROPHE = re.compile("['’]")

NEGATION = re.compile(
    r"\b(?:not?|never|nothing|none|neither|nor|cannot|without|"
    r"(?:do|does|did|ca|wo|is|are|was|were|would|could|should|has|have|had)nt)\b"
)


def groups(texts: Mapping[int, str | None]) -> tuple[tuple[int, ...], ...]:
    """Ids of answers that are alike, from their texts: groups of two and more, and no answer in two of them.

    First those without an answer (None, or no letter, digit or picture in it); then the largest groups first, of
    equal ones the one with the smallest id. Within a group ids rise. Any two answers of a group are alike, so that it
    does not drift from one idea to another, and they have as many negations: "is" and "is not" may differ by nothing
    else. The same texts give the same groups, in whatever order they come.
    """
    unanswered: list[int] = []
    same: defaultdict[str, list[int]] = defaultdict(list)
    for id in sorted(texts):
        plain = _plain(texts[id] or "")
        (same[plain] if plain else unanswered).append(id)
    found = [sorted(id for plain in alike for id in same[plain]) for alike in _alike(sorted(same))]
    found = sorted((group for group in found if len(group) > 1), key=lambda group: (-len(group), group[0]))
    return tuple(tuple(group) for group in ([unanswered] if len(unanswered) > 1 else []) + found)


def _plain(text: str) -> str:
    """What is compared of a text: its words without capitals, marks and markup; "" where nothing is said."""
    normal = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()[:LONGEST]
    kept = "".join(char if _speaks(char) else " " for char in APOSTROPHE.sub("", normal))
    words = " ".join(kept.split())
    return words if any(char.isalnum() or unicodedata.category(char) == "So" for char in words) else ""


def _speaks(char: str) -> bool:
    """Letters with their accents, digits, mathematical signs and pictures do; punctuation and spaces do not."""
    category = unicodedata.category(char)
    return category[0] in "LMNS" and category != "Sk"


def _alike(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts, all of them different, divided into groups; one alone is a group of its own."""
    if len(texts) < 2:
        yield from ([text] for text in texts)
        return
    cosines = _cosines(_vectors(texts))
    negated: defaultdict[int, list[int]] = defaultdict(list)
    for row, text in enumerate(texts):
        negated[len(NEGATION.findall(text))].append(row)
    for rows in negated.values():
        for part in _connected(cosines[rows][:, rows]):
            near = [rows[at] for at in part]
            for group in _divided(cosines[near][:, near]):
                yield [texts[near[at]] for at in group]


def _vectors(texts: Sequence[str]) -> Any:
    """A row of length 1 for each text: how often words, and pieces of three letters, are in it; rare ones count more.

    Pieces are what outlives a slip of the pen and another ending.
    """
    # Not at the top: these take seconds to import.
    import numpy as np
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    words = TfidfVectorizer(lowercase=False, token_pattern=WORD, sublinear_tf=True, dtype=np.float32)
    pieces = TfidfVectorizer(
        lowercase=False, analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True, dtype=np.float32
    )
    return normalize(hstack([words.fit_transform(texts), pieces.fit_transform(texts)], format="csr"))


def _cosines(vectors: Any) -> Any:
    """The cosines of any two rows, as a sparse matrix: only those above ALIKE are in it."""
    import numpy as np
    from scipy.sparse import coo_array

    count = vectors.shape[0]
    # What is in one text alone has no part in a product of two.
    vectors = vectors[:, np.flatnonzero(np.bincount(vectors.indices, minlength=vectors.shape[1]) > 1)]
    step = max(1, AT_ONCE // max(1, vectors.shape[1]))
    rows, columns, values = [np.arange(count)], [np.arange(count)], [np.ones(count, np.float32)]
    for start in range(0, count, step):
        # A sparse matrix times a narrow dense one: many times quicker than sparse times sparse.
        products = vectors[start:] @ vectors[start : start + step].toarray().T
        below, beside = np.nonzero(np.tril(products > ALIKE, -1))
        found = products[below, beside]
        rows += [below + start, beside + start]
        columns += [beside + start, below + start]
        values += [found, found]
    places = (np.concatenate(rows), np.concatenate(columns))
    return coo_array((np.concatenate(values), places), shape=(count, count)).tocsr()


def _connected(cosines: Any) -> Iterator[list[int]]:
    """Rows that are alike, directly or by way of others; each row in one list."""
    from scipy.sparse.csgraph import connected_components

    parts: defaultdict[int, list[int]] = defaultdict(list)
    for row, part in enumerate(connected_components(cosines, directed=False)[1]):
        parts[part].append(row)
    for rows in parts.values():
        yield from (rows[start : start + LARGEST] for start in range(0, len(rows), LARGEST))


def _divided(cosines: Any) -> Iterator[list[int]]:
    """Rows in groups of which any two are alike (complete linkage)."""
    if cosines.shape[0] == 1:
        yield [0]
        return
    from sklearn.cluster import AgglomerativeClustering

    clusters = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="complete", distance_threshold=1 - ALIKE
    ).fit_predict(1 - cosines.toarray())
    divided: defaultdict[int, list[int]] = defaultdict(list)
    for row, cluster in enumerate(clusters):
        divided[cluster].append(row)
    yield from divided.values()
