"""The reader of evidence: what is accepted, what is refused and in which words, and which evidence counts."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.errors import EvidenceError
from autograder.judge.evidence import Evidence, parse, specs
from autograder.sandbox.recorder import BLOB_LIMIT, JOURNAL_LIMIT
from autograder.sandbox.variables import MAX_WEIGHTS
from autograder.tests.journals import CLASSIC, RULES, line, model, of_model, of_values

SHAPE = ("numbers", [60000, 28, 28])
WHOLE = of_model("q5") + of_values(loaded=["mnist"], train_images_shape=SHAPE) + line(cell=3) + line(finished=True)


def test_a_whole_journal_is_read() -> None:
    error = {"cell": 1, "name": "ValueError", "text": "no such layer"}
    journal = line(cell=0) + line(note="One thing to know.") + of_values(train_images_shape=SHAPE) + line(cell=1)
    journal += line(error=error) + of_model("q7", blob={"start": 1, "count": 2}) + line(finished=True)
    read = parse(journal, np.array([1, 2, 3], "<f4").tobytes())
    assert read.questions.keys() == {"q4", "q7"}
    assert (read.notes, read.last_cell, read.finished) == (("One thing to know.",), 1, True)
    assert [found.model_dump() for found in read.errors] == [error]
    described = read.questions["q7"].model
    assert described is not None
    assert [layer.type for layer in described.layers] == [type for type, _ in CLASSIC]
    weights = read.weights(described)
    assert weights is not None
    assert weights.dtype == np.float32
    assert weights.tolist() == [2, 3]


def test_nothing_at_all_is_evidence_of_nothing() -> None:
    read = parse(b"", b"")
    assert (dict(read.questions), read.errors, read.notes, read.last_cell, read.finished) == ({}, (), (), None, False)


def test_a_last_line_cut_short_is_ignored() -> None:
    whole = of_values(train_images_shape=SHAPE)
    read = parse(whole + of_model("q5")[:-1], b"")
    assert read.questions.keys() == {"q4"}
    assert parse(whole[:-20], b"").questions == {}


def test_a_blob_cut_short_inside_a_number_loses_that_number() -> None:
    assert len(parse(b"", bytes(11)).blob) == 2


def test_evidence_is_frozen() -> None:
    read = parse(WHOLE, bytes(8))
    for thing, name in ((read, "finished"), (read.questions["q5"], "model"), (read.questions["q5"].model, "steps")):
        with pytest.raises(ValueError, match="frozen"):
            setattr(thing, name, None)
    with pytest.raises(ValueError, match="read-only"):
        read.blob[0] = 1


def value(**parts: Any) -> bytes:
    return line(question="q4", at="check", values={"x": parts})


def layer(**changes: Any) -> bytes:
    described = {"type": "keras:Dense", "settings": {}, "weights": [], **changes}
    return line(question="q5", at="check", model=model([], layers=[described]))


NAN = value(kind="number", value=0.25).replace(b"0.25", b"NaN")
DEEP = b'{"note": ' + b"[" * 20_000 + b"]" * 20_000 + b"}\n"
EXTRA = "Extra inputs are not permitted"
CONTROL = "String should match pattern"

BREACHES = {
    "not JSON": (b"{\n", r"line 1: not JSON \(Expecting property name"),
    "an empty line": (line(cell=1) + b"\n", r"line 2: not JSON \(Expecting value"),
    "a list": (b"[]\n", "line 1: not a JSON object"),
    "a number": (b"1\n", "line 1: not a JSON object"),
    "the same key twice": (b'{"cell": 1, "cell": 2}\n', r"line 1: not JSON \(the same key twice"),
    "the same key twice, deep inside": (
        b'{"question": "q4", "at": "end", "values": {"x": {"kind": "none", "kind": "bool"}}}\n',
        "the same key twice",
    ),
    "more datasets than there are": (of_values(loaded=["mnist"] * 9), "line 1: loaded: List should have at most 8"),
    "a dataset of two lines": (of_values(loaded=["a\nb"]), f"line 1: loaded.0: {CONTROL}"),
    "NaN": (NAN, r"line 1: not JSON \(NaN is not a number"),
    "Infinity": (NAN.replace(b"NaN", b"Infinity"), "Infinity is not a number"),
    "a number too large": (value(kind="number", value=10**15 + 1), "line 1: values.x.value"),
    "a number of 5,000 digits": (NAN.replace(b"NaN", b"9" * 5000), "line 1: not JSON"),
    "nesting without end": (DEEP, r"line 1: not JSON \(maximum recursion depth"),
    "bytes that are not UTF-8": (b'{"note": "\xff"}\n', "not JSON .*can't decode byte 0xff"),
    "half of a character": (b'{"note": "\\ud800"}\n', "line 1: note: Input should be a valid string"),
    "an escape sequence": (line(note="\x1b[2J"), f"line 1: note: {CONTROL}"),
    "a text of two lines": (line(note="a\nb"), CONTROL),
    "a text too long": (line(note="a" * 201), "line 1: note: String should have at most 200 characters"),
    "an unknown key": (line(points=100), f"line 1: points: {EXTRA}"),
    "an unknown key that is hostile": (line(**{"\x1b[2Jé" * 99: 1}), r"line 1: \ufffd\[2Jé\ufffd.{1,80}: Extra inputs"),
    "an unknown key in a layer": (layer(name="dense"), f"model.layers.0.name: {EXTRA}"),
    "an unknown setting": (layer(settings={"kernel_initializer": 1}), "unknown layer setting 'kernel_initializer'"),
    "a setting that is a mapping": (layer(settings={"units": {}}), "model.layers.0.settings.units"),
    "a setting that is infinite": (layer(settings={"rate": 0.25}).replace(b"0.25", b"1e999"), "settings.rate"),
    "nine in a setting": (layer(settings={"units": [1] * 9}), "model.layers.0.settings.units"),
    "thirteen settings": (layer(settings={str(n): 1 for n in range(13)}), "at most 12 items"),
    "nine dimensions": (layer(weights=[[1] * 9]), "weights.0: List should have at most 8 items"),
    "a size too large": (layer(weights=[[2**31]]), "weights.0.0: Input should be less than or equal to 2147483647"),
    "a negative shape": (layer(weights=[[-1]]), "weights.0.0: Input should be greater than or equal to 0"),
    "a number as text": (line(cell="1"), "line 1: cell: Input should be a valid integer"),
    "true as a number": (line(cell=True), "cell: Input should be a valid integer"),
    "a cell before the first": (line(cell=-1), "greater than or equal to 0"),
    "another moment": (line(question="q4", at="later", values={}), "at: Input should be 'check' or 'end'"),
    "another kind": (value(kind="exec"), "values.x.kind: Input should be 'missing', 'ellipsis'"),
    "a kind without its value": (value(kind="numbers", value=3), "values.x: .*no value of the kind numbers"),
    "a number that is a bool": (value(kind="number", value=True), "no value of the kind number"),
    "a value where there is none": (value(kind="missing", value=3), "no value of the kind missing"),
    "nine numbers": (value(kind="numbers", value=[0] * 9), "line 1: values.x.value"),
    "a question with nothing": (line(question="q5", at="end"), "neither values nor a model"),
    "201 layers": (of_model("q5", [CLASSIC[0]] * 201), "model.layers: List should have at most 200 items"),
    "17 arrays in a layer": (layer(weights=[[]] * 17), "weights: List should have at most 16 items"),
    "33 values": (line(question="q4", at="end", values={f"x{n}": {"kind": "none"} for n in range(33)}), "at most 32"),
    "more weights than are judged": (
        of_model("q7", blob={"start": 0, "count": MAX_WEIGHTS + 1}),
        "model.blob.count: Input should be less than or equal to 5000000",
    ),
    "weights before the first": (of_model("q7", blob={"start": -1, "count": 1}), "model.blob.start"),
    "a journal too long": (b"\n" * (JOURNAL_LIMIT + 1), "the journal has 262145 bytes; at most 262144 are read"),
}


@pytest.mark.parametrize("breach", BREACHES)
def test_a_breach_is_refused_and_named(breach: str) -> None:
    journal, words = BREACHES[breach]
    with pytest.raises(EvidenceError, match=words) as refused:
        parse(journal, b"")
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 400


def test_a_breach_on_a_later_line_is_found_there() -> None:
    with pytest.raises(EvidenceError, match=r"^journal line 5: "):
        parse(WHOLE + line(points=100), b"")


def test_a_blob_too_long_is_refused() -> None:
    with pytest.raises(EvidenceError, match=r"the blob has 40000001 bytes; at most 40000000 are read"):
        parse(b"", bytes(BLOB_LIMIT + 1))


@pytest.mark.parametrize(("start", "count"), [(0, 3), (2, 1), (3, 0), (2**31 - 1, MAX_WEIGHTS)])
def test_weights_beyond_the_end_of_the_blob_are_no_weights(start: int, count: int) -> None:
    read = parse(of_model("q7", blob={"start": start, "count": count}), bytes(8))
    described = read.questions["q7"].model
    assert described is not None
    assert read.weights(described) is None


def test_what_is_as_long_as_it_may_be_is_read() -> None:
    filler = line(note="x" * 200)
    journal = filler * (JOURNAL_LIMIT // len(filler))
    last = line(note="x" * (JOURNAL_LIMIT - len(journal) - len(line(note=""))))
    read = parse(journal + last, bytes(BLOB_LIMIT))
    assert len(read.notes) == JOURNAL_LIMIT // len(filler) + 1
    assert len(read.blob) == 2 * MAX_WEIGHTS


def test_numbers_up_to_the_bound_are_accepted() -> None:
    read = parse(value(kind="numbers", value=[10**15, -(10**15), None]) + layer(weights=[[2**31 - 1] * 8]), b"")
    assert read.questions["q4"].values is not None
    assert read.questions["q4"].values["x"].value == [10**15, -(10**15), None]
    assert read.questions["q5"].model is not None


def test_what_is_not_said_about_a_model_is_not_assumed() -> None:
    bare = parse(line(question="q5", at="end", model={"kind": "keras"}), b"").questions["q5"].model
    assert bare is not None
    assert (bare.structure, bare.built, bare.layers, bare.compile, bare.steps) == ("unknown", False, [], None, 0)


EMPTY = {"kind": "ellipsis"}
TAKEN: dict[str, tuple[list[bytes], str]] = {
    "the check, not the end": ([of_model("q5", steps=1), of_model("q5", at="end", steps=2)], "1"),
    "the last of several checks": ([of_model("q5", steps=1), of_model("q5", steps=2)], "2"),
    "the end, without a check": ([of_model("q5", at="end", steps=2)], "2"),
    "the end, where the check was empty": (
        [line(question="q5", at="check", model=EMPTY), of_model("q5", at="end", steps=2)],
        "2",
    ),
    "an earlier check, where a later one is empty": (
        [of_model("q5", steps=1), line(question="q5", at="check", model=EMPTY), of_model("q5", at="end", steps=3)],
        "1",
    ),
    "a wrong answer at the check": (
        [line(question="q5", at="check", model={"kind": "other", "name": "History"}), of_model("q5", at="end")],
        "History",
    ),
    "the end, where there was no variable at the check": (
        [line(question="q5", at="check", model={"kind": "missing"}), of_model("q5", at="end", steps=2)],
        "2",
    ),
    "an empty one, where there is no other": (
        [line(question="q5", at="check", model=EMPTY), line(question="q5", at="end", model={"kind": "missing"})],
        "missing",
    ),
}


@pytest.mark.parametrize("case", TAKEN)
def test_the_evidence_that_counts_is(case: str) -> None:
    lines, expected = TAKEN[case]
    taken = parse(b"".join(lines), b"").questions["q5"].model
    assert taken is not None
    assert expected in (str(taken.steps), taken.name, taken.kind)


def test_values_are_empty_only_where_all_of_them_are() -> None:
    half = of_values(a=("number", 1), b="missing")
    none = of_values(a="ellipsis", b="missing")
    later = of_values(at="end", a=("number", 2), b=("number", 2))
    assert parse(half + later, b"").questions["q4"].at == "check"
    assert parse(none + later, b"").questions["q4"].at == "end"


def test_a_student_process_gets_names_and_no_answers() -> None:
    assert specs(RULES) == {
        "q4": {"reports": ["train_images_shape", "train_labels_length"]},
        "q5": {"model": "model", "weights": False},
        "q6": {"model": "model", "weights": False},
        "q7": {"model": "model", "weights": True},
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=9),
    lambda inside: st.lists(inside, max_size=4) | st.dictionaries(st.text(max_size=9), inside, max_size=4),
    max_leaves=9,
)


@settings(deadline=None)
@given(st.data())
def test_any_value_in_any_place_is_read_or_refused(data: st.DataObject) -> None:
    record = json.loads(data.draw(st.sampled_from(WHOLE.splitlines())))
    place: Any = record
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        key = data.draw(st.sampled_from(keys))
        if not (isinstance(place[key], dict | list) and place[key] and data.draw(st.booleans())):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    refused = ""
    try:
        assert isinstance(parse(json.dumps(record).encode() + b"\n", b""), Evidence)
    except EvidenceError as error:
        refused = str(error)
    assert refused.isprintable()
