"""Forms that change the allow-list: each leads to a draft and its preview, none changes what holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from flask import Blueprint, Response, flash, render_template, request

from app.allowlist import editing
from app.allowlist.editing import PLACES, AppEntry, Layer
from app.allowlist.layering import WRITERS
from app.allowlist.shared_pages import Where, form_where, put, refused, to_draft, told, where
from app.allowlist.versions import body_of
from app.allowlist.yaml_text import read_yaml, written
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import local_path, page_now, see_other
from app.http.transaction import open_write
from app.kernel.db import db
from app.kernel.errors import DomainError, Invalid
from app.kernel.texts import one_line, wrong
from app.runtime import runtime

allowlist_edit_pages = Blueprint("allowlist_edit_pages", __name__)
Act = Callable[[Layer, Mapping[str, str]], Layer]
_NEW = "/allowlist/new"
_LONGEST_BACK = 1500
"""A longer text would make an address that a proxy may cut."""
_TYPED = ("place", "label", "package", "least_version", "signer", "by_hand")


def _app(layer: Layer, form: Mapping[str, str]) -> Layer:
    entry = AppEntry(
        form.get("place", ""), form.get("label", ""), form.get("package", ""), form.get("least_version", ""),
        form.get("signer", ""), form.get("by_hand") == "yes",
    )  # fmt: skip
    return editing.put_app(layer, entry)


ACTS: Mapping[str, tuple[str, Act]] = {
    "app": ("加应用或改应用", _app),
    "name": ("填写包名", lambda layer, f: editing.name_app(layer, f.get("label", ""), f.get("package", ""))),
    "remove": ("移出应用", lambda layer, f: editing.remove(layer, _path(f))),
    "give_back": ("恢复上级规定", lambda layer, f: editing.give_back(layer, _path(f))),
    "setting": ("改设置", lambda layer, f: editing.set_value(layer, f.get("name", ""), f.get("value", ""))),
}


def _path(form: Mapping[str, str]) -> tuple[str, ...]:
    """A member's path, a JSON list of names in the form."""
    try:
        path = orjson.loads(form.get("path", ""))
    except orjson.JSONDecodeError:
        path = None
    if not isinstance(path, list) or not path or not all(name and isinstance(name, str) for name in path):
        raise wrong("path", "表单不完整，请刷新后重试")
    return tuple(path)


@allowlist_edit_pages.post("/allowlist/drafts")
@access(*WRITERS)
def act() -> Response:
    """One small change, to the page's draft or to what holds."""
    form = request.form
    try:
        # Only what the act did is undone by a refusal: the form's key stays, and its answer with it.
        with db.session().begin_nested():
            at = form_where()
            if form.get("act") not in ACTS:
                raise wrong("act", "表单不完整，请刷新后重试")
            origin, change = ACTS[form["act"]]
            entry = _entry(form)
            body = change(at.editable(entry), form).body
            draft_id = put(at, body, origin, page_now())
    except DomainError as exc:
        flash(told(exc), "error")
        return see_other(_back(form))
    return to_draft(draft_id, at)


def _back(form: Mapping[str, str]) -> str:
    """The page that the form stood on; the form of an app or of a setting again with all that was typed."""
    path, _, query = local_path(form.get("back")).partition("?")
    if path == _NEW:
        typed = {name: form.get(name, "")[:300] for name in _TYPED}
    elif form.get("act") == "setting" and len(form.get("value", "")) <= _LONGEST_BACK:
        typed = {"set": form.get("name", "")[:60], "value": form.get("value", "")}
    else:
        return local_path(form.get("back"))
    kept = {name: value for name, value in parse_qsl(query) if name not in typed}
    return f"{path}?{urlencode(kept | {name: value for name, value in typed.items() if value})}"


def _entry(form: Mapping[str, str]) -> str:
    """The entry of `models` that the act is for: `xiaomi`, `xiaomi/M1`, or empty for all phones."""
    reach, brand = form.get("reach", ""), one_line(form.get("brand", ""), 60).lower()
    model = one_line(form.get("model", ""), 100)
    if reach == "model" and brand and model:
        return f"{brand}/{model}"
    return brand if reach in ("brand", "model") else ""


@allowlist_edit_pages.get(_NEW)
@access(*WRITERS)
def new_app() -> str:
    at = where(request.args)
    return (
        render_template("allowlist/new.html", at=at, places=PLACES)
        if at
        else render_template("allowlist/empty.html")
    )


@allowlist_edit_pages.get("/allowlist/yaml")
@access(*WRITERS)
def yaml_page() -> str:
    at = where(request.args)
    if at is None:
        return render_template("allowlist/empty.html")
    return _yaml_form(at, written(at.body), base=at.layer.version)


def _yaml_form(at: Where, text: str, refusal: DomainError | None = None, *, base: int) -> str:
    return render_template("allowlist/yaml.html", at=at, text=text, base=base, refusal=refusal)


@allowlist_edit_pages.post("/allowlist/yaml")
@access(*WRITERS, late_transaction=True)
def take_yaml() -> Response:
    """The whole layer as text; refused with the line of each fault, and nothing typed is lost."""
    base = _version(request.form.get("base", ""))
    return _written("整层 YAML", lambda _at, body: body, lambda *told: _yaml_form(*told, base=base), base)


def _written(
    origin: str,
    change: Callable[[Where, dict[str, Any]], Mapping[str, Any]],
    form: Callable[[Where, str, DomainError], str],
    base: int | None = None,
) -> Response:
    """A draft made of a text; the text is read before any transaction, for a long one takes a second."""
    text = request.form.get("text", "")
    try:
        given = read_yaml(text)
        open_write()
        at = form_where()
        try:
            draft_id = put(at, change(at, given.body), origin, page_now(), base)
        except Invalid as exc:
            raise editing.with_lines(exc, given) from exc
    except DomainError as exc:
        db.session().rollback()
        return refused(exc, form(form_where(), text, exc))
    return to_draft(draft_id, at)


@allowlist_edit_pages.get("/allowlist/presets")
@access(*WRITERS)
def presets_page() -> str:
    at = where(request.args)
    return _presets_form(at, "") if at else render_template("allowlist/empty.html")


def _presets_form(at: Where, text: str, refusal: DomainError | None = None) -> str:
    return render_template("allowlist/presets.html", at=at, text=text, refusal=refusal)


@allowlist_edit_pages.post("/allowlist/presets")
@access(*WRITERS, late_transaction=True)
def take_presets() -> Response:
    """What the command read off a new phone, added to the layer."""
    return _written(
        "导入出厂预装", lambda at, body: editing.take_presets(at.editable(), body).body, _presets_form
    )


@allowlist_edit_pages.post("/allowlist/versions/<int:version>/restore")
@access(*WRITERS)
def restore(version: int) -> Response:
    """The way back: a draft with an old version's body; saved, it becomes a new version."""
    try:
        with db.session().begin_nested():
            at = form_where()
            body = body_of(db.session(), current_principal(), runtime().policies, at.place, version)
            draft_id = put(at, body, f"恢复第 {version} 版", page_now())
    except DomainError as exc:
        flash(told(exc), "error")
        return see_other(local_path(request.form.get("back")))
    return to_draft(draft_id, at)


def _version(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else 0
