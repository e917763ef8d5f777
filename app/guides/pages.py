"""The guide by brand: for whoever has the phone in his hand."""

from __future__ import annotations

from flask import Blueprint, render_template

from app.guides.families import FAMILIES
from app.http.access import SIGNED_IN, access
from app.kernel.errors import NotFound

guide_pages = Blueprint("guide_pages", __name__)


@guide_pages.get("/guides/debugging")
@access(*SIGNED_IN)
def guides() -> str:
    return render_template("guides/debugging.html", family=None, families=FAMILIES)


@guide_pages.get("/guides/debugging/<key>")
@access(*SIGNED_IN)
def guide(key: str) -> str:
    family = next((family for family in FAMILIES if family.key == key), None)
    if family is None:
        raise NotFound("没有这个品牌的说明 / no guide of this brand")
    return render_template("guides/debugging.html", family=family, families=FAMILIES)
