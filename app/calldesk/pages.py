"""The list of calls to make, made for a phone in the caller's other hand, and the record of all calls."""

from __future__ import annotations

import uuid

from flask import Blueprint, Response, flash, render_template, request

from app.calldesk import service
from app.dialling import (
    RESULTS,
    SOURCES,
    WITHDRAWN,
    add_call,
    call_lines,
    correct,
    drop_call,
    find_phones,
    list_tests,
    one_test,
    undo,
)
from app.http.access import access
from app.http.identity import current_principal
from app.http.pages import local_path, page_now, see_other
from app.kernel.db import db
from app.kernel.errors import Invalid
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.people import names_of
from app.registry import live_centres
from app.runtime import runtime

calldesk_pages = Blueprint("dial_pages", __name__)
_CALLERS = ("operations", "lead")
_READERS = (*_CALLERS, "auditor")
WORDS = {**RESULTS, WITHDRAWN: "撤销（没有拨过）"}


@calldesk_pages.get("/dialling")
@access(*_READERS)
def calls() -> str:
    session, who, now = db.session(), current_principal(), page_now()
    centre = parse_id(request.args.get("centre", ""))
    words = one_line(request.args.get("q", ""), 100)
    lines = call_lines(
        session, who, centre_ids=[centre] if centre else None, policies=runtime().policies, now=now
    )
    done = [line for line in lines if line.test]
    return render_template(
        "dialling/calls.html",
        waiting=[line for line in lines if line.is_open],
        done=sorted(done, key=lambda line: line.call.ended_at or now, reverse=True),
        just=next(
            (line.test for line in done if line.test and str(line.test.test.id) == request.args.get("done")),
            None,
        ),
        found=find_phones(session, who, words, now),
        words=words,
        centres=live_centres(session, who),
        callers=_CALLERS,
        results=WORDS,
        choices=RESULTS,
        sources=SOURCES,
        now=now,
    )


@calldesk_pages.post("/dialling/calls/<uuid:call_id>/result")
@access(*_CALLERS)
def result(call_id: uuid.UUID) -> Response:
    """One tap: the button says what was heard. The same tap sent twice is one record, by its form's key."""
    number_id = parse_id(request.form.get("number_id", ""))
    heard = request.form.get("result", "")
    if number_id is None:
        raise Invalid("表单不完整，请刷新名单 / the form is not whole: load the list again")
    test = service.take_result(db.session(), current_principal(), call_id, number_id, heard, page_now())
    return _to_list(done=str(test.id))


@calldesk_pages.post("/dialling/calls/<uuid:call_id>/drop")
@access(*_CALLERS)
def drop(call_id: uuid.UUID) -> Response:
    drop_call(db.session(), current_principal(), call_id, page_now())
    flash("已移出名单。", "success")
    return _to_list()


@calldesk_pages.post("/dialling/add")
@access(*_CALLERS)
def add() -> Response:
    handset_id = parse_id(request.form.get("handset_id", ""))
    if handset_id is None:
        raise Invalid("请选择手机 / choose a phone")
    added = add_call(db.session(), current_principal(), handset_id, page_now())
    flash("已加入名单。" if added else "这部手机已经在名单上。", "success" if added else "warning")
    return _to_list()


@calldesk_pages.post("/dialling/tests/<uuid:test_id>/undo")
@access(*_CALLERS)
def undo_test(test_id: uuid.UUID) -> Response:
    undo(db.session(), current_principal(), test_id, policies=runtime().policies, now=page_now())
    flash("已撤销，这个号码仍待拨测。", "success")
    return _to_list()


@calldesk_pages.get("/dialling/tests")
@access(*_READERS)
def tests() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    page = list_tests(
        session,
        who,
        centre_id=parse_id(args.get("centre", "")),
        handset_id=parse_id(args.get("phone", "")),
        result=args.get("result") if args.get("result") in WORDS else None,
        words=one_line(args.get("q", ""), 100),
        corrected=args.get("all") == "1",
        policies=runtime().policies,
        now=now,
        cursor=args.get("cursor"),
    )
    return render_template(
        "dialling/tests.html",
        lines=page.items,
        next_cursor=page.next_cursor,
        names=names_of(session, {line.test.by for line in page.items}),
        centres=live_centres(session, who),
        may=who.has_any(*_CALLERS),
        results=WORDS,
        now=now,
    )


@calldesk_pages.get("/dialling/tests/<uuid:test_id>/correct")
@access(*_CALLERS)
def correct_form(test_id: uuid.UUID) -> str:
    session, who = db.session(), current_principal()
    line = one_test(session, who, test_id, policies=runtime().policies, now=page_now())
    names = names_of(session, {line.test.by})
    return render_template("dialling/correct.html", line=line, names=names, results=WORDS)


@calldesk_pages.post("/dialling/tests/<uuid:test_id>/correct")
@access(*_CALLERS)
def correct_test(test_id: uuid.UUID) -> Response:
    form = request.form
    correct(
        db.session(), current_principal(), test_id, form.get("result", ""), form.get("reason", ""), page_now()
    )
    flash("已更正；原来的记录仍保留。", "success")
    return see_other("/dialling/tests?all=1")


def _to_list(done: str = "") -> Response:
    back = local_path(request.form.get("back"))
    path = back if back.startswith("/dialling") else "/dialling"
    if done:
        path = path.split("?", 1)[0] + f"?done={done}" + (f"&centre={_centre()}" if _centre() else "")
    return see_other(path)


def _centre() -> uuid.UUID | None:
    return parse_id(request.form.get("centre", ""))
