"""What somebody ticks off one by one while he resets a phone himself."""

from __future__ import annotations

from app.guides import Step, family_of
from app.wipe.model import Wipe

_CONSOLE = (
    Step(
        "在管理平台上按序列号找到这台设备，型号和最后在线时间都对得上",
        "同名、同型号的设备很多，只认序列号或 IMEI。",
    ),
    Step("确认平台要清除的只有这一台，下发恢复出厂（擦除）"),
    Step("看着手机收到指令、开始重置", "平台写“已下发”不等于手机已执行；手机没有反应的，不要报告做完。"),
)


def groups(wipe: Wipe) -> list[tuple[str, tuple[Step, ...]]]:
    """The steps under their headings, in order: the brand's own, or those at a console."""
    family = family_of(wipe.brand)
    accounts = ("账号和激活锁", family.accounts)
    if wipe.strategy == "device_owner":
        return [accounts, ("在管理平台上下令", _CONSOLE)]
    return [accounts, (f"{family.title}：恢复出厂", family.reset)]


def count(wipe: Wipe) -> int:
    return sum(len(steps) for _, steps in groups(wipe))
