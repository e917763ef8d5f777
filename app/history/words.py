"""What the rooms and the subjects of a history are called, and where a subject has its own page."""

from __future__ import annotations

from collections.abc import Mapping

from app.kernel.timeline import Subject

ROOMS: Mapping[str, str] = {
    "registry": "档案",
    "custody": "保管",
    "handover": "交接",
    "round": "月度核对",
    "escrow": "密码",
    "incidents": "关机事件",
    "duty": "委托与维修",
    "compliance": "合规",
    "command": "命令",
    "hardware": "损坏遗失",
    "contracts": "号码合约",
    "transfer": "数据迁移",
    "wipe": "数据销毁",
    "remedy": "应用整改",
    "ledger": "补贴与扣款",
    "paper": "单据",
    "user": "账号与角色",
}
KINDS: Mapping[str, str] = {
    "handset": "手机",
    "number": "号码",
    "wechat": "微信号",
    "post": "岗位",
    "employee": "员工",
}
_REGISTRY: Mapping[str, str] = {
    "number": "numbers", "wechat": "wechat-accounts", "post": "posts", "employee": "employees",
}  # fmt: skip


def path_of(subject: Subject) -> str:
    """A phone has a page, the others their list in the registry."""
    return f"/phones/{subject.id}" if subject.kind == "handset" else f"/registry/{_REGISTRY[subject.kind]}"
