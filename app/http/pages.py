"""What every page for people shares: navigation, times in Shanghai, hidden form keys, links, cached assets."""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask, Response, current_app, g, request, url_for
from jinja2 import StrictUndefined
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from app.http.access import STAFF, current_access
from app.http.transaction import FORM_KEY
from app.kernel.clock import from_rfc3339
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal
from app.kernel.texts import model_name
from app.people import browser, role_words
from app.runtime import runtime

SHANGHAI = ZoneInfo("Asia/Shanghai")


class NavEntry(NamedTuple):
    """An entry of the main menu: shown to whom the page at `path` lets in, under `group` where one is named.

    `part`: the group of what is one's own for those who have nothing else.
    """

    name: str
    label: str
    path: str
    group: str = ""
    part: str = ""


OWN, KIT, JUDGING, MANAGING = "我的", "配套", "考核", "管理"
NAVIGATION = (
    NavEntry("my", "我的手机", "/my", OWN),
    NavEntry("my_incidents", "我的关机事件", "/my/incidents", OWN, JUDGING),
    NavEntry("my_remedies", "我的整改", "/my/remedies", OWN, JUDGING),
    NavEntry("my_duty", "我的委托", "/my/duty", OWN, JUDGING),
    NavEntry("my_allowance", "我的补贴", "/my/allowance", OWN, JUDGING),
    NavEntry("my_handovers", "我的交接", "/my/handovers", OWN, KIT),
    NavEntry("my_lock", "我的锁屏密码", "/my/lock", OWN, KIT),
    NavEntry("my_round", "我的月度核对", "/my/round", OWN, KIT),
    NavEntry("my_cases", "我的赔付", "/my/cases", OWN, KIT),
    NavEntry("my_papers", "我的单据", "/my/papers", OWN, KIT),
    NavEntry("phones", "手机", "/"),
    NavEntry("tasks", "待办", "/tasks"),
    NavEntry("handovers", "交接", "/handovers", KIT),
    NavEntry("rounds", "月度核对", "/rounds", KIT),
    NavEntry("escrow", "密码托管", "/escrow", KIT),
    NavEntry("hardware", "损坏遗失", "/hardware", KIT),
    NavEntry("contracts", "号码合约", "/contracts", KIT),
    NavEntry("transfers", "数据迁移", "/transfers", KIT),
    NavEntry("disposals", "待销毁", "/hardware/disposals", KIT),
    NavEntry("wipes", "数据销毁", "/wipes", KIT),
    NavEntry("guides", "手机操作指南", "/guides/debugging", KIT),
    NavEntry("papers", "单据", "/papers", KIT),
    NavEntry("incidents", "关机事件", "/incidents", JUDGING),
    NavEntry("compliance", "应用合规", "/compliance", JUDGING),
    NavEntry("remedies", "整改", "/remedies", JUDGING),
    NavEntry("apps", "应用", "/apps", JUDGING),
    NavEntry("dialling", "拨测", "/dialling", JUDGING),
    NavEntry("probes", "联系测试", "/probes", JUDGING),
    NavEntry("observers", "观测点", "/observers", JUDGING),
    NavEntry("reports", "客户反映", "/reports", JUDGING),
    NavEntry("allowance", "话费补贴", "/allowance", JUDGING),
    NavEntry("duty", "委托与维修", "/duty", JUDGING),
    NavEntry("registry", "档案", "/registry", MANAGING),
    NavEntry("allowlist", "应用名单", "/allowlist", MANAGING),
    NavEntry("gateways", "网关", "/gateways", MANAGING),
    NavEntry("commands", "命令", "/commands", MANAGING),
    NavEntry("people", "人员", "/people", MANAGING),
    NavEntry("notify", "通知渠道", "/notify", MANAGING),
    NavEntry("audit", "审计记录", "/audit", MANAGING),
    NavEntry("contacts", "员工联系方式", "/notify/contacts", MANAGING),
    NavEntry("api", "API", "/api/v1/docs", MANAGING),
)
_HASHES = "asset_hashes"
# A second slash or a backslash at the start would name another host.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_FOR_EVER = "public, max-age=31536000, immutable"
_STEPS = ((86400, "天"), (3600, "小时"), (60, "分钟"))


def register_pages(app: Flask) -> None:
    # A misspelt name in a template must fail in its test, not show an empty cell to somebody who then believes it.
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(
        day=day,
        when=when,
        clock=clock,
        ago=ago,
        span=span,
        rfc3339=_rfc3339,
        instant=from_rfc3339,
        role_words=role_words,
        browser=browser,
        zh=zh,
    )
    app.jinja_env.globals.update(
        asset=asset, form_key=form_key, changed_url=changed_url, may=may, model_name=model_name
    )
    app.context_processor(_context)
    app.after_request(_cache_assets)
    app.extensions[_HASHES] = _asset_hashes(Path(app.static_folder or "static"))


def _context() -> dict[str, Any]:
    principal = g.get("caller")
    return {
        "navigation": menu(principal),
        "signed_in": principal is not None,
        "home": home_of(principal),
        "my_name": g.get("caller_name", ""),
    }


