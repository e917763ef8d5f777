"""The document of a kept paper."""

from __future__ import annotations

import hashlib

import orjson

from app.papers.document import Document, from_plain
from app.papers.model import MAX_ABOUT, Paper


def document_of(paper: Paper) -> Document | None:
    """None when the kept text is no longer the one whose sha256 was signed, or is none at all."""
    raw = paper.document.encode(errors="replace")
    if hashlib.sha256(raw).hexdigest() != paper.sha256:
        return None
    try:
        document = from_plain(orjson.loads(raw))
    except ValueError:
        return None
    told = (document.title, document.subtitle[:MAX_ABOUT])
    return document if told == (paper.title, paper.about) else None
