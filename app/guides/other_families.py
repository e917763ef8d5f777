"""Samsung, Hisense, and what most other Android phones have."""

from __future__ import annotations

from app.guides.rules import Family, Step

SAMSUNG = Family(
    key="samsung",
    title="三星",
    english="Samsung",
    brands=("samsung", "三星"),
    systems="One UI 2–7",
    debugging=(
        Step(
            "One UI 6 起：设置 → 安全和隐私 → 自动拦截程序（Auto Blocker），先关闭",
            "它开着时“USB 调试”是灰的，数据线上的命令也被拦下；关闭后有的版本半小时会自己再打开。",
        ),
        Step("设置 → 关于手机 → 软件信息，连点“编译编号”七次，输入锁屏密码"),
        Step("设置最下方 → 开发者选项，打开“USB 调试”，确认警告"),
        Step("插上数据线后在通知里选“传输文件”"),
    ),
    accounts=(
        Step(
            "设置 → 账户与备份 → 管理账户 → 三星账户：移除（查找我的手机随之关闭），输入密码",
            "不移除会有激活锁（Reactivation Lock）。",
        ),
        Step(
            "设置 → 安全和隐私：有“安全文件夹”（Secure Folder）的先确认里面没有要留的资料",
            "它会随重置一起清除。",
        ),
    ),
    reset=(
        Step("设置 → 常规管理 → 重置 → 恢复出厂设置", "国内版本有的叫“重置为出厂数据”。"),
        Step("看清列出的账户里没有要移除而没移除的，点“重置”"),
        Step("输入锁屏密码，点“全部删除”"),
    ),
    find=Step("smartthingsfind.samsung.com：响铃、锁定、清除数据", "用手机上登录的三星账户。"),
)

HISENSE = Family(
    key="hisense",
    title="海信",
    english="Hisense",
    brands=("hisense", "海信"),
    systems="Vision UI 及接近原生的安卓",
    debugging=(
        Step("设置 → 关于手机（部分机型在“系统”里），连点“版本号”七次"),
        Step("设置 → 系统（更多设置）→ 开发者选项"),
        Step("打开“USB 调试”，确认警告"),
        Step("插上数据线后在通知里选“传输文件”"),
    ),
    accounts=(Step("设置 → 账号：海信账号和其他账号逐个移除"),),
    reset=(
        Step("设置 → 系统 → 重置选项 → 清除所有数据（恢复出厂设置）", "部分机型：设置 → 备份和重置。"),
        Step("输入锁屏密码，再次确认"),
    ),
    find=Step("海信没有面向公司的统一查找网页；登录了海信账号的向客服查询"),
)

GENERIC = Family(
    key="generic",
    title="其他品牌",
    english="Other Android phones",
    brands=(),
    systems="接近原生的安卓 8–15；菜单名称以手机为准",
    debugging=(
        Step("设置 → 关于手机，连点“版本号”（Build number）七次，输入锁屏密码"),
        Step("设置 → 系统 → 开发者选项，打开“USB 调试”，确认警告"),
        Step("插上数据线后在通知里选“传输文件”"),
    ),
    accounts=(Step("设置 → 账号（密码和账号）：逐个移除", "厂商自己的账号要先关闭它的“查找手机”。"),),
    reset=(
        Step("设置 → 系统 → 重置选项 → 清除所有数据（恢复出厂设置）"),
        Step("输入锁屏密码，再次确认"),
    ),
    find=Step("www.google.com/android/find（只有登录了 Google 账号并能访问 Google 的手机）"),
)
