"""The board, one phone's page and the exemptions' pages, by forms as a browser sends them."""

from __future__ import annotations

import datetime as dt
import io
import re
import uuid
from types import SimpleNamespace

import openpyxl
import orjson
import pytest
from sqlalchemy import select

from app.compliance.exemption_model import ComplianceExemption
from app.compliance.model import ComplianceChange, ComplianceVerdict
from app.kernel.db import begin_write, db, to_us
from app.policy import effective
from app.registry import KitAssignment, PostHolding
from tests.app.conftest import START
from tests.app.uptime.support import add_handset

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
DOUYIN, KUAISHOU = "com.ss.android.ugc.aweme", "com.smile.gifmaker"
RANKS = ("critical", "high", "medium", "low")


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """Pages ask nothing of a database that the stores do not; those are tested on both kinds."""
    return sqlite_url


def finding(code, subject="", status="fail", severity=None, evidence=None, **more):
    since = to_us(START - 2 * DAY)
    return {
        "code": code, "subject": subject, "status": status, "severity": severity, "evidence": evidence or {},
        "first_seen": since, "last_seen": to_us(START), **more,
    }  # fmt: skip


FORBIDDEN = finding("app_forbidden", DOUYIN, severity="critical", evidence={"label": "抖音", "users": [0]})
OTHER = finding("app_forbidden", KUAISHOU, severity="high", evidence={"label": "快手"})
UNLOCKED = finding("no_screen_lock", status="grace", severity="high", grace_until=to_us(START + DAY))
UNREAD = finding("user_not_inspected", "10", "unknown", evidence={"reason": "SecurityException"})
FINE = finding("only_prescribed_apps", status="pass", evidence={"packages": 61})


@pytest.fixture
def place(app, org):
    """S1 fails, S2 is in grace, S3 unknown, S4 passes, S5 was never judged; S9 of the other centre fails."""
    ids = {}
    told = {
        "S1": ("fail", [FORBIDDEN, FINE]), "S2": ("grace", [UNLOCKED]), "S3": ("unknown", [UNREAD]),
        "S4": ("pass", [FINE]), "S9": ("fail", [OTHER]),
    }  # fmt: skip
    for serial in ("S1", "S2", "S3", "S4", "S5"):
        ids[serial] = add_handset(app, org.centre, serial)
    ids["S9"] = add_handset(app, org.other_centre, "S9")
    stamp = {"created_at": START, "updated_at": START}
    with app.app_context():
        session = begin_write(db.session())
        here = {"centre_id": org.centre, "post_id": org.post, "valid_from": START - 90 * DAY, **stamp}
        session.add(KitAssignment(handset_id=ids["S1"], **here))
        session.add(PostHolding(employee_id=org.zhang, **here))
        for serial, (status, findings) in told.items():
            centre = org.other_centre if serial == "S9" else org.centre
            session.add(verdict(session, app, ids[serial], centre, status, findings))
        session.commit()
        db.session.remove()
    return SimpleNamespace(org=org, ids=ids)


def verdict(session, app, handset, centre, status, findings, **more):
    policy = effective(session, app.extensions["butler"].policies, "allowlist", centre)
    counts = {s: sum(f["status"] == s for f in findings) for s in ("fail", "unknown", "grace", "exempt")}
    ranks = [RANKS.index(f["severity"]) for f in findings if f["status"] in ("fail", "grace")]
    return ComplianceVerdict(
        handset_id=handset, centre_id=centre, status=status, findings=orjson.dumps(findings).decode(),
        judged_at=START, changed_at=START, due_at=START + DAY, policy_version=policy.version,
        policy_sha256=policy.sha256, inputs_sha256="0" * 64, failed=counts["fail"], unsure=counts["unknown"],
        grace=counts["grace"], exempt=counts["exempt"], worst_severity=min(ranks, default=9), **more,
    )  # fmt: skip


@pytest.fixture
def lead(as_user, place):
    return as_user("lead", place.org.centre, name="主管")


