"""Rows matched to submissions by clues, the strongest first, and never by a guess."""

from __future__ import annotations

import pytest

from autograder.lms.row_matching import (
    Match,
    contains_word,
    is_any_of,
    is_named_after,
    match,
    name_key,
    normalized,
    path_matches,
)


def targets(*names: str) -> dict[str, str]:
    return {name: normalized(name) for name in names}


def test_a_row_without_any_clue_that_fits_has_no_reason_either() -> None:
    assert match([[is_any_of("ann")], []], targets("bo")) == (Match(None), Match(None))
    assert match([], targets("bo")) == ()


def test_a_stronger_clue_goes_first_and_keeps_what_it_found() -> None:
    rows = [[is_any_of(""), contains_word("ann")], [is_any_of("ann hw")]]
    assert match(rows, targets("ann hw", "ann 2")) == (Match("ann 2"), Match("ann hw"))
    assert match(rows, targets("ann hw")) == (Match(None), Match("ann hw"))


def test_a_row_that_matches_several_and_a_target_that_several_rows_match_are_left_alone() -> None:
    (found,) = match([[contains_word("ann")]], targets(*(f"ann_{number}" for number in range(9))), remedy="here")
    assert found == Match(None, "matches 9 submissions (ann_0, ann_1, ann_2, ann_3, ann_4, …); name one here")
    rows = [[contains_word("ann")], [contains_word("hw")], [is_any_of("bo")]]
    both = Match(None, "2 rows match the submission hw_ann; name it here")
    assert match(rows, targets("hw_ann", "bo"), remedy="here") == (both, both, Match("bo"))


def test_anything_may_be_looked_for_and_is_called_what_it_is() -> None:
    numbers = {"one": 1, "two": 2, "three": 3}
    found = match([[lambda number: number > 1], [lambda number: number == 1]], numbers, "number")
    assert found == (Match(None, "matches 2 numbers (three, two)"), Match("one"))


@pytest.mark.parametrize("file", ["ann.ipynb", "sub\\Ann.IPYNB", "./sub/ann.ipynb", "sub/ann", "class/sub/ann.ipynb"])
def test_a_file_is_found_by_as_much_of_its_path_as_both_have(file: str) -> None:
    assert path_matches(file)("sub/ann")


@pytest.mark.parametrize("file", ["", "nn.ipynb", "other/ann.ipynb"])
def test_a_part_of_a_file_name_or_another_folder_is_another_file(file: str) -> None:
    assert not path_matches(file)("sub/ann")


@pytest.mark.parametrize("person", ["Ann Smith", "Smith, Ann", "ann  smith"])
def test_a_name_is_known_in_either_order_and_in_one_word_but_not_with_anything_beside_it(person: str) -> None:
    for name in ("Ann Smith", "smith_ann", "smithann", "AnnSmith", "Smith, Ann/hw1", "hw1/ann-smith", "ann smith (2)"):
        assert is_named_after(person)(normalized(name)), name
    for name in ("mary ann smith", "hw1 ann smith", "ann", "smith", "annsmithson", "ann smith 2"):
        assert not is_named_after(person)(name), name


def test_three_names_in_one_word_keep_their_order() -> None:
    assert is_named_after("Ann Lee Smith")("smithannlee")
    assert is_named_after("Smith, Ann Lee")("smithannlee")
    assert not is_named_after("Ann Lee Smith")("leesmithann")


@pytest.mark.parametrize("nobody", ["", " ", ",", "--"])
def test_no_name_is_nobodys(nobody: str) -> None:
    assert not is_named_after(nobody)("")
    assert not is_named_after(nobody)("ann")
    assert name_key(nobody) == ()


def test_the_same_words_are_the_same_person() -> None:
    assert name_key("Smith, Ann") == name_key("ann SMITH")
    assert name_key("Jos\u00e9") == name_key("Jose\u0301")
    assert name_key("Ann Smith") != name_key("Ann")
