"""JSON bodies as strict as the databases behind: no half characters, no NaN, no numbers without end, no depths."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import orjson
from flask import Request
from marshmallow import ValidationError
from webargs import missing
from webargs.core import is_json
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import HTTPException

from app.http.problems import Problem

MAX_DEPTH = 20


@contextmanager
def reading_body() -> Iterator[None]:
    """Around the reading of a body: what the server in front raises there (a chunk that is none) is the sender's."""
    try:
        yield
    except HTTPException:
        raise
    except Exception as exc:
        raise Problem(400, "bad_body", "the body was cut off or badly chunked") from exc


class StrictParser(FlaskParser):
    """webargs with orjson: Python's own parser takes lone surrogates, which no database and no answer can hold."""

    def _raw_load_json(self, req: Request) -> Any:
        raw = req.get_data(cache=True)
        if not raw or not is_json(req.mimetype):
            return missing
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise json.JSONDecodeError("not JSON", "…", 0) from None


def check_storable(value: Any, path: tuple[str, ...] = ()) -> None:
    """Raise `ValidationError` for a text with a NUL, which PostgreSQL takes in no column, and for endless nesting."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValidationError(_nested(path, "must not hold a NUL character"))
        return
    if len(path) > MAX_DEPTH:
        raise ValidationError(f"must not be nested deeper than {MAX_DEPTH}", path[0])
    if isinstance(value, Mapping):
        for name in value:
            check_storable(name, path)
            check_storable(value[name], (*path, name))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            check_storable(item, (*path, str(i)))


def _nested(path: tuple[str, ...], message: str) -> Any:
    found: Any = [message]
    for step in reversed(path):
        found = {step: found}
    return found