@pytest.fixture
def it(as_user, place):
    return as_user("it", place.org.centre, name="何工")


def page(caller, path, status=200):
    answer = caller.get(path)
    assert answer.status_code == status, answer.text
    return answer.text


def tags(text):
    return re.findall(r'href="/compliance/phones/[0-9a-f-]+">([^<]+)</a>', text)


def test_the_board_shows_the_worst_first_and_filters(lead, client, place):
    text = page(lead, "/compliance")
    assert tags(text) == ["GJ-S1", "GJ-S3", "GJ-S5", "GJ-S2", "GJ-S4"]
    assert "禁止的应用：抖音" in text
    assert "从未读到应用" in text
    assert "张三" in text
    for query, expected in {
        "status=fail": ["GJ-S1"],
        "status=unknown": ["GJ-S3", "GJ-S5"],
        "status=exempt": [],
        "severity=high": ["GJ-S2"],
        "code=app_forbidden": ["GJ-S1"],
        f"code=app_forbidden&subject={KUAISHOU}": [],
        "code=only_prescribed_apps": [],
        "code=nonsense&status=x&severity=y&page=99&centre=z": ["GJ-S1", "GJ-S3", "GJ-S5", "GJ-S2", "GJ-S4"],
        "sort=-tag": ["GJ-S5", "GJ-S4", "GJ-S3", "GJ-S2", "GJ-S1"],
        "sort=post": ["GJ-S1", "GJ-S2", "GJ-S3", "GJ-S4", "GJ-S5"],
        "q=张三": ["GJ-S1"],
        "q=gj-s2+xiaomi": ["GJ-S2"],
    }.items():
        assert tags(page(lead, f"/compliance?{query}")) == expected, query
    assert "没有符合条件的手机" in page(lead, "/compliance?q=nothing")
    assert len(tags(page(client, "/compliance"))) == 6
    assert tags(page(client, f"/compliance?centre={place.org.other_centre}")) == ["GJ-S9"]


def test_by_finding_each_is_told_once_with_its_phones(client, lead):
    text = page(client, "/compliance?by=finding")
    titles = [t.strip() for t in re.findall(r'<th scope="row"[^>]*><a[^>]*>([^<]+)</a>', text)]
    space = "用户空间没有读全：10（第二空间、访客或工作资料）"
    assert titles == ["禁止的应用：抖音", "禁止的应用：快手", "没有锁屏密码", space]
    assert f"code=app_forbidden&amp;subject={DOUYIN}" in text
    assert "快手" not in re.sub(r"<option.*?</option>", "", page(lead, "/compliance?by=finding"))
    assert (
        "没有锁屏密码"
        not in page(lead, "/compliance?by=finding&status=fail&code=app_forbidden").split("</form>")[-1]
    )
    assert "没有符合条件的问题" in page(lead, "/compliance?by=finding&q=nothing")


def test_the_export_has_a_row_for_each_finding_and_each_phone(lead):
    answer = lead.get("/compliance/findings.xlsx")
    rows = list(openpyxl.load_workbook(io.BytesIO(answer.data)).active.iter_rows(values_only=True))
    told = [(r[1], r[6], r[8], r[9], r[10]) for r in rows[1:]]
    assert told == [
        ("GJ-S1", "不合规", "禁止的应用", "抖音", "严重"),
        ("GJ-S3", "未知", "用户空间没有读全", "10（第二空间、访客或工作资料）", None),
        ("GJ-S5", "未知（从未判定）", None, None, None),
        ("GJ-S2", "宽限期内", "没有锁屏密码", None, "高"),
        ("GJ-S4", "合规", None, None, None),
    ]
    assert (
        len(
            list(
                openpyxl.load_workbook(
                    io.BytesIO(lead.get("/compliance/findings.xlsx?status=fail").data)
                ).active
            )
        )
        == 2
    )