def home_of(principal: Principal | None) -> str:
    """The first page of what he may see: of a butler his own."""
    for path in ("/", "/my"):
        if _may_open(path, principal):
            return path
    return "/me"


def menu(principal: Principal | None) -> list[tuple[str, list[NavEntry]]]:
    """What the caller may open, as (group, entries): a group stands where its first entry does, "" is one by itself.

    What is one's own is for employees; who sees nothing else has it in groups of its own and not under one word.
    """
    groups: list[tuple[str, list[NavEntry]]] = []
    for entry in NAVIGATION if principal is not None else ():
        if not _is_for(entry, principal):
            continue
        flat = entry.group == OWN and principal is not None and not principal.has_any(*STAFF)
        group = entry.part if flat else entry.group
        known = next((entries for name, entries in groups if name and name == group), None)
        if known is None:
            groups.append((group, [entry]))
        else:
            known.append(entry)
    return groups


def _is_for(entry: NavEntry, principal: Principal | None) -> bool:
    if principal is None or (entry.group == OWN and principal.employee is None):
        return False
    if entry.group in (KIT, MANAGING) and not principal.has_any(*STAFF):
        return False
    return _may_open(entry.path, principal)


def may(path: str, method: str = "GET") -> bool:
    """Whether the caller's roles let him do this anywhere: who may not press a button is not shown it.

    Only the declaration is asked; the action itself still looks whether the role holds in that centre.
    """
    return _may_open(path, g.get("caller"), method)


def _may_open(path: str, principal: Principal | None, method: str = "GET") -> bool:
    try:
        endpoint, _ = current_app.url_map.bind("").match(path, method=method)
    except NotFound:
        return False
    declared = current_access(endpoint, method)
    if declared is None or declared.kind != "roles":
        return declared is not None
    return principal is not None and principal.has_any(*declared.roles)


def zh(text: str) -> str:
    """The Chinese half of a message, whose other half is for the API."""
    return text.split(" / ", maxsplit=1)[0]


def page_now() -> dt.datetime:
    """The instant of this request: one for the whole page, so that two cells never contradict each other."""
    if "page_now" not in g:
        g.page_now = runtime().clock.now()
    now: dt.datetime = g.page_now
    return now


def local_path(text: str | None) -> str:
    """`text` when it is a path on this server, else `/`: a sign-in link must not lead to another site."""
    if text is None or not _LOCAL.fullmatch(text):
        return "/"
    return text


def see_other(path: str) -> Response:
    """After a form: the browser GETs what follows, so that a reload posts nothing again."""
    return Response(status=303, headers={"Location": path})


def form_key() -> Markup:
    """A hidden field that lets a form act once, however often it is sent."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FORM_KEY, new_id())


def changed_url(**changes: object) -> str:
    """This page's address with other query arguments; None takes one away."""
    query = {**request.args.to_dict(), **changes}
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return request.path + (f"?{urlencode(kept)}" if kept else "")


def asset(filename: str) -> str:
    """The address of a static file, which changes with its content."""
    return url_for("static", filename=filename, v=current_app.extensions[_HASHES][filename])


def _asset_hashes(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        for path in sorted(folder.glob("**/*"))
        if path.is_file()
    }


def _cache_assets(response: Response) -> Response:
    """Only an address that names the very content served may be kept for ever."""
    if request.endpoint == "static" and response.status_code in (200, 304):
        filename = (request.view_args or {}).get("filename")
        if request.args.get("v") == current_app.extensions[_HASHES].get(filename, ""):
            response.headers["Cache-Control"] = _FOR_EVER
    return response


def _shanghai(instant: dt.datetime) -> dt.datetime:
    return instant.astimezone(SHANGHAI)


def _rfc3339(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def day(instant: dt.datetime | dt.date) -> str:
    """`2026-11-22`; an instant as the day in Shanghai."""
    return (_shanghai(instant) if isinstance(instant, dt.datetime) else instant).strftime("%Y-%m-%d")


def when(instant: dt.datetime) -> str:
    """`2026-11-22 10:30` in Shanghai."""
    return _shanghai(instant).strftime("%Y-%m-%d %H:%M")


def clock(instant: dt.datetime) -> str:
    """`2026-11-22 10:30:05`, for titles that tell the instant to the second."""
    return _shanghai(instant).strftime("%Y-%m-%d %H:%M:%S")


def ago(instant: dt.datetime) -> str:
    """How long before this page was made; what lies ahead is said so, never shown as past."""
    seconds = (page_now() - instant).total_seconds()
    if seconds < 0:
        return f"{span(-seconds)}后"
    return "刚刚" if seconds < 10 else f"{span(seconds)}前"


def span(seconds: float) -> str:
    """A duration in its two largest units: `3 天 4 小时`, `12 分钟`, `8 秒`."""
    left, parts = int(seconds), []
    for size, unit in _STEPS:
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) if parts else f"{left} 秒"
