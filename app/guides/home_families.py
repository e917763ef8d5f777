"""Xiaomi with Redmi; HUAWEI with HONOR."""

from __future__ import annotations

from app.guides.rules import Family, Step

XIAOMI = Family(
    key="xiaomi",
    title="小米 · 红米",
    english="Xiaomi · Redmi · POCO",
    brands=("xiaomi", "redmi", "poco", "小米", "红米"),
    systems="MIUI 12–14、澎湃 HyperOS",
    debugging=(
        Step(
            "设置 → 我的设备 → 全部参数（与信息），连点“MIUI 版本”七次，直到提示已处于开发者模式",
            "澎湃 HyperOS 上点的是“OS 版本”。",
        ),
        Step("设置 → 更多设置 → 开发者选项", "部分机型叫“其他设置”。"),
        Step("打开“USB 调试”，确认警告"),
        Step(
            "打开“USB 调试（安全设置）”",
            "要求手机登录小米账号、插着 SIM 卡并联网；会连续弹出几次倒计时确认。"
            "没有它，锁屏密码不能改、应用不能停用，屏幕也不能由网关点亮。",
        ),
        Step("打开“USB 安装”", "只在需要由网关安装工作应用时；每次安装时手机上可能还要点一次。"),
        Step("插上数据线后在通知里把“USB 用途”选成“传输文件”", "停在“仅充电”时有的机型会断开调试。"),
    ),
    accounts=(
        Step(
            "设置 → 顶部的小米账号 → 查找设备：关闭，输入账号密码",
            "不关闭的话，恢复出厂后手机仍锁在这个账号上（激活锁）。",
        ),
        Step("小米账号页最下方：退出登录；本机数据选“从手机删除”", "需要账号密码和网络。"),
    ),
    reset=(
        Step(
            "设置 → 我的设备 → 恢复出厂设置",
            "MIUI 12 及更早：设置 → 更多设置（其他设置）→ 备份和重置 → 恢复出厂设置。",
        ),
        Step("选“清除所有数据”，勾选全部内容（包括内部存储）"),
        Step("输入锁屏密码，有账号时再输入账号密码，连续确认"),
    ),
    find=Step("i.mi.com → 查找设备：发声、丢失模式（锁定）、清除数据", "用手机上登录的小米账号。"),
)

HUAWEI = Family(
    key="huawei",
    title="华为 · 荣耀",
    english="HUAWEI · HONOR",
    brands=("huawei", "honor", "hihonor", "华为", "荣耀"),
    systems="EMUI 10–14、HarmonyOS 2–4、荣耀 MagicOS。HarmonyOS 5 起（NEXT）不再是安卓系统，没有 ADB，网关读不到",
    debugging=(
        Step("设置 → 关于手机，连点“版本号”七次，输入锁屏密码", "HarmonyOS 4 上点的是“软件版本”。"),
        Step("设置 → 系统和更新 → 开发人员选项，打开最上面的总开关", "荣耀 MagicOS 上叫“开发者选项”。"),
        Step("打开“USB 调试”，确认警告"),
        Step(
            "打开“‘仅充电’模式下允许 ADB 调试”",
            "不打开的话，拔插一次或重启之后调试就断开，开关也会自己关掉。",
        ),
        Step("关闭“监控 ADB 安装应用”", "只在需要由网关安装工作应用时。"),
        Step("插上数据线后在通知里选“传输文件”"),
    ),
    accounts=(
        Step(
            "设置 → 顶部的华为账号 → 查找设备：关闭，输入账号密码",
            "荣耀新机型上是荣耀账号。不关闭的话恢复出厂后要原账号才能激活（激活锁）。",
        ),
        Step("账号页最下方：退出账号（退出登录）", "需要账号密码和网络。"),
    ),
    reset=(
        Step("设置 → 系统和更新 → 重置 → 恢复出厂设置", "EMUI 8 及更早：设置 → 系统 → 重置。"),
        Step("勾选“删除内部存储”（能选时），点“重置手机”"),
        Step("输入锁屏密码，再次确认"),
    ),
    find=Step(
        "cloud.huawei.com → 查找设备：响铃、丢失模式（锁定）、擦除数据",
        "用手机上登录的华为账号；荣耀新机型用荣耀账号的查找网页。",
    ),
)