def test_a_phones_page_tells_what_why_until_when_and_what_to_do(lead, place):
    text = page(lead, f"/compliance/phones/{place.ids['S1']}")
    for told in (
        "安装了禁止的应用“抖音”",
        "严重",
        "R03",
        "请本人卸载",
        "首次发现",
        "最近一次",
        "就是现行的",
        "1 项符合",
        "张三",
    ):
        assert told in text, told
    assert (
        f"/compliance/exemptions/new?phone={place.ids['S1']}&amp;code=app_forbidden&amp;subject={DOUYIN}"
        in text
    )
    text = page(lead, f"/compliance/phones/{place.ids['S2']}")
    assert "宽限到" in text
    text = page(lead, f"/compliance/phones/{place.ids['S3']}")
    assert "SecurityException" in text
    assert "/compliance/exemptions/new" not in text, "nobody approves what is not known"
    assert "无法判定" in page(lead, f"/compliance/phones/{place.ids['S5']}")
    page(lead, f"/compliance/phones/{place.ids['S9']}", 404)
    page(lead, f"/compliance/phones/{uuid.uuid4()}", 404)


def test_who_may_not_ask_is_offered_nothing(as_user, place):
    auditor = as_user("auditor")
    assert "/compliance/exemptions/new" not in page(auditor, f"/compliance/phones/{place.ids['S1']}")
    page(auditor, "/compliance/exemptions/new", 403)
    butler = as_user("butler", place.org.centre)
    for path in ("/compliance", "/compliance/exemptions", f"/compliance/phones/{place.ids['S1']}"):
        page(butler, path, 403)


def test_a_verdict_by_another_policy_or_that_is_due_says_so(app, lead, place):
    path = f"/compliance/phones/{place.ids['S1']}"
    change(app, place.ids["S1"], due_at=START)
    assert "例外或时间有变，等待重新判定" in page(lead, path)
    change(app, place.ids["S1"], policy_sha256="f" * 64)
    assert "现行名单已变" in page(lead, path)
    board = page(lead, "/compliance")
    assert "1 台手机正在重新判定" in board
    assert board.count("待重判") == 1


def change(app, handset, **values):
    with app.app_context():
        session = begin_write(db.session())
        row = session.get(ComplianceVerdict, handset)
        for name, value in values.items():
            setattr(row, name, value)
        session.commit()
        db.session.remove()


def test_the_history_tells_what_changed_from_one_verdict_to_the_next(app, lead, place):
    steps = [
        ("fail", [FORBIDDEN, UNREAD], "a"),
        ("fail", [FORBIDDEN | {"status": "grace"}, finding("rooted", severity="critical")], "a"),
        ("pass", [FINE], "b"),
        ("pass", [FINE], "c"),
    ]
    with app.app_context():
        session = begin_write(db.session())
        for number, (status, findings, sha) in enumerate(steps):
            session.add(
                ComplianceChange(
                    handset_id=place.ids["S1"], centre_id=place.org.centre, at=START + number * HOUR, status=status,
                    findings=orjson.dumps(findings).decode(), policy_version=2, policy_sha256=sha * 64,
                    inputs_sha256="0" * 64,
                )
            )  # fmt: skip
        session.commit()
        db.session.remove()
    text = page(lead, f"/compliance/phones/{place.ids['S1']}")
    parts = [
        re.sub(r"<[^>]+>|\s+", "", part) for part in text.split('<ol class="trail">')[1].split("<li><p>")[1:]
    ]
    assert "名单有变" in parts[0]
    assert "问题没有变化" in parts[0]
    assert parts[1].count("不再有") == 2
    assert "新出现" not in parts[1], "what passes is no news"
    assert "不合规→宽限期内" in parts[2]
    assert parts[2].count("新出现") == 1
    assert parts[2].count("不再有") == 1
    assert "第一次判定" in parts[3]
    assert parts[3].count("新出现") == 2


def asked(caller, place, **changes):
    form = {
        "phone": str(place.ids["S1"]), "code": "app_forbidden", "subject": DOUYIN, "reason": "拍培训视频",
        "last": "2026-12-01", **changes,
    }  # fmt: skip
    return caller.post("/compliance/exemptions", data=form)


