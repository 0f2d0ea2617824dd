"""Who may ask what: hosts, origins, and bodies."""

import pytest
from starlette.datastructures import Headers

from tymbal.serve.guard import LONGEST_BODY, refused

HERE = {"host": "localhost:7860", "content-length": "10"}


def status(method: str, **headers: str) -> int | None:
    answer = refused(method, Headers({name.replace("_", "-"): value for name, value in headers.items()}))
    return None if answer is None else answer.status_code


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": "http://localhost:7860"}, None),
        ({"origin": "http://LOCALHOST:7860"}, None),
        ({"sec_fetch_site": "same-origin"}, None),
        ({"origin": "http://localhost:7861"}, 403),
        ({"origin": "http://localhost"}, 403),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://localhost:7860.evil.example"}, 403),
        ({"origin": "http://localhost:7860@evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": ""}, 403),
        ({"origin": "null", "sec_fetch_site": "same-origin"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"sec_fetch_site": "none"}, 403),
        ({}, 403),
    ],
)
def test_what_changes_something_must_come_from_a_page_of_the_app(headers: dict[str, str], expected: int | None):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert status(method, **HERE, **headers) == expected


@pytest.mark.parametrize(
    ("site", "mode", "expected"),
    [
        ("cross-site", "navigate", None),
        ("none", "navigate", None),
        ("same-origin", "cors", None),
        ("cross-site", "no-cors", 403),
        ("cross-site", "cors", 403),
        ("same-site", "no-cors", 403),
    ],
)
def test_other_sites_may_link_here_but_load_nothing_in_the_background(site: str, mode: str, expected: int | None):
    assert status("GET", **HERE, sec_fetch_site=site, sec_fetch_mode=mode) == expected


def test_one_who_is_no_browser_may_read():
    assert status("GET", host="localhost") is None


@pytest.mark.parametrize(
    ("length", "expected"),
    [("0", None), (str(LONGEST_BODY), None), (str(LONGEST_BODY + 1), 413), ("-1", 413), ("x", 413), ("٣", 413)],
)
def test_bodies_are_limited(length: str, expected: int | None):
    headers = [(b"host", b"a"), (b"origin", b"http://a"), (b"content-length", length.encode("utf-8"))]
    answer = refused("POST", Headers(raw=headers))
    assert (None if answer is None else answer.status_code) == expected


def test_a_body_that_does_not_say_its_length_is_refused():
    headers = Headers({"host": "a", "origin": "http://a", "transfer-encoding": "chunked"})
    answer = refused("POST", headers)
    assert answer is not None
    assert answer.status_code == 413
