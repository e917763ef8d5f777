"""What a finding rests on, in words: each key and value of its evidence. Chinese only: for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from app.compliance.texts_setup import PARTS
from app.readings import reason_words, space_words

KEYS: Mapping[str, str] = MappingProxyType(
    {
        **{part: word for part, word in PARTS.items() if part},
        "accounts": "账号数",
        "apps": "名单外的应用",
        "free_mb": "剩余空间（MB）",
        "hours": "超过几小时没有读到",
        "installer": "安装来源",
        "judged": "检查过的设置",
        "kind": "管理的是",
        "label": "名称",
        "least_version": "最低版本号",
        "months": "最多几个月",
        "name": "空间名称",
        "number": "个数",
        "package": "包名",
        "packages": "应用数",
        "patch": "安全补丁日期",
        "reason": "原因",
        "signer": "签名",
        "surplus": "多出",
        "total_mb": "总空间（MB）",
        "type": "账号类型",
        "unnamed": "没有填包名的规定应用",
        "user": "用户空间",
        "users": "用户空间",
        "version": "版本",
        "version_code": "版本号",
        "wanted_signer": "应有的签名",
    }
)
_KINDS = {"device": "整台设备", "profile": "工作资料"}


def evidence_lines(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value of each fact; what a later version adds is shown as it is called."""
    return [(KEYS.get(key, key), _value(key, value)) for key, value in evidence.items() if value is not None]


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, Mapping):
        return "，".join(f"{KEYS.get(k, k)}：{_value(k, v)}" for k, v in value.items())
    if isinstance(value, list | tuple):
        return "、".join(_value(key, one) for one in value)
    if key in ("user", "users"):
        return space_words(value)
    if key == "reason":
        return reason_words(str(value))
    if key == "judged":
        return PARTS.get(str(value), str(value))
    return _KINDS.get(str(value), str(value)) if key == "kind" else str(value)
