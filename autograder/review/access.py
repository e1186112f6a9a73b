"""Reviewers' tokens: one in the link that signs a reviewer in, one in each form that the reviewer sends."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable

__all__ = ["SIGN_IN", "Access", "cookie_name"]

SIGN_IN = "/enter"


class Access:
    """The reviewers' tokens: HMACs of their names under the gradebook's secret, so a link outlives a restart."""

    def __init__(self, secret: bytes, reviewers: Iterable[str]) -> None:
        self._secret = secret
        self._tokens = {reviewer: self._token("reviewer", reviewer) for reviewer in reviewers}
        self._csrf = {reviewer: self._token("csrf", reviewer) for reviewer in self._tokens}

    @property
    def reviewers(self) -> tuple[str, ...]:
        return tuple(self._tokens)

    def link(self, reviewer: str, port: int) -> str:
        return f"http://127.0.0.1:{port}{SIGN_IN}?token={self._tokens[reviewer]}"

    def reviewer(self, token: str) -> str | None:
        """Return the owner of a token, or None. Takes the same time for every wrong token."""
        given = token.encode("utf-8", "surrogatepass")
        found = None
        for reviewer, known in self._tokens.items():
            if hmac.compare_digest(given, known.encode()):
                found = reviewer
        return found

    def csrf(self, reviewer: str) -> str:
        """Return the CSRF token that this reviewer's forms must hold."""
        return self._csrf[reviewer]

    def is_csrf(self, reviewer: str, token: str) -> bool:
        return hmac.compare_digest(token.encode("utf-8", "surrogatepass"), self._csrf[reviewer].encode())

    def _token(self, purpose: str, name: str) -> str:
        message = f"{purpose}\0{name}".encode("utf-8", "surrogatepass")
        return base64.urlsafe_b64encode(hmac.digest(self._secret, message, hashlib.sha256)).rstrip(b"=").decode()


def cookie_name(port: int) -> str:
    """Return the name of the sign-in cookie: browsers keep one jar for all ports of a host."""
    return f"mnist-kit-review-{port}"
