"""The certificate of destruction as a paper: all that NIST SP 800-88 asks for, and plainly what it does not cover."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.audit import facts_of, mark_of
from app.fleet import actor_names, find_agent
from app.kernel.clock import to_rfc3339
from app.kernel.tenancy import SYSTEM
from app.papers import Column, Document, Fields, Photo, Photos, Signatures, Signed, Table, Text
from app.people import names_of
from app.registry import Company, District, ServiceCentre
from app.wipe import inspection_store, store
from app.wipe.certificate_rules import fingerprint
from app.wipe.confirming import PHOTO_KINDS
from app.wipe.evidence_rules import read_evidence
from app.wipe.fact_rules import VERDICT_WORDS, Verdict, Weight
from app.wipe.grading_rules import GRADE_WORDS, Graded
from app.wipe.inspection_model import PERFORMER, WipeInspection, WipeSignature
from app.wipe.model import Wipe
from app.wipe.noting import STEPS
from app.wipe.rules import ANSWERS, BY_AGENT, BY_HAND, CHECKLIST, DESTINATIONS, STRATEGIES

SHANGHAI = ZoneInfo("Asia/Shanghai")
TITLE = "数据销毁证明"
SIDE_WORDS: Mapping[str, str] = {"performer": "执行人", "verifier": "检查人"}
HOW: Mapping[str, str] = {"own_session": "本人登录并输入密码", "at_this_device": "当面输入本人登录名和密码"}
_BOUND = (
    "handset_id", "centre_id", "strategy", "reason", "destination", "checklist", "asset_tag", "serial",
    "imeis", "brand", "model", "android_id", "requested_by", "approved_by", "approved_at", "second_by", "tries",
    "done_by", "released_by", "released_at", "ordered_at", "grade", "verified_by", "verified_at",
)  # fmt: skip
_SKIPPED_STEPS = frozenset({"fill", "typed_wrong", "cert_draft", "cert_sign", "cert_drop", "word"})
_NOT_COVERED = (
    "本证明属于 NIST SP 800-88 的 Clear（清除）级别：对加密的数据分区恢复出厂设置。没有对闪存芯片做物理检测，"
    "不是 Purge（净化）或 Destroy（物理销毁）。\n"
    "不包括：微信和其他服务商服务器上的数据、云备份、已同步到别处的资料、已迁移到新手机的资料。\n"
    "除上表写明已取出、已清除的以外，不包括 SIM 卡、eSIM 和存储卡（SD）。\n"
    "手机时钟不单独作为依据；时间以服务器为准。"
)


def facts_digest(session: Session, wipe: Wipe) -> str:
    """The sha256 of what a certificate rests on: the wipe as it stands, and every inspection of it."""
    marks = [row.mark for row in inspection_store.inspections(session, wipe.id)]
    return mark_of({"wipe": facts_of(wipe, _BOUND), "inspections": marks})


def build(session: Session, wipe: Wipe, graded: Graded, key: bytes) -> Document:
    """The text that both sign. `key`: the public key of certificates."""
    rows = inspection_store.inspections(session, wipe.id)
    users = (wipe.requested_by, wipe.approved_by, wipe.second_by, wipe.released_by, wipe.verified_by)
    people = names_of(session, [user for user in users if user])
    subtitle = f"{wipe.asset_tag} {wipe.brand} {wipe.model}　{GRADE_WORDS[graded.grade]}　依据 R06"
    photos = _photos(rows)
    parts = (
        _phone(session, wipe, rows),
        _act(session, wipe, people),
        _result(wipe, graded, people),
        _findings(graded),
        _outside(wipe),
        Text("保留事项", _warnings(graded)),
        Text("不在本证明范围", _NOT_COVERED),
        _course(session, wipe),
        *((Photos("检查照片", photos),) if photos else ()),
        _proof(session, wipe, key),
    )
    return Document(TITLE, subtitle, parts)


def _phone(session: Session, wipe: Wipe, rows: Sequence[WipeInspection]) -> Fields:
    told = [found for row in rows if (found := read_evidence(row.evidence)) is not None]
    # Another phone that answered in its place tells nothing of this one.
    read = [
        one for one in told if one.serial == wipe.serial and (not one.imei or {*one.imei} & {*wipe.imeis})
    ]
    last = read[-1] if read else None
    release, patch = (last.android_release, last.security_patch) if last else (None, None)
    crypt = {"file": "按文件加密", "full": "整盘加密", "none": "没有加密"}
    pairs = (
        ("制造商", wipe.brand),
        ("型号", wipe.model),
        ("序列号", wipe.serial),
        ("资产编号", wipe.asset_tag),
        ("IMEI", "、".join(wipe.imeis) or "没有登记"),
        ("Android", f"{release or '未知'}（安全补丁 {patch or '未知'}）"),
        ("存储介质", "手机内置闪存"),
        ("加密状态", crypt.get(last.encryption or "", "未知") if last else "未知"),
        ("来源", _source(session, wipe)),
        ("去向", DESTINATIONS.get(wipe.destination, wipe.destination)),
    )
    return Fields("手机", pairs)


def _source(session: Session, wipe: Wipe) -> str:
    centre = session.get_one(ServiceCentre, wipe.centre_id)
    company = session.get_one(Company, session.get_one(District, centre.district_id).company_id)
    return f"{company.name} {centre.name}：{wipe.reason}"


def _act(session: Session, wipe: Wipe, people: Mapping[str, str]) -> Fields:
    pairs = (
        ("类别", "Clear（清除），NIST SP 800-88"),
        ("方法", STRATEGIES[_way(wipe)]),
        ("工具和版本", _tool(session, wipe)),
        ("指令时间", _moment(wipe.ordered_at)),
        ("申请人", people.get(wipe.requested_by or "", "—")),
        ("批准人", f"{people.get(wipe.approved_by or '', '—')}（{_moment(wipe.approved_at)}）"),
        ("第二批准人", people.get(wipe.second_by or "", "不需要")),
        ("执行人", people.get(wipe.released_by or "", "—")),
        ("执行时间", _moment(wipe.released_at)),
        ("制度", f"wipe v{wipe.policy_version}　{(wipe.policy_sha256 or '')[:12]}"),
    )
    return Fields("清除", pairs)


_TOOLS: Mapping[str, str] = {
    "guided": "手机自带的恢复出厂设置，由人操作",
    "device_owner": "厂商或设备管理平台的远程擦除，由人在控制台下令",
}


def _way(wipe: Wipe) -> str:
    """How it was carried out in the end: what was approved for a gateway may have been done by hand."""
    return "guided" if wipe.done_by == BY_HAND and wipe.strategy not in _TOOLS else wipe.strategy


def _tool(session: Session, wipe: Wipe) -> str:
    if wipe.done_by != BY_AGENT:
        return _TOOLS[_way(wipe)]
    agent = find_agent(session, SYSTEM, wipe.agent_id) if wipe.agent_id is not None else None
    named = f"{agent.name} {agent.version}" if agent is not None else "版本不详"
    return f"管家手机网关（{named}），ADB cmd testharness enable"


def _moment(at: dt.datetime | None) -> str:
    return "—" if at is None else at.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")


def _result(wipe: Wipe, graded: Graded, people: Mapping[str, str]) -> Fields:
    hand = any(fact.code.startswith("seen_") for fact in graded.facts)
    read = any(fact.code == "after_order" for fact in graded.facts)
    how = "；".join(
        word for word, there in (("清除后由网关读取手机", read), ("由第二人当面检查并拍照", hand)) if there
    )
    pairs = (
        ("结论", GRADE_WORDS[graded.grade]),
        ("验证方法", how),
        ("检查人", people.get(wipe.verified_by or "", "—")),
        ("检查时间", _moment(wipe.verified_at)),
    )
    return Fields("结论", pairs)


def _findings(graded: Graded) -> Table:
    columns = (Column("核对项目", 6), Column("结果", 10), Column("判定", 3))
    rows = tuple((fact.words, fact.value, VERDICT_WORDS[fact.verdict]) for fact in graded.facts)
    return Table("检查结果", columns, rows)


def _outside(wipe: Wipe) -> Table:
    columns = (Column("项目", 10), Column("现场回答", 4), Column("说明", 6))
    rows = []
    for item, label in CHECKLIST.items():
        told: Mapping[str, Any] = wipe.checklist.get(item) or {}
        answer = ANSWERS.get(told.get("answer") or "unknown", "不清楚")
        rows.append((label, answer, str(told.get("words") or "—")))
    return Table("账号、恢复出厂保护（FRP）、SIM、eSIM、SD", columns, tuple(rows))


def _warnings(graded: Graded) -> str:
    left = [f for f in graded.warnings if f.weight is not Weight.COVER]
    lines = [f"{fact.words}：{fact.value}（{VERDICT_WORDS[fact.verdict]}）" for fact in left]
    harness = next((f for f in graded.facts if f.code == "test_harness" and "测试模式：" in f.value), None)
    lines += [harness.value] if harness is not None and harness.verdict is not Verdict.PASS else []
    return "\n".join(lines) if lines else "没有。"


def _course(session: Session, wipe: Wipe) -> Table:
    steps = [step for step in store.steps_of(session, wipe.id) if step.step not in _SKIPPED_STEPS]
    names = actor_names(session, [step.by for step in steps])
    columns = (Column("时间", 5), Column("步骤", 4), Column("人", 3), Column("说明", 9))
    rows = tuple(
        (_moment(s.at), STEPS.get(s.step, s.step), names.get(s.by, "网关"), s.words or "—") for s in steps
    )
    return Table("经过", columns, rows)


def _photos(rows: Sequence[WipeInspection]) -> tuple[Photo, ...]:
    return tuple(
        Photo(photo["sha256"], f"{PHOTO_KINDS.get(photo['kind'], '照片')}（{_moment(row.at)}）")
        for row in rows
        for photo in row.photos
    )


def _proof(session: Session, wipe: Wipe, key: bytes) -> Fields:
    pairs = (
        ("证明公钥", f"Ed25519 {key.hex()}"),
        ("公钥指纹", fingerprint(key)),
        ("依据的摘要", facts_digest(session, wipe)),
        ("离线核验", "下载 JSON 证明，运行 python3 verify_audit.py --certificate 文件 --pdf 本单PDF"),
    )
    return Fields("核验", pairs)


def with_signatures(document: Document, rows: Sequence[WipeSignature]) -> Document:
    """The paper: the text that both read, then who signed it."""
    signed = tuple(
        Signed(
            role=SIDE_WORDS[row.side] + ("（代签）" if row.instead_reason else ""), name=row.name,
            at=to_rfc3339(row.at), how=HOW.get(row.how, row.how), over=row.over, ink=row.ink, note=_note(row),
        )
        for row in sorted(rows, key=lambda row: row.side != PERFORMER)
    )  # fmt: skip
    return Document(document.title, document.subtitle, (*document.parts, Signatures("签字", signed)))


def _note(row: WipeSignature) -> str:
    told = f"职务 {row.title}　地点 {row.place}　联系方式 {row.contact}"
    return told if row.instead_reason is None else f"{told}　执行人没有签字，原因：{row.instead_reason}"


def revocation(session: Session, wipe: Wipe, number: str, by: str, words: str, now: dt.datetime) -> Document:
    """The paper that takes a certificate's place when it is revoked: it proves nothing of any erasure."""
    pairs = (
        ("撤销的证明", number),
        ("资产编号", wipe.asset_tag),
        ("序列号", wipe.serial),
        ("理由", words),
        ("撤销人", names_of(session, [by])[by]),
        ("撤销时间", _moment(now)),
    )
    text = Text("后果", f"证明 {number} 自撤销起无效，不能再作为数据已销毁的依据。手机请当作没有清除对待。")
    return Document(
        "数据销毁证明撤销声明",
        f"{wipe.asset_tag} {wipe.brand} {wipe.model}　撤销 {number}",
        (Fields("撤销", pairs), text),
    )
