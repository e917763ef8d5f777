"""What to do about a finding: for the staff at their desk, and in plain words for the butler who has the phone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Advice:
    """`butler` empty: there is nothing that he could or should do."""

    staff: str
    butler: str = ""


_READ_AGAIN = "等网关再读一次；一直读不到，按手机操作指南检查调试授权，再点“立即读取”。"
_KEEP_ON = "不用做什么。请让手机开着、连着公司网络，系统会再读一次。"
_ASK_IT = "请把手机交给 IT 检查，不要自行刷机或恢复出厂设置。"

ADVICE: Mapping[str, Advice] = MappingProxyType(
    {
        "accessibility_not_allowed": Advice(
            "确认是哪个应用、谁打开的；不需要就在设置里关闭，需要就写进应用名单。",
            "打开 设置 → 无障碍，关闭列出的服务。",
        ),
        "account_not_allowed": Advice(
            "请本人退出该账号；工作需要的账号类型写进应用名单。", "打开 设置 → 账号，退出列出的个人账号。"
        ),
        "accounts_not_read": Advice(_READ_AGAIN, _KEEP_ON),
        "adb_wifi_on": Advice(
            "请本人关闭无线调试；靠它连网关的手机，在应用名单里放开。", "打开 开发者选项，关闭“无线调试”。"
        ),
        "airplane_mode_on": Advice("请本人关闭飞行模式。", "从屏幕顶端下拉，关闭飞行模式。"),
        "app_activity_unknown": Advice(_READ_AGAIN, _KEEP_ON),
        "app_forbidden": Advice(
            "请本人卸载；不卸载的走整改移除。确有工作需要，申请例外。",
            "长按该应用的图标，选“卸载”。工作确实要用，请主管申请例外。",
        ),
        "app_in_other_user": Advice(
            "请本人删除应用双开或第二空间里的应用。",
            "关闭该应用的双开（设置 → 应用双开），或删除第二空间里的应用。",
        ),
        "app_maybe_prescribed": Advice("先在应用名单里填齐规定应用的包名，才能判断。"),
        "app_not_prescribed": Advice(
            "请本人卸载；工作需要的写进应用名单，个别手机暂时需要的申请例外。",
            "长按该应用的图标，选“卸载”。工作确实要用，请主管申请例外。",
        ),
        "app_origin_unknown": Advice(_READ_AGAIN, _KEEP_ON),
        "app_sideloaded": Advice(
            "请本人卸载后从应用商店重装；公司自己发的安装包，把来源写进应用名单。",
            "卸载该应用，再从手机自带的应用商店安装。",
        ),
        "developer_options_on": Advice(
            "请本人关闭开发者选项；靠 USB 调试连网关的手机，在应用名单里放开。",
            "打开 设置 → 开发者选项，关闭最上面的开关。",
        ),
        "installer_not_allowed": Advice(
            "请本人卸载后从允许的应用商店重装，或把来源写进应用名单。",
            "卸载该应用，再从手机自带的应用商店安装。",
        ),
        "installer_unknown": Advice(_READ_AGAIN, _KEEP_ON),
        "loader_unlocked": Advice("收回手机由 IT 检查；系统可能已被改动，不要继续存放业主资料。", _ASK_IT),
        "more_apps_than_prescribed": Advice(
            "至少有一个应用不该有：先填齐规定应用的包名，再看是哪一个。", "请卸载工作以外的应用。"
        ),
        "never_read": Advice(
            "让网关读到这台手机：接到网关，或按手机操作指南打开调试。", "请把手机交给主管接一次网关。"
        ),
        "no_screen_lock": Advice(
            "请本人设置锁屏密码并备案（R07）。", "打开 设置 → 锁屏，设置密码，并在“我的锁屏密码”里备案。"
        ),
        "other_device_owner": Advice("收回手机由 IT 检查：别的程序能控制它、清空它。", _ASK_IT),
        "package_name_not_configured": Advice("在应用名单里填写该应用的包名；填好以前不算任何人不合规。"),
        "packages_not_read": Advice(_READ_AGAIN, _KEEP_ON),
        "patch_not_read": Advice(_READ_AGAIN, _KEEP_ON),
        "patch_too_old": Advice(
            "请本人升级系统；厂家不再更新的，申请例外或换机。",
            "打开 设置 → 系统更新，升级到最新版本（先充电、连 Wi-Fi）。",
        ),
        "required_activity_unknown": Advice(_READ_AGAIN, _KEEP_ON),
        "required_inactive": Advice(
            "请本人在应用信息里点“启用”。", "打开 设置 → 应用，找到该应用，点“启用”。"
        ),
        "required_missing": Advice("请本人从应用商店安装。", "从手机自带的应用商店安装该应用并登录。"),
        "required_not_seen": Advice(_READ_AGAIN, _KEEP_ON),
        "required_other_signer": Advice(
            "可能不是正版：请本人卸载后从应用商店重装，仍不符就交 IT 检查。",
            "卸载该应用，再从手机自带的应用商店安装。",
        ),
        "required_signer_unknown": Advice(_READ_AGAIN, _KEEP_ON),
        "required_too_old": Advice("请本人在应用商店更新。", "打开手机自带的应用商店，更新该应用。"),
        "required_version_unknown": Advice(_READ_AGAIN, _KEEP_ON),
        "rooted": Advice("收回手机由 IT 检查；系统已被改动，不要继续存放业主资料。", _ASK_IT),
        "security_not_read": Advice(_READ_AGAIN, _KEEP_ON),
        "setting_not_read": Advice(_READ_AGAIN, _KEEP_ON),
        "silent": Advice(
            "先看网关是否在线，再联系管家；结论停在最后一次读到的时候。",
            "请让手机开着、连着公司网络；连不上请告诉主管。",
        ),
        "storage_low": Advice(
            "请本人清理空间，先清理缓存和已备份的照片。", "清理手机空间：设置 → 存储，工作资料先备份再删。"
        ),
        "storage_not_read": Advice(_READ_AGAIN, _KEEP_ON),
        "test_build": Advice("收回手机由 IT 检查；不是厂家发布的正式系统。", _ASK_IT),
        "unknown_sources_on": Advice(
            "请本人收回该应用的安装权限。", "打开 设置 → 安装未知应用，关闭列出的应用的权限。"
        ),
        "user_not_allowed": Advice(
            "请本人删除多余的用户、第二空间或工作资料。",
            "打开 设置 → 用户和账号（或第二空间），删除多余的用户空间。",
        ),
        "user_not_inspected": Advice(
            "请本人删除该用户空间，或由 IT 当面检查：里面的应用读不到。",
            "系统读不到这个用户空间。自己开过应用双开或第二空间的，请关闭；没有开过的不用做什么。",
        ),
        "users_not_read": Advice(_READ_AGAIN, _KEEP_ON),
    }
)
_ELSE = Advice(_READ_AGAIN, _KEEP_ON)


def advice_for(code: str, status: str) -> Advice | None:
    """What to do now; None where nothing is to be done."""
    return None if status in ("pass", "exempt") else ADVICE.get(code, _ELSE)
