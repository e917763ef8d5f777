"""Where HTTP meets the rooms: who may call, errors as problem documents, one transaction a request."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Flask
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from app.http.guards import register_guards
from app.http.pages import register_pages
from app.http.problems import register_error_handlers
from app.kernel.db import db, prepare_engine
from app.runtime import runtime


class OrjsonProvider(JSONProvider):
    def dumps(self, obj: Any, **_kwargs: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_kwargs: Any) -> Any:
        return orjson.loads(s)


def register_http(app: Flask) -> None:
    app.json = OrjsonProvider(app)
    register_guards(app)
    register_error_handlers(app)
    register_pages(app)
    with app.app_context():
        prepare_engine(db.engine)
        proxies = runtime().settings.trusted_proxies
    if proxies:
        # Without a known number of proxies these headers are the client's own words, so they are ignored.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=0
        )
