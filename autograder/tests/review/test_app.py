"""The pages and what they change, over a real connection."""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

import httpx
import pytest

from autograder.gradebook.mark import Mark
from autograder.gradebook.mark_store import MarkStore
from autograder.gradebook.request_store import RegradeRequest
from autograder.gradebook.rubric import Rubric, RubricItem
from autograder.review.app import access
from autograder.review.forms import PostedForm
from autograder.review.recent import FORGOTTEN_S, Presence, RecentCache
from autograder.review.serve import bind
from autograder.tests.reports import HOSTILE
from autograder.tests.reviews import Running, opened_class, running

JSON = {"accept": "application/json"}
NONCES = count(10**15)
PAGES = ("/", "/question/q1/1", "/question/q1/2", "/question/q1/groups", "/question/q1/rubric", "/question/q1/sample",
         "/answer/1/history", "/gradebook", "/log", "/requests")  # fmt: skip
NAMED = ("/gradebook", "/log")  # pages that may show names
SignIn = Callable[[Running, str], httpx.Client]


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A class with a sample in which no test marks anything."""
    place = tmp_path_factory.mktemp("class") / "gradebook.db"
    with opened_class(place, 12, sample=2) as opened, running(opened) as served:
        yield served


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    with opened_class(tmp_path / "gradebook.db", 12) as opened, running(opened) as served:
        yield served


@pytest.fixture
def sign_in() -> Iterator[SignIn]:
    with contextlib.ExitStack() as clients:

        def signed_in(site: Running, reviewer: str) -> httpx.Client:
            headers = {"origin": site.home, "x-csrf-token": access(site.review).csrf(reviewer)}
            client = clients.enter_context(httpx.Client(base_url=site.home, headers=headers, timeout=60))
            client.get(site.link(reviewer))
            return client

        yield signed_in


@pytest.fixture
def ann(site: Running, sign_in: SignIn) -> httpx.Client:
    return sign_in(site, "ann")


@pytest.fixture
def ben(site: Running, sign_in: SignIn) -> httpx.Client:
    return sign_in(site, "ben")


@pytest.fixture
def reader(unchanged: Running, sign_in: SignIn) -> httpx.Client:
    """Ann in the class that stays unchanged."""
    return sign_in(unchanged, "ann")


def given(site: Running, answer: int = 1) -> Mark:
    """The mark of an answer."""
    mark = site.review.stores.answers.by_id(answer, "ann").mark
    assert mark is not None
    return mark


def form(*items: str, seen: int = 0, **fields: str) -> dict[str, object]:
    given = {"item": list(items), "seen": str(seen), "nonce": str(next(NONCES)), "adjustment": "0", "comment": ""}
    return {**given, **fields}


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


# Pages


def test_each_page_has_a_title_of_its_own_and_neither_script_nor_style_inside(reader: httpx.Client) -> None:
    titles = set()
    for path in PAGES:
        reply = reader.get(path)
        assert reply.status_code == 200
        assert reply.text.startswith('<!doctype html>\n<html lang="en">')
        assert "<h1" in reply.text
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?! type=.module. src=)|javascript:", reply.text), path
        assert path in NAMED or "student-" not in reply.text, path
        titles |= set(re.findall("<title>(.*?)</title>", reply.text))
    assert len(titles) == len(PAGES)


@pytest.mark.parametrize(
    "path",
    ["/nowhere", "/question/q9/1", "/question/q1/0", "/question/q1/13", "/question/q1/x", "/question/q1/99999999999",
     "/answer/0", "/answer/999/plain", "/answer/x/now", "/question/q9/groups", "/question/q9/rubric",
     "/question/q9/sample", "/question/q1/sample/99", "/question/q4/1", "/question/q1?after=-1", "/gradebook?page=0",
     "/question/q1?number=0", "/answer/99999999999999999999/plain", "/docs", "/redoc", "/openapi.json"],
)  # fmt: skip
def test_a_missing_page_is_a_clear_page(reader: httpx.Client, path: str) -> None:
    reply = reader.get(path)
    assert reply.status_code == 404
    assert "To the overview" in reply.text


def test_hostile_text_is_shown_as_text(tmp_path: Path, sign_in: SignIn) -> None:
    hostile = HOSTILE.replace("\ud800", "")  # no browser sends a lone surrogate
    texts = dict.fromkeys(range(4), f"{HOSTILE} <img src=x onerror=alert(1)> [a](javascript:alert(1))")
    with opened_class(tmp_path / "hostile.db", 4, texts=texts) as opened, running(opened) as site:
        ann = sign_in(site, "ann")
        ann.post("/answer/1/mark", data=form("fit", comment=hostile))
        ann.post("/question/q1/snippets", data={"comment": hostile, "number": "1"})
        ann.post("/question/q1/rubric", data={"id": "fit", "points": hostile, "text": hostile, "do": "effects"})
        for path in ("/question/q1/1", "/answer/1/history", "/question/q1/groups", "/log", "/"):
            page = ann.get(path)
            assert page.status_code == 200
            assert not re.search(r"<script>|<img|href=\"?javascript", page.text), path
        assert "&lt;script&gt;" in ann.get("/question/q1/1").text


def test_an_answer_of_a_megabyte_is_cut_and_can_be_read_whole(tmp_path: Path, sign_in: SignIn) -> None:
    text = "<b>word</b> $x$ " * 65_000
    with (
        opened_class(tmp_path / "large.db", 2, texts={0: text, 1: text}, group=False) as opened,
        running(opened) as site,
    ):
        ann = sign_in(site, "ann")
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


def test_all_of_marking_works_without_a_script(ann: httpx.Client, site: Running) -> None:
    answers = site.review.stores.answers
    first = answers.next("q1", "ann")
    assert first is not None
    page = f"/question/q1/{first}"
    assert ann.get("/question/q1").headers["location"] == page
    assert ann.get(f"/question/q1?number={first}").headers["location"] == page
    id = answers.at("q1", first, "ann").answer.id
    assert ann.get(f"/answer/{id}").headers["location"] == page
    typed = form("fit", "unseen", adjustment="-0.5", comment="Good.", flagged="1")
    reply = ann.post(f"/answer/{id}/mark", data=typed)
    assert (reply.status_code, reply.headers["location"]) == (303, f"/question/q1/{answers.next('q1', 'ann', first)}")
    mark = given(site, id)
    assert (mark.items, mark.adjustment, mark.comment, mark.flagged) == (("fit", "unseen"), -0.5, "Good.", True)
    assert "1 of 12 marks" in ann.get("/").text
    assert "2.5 of 4 (fit, unseen), adjusted −0.5, flagged, by ann" in ann.get(page).text
    kept = {"comment": "Say why.", "number": str(first)}
    assert ann.post("/question/q1/snippets", data=kept).headers["location"] == page
    assert "Say why." in ann.get(page).text
    snippet = site.review.stores.snippets.all("q1")[0].id
    dropped = {"question": "q1", "number": str(first)}
    assert ann.post(f"/snippet/{snippet}/drop", data=dropped).headers["location"] == page
    assert "Say why." not in ann.get(page).text
    assert ann.post("/undo").headers["location"] == page
    assert answers.by_id(id, "ann").mark is None
    assert ann.post("/undo", headers=JSON).json()["words"] == "You have no mark to undo."


def test_the_last_mark_of_a_share_leads_to_an_overview_that_says_so(ann: httpx.Client, site: Running) -> None:
    answers = site.review.stores.answers
    url = "/question/q1"
    while (number := answers.next("q1", "ann")) is not None:
        assert "You have marked all your answers" not in ann.get("/").text
        url = ann.post(f"/answer/{answers.at('q1', number, 'ann').answer.id}/mark", data=form()).headers["location"]
    assert "You have marked all your answers to q1." in ann.get(url).text


def test_a_conflict_without_the_script_keeps_what_was_typed(ann: httpx.Client, ben: httpx.Client) -> None:
    ben.post("/answer/1/mark", data=form("unseen", comment="Ben's words"))
    reply = ann.post("/answer/1/mark", data=form("fit", comment="Ann's words"))
    assert reply.status_code == 409
    assert "Ann&#39;s words</textarea>" in reply.text
    assert "“Ben&#39;s words”" in reply.text


@pytest.mark.parametrize(
    ("fields", "why"),
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
        ({"item": "gone"}, "no longer has the item 'gone'"),
        ({"comment": "x" * 20_001}, "20000 characters"),
    ],
)
def test_an_invalid_mark_is_rejected_with_a_reason(
    reader: httpx.Client, unchanged: Running, fields: dict[str, str], why: str
) -> None:
    reply = reader.post("/answer/1/mark", data={**form("fit"), **fields}, headers=JSON)
    assert reply.status_code == 422
    assert why in reply.json()["why"]
    assert unchanged.review.stores.answers.by_id(1, "ann").mark is None


@pytest.mark.parametrize(("typed", "points"), [("1,5", 1.5), ("−1", -1.0), ("+2", 2.0), ("", 0.0), (" 0.5 ", 0.5)])
def test_points_may_be_typed_as_people_write_them(typed: str, points: float) -> None:
    assert PostedForm([("adjustment", typed)]).draft().adjustment == points


def test_unprintable_characters_of_a_comment_are_replaced() -> None:
    form = PostedForm([("comment", "a\0b\r\nc 𝛼 \x1b")])
    assert form.draft().comment == "a\ufffdb\nc 𝛼 \ufffd"


def test_a_reviewer_who_looks_elsewhere_or_has_gone_is_not_present() -> None:
    now = [0.0]
    presence = Presence(lambda: now[0])
    assert presence.visit(1, "ann") == ()
    assert presence.visit(1, "ben") == ("ann",)
    assert presence.visit(2, "ann") == ()
    assert presence.visit(1, "ben") == ()
    presence.visit(1, "ann")
    now[0] = FORGOTTEN_S
    assert presence.visit(1, "cal") == ()


def test_revealing_a_name_is_logged(ann: httpx.Client, site: Running) -> None:
    name = site.review.stores.answers.by_id(1, "ann").answer.submission
    assert ann.post("/answer/1/reveal", headers=JSON).json() == {"name": name}
    assert name in ann.post("/answer/1/reveal").text
    assert "revealed the name" in ann.get("/log").text
    assert ann.get("/answer/1/reveal").status_code == 405


def test_the_history_shows_every_mark(ann: httpx.Client, ben: httpx.Client) -> None:
    made = ann.post("/answer/1/mark", data=form("fit", comment="First."), headers=JSON).json()["mark"]
    ben.post("/answer/1/mark", data=form("fit", "overfit", seen=made["id"]))
    page = words(ann.get("/answer/1/history").text)
    assert re.search(r"1 of 4 \(fit\), by ann, .* “First.” 2 of 4 \(fit, overfit\), by ben", page)
    assert [mark["reviewer"] for mark in ann.get("/answer/1/history", headers=JSON).json()["history"]] == ["ann", "ben"]


# Groups


def test_an_answer_is_excluded_from_its_group_and_included_again_without_a_script(
    ann: httpx.Client, site: Running
) -> None:
    group = [position.answer.id for position in site.review.stores.answers.groups("q1", "ann")[0]]
    url = ann.post(f"/answer/{group[0]}/apart").headers["location"]
    assert "was excluded from its group" in ann.get(url).text
    ann.get(ann.post(f"/answer/{group[0]}/together").headers["location"])
    assert [position.answer.id for position in site.review.stores.answers.groups("q1", "ann")[0]] == group


def test_a_group_without_a_selected_answer_is_rejected(reader: httpx.Client) -> None:
    reply = reader.post("/question/q1/groups", data={**form("fit", comment="Kept"), "group": "1"})
    assert reply.status_code == 422
    assert "No answer is selected." in reply.text
    assert "Kept</textarea>" in reply.text


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


@pytest.mark.parametrize("do", ["effects", "apply"])
@pytest.mark.parametrize(
    ("points", "why"),
    [("3", "add up to 3 + 2 + 1 = 6"), ("one", "not a number of points"), ("0", "Item 1: 0 points")],
)
def test_an_invalid_rubric_is_rejected_and_stays_in_the_form(
    reader: httpx.Client, unchanged: Running, do: str, points: str, why: str
) -> None:
    rubric = unchanged.review.stores.rubrics.current("q1")
    reply = reader.post("/question/q1/rubric", data=typed(rubric, do, fit=points))
    assert reply.status_code == 422
    assert why in words(reply.text)
    assert f'value="{points}"' in reply.text
    assert unchanged.review.stores.rubrics.current("q1") == rubric


@pytest.mark.parametrize(
    ("action", "ids"),
    [
        ("add", ["fit", "unseen", "overfit", ""]),
        ("remove:2", ["fit", "overfit"]),
        ("down:1", ["unseen", "fit", "overfit"]),
        ("up:3", ["fit", "overfit", "unseen"]),
        *((odd, ["fit", "unseen", "overfit"]) for odd in ("up:1", "down:3", "up:99", "remove:x", "up:", "nonsense:1")),
    ],
)
def test_items_are_added_removed_and_moved_without_a_script(
    reader: httpx.Client, unchanged: Running, action: str, ids: list[str]
) -> None:
    page = reader.post("/question/q1/rubric", data=typed(unchanged.review.stores.rubrics.current("q1"), action)).text
    assert re.findall(r'name="id" value="(.*?)"', page) == ids


def test_a_new_item_gets_an_id_of_its_words_and_may_take_points(ann: httpx.Client, site: Running) -> None:
    sent = typed(site.review.stores.rubrics.current("q1"), "apply")
    for name, value in (("id", ""), ("points", "-1"), ("text", "Says: fit!")):
        sent[name] = [*sent[name], value]  # type: ignore[misc]  # several values
    assert ann.post("/question/q1/rubric", data=sent).status_code == 200
    assert site.review.stores.rubrics.current("q1").items[-1] == RubricItem("says-fit", -1, "Says: fit!")


# The sample


@pytest.fixture
def sampled(tmp_path: Path) -> Iterator[Running]:
    """A class of which two answers to each question are marked by both."""
    with opened_class(tmp_path / "gradebook.db", 8, sample=2) as opened, running(opened) as served:
        yield served


def test_neither_reviewer_sees_the_others_mark_before_both_have_given_one(sampled: Running, sign_in: SignIn) -> None:
    ann, ben = sign_in(sampled, "ann"), sign_in(sampled, "ben")
    stores = sampled.review.stores
    pair = stores.marks.pairs("q1")[0]
    url, page = f"/answer/{pair.answer.id}", f"/question/q1/{pair.number}"
    ann.post(f"{url}/mark", data=form("fit", comment="SECRET"))
    for path in (page, f"{url}/history", f"{url}/now?seen=0", "/question/q1/sample", "/question/q1/groups"):
        assert "SECRET" not in ben.get(path).text
        assert "by ann" not in ben.get(path).text
    assert "marked 1 of 4" in ann.get("/log").text
    assert "marked 1 of 4" not in ben.get("/log").text
    preview = ben.post("/question/q1/rubric", data=typed(stores.rubrics.current("q1"), fit="2", unseen="1")).text
    assert f"Answer {pair.number} in the sample, hidden until both have marked it" in words(preview)
    assert ben.get(f"/question/q1/sample/{pair.number}").status_code == 404
    assert "Not marked yet" in ben.get(page).text
    assert ben.post(f"{url}/mark", data=form("unseen")).status_code == 303
    assert "1 to settle" in ben.get("/").text
    assert "Same points 0 %" in words(ann.get("/question/q1/sample").text)
    settle = f"/question/q1/sample/{pair.number}"
    assert "differs" in ann.get(settle).text
    assert ann.post(settle, data=form("fit")).headers["location"] == "/question/q1/sample"
    late = ben.post(settle, data=form("unseen", comment="Typed"))
    assert late.status_code == 409
    assert "Typed</textarea>" in late.text


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


def test_a_large_class_is_paged(tmp_path: Path, sign_in: SignIn) -> None:
    with opened_class(tmp_path / "large.db", 205, group=False) as opened, running(opened) as site:
        ann = sign_in(site, "ann")
        pages = [ann.get(f"/gradebook?page={page}").text for page in (1, 2, 3, 99)]
    assert [page.count('<th scope="row">') for page in pages] == [100, 100, 5, 5]
    assert "Page 3 of 3" in words(pages[3])


def test_requests_are_answered(ann: httpx.Client, site: Running) -> None:
    requests, find = site.review.stores.requests, site.review.stores.answers.find
    requests.add([RegradeRequest(f"student-00{number}", "q1", "Please <look>.") for number in (1, 2)], {})
    assert "2 regrade requests" in ann.get("/").text
    page = ann.get("/requests").text
    assert "Please &lt;look&gt;." in page
    assert f'/answer/{find("student-001", "q1")}"' in page
    first, second = (request.id for request in requests.all())
    assert "was accepted" in ann.post(f"/requests/{first}", data={"status": "accepted", "reply": "You are right."}).text
    assert "was declined" in ann.post(f"/requests/{second}", data={"status": "declined", "reply": ""}).text
    assert {request.status for request in requests.all()} == {"accepted", "declined"}
    assert "You are right." in ann.get("/requests").text
    assert "without a reply" not in ann.get("/").text
    assert ann.post(f"/requests/{first}", data={"status": "eaten", "reply": "typed"}).status_code == 422


# When something goes wrong


def test_a_locked_gradebook_is_a_clear_page(tmp_path: Path, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.gradebook.database.BUSY_S", 0.2)
    path = tmp_path / "locked.db"
    with opened_class(path, 3) as opened, running(opened) as site:
        ann = sign_in(site, "ann")
        other = sqlite3.connect(path, isolation_level=None)
        try:
            other.execute("BEGIN IMMEDIATE")
            reply = ann.post("/answer/1/mark", data=form("fit"))
            why = ann.post("/answer/1/mark", data=form("fit"), headers=JSON).json()["why"]
            assert ann.get("/question/q1/1").status_code == 200, "pages can be read meanwhile"
        finally:
            other.close()
        assert reply.status_code == 503
        assert "database is locked" in reply.text
        assert "still in your browser" in reply.text
        assert "database is locked" in why
        assert ann.post("/answer/1/mark", data=form("fit"), headers=JSON).status_code == 200


def test_an_error_in_the_review_itself_is_a_clear_page(ann: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MarkStore, "save", lambda *_: 1 / 0)
    reply = ann.post("/answer/1/mark", data=form("fit"))
    assert reply.status_code == 500
    assert "Something went wrong" in reply.text
    assert "ZeroDivisionError" not in reply.text
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")


def test_a_link_outlives_a_restart(tmp_path: Path, sign_in: SignIn) -> None:
    with opened_class(tmp_path / "gradebook.db", 3) as opened, running(opened) as site:
        link = site.link("ann")
    with (
        opened_class(tmp_path / "gradebook.db", 3) as opened,
        running(replace(opened, reviewers=("cal", "ann"))) as again,
    ):
        assert again.link("ann").partition("token=")[2] == link.partition("token=")[2]
        assert sign_in(again, "ann").get("/").status_code == 200


def test_a_taken_port_is_replaced_by_a_free_one() -> None:
    with bind(0) as first, bind(first.getsockname()[1]) as second:
        assert first.getsockname()[0] == second.getsockname()[0] == "127.0.0.1"
        assert first.getsockname()[1] != second.getsockname()[1]


def test_a_reviewer_sees_their_own_changes_at_once_and_those_of_others_a_moment_later() -> None:
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
