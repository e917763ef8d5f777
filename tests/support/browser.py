"""A person's browser without a screen: cookies, forms with their hidden keys, no bearer token."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

BASE_URL = "http://127.0.0.1"
_KEY = re.compile(r'name="_idempotency_key" value="([^"]+)"')


@dataclass
class Browser:
    """Signed in with the access token unless `signed_in` is False."""

    app: Flask
    signed_in: bool = True

    def __post_init__(self) -> None:
        self.client: FlaskClient = self.app.test_client()
        if self.signed_in:
            token = self.app.extensions["butler"].access_token
            assert self.post("/session", {"token": token}).status_code == 303

    def get(self, path: str) -> TestResponse:
        return self.client.get(path, headers={"Accept": "text/html"}, base_url=BASE_URL, buffered=True)

    def text(self, path: str) -> str:
        """The page's words, without tags, blanks folded; fails on any status but 200."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return words(answer.text)

    def post(self, path: str, fields: dict[str, str] | None = None) -> TestResponse:
        headers = {"Accept": "text/html", "Origin": BASE_URL}
        return self.client.post(path, data=fields or {}, headers=headers, base_url=BASE_URL)

    def submit(self, page: str, path: str, **fields: str) -> TestResponse:
        """Send the form of `page` that posts to `path`, with its own hidden key."""
        html = self.get(page).text
        form = next(part for part in html.split("<form")[1:] if f'action="{path}"' in part)
        key = _KEY.search(form)
        assert key, f"the form to {path} has no key"
        return self.post(path, {"_idempotency_key": key[1], **fields})


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden += tag in ("script", "style", "title")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in ("script", "style", "title")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.found.append(data)


def words(html: str) -> str:
    parser = _Words()
    parser.feed(html)
    return " ".join(unescape(" ".join(parser.found)).split())
