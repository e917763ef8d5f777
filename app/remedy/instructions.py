"""What to do on the phone about a finding, step by step, where brands differ by brand; Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.guides import family_of

_UNINSTALL = (
    "在桌面长按这个应用的图标，选“卸载”并确认；要留的工作资料先存到别处。",
    "没有“卸载”的：设置 → 应用管理 → 找到它 → 卸载；仍没有的选“停用”。",
)
_SECOND: Mapping[str, Sequence[str]] = {
    "xiaomi": (
        "设置 → 应用设置 → 应用双开：关掉这个应用的开关。",
        "用了手机分身的：设置 → 特色功能（更多设置）→ 手机分身，进入后卸载，或删除分身。",
    ),
    "huawei": (
        "设置 → 应用和服务 → 应用分身：关掉这个应用的开关。",
        "用了隐私空间的：设置 → 隐私 → 隐私空间，进入后卸载，或删除空间。",
    ),
    "oppo": (
        "设置 → 应用管理（特色功能）→ 应用分身：关掉这个应用的开关。",
        "用了系统分身的：设置 → 系统与更新 → 系统分身，进入后卸载，或删除分身。",
    ),
    "vivo": (
        "设置 → 应用与权限（应用与通知）→ 应用分身：关掉这个应用的开关。",
        "用了原子隐私系统的：进入后卸载，或在设置里关闭它。",
    ),
    "samsung": (
        "设置 → 高级功能 → 双信使：关掉这个应用的开关。",
        "用了安全文件夹的：打开安全文件夹，长按应用，选“卸载”。",
    ),
}
_SECOND_ELSE = (
    "在设置里搜索“双开”或“分身”，关掉这个应用的开关。",
    "用了第二空间、多用户的：进入那个空间卸载，或删除整个空间。",
)
_PATCH: Mapping[str, str] = {
    "xiaomi": "设置 → 我的设备 → 点系统版本 → 检查更新。",
    "huawei": "设置 → 系统和更新 → 软件更新 → 检查更新。",
    "oppo": "设置 → 系统与更新（关于本机）→ 软件更新。",
    "vivo": "设置 → 系统升级 → 检查更新。",
    "samsung": "设置 → 软件更新 → 下载并安装。",
}
_UNKNOWN_SOURCES: Mapping[str, str] = {
    "xiaomi": "设置 → 隐私保护 → 特殊权限设置 → 安装未知应用：逐个关掉。",
    "huawei": "设置 → 安全 → 更多安全设置 → 外部来源应用下载（安装外部来源应用）：逐个关掉。",
    "oppo": "设置 → 密码与安全 → 系统安全 → 外部来源应用：逐个关掉。",
    "vivo": "设置 → 安全与隐私 → 更多安全设置 → 安装未知应用：逐个关掉。",
    "samsung": "设置 → 应用程序 → 右上角 ⋮ → 特别访问权限 → 安装未知应用：逐个关掉。",
}
_STEPS: Mapping[str, Sequence[str]] = {
    "app_forbidden": _UNINSTALL,
    "app_not_prescribed": (*_UNINSTALL, "工作确实需要的，不要先卸载：请主管申请例外，或把它加进应用名单。"),
    "more_apps_than_prescribed": (*_UNINSTALL, "工作确实需要的，请主管申请例外，或把它加进应用名单。"),
    "app_sideloaded": (
        "先把应用里的工作资料存好，再卸载它。",
        "需要这个应用的，从手机自带的应用商店重新安装。",
    ),
    "installer_not_allowed": ("先把应用里的工作资料存好，再卸载它。", "从规定的应用商店重新安装。"),
    "required_missing": ("打开手机自带的应用商店，搜索并安装这个工作应用，登录工作账号。",),
    "required_inactive": ("设置 → 应用管理 → 找到这个工作应用 → 启用。",),
    "required_too_old": ("打开手机自带的应用商店 → 我的 → 应用更新，更新这个工作应用。",),
    "required_other_signer": (
        "这个应用可能不是正版：不要再用它登录，请主管或 IT 核对。",
        "存好工作资料后卸载，从手机自带的应用商店重新安装。",
    ),
    "user_not_allowed": ("设置里搜索“多用户”“分身”“第二空间”，删除多出来的用户空间；里面的资料会一起删除。",),
    "account_not_allowed": ("设置 → 账号（用户和账号）→ 找到这个账号 → 移除；通讯录等先确认已存好。",),
    "developer_options_on": ("设置 → 开发者选项，关闭最上面的开关。",),
    "adb_wifi_on": ("设置 → 开发者选项 → 无线调试：关闭。",),
    "airplane_mode_on": ("从屏幕顶部下拉，关闭“飞行模式”。手机要 24 小时能联系上（R02）。",),
    "no_screen_lock": (
        "设置 → 密码与安全（锁屏）→ 设置锁屏密码，至少 6 位数字。",
        "设好后在“我的锁屏密码”里备案（R07）。",
    ),
    "accessibility_not_allowed": ("设置 → 无障碍（更多设置里）→ 已下载的服务：关闭这个服务。",),
    "storage_low": ("设置 → 存储，清理缓存和不需要的文件；工作照片先传到规定的地方。",),
    "silent": (
        "确认手机开着、电量够、连着网络。",
        "把手机带到前台，用数据线接到网关电脑；屏幕上问“允许 USB 调试”时点“允许”。",
    ),
    "not_inspected": (
        "把手机带到前台，用数据线接到网关电脑，解锁屏幕，等一次完整读取。",
        "仍读不到的，由 IT 按手机操作指南检查调试设置；读不到的用户空间要关闭或删除。",
    ),
    "other_device_owner": ("不要自行处理：IT 检查是什么程序在管理这台手机，必要时恢复出厂并重新登记。",),
    "rooted": ("不要自行处理：IT 核对后刷回官方系统；在此之前手机不再登录工作账号。",),
    "loader_unlocked": ("不要自行处理：IT 核对后刷回官方系统并锁定引导程序；里面的资料会清除，先迁移。",),
    "test_build": ("不要自行处理：IT 核对后刷回官方系统。",),
}
_ELSE = ("请主管或 IT 打开这台手机的合规页面，按说明处理。",)
FOR_IT = frozenset(
    {
        "other_device_owner",
        "rooted",
        "loader_unlocked",
        "test_build",
        "not_inspected",
        "required_other_signer",
    }
)
"""What a butler cannot put right, and should not try to."""


def steps_for(code: str, brand: str) -> tuple[str, ...]:
    """In order; never empty."""
    family = family_of(brand).key
    if code == "app_in_other_user":
        return tuple(_SECOND.get(family, _SECOND_ELSE))
    if code == "patch_too_old":
        found = _PATCH.get(family, "设置里搜索“系统更新”，检查并安装更新。")
        return ("接上充电器、连上 Wi-Fi。", found, "厂家不再提供更新的，请主管按合约到期评估换机（R06）。")
    if code == "unknown_sources_on":
        return (_UNKNOWN_SOURCES.get(family, "设置里搜索“安装未知应用”或“未知来源”，逐个关掉。"),)
    return tuple(_STEPS.get(code, _ELSE))
