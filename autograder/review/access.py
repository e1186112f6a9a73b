"""Who may ask: a link with a token for each reviewer, a cookie, and what every request and answer must carry.

The app listens on 127.0.0.1 alone, yet any page that a browser shows can send requests there, any name can be made
to lead there, and other people may work on the same machine. So:

    a reviewer      is known by a token, which is an HMAC of the name; only the link that was printed holds it
    the Host        must be 127.0.0.1 or localhost with the port that was asked (else: DNS rebinding)
    every POST      must come from a page of this origin, and hold a CSRF token that only such a page knows
    every body      ends at LARGEST bytes, whether its length was announced or not
    every answer    says that nothing but this origin's own script and style may run, and that nothing is to be kept
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "CSRF_FIELD",
    "CSRF_HEADER",
    "ENTRANCE",
    "LARGEST",
    "SECURITY_HEADERS",
    "STATIC",
    "WHERE",
    "Access",
    "Denied",
    "Gate",
    "cookie_name",
]

LARGEST = 256 * 1024
"""Bytes that one request may bring."""

DRAINED = 64 * 1024 * 1024
"""Bytes that are read and thrown away so that the refusal arrives: a browser cut off in mid-sentence shows none."""

FIELDS = 20_000
"""Fields of one form; a group of answers sends one for each."""

CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
STATIC = "/static/"
ENTRANCE = "/enter"

SECURITY_HEADERS: Mapping[str, str] = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""What every answer carries, unless the route said otherwise itself."""

WHERE = (
    "Your link is in the terminal in which “mnist-kit review” was started; it ends in /enter?token=… and stays good "
    "for this gradebook. If somebody else started it, ask them for your link."
)


@dataclass(frozen=True)
class Denied:
    """A request that is not answered, and why, in words for the person at the browser."""

    status: HTTPStatus
    title: str
    why: str


class Access:
    """The reviewers' tokens: HMACs of their names under the gradebook's secret, so a link outlives a restart."""

    def __init__(self, secret: bytes, reviewers: Iterable[str]) -> None:
        self._secret = secret
        self._tokens = {reviewer: self._seal("reviewer", reviewer) for reviewer in reviewers}
        self._csrf = {reviewer: self._seal("csrf", reviewer) for reviewer in self._tokens}
        self.gradebook = self._seal("gradebook", "")[:12]
        """Names this gradebook where a browser keeps drafts of several."""

    @property
    def reviewers(self) -> tuple[str, ...]:
        return tuple(self._tokens)

    def link(self, reviewer: str, port: int) -> str:
        return f"http://127.0.0.1:{port}{ENTRANCE}?token={self._tokens[reviewer]}"

    def reviewer(self, token: str) -> str | None:
        """Whose token this is. Takes the same time for any wrong one."""
        given = token.encode("utf-8", "surrogatepass")
        found = None
        for reviewer, known in self._tokens.items():
            if hmac.compare_digest(given, known.encode()):
                found = reviewer
        return found

    def csrf(self, reviewer: str) -> str:
        """What a form of this reviewer's must hold."""
        return self._csrf[reviewer]

    def is_csrf(self, reviewer: str, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._csrf[reviewer].encode())

    def _seal(self, what: str, name: str) -> str:
        digest = hmac.new(self._secret, f"{what}\0{name}".encode("utf-8", "surrogatepass"), hashlib.sha256).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def cookie_name(port: int) -> str:
    """Browsers keep one jar for all ports of a host."""
    return f"mnist-kit-review-{port}"


