"""Groups of similar answers, which a reviewer can mark together.

Nothing is marked or understood here: answers that share most of their wording are shown side by side, and a person
decides.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

__all__ = ["similar_answers"]

THRESHOLD = 0.74
"""The cosine that any two answers of a group exceed. Of the sixty answers in tests/gradebook/test_similar_answers.py,
near-copies have 0.78 and more; different ideas have 0.70 (opposites in the same words) or less than 0.65."""

LONGEST = 5000
"""Characters of an answer that are compared: some two pages, enough to tell two answers apart."""

MEMORY_MB = 64  # memory for the comparison of all answers with each other, in MiB
LARGEST = 2000  # answers divided into groups at once, which takes a number for every two of them (16 MB)
APART = 2.0  # the distance of two answers that never are in one group; a cosine's distance is 0 to 1

# Chinese and Japanese, Korean, Thai: characters are compared instead of words.
UNSPACED = "\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
WORD = rf"[{UNSPACED}]|(?:(?![{UNSPACED}])\w)+|[^\w\s]"

APOSTROPHE = re.compile("['’]")

NEGATION = re.compile(
    r"\b(?:not?|never|nothing|none|neither|nor|cannot|without|"
    r"(?:do|does|did|ca|wo|is|are|was|were|would|could|should|has|have|had)nt)\b"
)


def similar_answers(texts: Mapping[int, str | None]) -> tuple[tuple[int, ...], ...]:
    """Return groups of the ids of two or more similar answers, from their texts; no id is in two groups.

    Blank answers come first (None, or without a letter, digit or picture), then the largest groups; of equal ones, the
    one with the smallest id. Ids rise within a group. Any two answers of a group are similar, so that it does not
    drift from one idea to another, and have equally many negations, because "is" and "is not" may be the only
    difference. The order of the texts does not matter.
    """
    blank: list[int] = []
    ids_of: defaultdict[str, list[int]] = defaultdict(list)
    for id in sorted(texts):
        words = _comparable(texts[id] or "")
        (ids_of[words] if words else blank).append(id)
    groups = [sorted(id for words in group for id in ids_of[words]) for group in _groups(sorted(ids_of))]
    groups = sorted((group for group in groups if len(group) > 1), key=lambda group: (-len(group), group[0]))
    return tuple(tuple(group) for group in ([blank] if len(blank) > 1 else []) + groups)


def _comparable(text: str) -> str:
    """Return the words of a text in lower case, without punctuation and markup; an empty string if it is blank.

    Letters with accents, digits, mathematical signs and pictures are kept.
    """
    normal = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()[:LONGEST]
    categories = ((char, unicodedata.category(char)) for char in APOSTROPHE.sub("", normal))
    kept = (char if kind[0] in "LMNS" and kind != "Sk" else " " for char, kind in categories)
    words = " ".join("".join(kept).split())
    return words if any(char.isalnum() or unicodedata.category(char) == "So" for char in words) else ""


def _groups(texts: Sequence[str]) -> Iterator[list[str]]:
    """Divide different texts into groups of one or more."""
    if len(texts) < 2:
        yield from ([text] for text in texts)
        return
    # Imported here because these take seconds.
    import numpy as np
    from sklearn.cluster import AgglomerativeClustering

    vectors = _vectors(texts)
    negations = np.array([len(NEGATION.findall(text)) for text in texts])
    linkage = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="complete", distance_threshold=1 - THRESHOLD
    )
    for rows in _connected(vectors):
        if len(rows) == 1:
            yield [texts[rows[0]]]
            continue
        distances = 1 - (vectors[rows] @ vectors[rows].T).toarray()
        distances[negations[rows, None] != negations[rows]] = APART
        groups: defaultdict[int, list[str]] = defaultdict(list)
        for row, cluster in zip(rows, linkage.fit_predict(distances), strict=True):
            groups[cluster].append(texts[row])
        yield from groups.values()


def _vectors(texts: Sequence[str]) -> Any:
    """Return a row of length 1 for each text: its words and groups of three letters; rare ones have more weight.

    Three letters at a time survive a typing mistake and another ending.
    """
    import numpy as np
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.preprocessing import normalize

    words = TfidfVectorizer(lowercase=False, token_pattern=WORD, sublinear_tf=True, dtype=np.float32)
    trigrams = TfidfVectorizer(
        lowercase=False, analyzer="char_wb", ngram_range=(3, 3), sublinear_tf=True, dtype=np.float32
    )
    return normalize(hstack([words.fit_transform(texts), trigrams.fit_transform(texts)], format="csr"))


def _connected(vectors: Any) -> Iterator[list[int]]:
    """Divide the rows into lists that are connected by similarity, at most LARGEST in each."""
    from scipy.sparse.csgraph import connected_components
    from sklearn import config_context
    from sklearn.neighbors import radius_neighbors_graph

    with config_context(working_memory=MEMORY_MB):
        similar = radius_neighbors_graph(vectors, 1 - THRESHOLD, metric="cosine")
    components: defaultdict[int, list[int]] = defaultdict(list)
    for row, component in enumerate(connected_components(similar, directed=False)[1]):
        components[component].append(row)
    for rows in components.values():
        yield from (rows[start : start + LARGEST] for start in range(0, len(rows), LARGEST))
