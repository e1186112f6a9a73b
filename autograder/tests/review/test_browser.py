"""The review in a real browser: by keyboard alone, with two at once, through reloads and failures."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from autograder.gradebook.mark import Draft, Mark
from autograder.gradebook.request_store import DECLINED, OPEN, RegradeRequest
from autograder.tests.browsers import broken_rules
from autograder.tests.reviews import Running, opened_class, running

SIZE = {"width": 1280, "height": 720}

pytestmark = pytest.mark.browser


class SignIn(Protocol):
    def __call__(self, site: Running, reviewer: str, path: str = "") -> Page: ...


@pytest.fixture
def sign_in(browser: Browser) -> Iterator[SignIn]:
    """Signs a reviewer in, in a browser of their own, and opens a page. An error in a page fails the test."""
    wrong: list[str] = []
    with contextlib.ExitStack() as stack:

        def signed_in(site: Running, reviewer: str, path: str = "") -> Page:
            context = stack.enter_context(browser.new_context(viewport=SIZE))  # type: ignore[arg-type]  # a plain dict
            page = context.new_page()
            page.on("pageerror", lambda error: wrong.append(str(error)))
            page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
            page.goto(site.link(reviewer))
            if path:
                page.goto(site.home + path)
            return page

        yield signed_in
    assert not wrong


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Running]:
    with opened_class(tmp_path / "gradebook.db", 30, reviewers=("ann", "ben")) as opened, running(opened) as served:
        yield served


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Running]:
    """A class of 30 that ann marks by herself."""
    with opened_class(tmp_path / "gradebook.db", 30, reviewers=("ann",)) as opened, running(opened) as served:
        yield served


def mark(site: Running, number: int) -> Mark | None:
    return site.review.stores.answers.at("q1", number, "ann").mark


def given(site: Running, number: int) -> Mark:
    """The mark of this answer to q1, which must have one."""
    found = mark(site, number)
    assert found is not None
    return found


def at(page: Page, number: int) -> None:
    """Wait for the page of this answer, with its script at work."""
    expect(page).to_have_url(re.compile(rf"/question/q\d/{number}$"))
    expect(page).to_have_title(re.compile(rf"answer {number} of"))
    page.wait_for_load_state()


def lose(route: Route) -> str:
    """The request arrives, and its answer does not."""
    answer = route.fetch().text()
    route.abort()
    return answer


def choose(page: Page, *keys: str) -> None:
    """Press keys, once the page's script is ready."""
    page.wait_for_load_state()
    for key in keys:
        page.keyboard.press(key)


def test_a_class_of_thirty_is_marked_by_keyboard_alone(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann")
    page.wait_for_load_state()
    for question in ("q1", "q2"):
        choose(page, "Enter")  # the overview's link has the focus
        for number in range(1, 31):
            expect(page).to_have_title(re.compile(f"{question}, answer {number} of 30"))
            if number == 3:
                choose(page, "1", "2", "3", "2", "-", "f", "c")
                page.keyboard.type("Say 2 words - more?\nj k 1")
                choose(page, "Control+Enter")
            elif number == 4:
                choose(page, "c")
                page.keyboard.type("Right.")
                choose(page, "Escape", "1", "Enter")
            elif number % 6 == 5:
                choose(page, "0", "Enter")
            else:
                choose(page, "1", "2", "Enter")
        expect(page).to_have_url(re.compile(f"done={question}"))
    marks = [given(alone, number) for number in range(1, 31)]
    third, fourth = marks[2], marks[3]
    assert (third.items, third.adjustment, third.flagged) == (("fit", "overfit"), -0.5, True)
    assert third.comment == "Say 2 words - more?\nj k 1"
    assert (fourth.items, fourth.comment) == (("fit",), "Right.")
    assert [each.points for each in marks if each.items == ()] == [0.0] * 5
    done = {each.question: each.done for each in alone.review.stores.answers.progress() if each.reviewer is None}
    assert done == {"q1": 30, "q2": 30, "q3": 0}
    assert len(alone.review.stores.log.newest(1000)) == 60


def test_keys_walk_jump_and_explain_themselves(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/5")
    choose(page, "j")
    at(page, 6)
    choose(page, "ArrowRight")
    at(page, 7)
    choose(page, "k")
    at(page, 6)
    choose(page, "ArrowLeft")
    at(page, 5)
    choose(page, "?")
    expect(page.get_by_role("dialog")).to_be_visible()
    choose(page, "1", "Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(page.locator("[data-earned]")).to_have_text("0")
    page.get_by_label("Go to answer number").fill("12")
    page.get_by_label("Go to answer number").press("Enter")
    at(page, 12)
    choose(page, "Enter")
    expect(page.locator("#status")).to_contain_text("Nothing chosen yet")
    assert mark(alone, 12) is None
    choose(page, "g")
    expect(page).to_have_url(re.compile(r"/groups\?group="))


def test_points_run_along_and_stay_within_the_question(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/1")
    earned = page.locator("[data-earned]")
    for keys, points in (("2", "2"), ("1", "3"), ("+", "3.5"), ("3+", "4"), ("2", "3"), ("0", "0"), ("---", "0")):
        choose(page, *keys)
        expect(earned).to_have_text(points)


def test_undo_reveal_and_flag_by_key(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/1")
    choose(page, "1", "Enter")
    at(page, 2)
    expect(page.locator("#status")).to_contain_text("Answer 1 saved: 1 of 4")
    choose(page, "u")
    at(page, 1)
    assert mark(alone, 1) is None
    name = alone.review.stores.answers.at("q1", 1, "ann").answer.submission
    assert name not in page.content()
    choose(page, "n")
    expect(page.locator("#name")).to_have_text(f"by {name}")
    page.locator("#history summary").click()
    expect(page.locator("#history li")).to_contain_text("undone")


def test_snippets_are_kept_put_in_and_deleted_by_keyboard(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/1")
    choose(page, "c")
    page.keyboard.type("Say <why>.")
    choose(page, "Escape", "s")
    expect(page.get_by_role("button", name="Save the comment")).to_be_focused()
    choose(page, "Enter")
    expect(page.locator(".snippet")).to_have_text("Say <why>.")
    choose(page, "Escape", "1", "Enter")
    at(page, 2)
    choose(page, "s", "Enter")
    expect(page.locator("textarea")).to_have_value("Say <why>.")
    choose(page, "2", "Enter")
    at(page, 3)
    second = given(alone, 2)
    assert (second.items, second.comment) == (("unseen",), "Say <why>.")
    choose(page, "s", "Tab", "Enter")
    expect(page.locator(".snippet")).to_have_count(0)
    assert alone.review.stores.snippets.all("q1") == ()


def test_a_draft_outlives_a_reload_until_it_is_saved_or_discarded(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/4")
    choose(page, "1", "3", "+", "f", "c")
    page.keyboard.type("Half a sent")
    page.reload()
    expect(page.locator("#unsaved")).to_be_visible()
    expect(page.locator("textarea")).to_have_value("Half a sent")
    expect(page.locator("[data-earned]")).to_have_text("2.5")
    expect(page.get_by_label("Flag")).to_be_checked()
    page.goto(alone.home)
    expect(page.locator("#drafts a")).to_have_text("q1, answer 4")
    page.locator("#drafts a").click()
    at(page, 4)
    expect(page.locator("textarea")).to_have_value("Half a sent")
    choose(page, "Enter")
    at(page, 5)
    stored = given(alone, 4)
    assert Draft(stored.items, stored.adjustment, stored.comment, stored.flagged) == Draft(
        ("fit", "overfit"), 0.5, "Half a sent", True
    )
    choose(page, "1")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("[data-earned]")).to_have_text("0")
    page.goto(alone.home)
    expect(page.locator("#drafts")).to_be_hidden()


def test_a_save_whose_answer_is_lost_keeps_the_draft_and_is_stored_once(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/1")
    lost: list[str] = []
    page.route("**/answer/*/mark", lambda route: lost.append(lose(route)))
    choose(page, "1", "Enter")
    expect(page.locator("#status")).to_contain_text("cannot be reached")
    expect(page.locator("#unsaved")).to_be_visible()
    page.unroute("**/answer/*/mark")
    choose(page, "3", "Enter")
    at(page, 2)
    assert lost
    answer = alone.review.stores.answers.at("q1", 1, "ann").answer.id
    assert [each.items for each in alone.review.stores.marks.history(answer, "ann")] == [("fit",), ("fit", "overfit")]


def test_a_rejected_save_says_why_and_keeps_the_draft(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/1")
    page.evaluate("document.querySelector('[name=adjustment]').max = '9999'")
    page.get_by_label("Adjust").fill("5000")
    choose(page, "Escape", "Enter")
    expect(page.locator("#status")).to_contain_text("up to 1000")
    expect(page.locator("#unsaved")).to_be_visible()


def test_two_on_one_answer_see_each_other_and_each_others_mark(site: Running, sign_in: SignIn) -> None:
    ann, ben = (sign_in(site, reviewer, "/question/q1/2") for reviewer in ("ann", "ben"))
    expect(ann.locator("#others")).to_have_text("ben is here too")
    expect(ben.locator("#others")).to_have_text("ann is here too")
    choose(ben, "2", "Enter")
    expect(ann.locator("#standing")).to_contain_text("by ben")
    expect(ann.locator("[data-earned]")).to_have_text("2")
    expect(ann.locator("#conflict")).to_be_hidden()
    choose(ann, "1", "Enter")
    expect(ann).not_to_have_url(re.compile("/q1/2$"))
    answer = site.review.stores.answers.at("q1", 2, "ann").answer.id
    assert [(each.reviewer, each.items) for each in site.review.stores.marks.history(answer, "ann")] == [
        ("ben", ("unseen",)),
        ("ann", ("fit", "unseen")),
    ]


@pytest.mark.parametrize("choice", ["Keep theirs", "Replace with mine"])
def test_a_conflict_shows_both_and_loses_neither(site: Running, sign_in: SignIn, choice: str) -> None:
    ann, ben = (sign_in(site, reviewer, "/question/q1/2") for reviewer in ("ann", "ben"))
    choose(ann, "1", "c")
    ann.keyboard.type("Ann's words")
    choose(ben, "2", "c")
    ben.keyboard.type("Ben's words")
    choose(ben, "Control+Enter")
    banner = ann.locator("#conflict")
    expect(banner).to_be_visible()
    expect(banner).to_contain_text("2 of 4 (unseen), by ben")
    expect(banner).to_contain_text("“Ben's words”")
    expect(banner).to_contain_text("1 of 4, see the form below. “Ann's words”")
    expect(ann.locator("textarea")).to_have_value("Ann's words")
    choose(ann, "Control+Enter")
    expect(ann.locator("#status")).to_contain_text("Choose first")
    ann.reload()
    expect(banner).to_be_visible()
    expect(ann.locator("textarea")).to_have_value("Ann's words")
    ann.get_by_role("button", name=choice).click()
    answer = site.review.stores.answers.at("q1", 2, "ann").answer.id
    if choice == "Keep theirs":
        expect(banner).to_be_hidden()
        expect(ann.locator("textarea")).to_have_value("Ben's words")
        expect(ann.locator("#unsaved")).to_be_hidden()
    else:
        expect(ann).not_to_have_url(re.compile("/q1/2$"))
    said = [(each.reviewer, each.comment) for each in site.review.stores.marks.history(answer, "ann")]
    assert said == [("ben", "Ben's words"), *([("ann", "Ann's words")] if choice == "Replace with mine" else [])]


def test_two_saves_in_the_same_moment_are_a_conflict_too(site: Running, sign_in: SignIn) -> None:
    ann, ben = (sign_in(site, reviewer, "/question/q1/2") for reviewer in ("ann", "ben"))
    ann.route("**/now?*", lambda route: route.abort())  # she hears nothing before she saves
    choose(ben, "2", "Enter")
    expect(ben).not_to_have_url(re.compile("/q1/2$"))
    choose(ann, "1", "Enter")
    expect(ann.locator("#conflict")).to_be_focused()
    assert given(site, 2).reviewer == "ben"


def test_a_group_is_marked_in_part_and_undone(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/groups")
    expect(page.locator("#members-title")).to_have_text("5 of 5 answers selected")
    page.locator("input[name=answer]").first.uncheck()
    expect(page.locator("#members-title")).to_have_text("4 of 5 answers selected")
    choose(page, "Enter")
    expect(page.locator("#status")).to_contain_text("Nothing chosen yet")
    choose(page, "0", "c")
    page.keyboard.type("No answer was found.")
    choose(page, "Control+Enter")
    expect(page.locator("#status")).to_contain_text("4 answers marked: 0 each")
    done = [place for place in alone.review.stores.answers.groups("q1", "ann")[0] if place.mark]
    assert [place.mark.comment for place in done if place.mark] == ["No answer was found."] * 4
    choose(page, "u")
    expect(page.locator("#status")).to_contain_text("Undone: 4 marks")
    assert not [place for place in alone.review.stores.answers.groups("q1", "ann")[0] if place.mark]


def test_a_group_in_mid_edit_outlives_a_reload_and_a_failure(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/groups")
    page.locator("input[name=answer]").nth(2).uncheck()
    choose(page, "3", "-", "f", "c")
    page.keyboard.type("For those alike.")
    expect(page.locator("#unsaved")).to_be_visible()
    page.reload()
    expect(page.locator("#status")).to_have_text("Your unsaved changes are restored.")
    expect(page.locator("#members-title")).to_have_text("4 of 5 answers selected")
    expect(page.locator("input[name=answer]").nth(2)).not_to_be_checked()
    expect(page.locator("[data-earned]")).to_have_text("0.5")
    page.goto(alone.home)
    page.get_by_role("link", name="q1, a group of 5 similar answers").click()
    page.get_by_role("button", name=re.compile("Exclude answer")).first.click()
    expect(page.get_by_text("was excluded from its group")).to_have_count(1)
    expect(page.locator("textarea")).to_have_value("For those alike.")
    expect(page.locator("#members-title")).to_have_text("3 of 4 answers selected")

    page.route("**/question/q1/groups", lose)
    choose(page, "Control+Enter")
    expect(page.locator("#status")).to_contain_text("cannot be reached")
    page.unroute("**/question/q1/groups")
    choose(page, "Control+Enter")
    expect(page.locator("#status")).to_contain_text("3 answers marked: 0.5 each")
    expect(page.locator("#unsaved")).to_be_hidden()
    done = [place.mark for place in alone.review.stores.answers.groups("q1", "ann")[0] if place.mark]
    assert [(each.items, each.adjustment, each.comment) for each in done] == [
        (("overfit",), -0.5, "For those alike.")
    ] * 3
    page.goto(alone.home)
    expect(page.locator("#drafts")).to_be_hidden()


def test_a_group_whose_comment_changed_after_a_lost_answer_is_not_taken_for_the_one_before(
    alone: Running, sign_in: SignIn
) -> None:
    page = sign_in(alone, "ann", "/question/q1/groups")
    choose(page, "1", "c")
    page.keyboard.type("First.")
    page.route("**/question/q1/groups", lose)
    choose(page, "Control+Enter")
    expect(page.locator("#status")).to_contain_text("cannot be reached")
    page.unroute("**/question/q1/groups")
    page.keyboard.type(" Second.")
    choose(page, "Control+Enter")
    expect(page.locator("#status")).to_contain_text("Nothing was marked")
    page.reload()
    expect(page.locator("textarea")).to_have_value("First. Second.")
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("textarea")).to_have_value("")
    page.reload()
    expect(page.locator("textarea")).to_have_value("")
    expect(page.locator("#unsaved")).to_be_hidden()


def test_a_rubric_in_mid_edit_outlives_a_reload(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/rubric")
    page.get_by_label("Points of item 1").fill("9")
    page.reload()
    offer = page.locator("#typed-before")
    expect(offer).to_contain_text("You edited this rubric")
    expect(page.get_by_label("Points of item 1")).to_have_value("1")
    page.get_by_role("button", name="Continue editing").click()
    expect(page.get_by_label("Points of item 1")).to_have_value("9")
    expect(offer).to_be_hidden()
    page.get_by_role("button", name="Add an item").click()
    page.get_by_label("Text of item 4").fill("Says something new")  # typed after the server saw the rest
    page.goto(alone.home)
    page.get_by_role("link", name="q1, changes to the rubric").click()
    page.get_by_role("button", name="Continue editing").click()
    expect(page.get_by_label("Points of item 1")).to_have_value("9")
    expect(page.get_by_label("Text of item 4")).to_have_value("Says something new")
    page.get_by_label("Points of item 1").fill("1")
    page.get_by_label("Points of item 4").fill("-1")
    page.get_by_label("Points of item 4").press("Enter")
    page.get_by_role("button", name="Apply").click()
    expect(page.get_by_text("The new rubric is applied")).to_be_visible()
    page.goto(f"{alone.home}/question/q1/rubric")
    expect(page.get_by_label("Text of item 4")).to_have_value("Says something new")
    expect(offer).to_be_hidden()
    page.get_by_label("Points of item 2").fill("7")
    page.reload()
    page.get_by_role("button", name="Discard them").click()
    page.reload()
    expect(page.get_by_label("Points of item 2")).to_have_value("2")
    expect(offer).to_be_hidden()


def test_a_rubric_that_was_kept_while_somebody_changed_it_says_so(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/rubric")
    page.get_by_label("Text of item 1").fill("Mine")
    now = alone.review.stores.rubrics.current("q1")
    theirs = replace(now, items=(replace(now.items[0], text="Theirs"), *now.items[1:]))
    alone.review.stores.rubrics.apply(theirs, "ben")
    page.reload()
    expect(page.get_by_label("Text of item 1")).to_have_value("Theirs")
    page.get_by_role("button", name="Continue editing").click()
    page.get_by_label("Points of item 1").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Somebody has changed this rubric in the meantime")
    expect(page.get_by_label("Text of item 1")).to_have_value("Mine")


def test_a_reply_in_mid_edit_outlives_a_reload_and_another_reply(site: Running, sign_in: SignIn) -> None:
    key = next(iter(site.review.reports))
    site.review.stores.requests.add(
        [RegradeRequest(key, "q1", "Please look again."), RegradeRequest(key, "q2", "And here.")], {}
    )
    page = sign_in(site, "ann", "/requests")
    first, second = page.locator("textarea").all()
    first.fill("We looked,\nand agree.")
    second.fill("Half typed")
    page.reload()
    expect(page.locator("textarea").first).to_have_value("We looked,\nand agree.")
    page.get_by_role("button", name="Accept").first.click()
    expect(page.get_by_text("The request was accepted.")).to_be_visible()
    expect(page.locator("textarea")).to_have_value("Half typed")
    expect(page.locator("[data-unsent]:visible")).to_have_count(0)
    waiting = next(each for each in site.review.stores.requests.all() if each.status == OPEN)
    site.review.stores.requests.reply(waiting.id, DECLINED, "No.", "ben")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("alert")).to_contain_text("ben has declined this request in the meantime")
    expect(page.locator("[data-unsent]:visible")).to_contain_text("Half typed")
    page.goto(site.home)
    page.get_by_role("link", name="q2, a reply to a request").click()
    page.get_by_role("button", name="Discard").click()
    page.goto(site.home)
    expect(page.locator("#drafts")).to_be_hidden()


def test_a_rubric_is_changed_back_in_time(alone: Running, sign_in: SignIn) -> None:
    for number in (1, 2, 3):
        answer = alone.review.stores.answers.at("q1", number, "ann").answer.id
        alone.review.stores.marks.save(answer, "ann", Draft(("fit",)), 0, f"{number:016d}")
    page, other = sign_in(alone, "ann"), sign_in(alone, "ann")
    other.goto(f"{alone.home}/question/q1/9")
    choose(other, "1")
    page.goto(f"{alone.home}/question/q1/rubric")
    page.get_by_label("Points of item 1").fill("3")
    page.get_by_label("Points of item 2").fill("0.5")
    page.get_by_label("Points of item 3").fill("0.5")
    page.get_by_label("Points of item 3").press("Enter")
    expect(page.get_by_role("heading", name="3 marks will change")).to_be_visible()
    assert [given(alone, number).points for number in (1, 2, 3)] == [1, 1, 1]
    page.get_by_role("button", name="Apply and change 3 marks").click()
    expect(page.get_by_text("The new rubric is applied: 3 marks changed.")).to_be_visible()
    assert [given(alone, number).points for number in (1, 2, 3)] == [3, 3, 3]
    expect(other.locator("#rubric-changed")).to_be_visible()
    other.locator("#rubric-changed a").click()
    expect(other.locator("#unsaved")).to_be_visible()
    expect(other.locator("[data-earned]")).to_have_text("3")


def test_a_disagreement_is_settled_in_the_browser(tmp_path: Path, sign_in: SignIn) -> None:
    with opened_class(tmp_path / "gradebook.db", 8, sample=2) as opened, running(opened) as site:
        pair = opened.stores.marks.pairs("q1")[0]
        opened.stores.marks.save(pair.answer.id, "ann", Draft(("fit", "unseen")), 0, "a" * 16)
        opened.stores.marks.save(pair.answer.id, "ben", Draft(("fit",), 0, "Too short."), 0, "b" * 16)
        page = sign_in(site, "ann", "/question/q1/sample")
        page.get_by_role("link", name="Settle answer").click()
        expect(page.locator("[data-earned]")).to_have_text("1")
        page.get_by_role("button", name="As ann").click()
        expect(page.locator("[data-earned]")).to_have_text("3")
        page.get_by_role("button", name="As ben").click()
        expect(page.locator("textarea")).to_have_value("Too short.")
        choose(page, "Escape")
        page.locator("h1").click()
        choose(page, "3", "Enter")
        expect(page.locator("#status")).to_contain_text("settled: 2 of 4 (fit, overfit)")
        settled = opened.stores.marks.pairs("q1")[0].settled
        assert settled is not None
        assert settled.points == 2


def test_no_page_breaks_a_rule_of_accessibility(tmp_path: Path, sign_in: SignIn) -> None:
    texts = {
        3: "# Head\n\n> quote\n\n| a | b |\n|-|-|\n| 1 | 2 |\n\n$x^2$ [link](https://x.example) ![i](y.png)\n\n`code`"
    }
    with opened_class(tmp_path / "gradebook.db", 12, sample=2, texts=texts) as opened, running(opened) as site:
        stores = opened.stores
        pair = stores.marks.pairs("q1")[0]
        stores.marks.save(pair.answer.id, "ann", Draft(("fit", "unseen")), 0, "a" * 16)
        stores.marks.save(pair.answer.id, "ben", Draft(("fit",), -0.5, "Too short.", True), 0, "b" * 16)
        stores.snippets.add("q1", "Say why.", "ann")
        opened.stores.requests.add([RegradeRequest("student-001", "q1", "Please look again.")], {})
        page = sign_in(site, "ann")
        choose(page, "?")
        assert not broken_rules(page)
        paths = ["/", "/?done=q1", *(f"/question/q1/{number}" for number in range(1, 13)), "/question/q1/groups",
                 "/question/q1/groups?group=99", "/question/q1/rubric", "/question/q1/sample", "/gradebook", "/log",
                 f"/question/q1/sample/{pair.number}", "/requests", "/nowhere", "/enter?token=x",
                 f"/answer/{pair.answer.id}/history"]  # fmt: skip
        for path in paths:
            page.goto(site.home + path)
            for summary in page.locator("summary").all():
                summary.click()
            assert not broken_rules(page), path
        page.goto(f"{site.home}/question/q1/rubric")
        page.get_by_label("Points of item 1").fill("x")
        page.get_by_label("Points of item 1").press("Enter")
        assert not broken_rules(page)
        page.get_by_label("Points of item 1").fill("2")
        page.get_by_label("Points of item 2").fill("1")
        page.get_by_label("Points of item 2").press("Enter")
        assert not broken_rules(page)
        page.goto(f"{site.home}/question/q1/groups")
        choose(page, "1")
        page.goto(f"{site.home}/requests")
        page.locator("textarea").fill("Half typed")
        opened.stores.requests.reply(opened.stores.requests.all()[0].id, DECLINED, "No.", "ben")
        for path, back in (
            ("question/q1/groups", "#unsaved"),
            ("question/q1/rubric", "#typed-before"),
            ("requests", "[data-unsent]"),
            ("", "#drafts"),
        ):
            page.goto(f"{site.home}/{path}")
            expect(page.locator(back)).to_be_visible()
            assert not broken_rules(page), path
        waiting = stores.answers.next("q1", "ann") or 0
        page.goto(f"{site.home}/question/q1/{waiting}")
        choose(page, "1")
        answer = stores.answers.at("q1", waiting, "ann").answer.id
        stores.marks.save(answer, "ann", Draft(("unseen",), 0, "Meanwhile"), 0, "c" * 16)
        expect(page.locator("#conflict")).to_be_visible()
        assert not broken_rules(page)
        page.context.clear_cookies()
        page.goto(site.home)
        assert not broken_rules(page)


def test_a_normal_answer_needs_no_scrolling(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann")
    for question in ("q1", "q2", "q3"):
        page.goto(f"{alone.home}/question/{question}/1")
        choose(page, "1")
        height = page.evaluate("document.documentElement.scrollHeight")
        assert height <= SIZE["height"], f"{question}: {height}"


def test_at_200_per_cent_nothing_runs_off_the_side(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann")
    page.set_viewport_size({"width": 640, "height": 360})
    of_q1 = [f"/question/q1/{name}" for name in ("1", "groups", "rubric")]
    for path in ("/", *of_q1, "/gradebook", "/log", "/requests"):
        page.goto(alone.home + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 640, path


def test_everything_can_be_reached_with_tab_alone(alone: Running, sign_in: SignIn) -> None:
    page = sign_in(alone, "ann", "/question/q1/2")
    reached = ""
    for _ in range(40):
        choose(page, "Tab")
        reached += page.evaluate("`${document.activeElement.innerText || document.activeElement.name || ''}\\n`")
    wanted = ("Skip to content", "Overview", "Log", "item", "adjustment", "flagged", "comment", "number", "Go", "Next",
              "Previous", "Save and next", "Undo", "Reveal name", "Model answer", "History")  # fmt: skip
    assert [name for name in wanted if name not in reached] == []