class Gate:
    """Stands before the app: turns away what may not ask, and puts its headers on every answer.

    What passes finds in its state `reviewer`, and `form`, the fields of its body in their order.
    """

    def __init__(self, app: ASGIApp, access: Access, page: Callable[[Denied, bool], tuple[str, bytes]]) -> None:
        """`page` makes the content type and the body of a refusal; its second argument: whether a script asked."""
        self._app = app
        self._access = access
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
            else:
                await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal, body = self._refusal(scope, headers), b""
        if scope["method"] == "POST":  # read in any case: nobody hears a refusal while still speaking
            read = await _body(receive)
            if read is None:
                refusal = refusal or _too_large()
            else:
                body = read
        state: dict[str, Any] = scope.setdefault("state", {})
        state["reviewer"] = self._visitor(scope, headers)
        if refusal is None and scope["method"] == "POST":
            refusal = self._form(state, headers, body)
        if refusal is not None:
            await self._refuse(refusal, headers, _guarded(send))
            return
        await self._app(scope, _replayed(body, receive), _guarded(send))

    def _refusal(self, scope: Scope, headers: Headers) -> Denied | None:
        """Why this may not be asked, as far as it can be said without the body."""
        port = (scope.get("server") or ("", None))[1]
        if headers.get("host", "") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
            return Denied(
                HTTPStatus.FORBIDDEN,
                "Another address",
                f"This app answers at http://127.0.0.1:{port} alone, and the request was for "
                f"{headers.get('host', 'no address')!r}. Through a tunnel, take the same port at both ends: "
                f"ssh -L {port}:127.0.0.1:{port} …",
            )
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return Denied(HTTPStatus.METHOD_NOT_ALLOWED, "Not a way to ask", "Pages are read with GET, sent with POST.")
        if scope["path"].startswith(STATIC) or scope["path"] == ENTRANCE:
            return None
        if self._visitor(scope, headers) is None:
            return Denied(HTTPStatus.UNAUTHORIZED, "Please use your link", f"This browser has not entered yet. {WHERE}")
        if scope["method"] == "POST" and not _same_origin(headers):
            return Denied(
                HTTPStatus.FORBIDDEN,
                "Sent from another page",
                "This was sent by a page that is not part of the review, so nothing was changed. "
                "Go back to the review, and send it from there.",
            )
        return None

    def _visitor(self, scope: Scope, headers: Headers) -> str | None:
        port = (scope.get("server") or ("", 0))[1]
        try:
            crumb = SimpleCookie(headers.get("cookie", "")).get(cookie_name(port or 0))
        except CookieError:
            return None
        return None if crumb is None else self._access.reviewer(crumb.value)

    def _form(self, state: dict[str, Any], headers: Headers, body: bytes) -> Denied | None:
        try:
            fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS)
        except ValueError:
            return Denied(
                HTTPStatus.BAD_REQUEST, "Not a form", "What was sent is not a form of this app; nothing was changed."
            )
        token = headers.get(CSRF_HEADER) or next((value for name, value in fields if name == CSRF_FIELD), "")
        if state["reviewer"] is None or not self._access.is_csrf(state["reviewer"], token):
            return Denied(
                HTTPStatus.FORBIDDEN,
                "This page is out of date",
                "What was sent does not hold the mark of a page of yours, so nothing was changed. "
                "Load the page again, and send it from there; what you had typed is still in your browser.",
            )
        state["form"] = fields
        return None

    async def _refuse(self, refusal: Denied, headers: Headers, send: Send) -> None:
        kind, body = self._page(refusal, headers.get("accept", "").startswith("application/json"))
        head = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": refusal.status.value, "headers": head})
        await send({"type": "http.response.body", "body": body})


def _too_large() -> Denied:
    return Denied(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Too much at once",
        f"A form may hold {LARGEST // 1024} KB, and this one holds more; nothing was changed. What you typed is still "
        "in your browser: go back, make the comment shorter, and save again.",
    )


def _same_origin(headers: Headers) -> bool:
    """A browser that was told to send no referrer says `Origin: null` for a form, and its Sec-Fetch-Site decides."""
    origin, site = headers.get("origin", "null"), headers.get("sec-fetch-site")
    if origin == "null":
        return site == "same-origin"
    return origin == f"http://{headers['host']}" and site in (None, "same-origin")


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None where it is too large, or breaks off."""
    chunks: list[bytes] = []
    size = 0
    more = True
    while more and size <= DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= LARGEST:
            chunks.append(chunk)
        else:
            chunks.clear()
        more = message.get("more_body", False)
    return b"".join(chunks) if size <= LARGEST else None


def _replayed(body: bytes, receive: Receive) -> Receive:
    """The body that was read, for the app; then whatever else comes."""
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded
