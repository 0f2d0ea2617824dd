"""Who reads: a random name in a cookie, so that one reader has one vote and scores blind by themselves."""

import re
import secrets
from typing import NamedTuple

from fastapi import Request
from fastapi.responses import Response

COOKIE = "tymbal-reader"
_NAME = re.compile(r"[0-9a-f]{16}")
YEAR = 365 * 24 * 3600


class Reader(NamedTuple):
    """A reader, by a name that tells nothing about them."""

    name: str
    new: bool

    def remember(self, answer: Response) -> None:
        """Give a new reader their name; it goes back to this app alone, and no script sees it."""
        if self.new:
            answer.set_cookie(COOKIE, self.name, max_age=YEAR, httponly=True, samesite="strict")


def reader_of(request: Request) -> Reader:
    """The reader who asks; a new one where the cookie is missing or none of ours."""
    name = request.cookies.get(COOKIE, "")
    return Reader(name, False) if _NAME.fullmatch(name) else Reader(secrets.token_hex(8), True)
