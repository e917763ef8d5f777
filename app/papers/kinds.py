"""Every kind of paper: what it is called, and the letters that its numbers begin with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    prefix: str
    label: str


KINDS = {
    "issue": Kind("LQ", "领取登记单"),
    "handover": Kind("JJ", "移交物品单"),
    "round": Kind("HD", "月度核对报告"),
    "damage": Kind("SH", "损坏遗失处理单"),
    "deduction": Kind("KK", "扣款通知单"),
    "assessment": Kind("PG", "设备评估单"),
    "replacement": Kind("GH", "换机申请单"),
    "unauthorised": Kind("GG", "擅自更改处理单"),
    "transfer": Kind("QY", "数据迁移单"),
    "certificate": Kind("XH", "数据销毁证明"),
}
