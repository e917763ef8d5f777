"""What can be done about a lost phone without the phone in hand, and what cannot. Plain values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DONE, IMPOSSIBLE, NOT_NEEDED = "done", "impossible", "not_needed"
OUTCOMES: Mapping[str, tuple[str, str]] = {
    DONE: ("good", "已办"), IMPOSSIBLE: ("bad", "办不了"), NOT_NEEDED: ("quiet", "不需要"),
}  # fmt: skip
OPEN: tuple[str, str] = ("unknown", "没有办")


@dataclass(frozen=True)
class LossStep:
    """`what`: its code, as in the task's key; `how`: what to do; `proof`: what shows that it was done; `roles`: who is
    asked, beside the person who answers for the phone.
    """

    what: str
    title: str
    how: str
    proof: str
    roles: tuple[str, ...] = ("operations", "lead")


POLICE = "lost_police"
STEPS: tuple[LossStep, ...] = (
    LossStep(
        "lost_number",
        "号码停机或挂失",
        "打运营商客服（移动 10086、联通 10010、电信 10000）或到营业厅停机，随后补卡；公司名下的号码要带单位证明。"
        "停机以前，捡到手机的人能收验证码。",
        "工单号或受理回执照片",
    ),
    LossStep(
        "lost_wechat",
        "冻结微信",
        "用电脑打开 weixin110.qq.com 冻结账号，"
        "或在已登录的另一台设备上“设置 → 账号与安全 → 登录过的设备”删除遗失的手机；"
        "新机和补卡办好后解冻。微信支付可拨 95017 冻结。",
        "冻结成功的截图",
    ),
    LossStep(
        "lost_passwords",
        "更换密码",
        "号码服务密码、微信密码；补卡后设新的 SIM PIN，新手机设新的锁屏密码。在密码托管里备案。",
        "备案后在这里写明改了哪几个",
    ),
    LossStep(
        "lost_accounts",
        "退出其他工作应用",
        "爱家金钥匙、爱家微社区、企业邮箱等：由管理员在后台下线这台设备或改密码。",
        "写明哪几个应用、谁操作",
    ),
    LossStep(
        "lost_lock",
        "用厂商的“查找手机”锁定",
        "在厂商网页登录手机上的账号，发声、锁定，并显示联系电话。登录的是个人账号时请保管人本人操作。",
        "网页截图，写明最后定位的时间和地点",
        ("operations", "lead", "it"),
    ),
    LossStep(
        "lost_erase",
        "决定是否用厂商网页远程清除",
        "发出以后就不能再定位，关机的手机也收不到；要等报警和定位都做完，由主管决定。"
        "网页写“已清除”也只能记作“已请求”，系统不据此认定数据已销毁。",
        "网页截图；决定不做的写明原因",
        ("lead", "operations"),
    ),
    LossStep(
        POLICE,
        "报警",
        "盗抢应当报警，带上 IMEI 和购机发票；单纯遗失可以不报，选“不需要”并写明情况。",
        "报警回执号",
    ),
)
SEEN = LossStep(
    "lost_seen",
    "遗失的手机又出现了",
    "网关读到了它：它开着，接在网关够得到的地方。马上去网关旁边看是谁接上的。拿到手并核对 IMEI 以后登记“找回”；"
    "没有核对身份以前不要清除。",
    "写明在哪里、谁拿着、怎样处理",
    ("operations", "lead", "it"),
)
"""Not asked for at the loss: a gateway met the phone afterwards."""
BY_CODE: Mapping[str, LossStep] = {step.what: step for step in (*STEPS, SEEN)}
WATCH = (
    "网关再遇到这台手机（读到它的序列号和 IMEI），系统会立刻生成待办、通知主管和运营，并记入经过。"
    "手机回到手上以后登记“找回”；不再使用的，按普通流程申请清除、检查、出证。"
)
CANNOT: tuple[str, ...] = (
    "没有任何清除命令能经过互联网到达手机：清除要手机接在网关上、有人在旁核对。",
    "没有办法证明数据已经销毁：远程清除的网页提示不是证据，系统不会出具销毁证书。",
    "SIM 卡和存储卡里的内容：停机只让号码不能用，卡里的联系人、短信、文件仍可以读。",
    "已经同步或发出去的：微信服务器上的消息、对方手机里的聊天记录、网盘和相册备份。",
    "知道锁屏密码的人：锁屏密码不能隔空更改；手机没有设锁屏的，里面的内容视为已经外泄。",
)