def test_one_asks_another_approves_and_the_page_says_so(app, it, lead, place):
    form = page(it, f"/compliance/exemptions/new?phone={place.ids['S1']}&code=app_forbidden&subject={DOUYIN}")
    assert "GJ-S1" in form
    assert 'value="2026-12-21"' in form
    answer = asked(it, place)
    assert answer.status_code == 303
    where = answer.headers["Location"]
    mine = page(it, where)
    assert "等待批准" in mine
    assert "/approve" not in mine
    assert "/withdraw" in mine
    assert "已申请例外，等待另一人批准" in page(lead, f"/compliance/phones/{place.ids['S1']}")
    assert "1 项待批" in page(lead, "/compliance")
    theirs = page(lead, "/compliance/exemptions")
    assert "2026-12-01" in theirs
    done = lead.post(f"{where}/approve", data={"note": "同意", "back": "/compliance/exemptions"})
    assert (done.status_code, done.headers["Location"]) == (303, "/compliance/exemptions")
    assert "生效中" in page(lead, where)
    with app.app_context():
        (row,) = db.session.scalars(select(ComplianceExemption)).all()
        assert row.valid_to == dt.datetime(2026, 12, 1, 16, 0, tzinfo=dt.UTC), "midnight in Shanghai"
        exemption = {"status": "exempt", "exemption_id": str(row.id), "exempt_until": to_us(row.valid_to)}
    findings = orjson.dumps([FORBIDDEN | exemption]).decode()
    change(app, place.ids["S1"], status="pass", findings=findings, failed=0, exempt=1, worst_severity=9)
    text = page(lead, f"/compliance/phones/{place.ids['S1']}")
    assert "例外到" in text
    assert "主管批准" in text
    assert "延长例外" in text
    assert tags(page(lead, "/compliance?status=exempt")) == ["GJ-S1"]
    assert lead.post(f"{where}/end", data={"note": ""}).status_code == 303
    assert "请写明原因" in page(lead, where)
    lead.post(f"{where}/end", data={"note": "已卸载"})
    assert "已结束" in page(lead, where)
    assert "已卸载" in page(lead, "/compliance/exemptions?state=ended&q=gj-s1&sort=ends&code=app_forbidden")
    assert "没有符合条件的例外" in page(lead, "/compliance/exemptions?state=requested")
    book = openpyxl.load_workbook(io.BytesIO(lead.get("/compliance/exemptions.xlsx").data)).active
    assert [c.value for c in book[2]][1:6] == ["GJ-S1", "禁止的应用", "抖音", "已结束", "2026-12-01"]


def test_what_is_wrong_is_said_at_its_field_and_what_was_typed_stays(it, place):
    for changes, text in (
        ({"last": ""}, "请填写日期"),
        ({"last": "2026-11-20"}, "结束日期已过"),
        ({"last": "2099-01-01"}, "最长 180 天"),
        ({"code": "packages_not_read"}, "这一项不能例外"),
        ({"phone": "", "centre": str(place.org.centre), "code": "rooted"}, "只能按单部手机例外"),
        ({"reason": " "}, "请写明理由"),
    ):
        answer = asked(it, place, **changes)
        assert answer.status_code == 422, changes
        assert text in answer.text
        assert DOUYIN in answer.text
    assert asked(it, place, phone=str(place.ids["S9"])).status_code == 404


def test_a_whole_centres_form_offers_no_finding_that_only_a_phone_may_have(it, place):
    text = page(it, "/compliance/exemptions/new")
    assert "锦绣花园" in text
    assert 'value="rooted"' not in text
    assert 'value="app_not_prescribed"' in text
    answer = asked(it, place, phone="", centre=str(place.org.centre))
    assert "全中心" in page(it, answer.headers["Location"])


def test_empty_states(as_user, org):
    lead = as_user("lead", org.centre)
    assert "还没有手机" in page(lead, "/compliance")
    assert "还没有手机" in page(lead, "/compliance?by=finding")
    assert "还没有例外" in page(lead, "/compliance/exemptions")
