"""What kinds of notices are called, for people and for the counts of group robots."""

from __future__ import annotations

from collections.abc import Mapping

UNDELIVERED = "undelivered"
"""Tells operations that something did not get through; stays inside, or it would not get through either."""
KIND_WORDS: Mapping[str, str] = {
    "incident": "关机事件",
    "month": "月度结算",
    "allowance": "话费补贴",
    "topup": "话费报销",
    "delegation": "委托",
    "excuse": "保养维修",
    "exemption": "应用例外",
    "report": "客户反映",
    "secret": "密码托管",
    "contract": "号码合约",
    "hardware": "损坏遗失",
    "round": "月度核对",
    "change": "密码核对",
    "handover": "交接",
    "wipe": "数据销毁",
    "remedy": "应用整改",
    UNDELIVERED: "未送达通知",
}
OTHER = "其他通知"
ERRORS: Mapping[str, str] = {
    "no_address": "没有邮箱，也没有手机号",
    "no_channel": "没有配置邮件和短信",
    "not_configured": "这个渠道没有配置",
    "timeout": "对方服务器没有回应",
    "unreachable": "连不上对方服务器",
    "protocol": "对方服务器的回应不合规则",
    "certificate_or_tls": "加密连接失败，请检查证书",
    "gateway_refused": "短信网关没有接受",
    "robot_address": "机器人地址不能用",
    "robot_refused_or_unreachable": "机器人没有接受，或连不上",
    "key": "加密密钥不对：notify.key",
}
_ERROR_KINDS = {
    "recipient_refused_": "邮件服务器拒绝了收件人",
    "sign_in_refused_": "邮件服务器的账号或密码不对",
    "refused_": "邮件服务器拒绝",
    "http_": "短信网关返回 HTTP",
}
TOPIC_WORDS: Mapping[str, str] = {"mail": "邮件", "sms": "短信", "robot": "群机器人"}


def kind_word(kind: str) -> str:
    """The word of a kind, or of its first part: `allowance_cancelled` is 话费补贴, for a group need not know what
    became of it. A kind that nobody named is still counted, under another word: its own text might tell something.
    """
    return KIND_WORDS.get(kind) or KIND_WORDS.get(kind.partition("_")[0], OTHER)


def error_word(code: str | None) -> str:
    if not code:
        return ""
    if code in ERRORS:
        return ERRORS[code]
    for start, word in _ERROR_KINDS.items():
        if code.startswith(start):
            return f"{word}（{code.removeprefix(start)}）"
    return code
