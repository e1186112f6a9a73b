"""The gate in front of the app: checks every request and adds security headers to every response.

The app listens on 127.0.0.1 alone, yet any page open in a browser can send requests there, any host name can be made to
resolve there, and other people may work on the same machine. So:

    a reviewer      is known by a token, an HMAC of the name, which only the link printed in the terminal holds
    the Host        must be 127.0.0.1 or localhost with the port of this app (otherwise: DNS rebinding)
    a POST          must come from a page of this origin and hold its CSRF token
    a body          ends at LARGEST bytes, whether its length was announced or not
    a response      allows nothing but this origin's own scripts and styles to run, and nothing to be stored
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

__all__ = [
    "LARGEST",
    "LINK_HELP",
    "SECURITY_HEADERS",
    "SIGN_IN",
    "STATIC",
    "Access",
    "Denied",
    "Gate",
    "cookie_name",
    "port_of",
]

LARGEST = 256 * 1024
"""The largest body of a request, in bytes."""

DRAINED = 64 * 1024 * 1024
"""Bytes of a body that are read and thrown away: a browser that is cut off while sending shows no response. Starlette's
own limit cuts it off."""

FIELDS = 20_000  # the most fields of one form; a group of answers sends one for each
CSRF_HEADER = "x-csrf-token"
CSRF_FIELD = "csrf"
SIGN_IN = "/enter"
STATIC = "/static/"

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
"""Headers of every response, unless its route sets others."""

LINK_HELP = (
    "Your link is in the terminal where “mnist-kit review” was started. It ends in /enter?token=… and stays valid for "
    "this gradebook. If somebody else started it, ask them for your link."
)


@dataclass(eq=False)
class Denied(Exception):
    """A rejected request, and the reason, in words for the person at the browser."""

    status: HTTPStatus
    title: str
    why: str


class Access:
    """The reviewers' tokens: one in the link that signs a reviewer in, one in each form that the reviewer sends.

    They are HMACs of the names under the gradebook's secret, so a link outlives a restart.
    """

    def __init__(self, secret: bytes, reviewers: Iterable[str]) -> None:
        self._secret = secret
        self._tokens = {reviewer: self._token("reviewer", reviewer) for reviewer in reviewers}

    def link(self, reviewer: str, port: int) -> str:
        return f"http://127.0.0.1:{port}{SIGN_IN}?token={self._tokens[reviewer]}"

    def reviewer(self, token: str) -> str | None:
        """Return the owner of a token, or None. Takes the same time for every wrong token."""
        owners = [reviewer for reviewer, known in self._tokens.items() if _equal(token, known)]
        return owners[0] if owners else None

    def csrf(self, reviewer: str) -> str:
        """Return the CSRF token that this reviewer's forms must hold."""
        return self._token("csrf", reviewer)

    def is_csrf(self, reviewer: str, token: str) -> bool:
        return _equal(token, self.csrf(reviewer))

    def _token(self, purpose: str, name: str) -> str:
        message = f"{purpose}\0{name}".encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(hmac.digest(self._secret, message, hashlib.sha256)).rstrip(b"=").decode()


class Gate:
    """ASGI middleware around the app: rejects what fails the checks, and adds the headers to every response.

    Sets in the request's state: `reviewer` and `csrf`, None and "" if nobody is signed in; `form`, the fields of the
    body in order.
    """

    def __init__(self, app: ASGIApp, access: Access, deny: Callable[[Request, Denied], Response]) -> None:
        """`deny` makes the response to a rejected request."""
        self._app = app
        self._access = access
        self._deny = deny

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        reviewer = self._access.reviewer(request.cookies.get(cookie_name(port_of(request)), ""))
        request.state.reviewer = reviewer
        request.state.csrf = self._access.csrf(reviewer) if reviewer else ""
        request.state.form = ()
        # Read even if the request is denied: a browser shows no response while it is sending.
        body = await _read(request) if request.method == "POST" else None
        respond = self._app
        try:
            _check_headers(request)
            if request.method == "POST":
                request.state.form = self._fields(request, body)
        except Denied as denied:
            respond = self._deny(request, denied)
        await respond(scope, receive, _with_headers(send))

    def _fields(self, request: Request, body: bytes | None) -> list[tuple[str, str]]:
        """Parse the body of a POST. Raises Denied."""
        if body is None:
            raise Denied(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                "That is too long",
                f"A form may hold {LARGEST // 1024} KB, and this one holds more. Nothing was changed, and what you "
                "typed is still in your browser: go back, shorten the comment, and save again.",
            )
        try:
            fields = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELDS)
        except ValueError:
            why = "The review has no such form. Nothing was changed."
            raise Denied(HTTPStatus.BAD_REQUEST, "Not a form", why) from None
        token = request.headers.get(CSRF_HEADER) or dict(fields[::-1]).get(CSRF_FIELD, "")
        if request.state.reviewer is None or not self._access.is_csrf(request.state.reviewer, token):
            raise Denied(
                HTTPStatus.FORBIDDEN,
                "This page is out of date",
                "The form has no valid CSRF token, so nothing was changed. Reload the page and send it again; what you "
                "typed is still in your browser.",
            )
        return fields


def cookie_name(port: int) -> str:
    """Return the name of the sign-in cookie: browsers keep one jar for all ports of a host."""
    return f"mnist-kit-review-{port}"


def port_of(request: Request) -> int:
    """Return the port of this app that a request came to."""
    port: int = request.scope["server"][1]
    return port


def _equal(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), token.encode())


def _check_headers(request: Request) -> None:
    """Raise Denied if a request is rejected for its headers."""
    port, headers = port_of(request), request.headers
    if headers.get("host", "") not in {f"127.0.0.1:{port}", f"localhost:{port}"}:
        raise Denied(
            HTTPStatus.FORBIDDEN,
            "Wrong address",
            f"The review is at http://127.0.0.1:{port} only, and this request was for "
            f"{headers.get('host', 'no address')!r}. For a tunnel, use the same port at both ends: "
            f"ssh -L {port}:127.0.0.1:{port} …",
        )
    if request.method not in ("GET", "HEAD", "POST"):
        raise Denied(HTTPStatus.METHOD_NOT_ALLOWED, "Method not allowed", "Use GET or POST.")
    if request.scope["path"].startswith(STATIC) or request.scope["path"] == SIGN_IN:
        return
    if request.state.reviewer is None:
        raise Denied(HTTPStatus.UNAUTHORIZED, "Please sign in", f"This browser is not signed in. {LINK_HELP}")
    if request.method == "POST" and not _same_origin(headers):
        raise Denied(
            HTTPStatus.FORBIDDEN,
            "Sent from another site",
            "This came from a page that is not part of the review, so nothing was changed. Go back to the review and "
            "send it from there.",
        )


def _same_origin(headers: Headers) -> bool:
    """Return whether a page of the review sent this. Under `no-referrer`, a form has `Origin: null`; then the browser's
    Sec-Fetch-Site decides."""
    origin, site = headers.get("origin", "null"), headers.get("sec-fetch-site")
    if origin == "null":
        return site == "same-origin"
    return origin == f"http://{headers['host']}" and site in (None, "same-origin")


async def _read(request: Request) -> bytes | None:
    """Read the whole body; None if it is too large or breaks off."""
    body, size = bytearray(), 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size <= LARGEST:
                body += chunk
            elif size > DRAINED:
                break
    except ClientDisconnect:
        return None
    return bytes(body) if size <= LARGEST else None


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
