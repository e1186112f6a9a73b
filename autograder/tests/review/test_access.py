"""Access control: every rejected request, over a real connection."""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterator

import httpx
import pytest

from autograder.review.app import access
from autograder.review.gate import LARGEST, SECURITY_HEADERS, Access, cookie_name
from autograder.tests.reviews import Running, opened_class, running

MARK = "/answer/1/mark"
JSON = {"accept": "application/json"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with opened_class(tmp_path_factory.mktemp("class") / "gradebook.db", 6) as opened, running(opened) as served:
        yield served


@pytest.fixture
def ann(site: Running) -> Iterator[httpx.Client]:
    """A browser in which ann is signed in, whose forms hold her CSRF token."""
    granted = access(site.review)
    headers = {"origin": site.home, "x-csrf-token": granted.csrf("ann")}
    with httpx.Client(base_url=site.home, headers=headers) as client:
        assert client.get(site.link("ann")).status_code == 303
        yield client


def unmarked(site: Running) -> bool:
    return all(each.done == 0 for each in site.review.stores.answers.progress())


def test_a_token_belongs_to_its_reviewer_and_to_the_gradebook() -> None:
    one, other = Access(b"secret", ("ann", "ben")), Access(b"another", ("ann", "ben"))
    tokens = {access.link(name, 1).partition("token=")[2] for access in (one, other) for name in ("ann", "ben")}
    assert len(tokens) == 4
    token = one.link("ann", 1).partition("token=")[2]
    assert one.reviewer(token) == "ann"
    assert Access(b"secret", ("ben", "ann")).reviewer(token) == "ann"
    assert other.reviewer(token) is None
    assert Access(b"secret", ("ben",)).reviewer(token) is None
    assert one.reviewer(one.csrf("ann")) is None
    assert one.is_csrf("ann", one.csrf("ann"))
    assert not one.is_csrf("ann", one.csrf("ben"))


@pytest.mark.parametrize("token", ["", "x", "ann", "\ud800", "ä", "0" * 43])
def test_no_other_token_belongs_to_anybody(token: str) -> None:
    granted = Access(b"secret", ("ann",))
    assert granted.reviewer(token) is None
    assert not granted.is_csrf("ann", token)


def test_a_link_signs_in_and_takes_the_token_out_of_the_address(site: Running) -> None:
    with httpx.Client() as client:
        reply = client.get(site.link("ann"))
        assert (reply.status_code, reply.headers["location"]) == (303, "/")
        cookie = reply.headers["set-cookie"]
        assert cookie.startswith(f"{cookie_name(site.port)}=")
        assert {"httponly", "samesite=strict", "path=/"} <= {part.strip().lower() for part in cookie.split(";")}
        page = client.get(f"{site.home}/")
        assert page.status_code == 200
        assert "ann" in page.text


def test_a_link_on_another_site_gets_a_page_because_the_cookie_would_not_come_along(site: Running) -> None:
    reply = httpx.get(site.link("ann"), headers={"sec-fetch-site": "cross-site"})
    assert reply.status_code == 200
    assert 'href="/"' in reply.text
    assert cookie_name(site.port) in reply.headers["set-cookie"]


@pytest.mark.parametrize("token", ["", "?token=", "?token=wrong", "?token=%00%ff"])
def test_a_wrong_token_leads_to_where_the_link_is(site: Running, token: str) -> None:
    reply = httpx.get(f"{site.home}/enter{token}")
    assert reply.status_code == 403
    assert "mnist-kit review" in reply.text
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize("path", ["/", "/question/q1/1", "/gradebook", "/answer/1/plain", "/answer/1/now", "/nowhere"])
def test_nothing_is_shown_without_a_cookie(site: Running, path: str) -> None:
    reply = httpx.get(site.home + path)
    assert reply.status_code == 401
    assert "Your link is in the terminal" in reply.text
    assert "student" not in reply.text


@pytest.mark.parametrize(
    "cookie", ["{name}=wrong", "{name}=", "{name}", "other=1", '{name}="', "=;=;", f"{cookie_name(1)}={{token}}"]
)
def test_a_wrong_cookie_or_that_of_another_port_is_no_cookie(site: Running, cookie: str) -> None:
    cookie = cookie.format(name=cookie_name(site.port), token=site.link("ann").partition("token=")[2])
    assert httpx.get(site.home, headers={"cookie": cookie}).status_code == 401


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}"]
)
def test_another_host_is_rejected_even_with_a_cookie(ann: httpx.Client, site: Running, host: str) -> None:
    reply = ann.get("/", headers={"host": host.format(port=site.port)})
    assert reply.status_code == 403
    assert f"ssh -L {site.port}" in reply.text


def test_localhost_is_this_machine_too(site: Running, ann: httpx.Client) -> None:
    assert ann.get("/", headers={"host": f"localhost:{site.port}"}).status_code == 200


ANOTHER_SITE, OUT_OF_DATE = "not part of the review", "out of date"


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"origin": "http://evil.example"}, ANOTHER_SITE),
        ({"origin": "http://127.0.0.1:1"}, ANOTHER_SITE),
        ({"origin": None}, ANOTHER_SITE),
        ({"origin": "null"}, ANOTHER_SITE),
        ({"origin": "null", "sec-fetch-site": "cross-site"}, ANOTHER_SITE),
        ({"origin": "null", "sec-fetch-site": "same-site"}, ANOTHER_SITE),
        ({"sec-fetch-site": "cross-site"}, ANOTHER_SITE),
        ({"sec-fetch-site": "none"}, ANOTHER_SITE),
        ({"x-csrf-token": ""}, OUT_OF_DATE),
        ({"x-csrf-token": "wrong"}, OUT_OF_DATE),
        ({"x-csrf-token": "ben's"}, OUT_OF_DATE),
    ],
)
def test_a_form_of_another_site_or_without_its_csrf_token_changes_nothing(
    ann: httpx.Client, site: Running, headers: dict[str, str | None], why: str
) -> None:
    tokens = {"ben's": access(site.review).csrf("ben")}
    for name, value in headers.items():
        ann.headers[name] = tokens.get(value or "", value or "")
        if value is None:
            del ann.headers[name]
    reply = ann.post(MARK, data={"seen": "0", "nonce": "0" * 16})
    assert reply.status_code == 403
    assert why in reply.text
    assert unmarked(site)


@pytest.mark.parametrize("size", [LARGEST + 1, 10_000_000])
@pytest.mark.parametrize("announced", [True, False])
def test_an_oversized_form_is_read_and_rejected(ann: httpx.Client, site: Running, size: int, announced: bool) -> None:
    content = b"x" * size
    reply = ann.post(MARK, content=content if announced else iter([content[:1000], content[1000:]]))
    assert reply.status_code == 413
    assert "256 KB" in reply.text
    assert unmarked(site)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"&".join([b"a=b"] * 30_000)], ids=["no ASCII", "30,000 fields"])
def test_a_body_that_is_not_a_form_is_rejected(ann: httpx.Client, body: bytes) -> None:
    reply = ann.post(MARK, content=body)
    assert reply.status_code == 400
    assert "no such form" in reply.text


def test_a_form_that_breaks_off_changes_nothing(site: Running, ann: httpx.Client) -> None:
    cookie = f"{cookie_name(site.port)}={ann.cookies[cookie_name(site.port)]}"
    head = (
        f"POST {MARK} HTTP/1.1\r\nHost: 127.0.0.1:{site.port}\r\nOrigin: {site.home}\r\nCookie: {cookie}\r\n"
        f"X-CSRF-Token: {ann.headers['x-csrf-token']}\r\nContent-Length: 500\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", site.port)) as connection:
        connection.sendall(head.encode() + b"seen=0&item=fit&nonce=0000000000000000")
    assert ann.get("/").status_code == 200
    assert unmarked(site)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_rejected(ann: httpx.Client, method: str) -> None:
    assert ann.request(method, "/").status_code == 405


@pytest.mark.parametrize(
    "path", ["/", "/nowhere", "/enter?token=x", "/question/q1/999", "/gradebook", "/answer/x/plain"]
)
@pytest.mark.parametrize("signed_in", [True, False])
def test_every_response_has_the_security_headers(ann: httpx.Client, path: str, signed_in: bool) -> None:
    if not signed_in:
        ann.cookies.clear()
    headers = ann.get(path).headers
    assert {name: headers[name] for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)
    assert "server" not in headers


def test_style_and_script_need_no_cookie_and_may_be_kept(site: Running) -> None:
    version = re.findall(r"/static/(\w+)/", httpx.get(site.home).text)[0]
    for name, kind in (("review.css", "text/css"), ("review.js", "text/javascript"), ("icon.svg", "image/svg+xml")):
        reply = httpx.get(f"{site.home}/static/{version}/{name}")
        assert reply.status_code == 200
        assert reply.headers["content-type"].startswith(kind)
        assert "immutable" in reply.headers["cache-control"]


@pytest.mark.parametrize(
    "path", ["/static/", "/static/old/review.js", "/static/../access.py", "/static/%2e%2e/access.py"]
)
def test_no_other_file_is_served(site: Running, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", site.port)
    connection.request("GET", path)
    assert connection.getresponse().status in (401, 404)
    connection.close()


def test_a_script_gets_json(site: Running) -> None:
    reply = httpx.get(site.home, headers=JSON)
    assert reply.status_code == 401
    assert reply.json()["title"] == "Please sign in"
