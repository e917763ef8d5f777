"""What the pages of the allow-list share: which centre, which layer, which draft; how an act is told."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask import Response, request

from app.allowlist import drafting, fleet_store
from app.allowlist.counting import judge_portion, note_portion
from app.allowlist.editing import Layer
from app.allowlist.layering import LayerNow, Place, below, layer_now, may_write, tree_of
from app.allowlist.model import AllowlistDraft
from app.allowlist.origins import Node
from app.http.identity import current_principal
from app.http.pages import see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError, NotFound
from app.kernel.ids import parse_id
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line
from app.runtime import runtime

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_AT_ONCE = 100
"""So many phones are judged together with the act itself: most centres have fewer and are done then."""


@dataclass(frozen=True)
class Where:
    """The centre that a page shows, the layer that its forms change, and the draft they go on with, if any."""

    centre_id: uuid.UUID
    centre: str
    district_id: uuid.UUID
    district: str
    place: Place
    brand: str
    model: str
    draft: AllowlistDraft | None
    layer: LayerNow
    writes: bool
    writes_district: bool

    @property
    def query(self) -> dict[str, str]:
        """What each link and form of the page carries on."""
        found = {
            "centre": str(self.centre_id),
            "scope": self.place.scope,
            "brand": self.brand,
            "model": self.model,
        }
        found["draft"] = str(self.draft.id) if self.draft is not None else ""
        return {name: value for name, value in found.items() if value}

    @property
    def scope_word(self) -> str:
        return "大区" if self.place.scope == "district" else "服务中心"

    @property
    def scope_name(self) -> str:
        return self.district if self.place.scope == "district" else self.centre

    def link(self, path: str, **changes: object) -> str:
        query = {**self.query, **changes}
        kept = {name: str(value) for name, value in query.items() if value not in (None, "")}
        return f"{path}?{urlencode(kept)}" if kept else path

    @property
    def body(self) -> Mapping[str, Any]:
        """The layer as the page shows it: the draft's where there is one."""
        return self.layer.body if self.draft is None else self.draft.body

    def tree(self) -> Node:
        replaced = None if self.draft is None else (self.place, self.draft.body)
        return tree_of(db.session(), runtime().policies, self.centre_id, replaced)

    def editable(self, entry: str = "") -> Layer:
        return Layer(self.body, below(db.session(), runtime().policies, self.place), entry)


def where(given: Mapping[str, str]) -> Where | None:
    """None where the caller sees no centre at all. Raise `NotFound` for a foreign centre or draft."""
    session, who, files = db.session(), current_principal(), runtime().policies
    places = fleet_store.places(session, who)
    draft_id = parse_id(given.get("draft", ""))
    draft = drafting.find(session, who, draft_id) if draft_id is not None else None
    if draft is not None and not drafting.is_open(draft):
        draft = None
    found = _chosen(places, given, draft)
    if found is None:
        return None
    centre_id, centre, district_id, district = found
    wide = may_write(who, Place("district", district_id))
    district_wanted = (
        draft.scope == "district" if draft is not None else given.get("scope") == "district" and wide
    )
    place = Place("district", district_id) if district_wanted else Place("centre", centre_id)
    return Where(
        centre_id, centre, district_id, district, place,
        one_line(given.get("brand", ""), 60), one_line(given.get("model", ""), 100), draft,
        layer_now(session, who, files, place), may_write(who, place), wide,
    )  # fmt: skip


def _chosen(
    places: list[tuple[uuid.UUID, str, uuid.UUID, str]],
    given: Mapping[str, str],
    draft: AllowlistDraft | None,
) -> tuple[uuid.UUID, str, uuid.UUID, str] | None:
    wanted = parse_id(given.get("centre", ""))
    if draft is not None:
        places = [p for p in places if draft.scope_id in (p[0], p[2])]
        wanted = wanted if wanted in {p[0] for p in places} else None
    if wanted is None:
        return places[0] if places else None
    found = next((p for p in places if p[0] == wanted), None)
    if found is None:
        raise NotFound("没有这个服务中心 / no such service centre")
    return found


def put(
    at: Where, body: Mapping[str, Any], origin: str, now: dt.datetime, base_version: int | None = None
) -> uuid.UUID:
    """Go on with the page's draft, or begin one, and judge the first phones by it."""
    session, who, files = db.session(), current_principal(), runtime().policies
    if at.draft is not None:
        draft = drafting.change(session, who, files, at.draft.id, body)
    else:
        base = at.layer.version if base_version is None else base_version
        draft = drafting.begin(session, who, files, at.place, body, origin=origin, base_version=base, now=now)
    count_first(who, draft.id, now)
    return draft.id


def count_first(who: Principal, draft_id: uuid.UUID, now: dt.datetime) -> None:
    session = db.session()
    portion = judge_portion(session, who, runtime().policies, draft_id, now, _AT_ONCE)
    if portion is not None:
        note_portion(session, who, draft_id, portion, now)


def to_draft(draft_id: uuid.UUID, at: Where | None = None) -> Response:
    centre = f"?centre={at.centre_id}" if at is not None else ""
    return see_other(f"/allowlist/drafts/{draft_id}{centre}")


def told(error: DomainError) -> str:
    """What to tell people, Chinese first; the fields' own messages where there are some."""
    texts = list(dict.fromkeys(field.message for field in error.fields)) or [error.detail]
    return "；".join(text.split(" / ")[0] for text in texts[:20])


def refused(error: DomainError, page: str) -> Response:
    """The form again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")


def attachment(data: bytes, name: str, ascii_name: str) -> Response:
    answer = Response(data, content_type=XLSX)
    answer.headers["Content-Disposition"] = (
        f"attachment; filename={ascii_name}; filename*=UTF-8''{quote(name)}"
    )
    return answer


def form_where() -> Where:
    """As `where`, of a form. Raise `NotFound` where there is no centre at all."""
    found = where(request.form)
    if found is None:
        raise NotFound("还没有服务中心 / no service centre yet")
    return found
