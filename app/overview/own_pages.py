"""A butler's first page: his own phone, and where his own matters are found."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.http.access import SIGNED_IN, access
from app.http.identity import current_principal
from app.http.pages import page_now
from app.kernel.db import db
from app.overview import words
from app.overview.own import own_phones
from app.overview.waiting import own_standing
from app.runtime import runtime

own_pages = Blueprint("own_pages", __name__)


@own_pages.get("/my")
@access(*SIGNED_IN)
def mine() -> str:
    who, now = current_principal(), page_now()
    phones = own_phones(db.session(), who, now, runtime().policies)
    return render_template(
        "overview/own.html",
        phones=phones,
        standing=own_standing(db.session(), who, now, runtime().policies),
        known=who.employee is not None,
        now=now,
        **words.FOR_PAGES,
    )
