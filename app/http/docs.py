"""The API's document as a page for people."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.http.access import PUBLIC, access
from app.http.api import API_PREFIX

docs_pages = Blueprint("docs", __name__, url_prefix=API_PREFIX)


@docs_pages.get("/docs")
@access(PUBLIC)
def docs() -> str:
    return render_template("openapi/docs.html")
