"""As `texts`, of what is no app: users, accounts, settings, and the state of the phone."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SETUP_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "user_not_allowed": (
            "手机上有不该有的用户空间 {space}",
            "user {subject} ought not to exist (second space, dual apps or guest)",
        ),
        "account_not_allowed": (
            "用户空间 {space} 里登录了规定以外的账号：{type}，{number} 个",
            "user {user} has accounts of a type that is not allowed: {type}, {number} of them",
        ),
        "accounts_not_read": ("没有读到手机上的账号{because}", "the accounts were not read{because_en}"),
        "accounts_ok": ("手机上的 {accounts} 个账号都符合规定", "all {accounts} accounts are allowed"),
        "developer_options_on": (
            "开发者选项打开着，应当关闭",
            "the developer options are on, which must be off",
        ),
        "adb_wifi_on": ("无线调试打开着，应当关闭", "wireless debugging is on, which must be off"),
        "unknown_sources_on": (
            "应用{app}被允许安装其他应用（未知来源），应当关闭",
            "{app_en} may install other apps (unknown sources), which must be off",
        ),
        "airplane_mode_on": (
            "飞行模式打开着，打不通也收不到消息",
            "airplane mode is on: it can neither be called nor get messages",
        ),
        "no_screen_lock": ("没有设置锁屏密码", "the screen has no lock"),
        "accessibility_not_allowed": (
            "应用{app}的无障碍服务打开着：它能看到屏幕上的全部内容，并代人操作",
            "an accessibility service of {app_en} is on: it sees the whole screen and acts for the user",
        ),
        "setting_not_read": ("没有读到{part}{because}", "{subject} was not read{because_en}"),
        "settings_ok": ("检查过的设置都符合规定", "all settings that are judged are as they must be"),
        "patch_too_old": (
            "安全补丁是 {patch} 的，超过 {months} 个月没有更新",
            "the security patch is of {patch}, more than {months} months old",
        ),
        "patch_not_read": (
            "没有读到安全补丁的日期{because}",
            "the security patch level was not read{because_en}",
        ),
        "other_device_owner": (
            "手机或其中的空间由规定以外的程序{app}管理",
            "the phone or a profile on it is owned by {app_en}, which is not allowed",
        ),
        "rooted": ("手机有被取得 root 权限的迹象：{signs}", "there are signs of root: {signs_en}"),
        "test_build": (
            "手机的系统不是厂家的正式版本：{signs}",
            "the system is no release of the maker: {signs_en}",
        ),
        "loader_unlocked": (
            "手机的引导程序有被解锁的迹象：{signs}",
            "there are signs of an unlocked boot loader: {signs_en}",
        ),
        "security_not_read": (
            "没有读到{part}{because}",
            "{subject} of the phone's security was not read{because_en}",
        ),
        "security_ok": (
            "没有发现 root、解锁、他人管理的迹象，补丁和存储空间正常",
            "no sign of root, unlocking or another owner; patch level and storage are as they must be",
        ),
        "storage_low": (
            "存储空间不足：共 {total_mb} MB，只剩 {free_mb} MB",
            "storage is low: {free_mb} MB of {total_mb} MB are free",
        ),
        "storage_not_read": ("没有读到存储空间{because}", "the storage was not read{because_en}"),
    }
)
PARTS: Mapping[str, str] = MappingProxyType(
    {
        "": "安全状态",
        "developer_options": "开发者选项",
        "adb_wifi": "无线调试",
        "unknown_sources": "未知来源安装",
        "airplane_mode": "飞行模式",
        "lock_screen": "锁屏",
        "accessibility": "无障碍服务",
        "device_owner": "设备管理者",
        "profile_owners": "空间管理者",
        "verified_boot": "启动验证状态",
        "bootloader_locked": "引导程序是否锁定",
        "debuggable": "系统是否可调试",
        "build_tags": "系统签名类型",
        "su": "root 程序",
        "selinux": "SELinux 状态",
    }
)
"""Subjects of `setting_not_read` and `security_not_read`, and the signs of root and of an open loader."""
