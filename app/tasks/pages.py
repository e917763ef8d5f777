"""The list of what is to be done, and of what was."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from flask import Blueprint, Response, flash, render_template, request

from app.http.access import STAFF, access
from app.http.identity import current_principal
from app.http.pages import local_path, page_now, see_other
from app.kernel.db import db
from app.kernel.ids import parse_id
from app.kernel.texts import one_line
from app.registry import live_centres
from app.runtime import runtime
from app.tasks import service, views

tasks_pages = Blueprint("task_pages", __name__)

KINDS: Mapping[str, str] = {
    "dial": "拨测",
    "report": "客户反映",
    "plug_in": "接入手机",
    "look": "去现场看手机",
    "incident": "关机事件",
    "repair": "维修",
    "excuse": "批准保养维修",
    "exemption": "批准应用例外",
    "contract": "号码合约",
    "month": "月结",
    "secret": "密码托管",
    "round": "月度核对",
    "round_item": "核对后改正",
    "change": "密码不一致",
    "handover": "交接",
    "hardware": "损坏遗失",
    "lost_phone": "手机遗失",
    "transfer": "数据迁移",
    "transfer_copy": "迁移的加密副本",
    "wipe": "数据销毁",
    "wipe_lock": "手机没有锁屏",
    "refund": "退还费用",
    "unruled": "无法裁定",
    "gateway": "网关中断",
    "remedy": "应用整改",
}


@tasks_pages.get("/tasks")
@access(*STAFF)
def tasks() -> str:
    session, who, now, args = db.session(), current_principal(), page_now(), request.args
    ended = args.get("state") == "ended"
    page = views.task_lines(
        session,
        who,
        ended=ended,
        mine=args.get("who") != "all",
        kind=one_line(args.get("kind", ""), 40) or None,
        centre_id=parse_id(args.get("centre", "")),
        words=one_line(args.get("q", ""), 100),
        cursor=args.get("cursor"),
        policies=runtime().policies,
        now=now,
    )
    return render_template(
        "tasks/list.html",
        lines=page.items,
        next_cursor=page.next_cursor,
        ended=ended,
        figures=service.figures(session, who, now),
        kinds=views.kinds(session, who),
        kind_words=KINDS,
        centres=live_centres(session, who),
        now=now,
    )


@tasks_pages.post("/tasks/<uuid:task_id>/complete")
@access(*STAFF)
def complete(task_id: uuid.UUID) -> Response:
    note = request.form.get("note", "")
    task = service.complete(db.session(), current_principal(), task_id, note=note, now=page_now())
    flash(f"已完成：{task.title}。误点了可以在“已结束”里撤销。", "success")
    return _back()


@tasks_pages.post("/tasks/<uuid:task_id>/reopen")
@access(*STAFF)
def reopen(task_id: uuid.UUID) -> Response:
    task = service.reopen(
        db.session(), current_principal(), task_id, policies=runtime().policies, now=page_now()
    )
    flash(f"已撤销完成：{task.title}。", "success")
    return _back()


def _back() -> Response:
    back = local_path(request.form.get("back"))
    return see_other(back if back != "/" else "/tasks")
