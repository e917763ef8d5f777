"""OPPO with realme and OnePlus; vivo with iQOO."""

from __future__ import annotations

from app.guides.rules import Family, Step

OPPO = Family(
    key="oppo",
    title="OPPO · 真我 · 一加",
    english="OPPO · realme · OnePlus",
    brands=("oppo", "realme", "oneplus", "真我", "一加"),
    systems="ColorOS 11–15、realme UI、一加的 ColorOS（氢 OS 类似通用步骤）",
    debugging=(
        Step(
            "设置 → 关于本机 → 版本信息，连点“版本号”七次，输入锁屏密码",
            "较早的 ColorOS 没有“版本信息”一层，直接点“版本号”。",
        ),
        Step("设置 → 系统与更新（或系统设置、其他设置）→ 开发者选项", "找不到就在设置里搜索“开发者”。"),
        Step("打开“USB 调试”，确认警告", "部分机型要求先登录账号或输入图形验证码。"),
        Step("有“禁止权限监控”的，打开它", "不打开的话，锁屏密码的更改和应用的停用会被系统拦下。"),
        Step("插上数据线后选“传输文件”"),
        Step("每次重启后看一眼“USB 调试”还开着没有", "部分 ColorOS 版本闲置一段时间或重启后会自动关闭。"),
    ),
    accounts=(
        Step(
            "设置 → 顶部的账号（OPPO / 欢太账号）→ 云服务 → 查找手机：关闭，输入账号密码",
            "不关闭会有激活锁。",
        ),
        Step("账号页最下方：退出账号，选“退出并删除本机数据”"),
    ),
    reset=(
        Step(
            "设置 → 系统与更新（或系统设置）→ 还原手机（重置手机）",
            "ColorOS 11 及更早：设置 → 其他设置 → 还原手机。",
        ),
        Step("选“清除全部数据”（较早的版本叫“抹掉全部内容与设置”）"),
        Step("输入锁屏密码，登录着账号的再输入账号密码（要联网）"),
    ),
    find=Step("cloud.heytap.com → 查找手机：响铃、锁定、清除数据", "用手机上登录的账号。"),
)

VIVO = Family(
    key="vivo",
    title="vivo · iQOO",
    english="vivo · iQOO",
    brands=("vivo", "iqoo"),
    systems="Funtouch OS 9–13、OriginOS",
    debugging=(
        Step(
            "设置 → 系统管理 → 关于手机 → 版本信息，连点“软件版本号”七次",
            "较早的版本：设置 → 更多设置 → 关于手机。部分 OriginOS 没有“系统管理”一层，“关于手机”直接在设置里。",
        ),
        Step("设置 → 系统管理 → 开发者选项，打开总开关，输入锁屏密码"),
        Step("打开“USB 调试”，确认警告"),
        Step(
            "有“USB 安全操作”的，打开它（要登录 vivo 账号）", "没有它，锁屏密码的更改和应用的停用会被拦下。"
        ),
        Step("插上数据线后选“管理文件”（传输文件）"),
    ),
    accounts=(
        Step(
            "设置 → 顶部的 vivo 账号 → 查找手机（在 i 管家或云服务里也有）：关闭，输入账号密码",
            "不关闭会有激活锁。",
        ),
        Step("账号页最下方：退出登录"),
    ),
    reset=(
        Step(
            "设置 → 系统管理 → 备份与重置 → 清除所有数据",
            "部分 OriginOS 叫“重置”；较早的版本：设置 → 更多设置 → 恢复出厂设置。",
        ),
        Step("勾选“格式化手机存储”（能选时），点“立即清除”"),
        Step("输入锁屏密码，登录着账号的再输入账号密码"),
    ),
    find=Step("yun.vivo.com.cn → 查找手机：响铃、锁定、清除手机", "用手机上登录的 vivo 账号。"),
)
