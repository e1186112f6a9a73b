"""The pages and what they change, over a real connection."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from autograder.gradebook.mark import Draft
from autograder.gradebook.mark_store import MarkStore
from autograder.gradebook.request_store import RegradeRequest
from autograder.gradebook.rubric import Rubric, RubricItem
from autograder.review.app import access
from autograder.review.cache import RecentCache
from autograder.review.presence import FORGOTTEN_S, Presence
from autograder.review.serve import bind
from autograder.tests.reports import HOSTILE
from autograder.tests.reviews import Running, opened_class, running

JSON = {"accept": "application/json"}
NONCES = count(10**15)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    with opened_class(tmp_path / "gradebook.db", 12) as opened, running(opened) as served:
        yield served


@pytest.fixture
def sampled(tmp_path: Path) -> Iterator[Running]:
    """A class of which two answers to each question are marked by both."""
    with opened_class(tmp_path / "gradebook.db", 8, sample=2) as opened, running(opened) as served:
        yield served


@pytest.fixture
def enter() -> Iterator[Callable[[Running, str], httpx.Client]]:
    clients: list[httpx.Client] = []

    def entered(site: Running, reviewer: str) -> httpx.Client:
        headers = {"origin": site.home, "x-csrf-token": access(site.review).csrf(reviewer)}
        client = httpx.Client(base_url=site.home, headers=headers, timeout=60)
        clients.append(client)
        client.get(site.link(reviewer))
        return client

    yield entered
    for client in clients:
        client.close()


@pytest.fixture
def ann(site: Running, enter: Callable[[Running, str], httpx.Client]) -> httpx.Client:
    return enter(site, "ann")


@pytest.fixture
def ben(site: Running, enter: Callable[[Running, str], httpx.Client]) -> httpx.Client:
    return enter(site, "ben")


def form(*items: str, seen: int = 0, **fields: str) -> dict[str, object]:
    given = {"item": list(items), "seen": str(seen), "nonce": str(next(NONCES)), "adjustment": "0", "comment": ""}
    return {**given, **fields}


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


# Pages


@pytest.mark.parametrize(
    "path",
    ["/", "/question/q1/1", "/question/q2/12", "/question/q1/groups", "/question/q1/rubric", "/gradebook", "/log",
     "/requests", "/answer/1/history"],
)  # fmt: skip
def test_each_page_is_there(ann: httpx.Client, path: str) -> None:
    reply = ann.get(path)
    assert reply.status_code == 200
    assert reply.text.startswith('<!doctype html>\n<html lang="en">')
    assert "<h1" in reply.text


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/question/q9/1", "/question/q1/0", "/question/q1/13", "/question/q1/x", "/question/q1/99999999999",
     "/answer/0", "/answer/999/plain", "/answer/x/now", "/question/q9/groups", "/question/q9/rubric",
     "/question/q1/sample", "/question/q1/sample/1", "/question/q4/1", "/question/q1?after=-1", "/gradebook?page=0",
     "/question/q1?number=0", "/answer/99999999999999999999/plain"],
)  # fmt: skip
def test_what_is_not_there_is_a_clear_page(ann: httpx.Client, path: str) -> None:
    reply = ann.get(path)
    assert reply.status_code == 404
    assert "To the overview" in reply.text


def test_no_page_of_the_marking_shows_a_name(ann: httpx.Client) -> None:
    paths = ["/", *(f"/question/q1/{number}" for number in range(1, 13)), "/question/q1/groups", "/question/q1/rubric"]
    assert not [path for path in paths if "student-" in ann.get(path).text]


def test_no_page_has_script_or_style_of_its_own(ann: httpx.Client) -> None:
    for path in ("/", "/question/q1/1", "/question/q1/groups", "/question/q1/rubric", "/gradebook", "/log"):
        page = ann.get(path).text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! type=.module. src=)|javascript:", page), path


def test_each_page_says_in_its_title_what_it_is(ann: httpx.Client) -> None:
    paths = ["/", "/question/q1/1", "/question/q1/2", "/question/q1/groups", "/question/q1/rubric", "/gradebook",
             "/log", "/requests"]  # fmt: skip
    titles = {found.group(1) for path in paths if (found := re.search("<title>(.*?)</title>", ann.get(path).text))}
    assert len(titles) == len(paths)


def test_hostile_text_is_shown_as_text(tmp_path: Path, enter: Callable[[Running, str], httpx.Client]) -> None:
    hostile = HOSTILE.replace("\ud800", "")  # no browser sends half a character
    texts = dict.fromkeys(range(4), f"{HOSTILE} <img src=x onerror=alert(1)> [a](javascript:alert(1))")
    with opened_class(tmp_path / "hostile.db", 4, texts=texts) as opened, running(opened) as site:
        ann = enter(site, "ann")
        ann.post("/answer/1/mark", data=form("fit", comment=hostile))
        ann.post("/question/q1/snippets", data={"comment": hostile, "number": "1"})
        ann.post("/question/q1/rubric", data={"id": "fit", "points": hostile, "text": hostile, "do": "effects"})
        for path in ("/question/q1/1", "/answer/1/history", "/question/q1/groups", "/log", "/"):
            page = ann.get(path)
            assert page.status_code == 200
            assert not re.search(r"<script>|<img|href=\"?javascript", page.text), path
        assert "&lt;script&gt;" in ann.get("/question/q1/1").text


def test_an_answer_of_a_megabyte_is_cut_and_can_be_read_whole(
    tmp_path: Path, enter: Callable[[Running, str], httpx.Client]
) -> None:
    text = "<b>word</b> $x$ " * 65_000
    with (
        opened_class(tmp_path / "large.db", 2, texts={0: text, 1: text}, group=False) as opened,
        running(opened) as site,
    ):
        ann = enter(site, "ann")
        page = ann.get("/question/q1/1")
        assert page.status_code == 200
        assert len(page.text) < 600_000
        assert 'href="/answer/1/plain"' in page.text
        plain = ann.get("/answer/1/plain")
        assert plain.text == opened.stores.answers.by_id(1, "ann").answer.text
        assert len(plain.text) > 1_000_000
        assert plain.headers["content-type"] == "text/plain; charset=utf-8"
        assert plain.headers["x-content-type-options"] == "nosniff"
        assert plain.headers["content-security-policy"] == "default-src 'none'; sandbox"


# Marking


def test_a_mark_is_stored_and_the_next_answer_comes(ann: httpx.Client, site: Running) -> None:
    first = site.review.stores.answers.next("q1", "ann")
    assert first is not None
    place = site.review.stores.answers.at("q1", first, "ann")
    url = f"/answer/{place.answer.id}/mark"
    reply = ann.post(url, data=form("fit", "unseen", adjustment="-0.5", comment="Good.", flagged="1"), headers=JSON)
    assert reply.status_code == 200
    mark = site.review.stores.answers.at("q1", first, "ann").mark
    assert mark is not None
    assert (mark.items, mark.adjustment, mark.comment, mark.flagged) == (("fit", "unseen"), -0.5, "Good.", True)
    assert reply.json()["url"] == f"/question/q1/{site.review.stores.answers.next('q1', 'ann', first)}"
    assert reply.json()["words"] == f"Answer {first} saved: 2.5 of 4 (fit, unseen), adjusted −0.5, flagged."
    assert reply.json()["mark"]["id"] == mark.id


def test_without_the_script_a_form_leads_on(ann: httpx.Client) -> None:
    reply = ann.post("/answer/1/mark", data=form("fit"))
    assert reply.status_code == 303
    assert re.fullmatch(r"/question/q1/\d+", reply.headers["location"])


def test_after_the_last_answer_comes_the_overview(ann: httpx.Client, site: Running) -> None:
    url = ""
    for number in range(1, 13):
        answer = site.review.stores.answers.at("q1", number, "ann").answer.id
        url = ann.post(f"/answer/{answer}/mark", data=form("fit"), headers=JSON).json()["url"]
    assert url == "/?done=q1"
    assert "You have marked all your answers to q1." in ann.get(url).text
    assert ann.get("/question/q1").headers["location"] == "/?done=q1"


def test_the_question_leads_to_the_next_that_waits(ann: httpx.Client, site: Running) -> None:
    number = site.review.stores.answers.next("q2", "ann")
    assert ann.get("/question/q2").headers["location"] == f"/question/q2/{number}"
    assert ann.get("/question/q2?number=7").headers["location"] == "/question/q2/7"


def test_a_mark_in_between_is_a_conflict_that_shows_it(ann: httpx.Client, ben: httpx.Client, site: Running) -> None:
    ben.post("/answer/1/mark", data=form("unseen", comment="Ben's words"))
    reply = ann.post("/answer/1/mark", data=form("fit"), headers=JSON)
    assert reply.status_code == 409
    theirs = reply.json()["mark"]
    assert (theirs["reviewer"], theirs["items"], theirs["comment"]) == ("ben", ["unseen"], "Ben's words")
    assert ann.post("/answer/1/mark", data=form("fit", seen=theirs["id"]), headers=JSON).status_code == 200
    assert [mark.reviewer for mark in site.review.stores.marks.history(1, "ann")] == ["ben", "ann"]


def test_a_conflict_without_the_script_keeps_what_was_typed(ann: httpx.Client, ben: httpx.Client) -> None:
    ben.post("/answer/1/mark", data=form("unseen", comment="Ben's words"))
    reply = ann.post("/answer/1/mark", data=form("fit", comment="Ann's words"))
    assert reply.status_code == 409
    assert "Ann&#39;s words</textarea>" in reply.text
    assert "“Ben&#39;s words”" in reply.text


def test_the_same_save_twice_is_one_mark(ann: httpx.Client, site: Running) -> None:
    sent = form("fit")
    ids = {ann.post("/answer/1/mark", data=sent, headers=JSON).json()["mark"]["id"] for _ in range(3)}
    assert len(ids) == 1
    assert len(site.review.stores.marks.history(1, "ann")) == 1


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"seen": "x"}, "is not a whole number"),
        ({"seen": "-1"}, "is not a whole number"),
        ({"seen": "99999999999"}, "is not a whole number"),
        ({"nonce": ""}, "is incomplete"),
        ({"nonce": "../../../../../etc"}, "is incomplete"),
        ({"adjustment": "much"}, "is not a number of points"),
        ({"adjustment": "nan"}, "is not a number of points"),
        ({"adjustment": "1e999"}, "is not a number of points"),
        ({"adjustment": "5000"}, "up to 1000"),
        ({"item": "gone"}, "no item 'gone' any more"),
        ({"comment": "x" * 20_001}, "20000 characters"),
    ],
)
def test_what_is_not_a_mark_is_refused_with_a_reason(
    ann: httpx.Client, site: Running, fields: dict[str, str], said: str
) -> None:
    reply = ann.post("/answer/1/mark", data={**form("fit"), **fields}, headers=JSON)
    assert reply.status_code == 422
    assert said in reply.json()["why"]
    assert site.review.stores.answers.by_id(1, "ann").mark is None


@pytest.mark.parametrize(("typed", "points"), [("1,5", 1.5), ("−1", -1.0), ("+2", 2.0), ("", 0.0), (" 0.5 ", 0.5)])
def test_points_may_be_typed_as_people_write_them(ann: httpx.Client, site: Running, typed: str, points: float) -> None:
    ann.post("/answer/1/mark", data=form("fit", adjustment=typed))
    mark = site.review.stores.answers.by_id(1, "ann").mark
    assert mark is not None
    assert mark.adjustment == points


def test_strange_characters_in_a_comment_are_stored_as_characters(ann: httpx.Client, site: Running) -> None:
    ann.post("/answer/1/mark", content=urlencode(form("fit", comment="a\0b\r\nc 𝛼 \x1b"), doseq=True))
    mark = site.review.stores.answers.by_id(1, "ann").mark
    assert mark is not None
    assert mark.comment == "a\ufffdb\nc 𝛼 \ufffd"


def test_now_tells_who_else_is_there_and_what_counts(ann: httpx.Client, ben: httpx.Client) -> None:
    assert ann.get("/answer/1/now?seen=0").json()["others"] == []
    found = ben.get("/answer/1/now?seen=0").json()
    assert (found["others"], found["changed"], found["mark"]) == (["ann"], False, None)
    made = ben.post("/answer/1/mark", data=form("fit"), headers=JSON).json()["mark"]
    seen = ann.get("/answer/1/now?seen=0").json()
    assert (seen["changed"], seen["mark"]["id"], seen["others"]) == (True, made["id"], ["ben"])
    assert ann.get(f"/answer/1/now?seen={made['id']}").json()["changed"] is False


def test_who_looks_elsewhere_or_has_gone_is_not_there() -> None:
    now = [0.0]
    presence = Presence(lambda: now[0])
    assert presence.visit(1, "ann") == ()
    assert presence.visit(1, "ben") == ("ann",)
    assert presence.visit(2, "ann") == ()
    assert presence.visit(1, "ben") == ()
    presence.visit(1, "ann")
    now[0] = FORGOTTEN_S
    assert presence.visit(1, "cal") == ()


def test_undo_takes_back_and_leads_there(ann: httpx.Client, site: Running) -> None:
    ann.post("/answer/3/mark", data=form("fit"))
    number = site.review.stores.answers.by_id(3, "ann").number
    reply = ann.post("/undo", headers=JSON).json()
    assert reply == {"url": f"/question/q1/{number}", "words": "Undone: 1 mark."}
    assert site.review.stores.answers.by_id(3, "ann").mark is None
    assert ann.post("/undo", headers=JSON).json()["words"] == "You have no mark to undo."


def test_revealing_tells_the_name_and_is_logged(ann: httpx.Client, site: Running) -> None:
    name = site.review.stores.answers.by_id(1, "ann").answer.submission
    assert ann.post("/answer/1/reveal", headers=JSON).json() == {"name": name}
    assert name in ann.post("/answer/1/reveal").text
    assert "revealed the name" in ann.get("/log").text
    assert ann.get("/answer/1/reveal").status_code == 405


def test_snippets_are_kept_and_dropped(ann: httpx.Client) -> None:
    kept = ann.post("/question/q1/snippets", data={"comment": "Say <why>.", "number": "1"}, headers=JSON).json()
    assert kept["snippet"]["text"] == "Say <why>."
    assert "Say &lt;why&gt;." in ann.get("/question/q1/1").text
    assert "Say &lt;why&gt;." not in ann.get("/question/q2/1").text
    where = {"question": "q1", "number": "1"}
    assert ann.post(f"/snippet/{kept['snippet']['id']}/drop", data=where).headers["location"] == "/question/q1/1"
    assert "Say &lt;why&gt;." not in ann.get("/question/q1/1").text
    assert ann.post("/question/q1/snippets", data={"comment": "  ", "number": "1"}).status_code == 422


def test_the_history_says_who_and_what(ann: httpx.Client, ben: httpx.Client) -> None:
    made = ann.post("/answer/1/mark", data=form("fit", comment="First."), headers=JSON).json()["mark"]
    ben.post("/answer/1/mark", data=form("fit", "overfit", seen=made["id"]))
    page = words(ann.get("/answer/1/history").text)
    assert re.search(r"1 of 4 \(fit\), by ann, .* “First.” 2 of 4 \(fit, overfit\), by ben", page)
    assert [each["reviewer"] for each in ann.get("/answer/1/history", headers=JSON).json()["history"]] == ["ann", "ben"]


def test_the_gradebook_links_to_answers_by_their_id(ann: httpx.Client, site: Running) -> None:
    number = site.review.stores.answers.by_id(5, "ann").number
    assert ann.get("/answer/5").headers["location"] == f"/question/q1/{number}"


# Groups


def group_of(site: Running) -> tuple[int, list[int]]:
    """The key of the group without answers, and the ids in it."""
    places = site.review.stores.answers.groups("q1", "ann")[0]
    assert places[0].answer.text is None
    return places[0].answer.group or 0, [place.answer.id for place in places]


def test_a_group_is_marked_together_each_answer_by_itself(ann: httpx.Client, site: Running) -> None:
    key, answers = group_of(site)
    page = words(ann.get("/question/q1/groups").text)
    assert f"{len(answers)} of {len(answers)} answers selected" in page
    sent = {**form(), "group": str(key), "answer": [str(answer) for answer in answers]}
    reply = ann.post("/question/q1/groups", data=sent, headers=JSON).json()
    assert reply["words"] == f"{len(answers)} answers marked: 0 each."
    marks = [site.review.stores.answers.by_id(answer, "ann").mark for answer in answers]
    assert all(mark is not None and mark.points == 0 for mark in marks)
    assert len({mark.id for mark in marks if mark}) == len(answers)
    assert ann.post("/undo", headers=JSON).json()["words"] == f"Undone: {len(answers)} marks."


def test_a_group_of_which_one_was_marked_meanwhile_is_left_alone(
    ann: httpx.Client, ben: httpx.Client, site: Running
) -> None:
    key, answers = group_of(site)
    ben.post(f"/answer/{answers[-1]}/mark", data=form("fit"))
    sent = {**form(), "group": str(key), "answer": [str(answer) for answer in answers]}
    reply = ann.post("/question/q1/groups", data=sent, headers=JSON)
    assert reply.status_code == 422
    assert "Nothing was marked" in reply.json()["why"]
    assert site.review.stores.answers.by_id(answers[0], "ann").mark is None


def test_a_group_with_nothing_ticked_says_so(ann: httpx.Client) -> None:
    reply = ann.post("/question/q1/groups", data={**form("fit", comment="Kept"), "group": "1"})
    assert reply.status_code == 422
    assert "No answer is selected." in reply.text
    assert "Kept</textarea>" in reply.text


def test_an_answer_is_taken_out_and_put_back(ann: httpx.Client, site: Running) -> None:
    _, answers = group_of(site)
    where = ann.post(f"/answer/{answers[0]}/apart").headers["location"]
    assert "was excluded from its group" in ann.get(where).text
    left = [place.answer.id for group in site.review.stores.answers.groups("q1", "ann") for place in group]
    assert answers[0] not in left
    ann.get(ann.post(f"/answer/{answers[0]}/together").headers["location"])
    assert group_of(site)[1] == answers


# The rubric


def typed(rubric: Rubric, do: str = "effects", **changes: str) -> dict[str, object]:
    """The form of a rubric, with other points where `changes` says so."""
    return {
        "id": [item.id for item in rubric.items],
        "points": [changes.get(item.id, f"{item.points:g}") for item in rubric.items],
        "text": [item.text for item in rubric.items],
        "revision": str(rubric.revision),
        "do": do,
    }


def test_a_changed_rubric_shows_whom_it_changes_before_it_does(ann: httpx.Client, site: Running) -> None:
    ann.post("/answer/1/mark", data=form("fit"))
    number = site.review.stores.answers.by_id(1, "ann").number
    rubric = site.review.stores.rubrics.in_force("q1")
    page = ann.post("/question/q1/rubric", data=typed(rubric, fit="2", unseen="1")).text
    assert "1 mark will change" in page
    assert f"Answer {number} 1 2 +1" in words(page)
    assert "student-" not in page
    assert site.review.stores.rubrics.in_force("q1") == rubric
    page = ann.post("/question/q1/rubric", data=typed(rubric, "apply", fit="2", unseen="1")).text
    assert "The new rubric is applied: 1 mark changed." in page
    mark = site.review.stores.answers.by_id(1, "ann").mark
    assert mark is not None
    assert mark.points == 2
    assert "changed the rubric of q1: 1 mark changed" in ann.get("/log").text


@pytest.mark.parametrize("do", ["effects", "apply"])
@pytest.mark.parametrize(
    ("points", "said"),
    [("3", "add up to 3 + 2 + 1 = 6"), ("one", "not a number of points"), ("0", "Item 1: 0 points")],
)
def test_a_rubric_that_does_not_add_up_is_refused_and_what_was_typed_stays(
    ann: httpx.Client, site: Running, do: str, points: str, said: str
) -> None:
    rubric = site.review.stores.rubrics.in_force("q1")
    reply = ann.post("/question/q1/rubric", data=typed(rubric, do, fit=points))
    assert reply.status_code == 422
    assert said in words(reply.text)
    assert f'value="{points}"' in reply.text
    assert site.review.stores.rubrics.in_force("q1") == rubric


def test_a_rubric_that_somebody_changed_meanwhile_is_not_overwritten(
    ann: httpx.Client, ben: httpx.Client, site: Running
) -> None:
    rubric = site.review.stores.rubrics.in_force("q1")
    ben.post("/question/q1/rubric", data=typed(rubric, "apply", fit="2", unseen="1"))
    reply = ann.post("/question/q1/rubric", data=typed(rubric, "apply", fit="1.5", unseen="1.5"))
    assert reply.status_code == 422
    assert "Somebody has changed this rubric" in reply.text
    assert 'value="1.5"' in reply.text
    assert site.review.stores.rubrics.in_force("q1").items[0].points == 2


def test_items_are_added_removed_and_moved_without_a_script(ann: httpx.Client, site: Running) -> None:
    rubric = site.review.stores.rubrics.in_force("q1")
    page = ann.post("/question/q1/rubric", data=typed(rubric, "add")).text
    assert page.count("<textarea") == 4
    page = ann.post("/question/q1/rubric", data=typed(rubric, "remove:2")).text
    assert re.findall(r'name="id" value="(.*?)"', page) == ["fit", "overfit"]
    page = ann.post("/question/q1/rubric", data=typed(rubric, "down:1")).text
    assert re.findall(r'name="id" value="(.*?)"', page) == ["unseen", "fit", "overfit"]
    for odd in ("up:1", "down:3", "up:99", "remove:x", "up:", "nonsense"):
        page = ann.post("/question/q1/rubric", data=typed(rubric, odd)).text
        assert sorted(re.findall(r'name="id" value="(.*?)"', page)) == ["fit", "overfit", "unseen"]
    assert site.review.stores.rubrics.in_force("q1") == rubric


def test_a_new_item_gets_an_id_of_its_words_and_may_take_points(ann: httpx.Client, site: Running) -> None:
    sent = typed(site.review.stores.rubrics.in_force("q1"), "apply")
    for name, value in (("id", ""), ("points", "-1"), ("text", "Says: fit!")):
        sent[name] = [*sent[name], value]  # type: ignore[misc]
    assert ann.post("/question/q1/rubric", data=sent).status_code == 200
    assert site.review.stores.rubrics.in_force("q1").items[-1] == RubricItem("says-fit", -1, "Says: fit!")


def test_the_page_of_an_answer_learns_that_the_rubric_changed(ann: httpx.Client, site: Running) -> None:
    before = ann.get("/answer/1/now").json()["revision"]
    ann.post("/question/q1/rubric", data=typed(site.review.stores.rubrics.in_force("q1"), "apply", fit="2", unseen="1"))
    assert ann.get("/answer/1/now").json()["revision"] != before


# The sample


def test_neither_reviewer_sees_the_others_mark_before_both_have_given_one(
    sampled: Running, enter: Callable[[Running, str], httpx.Client]
) -> None:
    ann, ben = enter(sampled, "ann"), enter(sampled, "ben")
    pair = sampled.review.stores.marks.pairs("q1")[0]
    url, page = f"/answer/{pair.answer.id}", f"/question/q1/{pair.number}"
    ann.post(f"{url}/mark", data=form("fit", comment="SECRET"))
    for path in (page, f"{url}/history", f"{url}/now?seen=0", "/question/q1/sample", "/question/q1/groups"):
        assert "SECRET" not in ben.get(path).text
        assert "by ann" not in ben.get(path).text
    assert "marked 1 of 4" in ann.get("/log").text
    assert "marked 1 of 4" not in ben.get("/log").text
    effects = words(
        ben.post(
            "/question/q1/rubric", data=typed(sampled.review.stores.rubrics.in_force("q1"), fit="2", unseen="1")
        ).text
    )
    assert f"Answer {pair.number} in the sample, hidden until both have marked it" in effects
    assert ben.get(f"/question/q1/sample/{pair.number}").status_code == 404
    assert "Not marked yet" in ben.get(page).text
    assert ben.post(f"{url}/mark", data=form("unseen")).status_code == 303


def test_a_disagreement_is_settled(sampled: Running, enter: Callable[[Running, str], httpx.Client]) -> None:
    ann, ben = enter(sampled, "ann"), enter(sampled, "ben")
    first, second = sampled.review.stores.marks.pairs("q1")
    for client, items in ((ann, ("fit",)), (ben, ("fit", "unseen"))):
        client.post(f"/answer/{first.answer.id}/mark", data=form(*items))
        client.post(f"/answer/{second.answer.id}/mark", data=form("fit"))
    page = words(ann.get("/question/q1/sample").text)
    assert "Both marked 2 of 2" in page
    assert "Same points 50 %" in page
    assert "1 to settle" in ann.get("/").text
    url = f"/question/q1/sample/{first.number}"
    assert url in ann.get("/question/q1/sample").text
    assert f"/question/q1/sample/{second.number}" not in ann.get("/question/q1/sample").text
    shown = words(ann.get(url).text)
    assert "differs" in shown
    reply = ben.post(url, data=form("unseen"), headers=JSON).json()
    assert reply["words"] == f"Answer {first.number} settled: 2 of 4 (unseen)."
    counting = sampled.review.stores.marks.final()
    assert counting[first.answer.submission, "q1"].points == 2
    late = ann.post(url, data=form("fit"), headers=JSON)
    assert (late.status_code, late.json()["mark"]["reviewer"]) == (409, "ben")
    assert "to settle" not in ben.get("/").text


# The class


def test_the_gradebook_shows_what_is_decided_and_what_is_not(ann: httpx.Client, site: Running) -> None:
    stores = site.review.stores
    answer = stores.answers.by_id(1, "ann").answer
    ann.post("/answer/1/mark", data=form("fit", "unseen"))
    page = ann.get("/gradebook").text
    row = next(words(row) for row in page.split("<tr>") if answer.submission in row)
    assert row.split()[:2] == [answer.submission, "3"]
    assert "so far" in row
    assert "q2, q3" in row
    assert "opened the gradebook, page 1: names revealed" in ann.get("/log").text


def test_a_large_class_is_paged(tmp_path: Path, enter: Callable[[Running, str], httpx.Client]) -> None:
    with opened_class(tmp_path / "large.db", 205, group=False) as opened, running(opened) as site:
        ann = enter(site, "ann")
        pages = [ann.get(f"/gradebook?page={page}").text for page in (1, 2, 3, 99)]
    assert [page.count('<th scope="row">') for page in pages] == [100, 100, 5, 5]
    assert "Page 3 of 3" in words(pages[3])


def test_requests_are_answered(ann: httpx.Client, site: Running) -> None:
    site.review.stores.requests.add(
        [
            RegradeRequest("student-001", "q1", "Please <look> again."),
            RegradeRequest("student-002", "q2", "And here."),
        ],
        {},
    )
    assert "2 regrade requests" in ann.get("/").text
    page = ann.get("/requests").text
    assert "Please &lt;look&gt; again." in page
    assert f'/answer/{site.review.stores.answers.find("student-001", "q1")}"' in page
    first, second = (asked.id for asked in site.review.stores.requests.all())
    assert "was accepted" in ann.post(f"/requests/{first}", data={"status": "accepted", "reply": "You are right."}).text
    assert "was declined" in ann.post(f"/requests/{second}", data={"status": "declined", "reply": ""}).text
    assert {asked.status for asked in site.review.stores.requests.all()} == {"accepted", "declined"}
    assert "You are right." in ann.get("/requests").text
    refused = ann.post(f"/requests/{first}", data={"status": "eaten", "reply": "typed"})
    assert refused.status_code == 422
    assert ann.post("/requests/99", data={"status": "accepted"}).status_code == 422


# When something goes wrong


def test_a_gradebook_that_is_locked_is_a_clear_page(
    tmp_path: Path, enter: Callable[[Running, str], httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.gradebook.database.BUSY_S", 0.2)
    path = tmp_path / "locked.db"
    with opened_class(path, 3) as opened, running(opened) as site:
        ann = enter(site, "ann")
        other = sqlite3.connect(path, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            reply = ann.post("/answer/1/mark", data=form("fit"))
            told = ann.post("/answer/1/mark", data=form("fit"), headers=JSON).json()["why"]
            assert ann.get("/question/q1/1").status_code == 200, "pages can be read meanwhile"
        finally:
            other.close()
        assert reply.status_code == 503
        assert "database is locked" in reply.text
        assert "still in your browser" in reply.text
        assert "database is locked" in told
        assert ann.post("/answer/1/mark", data=form("fit"), headers=JSON).status_code == 200


def test_a_damaged_gradebook_is_a_clear_page(tmp_path: Path, enter: Callable[[Running, str], httpx.Client]) -> None:
    path = tmp_path / "damaged.db"
    with opened_class(path, 3) as opened, running(opened) as site:
        ann = enter(site, "ann")
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE marks")
        reply = ann.get("/question/q1/1")
        assert reply.status_code == 503
        assert "no such table" in reply.text


def test_a_fault_of_the_review_itself_is_a_clear_page(ann: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MarkStore, "save", lambda *_: 1 / 0)
    reply = ann.post("/answer/1/mark", data=form("fit"))
    assert reply.status_code == 500
    assert "Something went wrong" in reply.text
    assert "ZeroDivisionError" not in reply.text
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_link_outlives_a_restart(tmp_path: Path, enter: Callable[[Running, str], httpx.Client]) -> None:
    with opened_class(tmp_path / "gradebook.db", 3) as opened, running(opened) as site:
        link = site.link("ann")
    with (
        opened_class(tmp_path / "gradebook.db", 3) as opened,
        running(replace(opened, reviewers=("cal", "ann"))) as again,
    ):
        assert again.link("ann").partition("token=")[2] == link.partition("token=")[2]
        assert enter(again, "ann").get("/").status_code == 200


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with bind(0) as first, bind(first.getsockname()[1]) as second:
        assert first.getsockname()[0] == second.getsockname()[0] == "127.0.0.1"
        assert first.getsockname()[1] != second.getsockname()[1]


def test_what_was_worked_out_is_kept_for_others_and_anew_for_who_acted() -> None:
    now, made = [0.0], count()
    cache = RecentCache(1.0, lambda: now[0])
    assert cache.get("ann", "key", lambda: next(made)) == 0
    now[0] = 0.5
    assert cache.get("ben", "key", lambda: next(made)) == 0
    cache.expire("ben")
    now[0] = 0.6
    assert cache.get("ann", "key", lambda: next(made)) == 0
    assert cache.get("ben", "key", lambda: next(made)) == 1
    assert cache.get("ann", "key", lambda: next(made)) == 1
    now[0] = 1.7
    assert cache.get("ann", "key", lambda: next(made)) == 2


def test_a_mark_shows_in_the_progress_at_once(ann: httpx.Client) -> None:
    assert "0 of 12 marks" in ann.get("/").text
    ann.post("/answer/1/mark", data=form("fit"))
    assert "1 of 12 marks" in ann.get("/").text


def test_a_draft_without_words_is_a_mark_without_points(ann: httpx.Client, site: Running) -> None:
    ann.post("/answer/1/mark", data=form())
    mark = site.review.stores.answers.by_id(1, "ann").mark
    assert mark is not None
    assert Draft(mark.items, mark.adjustment, mark.comment, mark.flagged) == Draft()
