"""Register, change, retire, tie and end one record by hand: plain forms, the same for every resource."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import page_now, see_other
from app.http.problems import STATUS
from app.kernel.db import db
from app.kernel.errors import DomainError, FieldError, Invalid, NotFound, Stale
from app.kernel.ids import parse_id
from app.registry import forms, service, store, tie_service
from app.registry.catalogue import HANDSETS, RESOURCES
from app.registry.checks import raise_for
from app.registry.kinds import INSTANT
from app.registry.references import References
from app.registry.resource import Resource

edit_pages = Blueprint("registry_edit", __name__)
_VERSION = "_version"
_REASON_CHARS = 500


@dataclass(frozen=True)
class Act:
    """A thing done to one record after a confirmation. `dated`: it may be said since when."""

    name: str
    word: str
    done: str
    warning: str
    perform: Callable[..., Any]
    dated: bool = False
    reason_required: bool = False
    danger: bool = True


_PLAIN_ACTS = (
    Act(
        "retire",
        "停用",
        "已停用",
        "停用后不再出现在常用列表里，也不能再被分配；历史保留，以后可以恢复。",
        service.retire,
        dated=True,
    ),
    Act(
        "reinstate",
        "恢复",
        "已恢复使用",
        "恢复后又可以使用和分配。",
        service.reinstate,
        reason_required=True,
        danger=False,
    ),
)
_TIE_ACTS = (
    Act("end", "结束", "已结束", "从结束时间起不再有效；之前的记录保留。", tie_service.end_tie, dated=True),
    Act(
        "void",
        "作废",
        "已作废",
        "只用于登记错误：作废表示这件事从未发生过，历史里也不再计入。正常的更换请用“结束”。",
        tie_service.void_tie,
        reason_required=True,
    ),
)


def acts_of(resource: Resource) -> tuple[Act, ...]:
    return _TIE_ACTS if resource.tie else _PLAIN_ACTS


def hang(resource: Resource) -> None:
    """Hang up the pages of one resource; each route names its writers."""
    _hang_creating(resource)
    if not resource.tie:
        _hang_changing(resource)
    for act in acts_of(resource):
        _hang_act(resource, act)


def _hang_creating(resource: Resource) -> None:
    path = f"/registry/{resource.name}/new"

    @edit_pages.get(path, endpoint=f"{resource.subject}_new")
    @access(*resource.writers)
    def new_page() -> str:
        return _new_form(resource, request.args)

    @edit_pages.post(path, endpoint=f"{resource.subject}_create")
    @access(*resource.writers)
    def create_page() -> Response:
        return _create(resource)


def _hang_changing(resource: Resource) -> None:
    path = f"/registry/{resource.name}/<uuid:row_id>/edit"

    @edit_pages.get(path, endpoint=f"{resource.subject}_edit")
    @access(*resource.writers)
    def edit_page(row_id: uuid.UUID) -> str:
        return _edit_form(resource, row_id)

    @edit_pages.post(path, endpoint=f"{resource.subject}_change")
    @access(*resource.writers)
    def change_page(row_id: uuid.UUID) -> Response:
        return _change(resource, row_id)


def _hang_act(resource: Resource, act: Act) -> None:
    path = f"/registry/{resource.name}/<uuid:row_id>/{act.name}"

    @edit_pages.get(path, endpoint=f"{resource.subject}_{act.name}_form")
    @access(*resource.writers)
    def confirm_page(row_id: uuid.UUID) -> str:
        return _act_form(resource, act, row_id)

    @edit_pages.post(path, endpoint=f"{resource.subject}_{act.name}")
    @access(*resource.writers)
    def act_page(row_id: uuid.UUID) -> Response:
        return _perform(resource, act, row_id)


def _centre(resource: Resource) -> uuid.UUID | None:
    """The centre in which something is registered: the one that the address names, or the only one."""
    if not resource.has_centre:
        return None
    known = [row_id for row_id, _ in forms.centres(db.session(), current_principal())]
    asked = parse_id(request.args.get("centre", ""))
    if asked is not None:
        return asked if asked in known else None
    return known[0] if len(known) == 1 else None


def _new_form(
    resource: Resource,
    texts: Mapping[str, str],
    problems: Sequence[FieldError] = (),
    told: str = "",
) -> str:
    """The form, or first the choice of a centre; codes are unique only within one, and kits never leave theirs."""
    session, who, centre = db.session(), current_principal(), _centre(resource)
    centres = forms.centres(session, who) if resource.has_centre else []
    controls = []
    if centre is not None or not resource.has_centre:
        made = forms.Controls(session, who, centre)
        fields = [f for f in forms.form_fields(resource) if f.name != "centre_id"]
        values = {"valid_from": page_now()} if resource.tie else {}
        controls = made.make(fields, values, texts=texts, problems=problems)
    return render_template(
        "registry/form.html",
        resource=resource,
        row_id=None,
        name="",
        version=None,
        controls=controls,
        centre=centre,
        centres=centres,
        others=_others(controls, problems),
        told=told,
    )


def _create(resource: Resource) -> Response:
    session, who, centre = db.session(), current_principal(), _centre(resource)
    fields = [f for f in forms.form_fields(resource) if f.name != "centre_id"]
    entry = forms.read_entry(References(session, who), resource, fields, request.form, centre)
    try:
        raise_for(entry.problems)
        if resource.tie:
            rows = tie_service.tie_each(session, who, resource, entry.cells, page_now())
        else:
            rows = [service.create(session, who, resource, entry.cells, page_now())]
    except DomainError as exc:
        session.rollback()  # what the form offers is read anew, and nothing of a half-made kit stays
        return _refused(exc, _new_form(resource, entry.texts, exc.fields, exc.detail))
    flash(f"已登记{resource.label}“{forms.label_of(session, resource, rows[0].id)}”。", "success")
    return see_other(_place(resource, rows[0].id))


def _edit_form(
    resource: Resource,
    row_id: uuid.UUID,
    texts: Mapping[str, str] | None = None,
    problems: Sequence[FieldError] = (),
    told: str = "",
    *,
    stale: bool = False,
) -> str:
    session, who = db.session(), current_principal()
    row = service.get(session, who, resource, row_id)
    stored = store.load_values(session, resource, [row_id])[row_id]
    made = forms.Controls(session, who, stored.get("centre_id"), fixed=True)
    controls = made.make(
        forms.form_fields(resource),
        stored,
        texts=texts,
        problems=problems,
        stored=stored if stale else None,
    )
    return render_template(
        "registry/form.html",
        resource=resource,
        row_id=row_id,
        name=forms.label_of(session, resource, row_id),
        version=row.version,
        controls=controls,
        centre=None,
        centres=[],
        others=_others(controls, problems),
        told=told,
    )


def _change(resource: Resource, row_id: uuid.UUID) -> Response:
    session, who = db.session(), current_principal()
    stored_centre = getattr(service.get(session, who, resource, row_id), "centre_id", None)
    fields = [f for f in forms.form_fields(resource) if not f.fixed]
    entry = forms.read_entry(References(session, who), resource, fields, request.form, stored_centre)
    try:
        raise_for(entry.problems)
        service.change(session, who, resource, row_id, _version(), entry.cells, page_now())
    except DomainError as exc:
        session.rollback()
        page = _edit_form(resource, row_id, entry.texts, exc.fields, exc.detail, stale=isinstance(exc, Stale))
        return _refused(exc, page)
    flash(f"{resource.label}“{forms.label_of(session, resource, row_id)}”已保存。", "success")
    return see_other(_place(resource, row_id))


def _act_form(
    resource: Resource,
    act: Act,
    row_id: uuid.UUID,
    texts: Mapping[str, str] | None = None,
    told: str = "",
    problems: Sequence[FieldError] = (),
) -> str:
    session, who = db.session(), current_principal()
    row = service.get(session, who, resource, row_id)
    stored = store.load_values(session, resource, [row_id])[row_id]
    made = forms.Controls(session, who, None, fixed=True)
    return render_template(
        "registry/act.html",
        resource=resource,
        act=act,
        row_id=row_id,
        name=forms.label_of(session, resource, row_id),
        version=row.version,
        facts=[(f, text) for f in resource.fields if (text := made.shown(f, stored.get(f.name)))],
        at=(texts or {}).get("at", forms.local_minute(page_now())),
        reason=(texts or {}).get("reason", ""),
        told=told,
        problems=problems,
        back=_place(resource, row_id),
        related=[(RESOURCES[d.resource], d.column) for d in resource.dependants],
    )


def _perform(resource: Resource, act: Act, row_id: uuid.UUID) -> Response:
    session, who = db.session(), current_principal()
    try:
        details: dict[str, Any] = {"reason": _reason(act)}
        if act.dated:
            details["at"] = _at()
        act.perform(session, who, resource, row_id, _version(), page_now(), **details)
    except NotFound:
        raise
    except DomainError as exc:
        session.rollback()
        return _refused(exc, _act_form(resource, act, row_id, request.form, exc.detail, exc.fields))
    flash(f"{resource.label}“{forms.label_of(session, resource, row_id)}”{act.done}。", "success")
    return see_other(_place(resource, row_id))


def _reason(act: Act) -> str:
    reason = request.form.get("reason", "").strip()
    if len(reason) > _REASON_CHARS or (act.reason_required and not reason):
        raise Invalid("请写明原因，最多 500 个字符 / say why, in at most 500 characters", code="reason")
    if any(not c.isprintable() for c in reason):
        raise Invalid("原因里有不可见的字符 / the reason holds control characters", code="reason")
    return reason


def _at() -> dt.datetime | None:
    text = request.form.get("at", "").strip()
    try:
        at: dt.datetime | None = INSTANT.parse(text) if text else None
    except ValueError as exc:
        raise Invalid(str(exc), fields=[FieldError("at", "invalid", str(exc))]) from None
    return at


def _version() -> int:
    text = request.form.get(_VERSION, "")
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise Stale("页面不完整，请刷新后重试 / the page is incomplete: load it again")
    return int(text)


def _place(resource: Resource, row_id: uuid.UUID) -> str:
    return f"/phones/{row_id}" if resource is HANDSETS else f"/registry/{resource.name}"


def _others(controls: Sequence[forms.Control], problems: Sequence[FieldError]) -> list[str]:
    """What no control of this form can show."""
    shown = {c.field.name for c in controls}
    return [p.message for p in problems if p.field not in shown]


def _refused(error: DomainError, page: str) -> Response:
    """The form again with what is wrong. A status of 400 or more makes the edge write nothing."""
    status = next(code for kind, code in STATUS.items() if isinstance(error, kind))
    return Response(page, status=status, content_type="text/html; charset=utf-8")


for _resource in RESOURCES.values():
    hang(_resource)
