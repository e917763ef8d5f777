"""What actions, objects and outcomes of the trail are called."""

from __future__ import annotations

from collections.abc import Mapping

ROOMS: Mapping[str, str] = {
    "session": "登录", "access": "访问", "user": "用户", "registry": "档案", "agent": "网关", "command": "命令",
    "policy": "制度", "probe": "联系测试", "dialling": "拨测", "report": "客户反映", "report_code": "反映码",
    "incidents": "关机事件", "allowance": "话费补贴", "ledger": "补贴账", "delegation": "委托", "excuse": "保养维修",
    "exemption": "应用例外",
    "task": "待办", "contact": "联系方式", "delivery": "通知送达", "notify": "通知", "robot": "群机器人",
    "escrow": "密码托管", "audit": "审计", "backup": "备份", "list": "查阅名单", "paper": "单据", "history": "履历",
    "wipe": "数据销毁", "transfer": "数据迁移", "remedy": "应用整改",
    "hardware": "损坏遗失", "disposal": "待销毁", "handover": "交接", "round": "月度核对", "change_case": "密码不一致",
    "number_contract": "号码合约", "contract_assessment": "设备评估", "replacement_request": "换机申请",
}  # fmt: skip
"""The first word of an action, and its filter."""
_VERBS: Mapping[str, str] = {
    "begin": "登录", "end": "结束", "enter": "登录", "refused": "口令或验证码不对", "denied": "无权访问",
    "create": "新增", "update": "修改", "retire": "停用", "reinstate": "恢复", "void": "作废", "import": "导入",
    "exported": "导出", "downloaded": "下载导出的文件", "read": "查阅", "layer_put": "修改", "start": "开始",
    "add": "加入", "drop": "移出", "result": "记结果", "correct": "更正", "draw": "抽签", "confirm": "核实",
    "reject": "不采纳", "undo": "撤销", "make": "生成", "renew": "更换", "appeal": "申诉", "decide": "决定",
    "decide_appeal": "申诉决定", "closed": "关账", "corrected": "更正", "booked": "记账", "reversed": "冲销",
    "claim_filed": "提交报销", "claim_approved": "批准报销", "claim_rejected": "驳回报销",
    "claim_withdrawn": "撤回报销",
    "claim_reversed": "冲销报销", "claim_reopened": "重开报销", "accept": "接受", "decline": "拒绝", "withdraw": "撤回",
    "return": "归还", "approve": "批准", "close": "结束", "propose": "提出", "file": "提交", "complete": "完成",
    "reopen": "撤销完成", "put": "修改", "retry": "重试", "test": "试发", "code": "生成登记码", "enrol": "登记",
    "revoke": "撤销", "cancel": "取消", "erased": "删除详情", "made": "备份", "restored": "恢复", "issue": "下达",
    "print": "生成 PDF", "grant": "授予角色", "activate": "启用", "deactivate": "停用",
    "report": "报告", "police": "登记报警回执", "state": "陈述", "judge": "认定",
    "repair": "登记维修", "offer": "提交新机", "refuse": "拒绝",
    "buy": "购买", "order": "下达", "take": "扣款", "settle": "了结", "lift": "撤销并退回", "find": "找回",
    "lost": "遗失处置", "told": "说明限度", "seen": "网关又读到",
    "appeal_allow": "申诉成立", "appeal_dismiss": "申诉不成立", "tie": "登记归属", "hold": "锁定",
    "release": "解除锁定",
    "sign": "签字", "signed": "双方签完", "freeze": "定稿", "unfreeze": "退回修改", "item": "清点", "counts": "数量",
    "add_item": "加物品", "remove_item": "移出物品", "restore_item": "放回物品", "add_photo": "加照片",
    "drop_photo": "删照片", "restore_photo": "放回照片", "same_as_last": "与上次相同", "hand_test": "手工检测",
    "ask_tests": "读取手机", "exception": "写异议", "lead": "换经办人", "receiver": "定接收人", "reschedule": "改期限",
    "drop_correction": "放弃更正", "conclude": "改为交还", "open": "开始", "match": "一致", "mismatch": "不一致",
    "unreachable": "没能核对", "unfiled": "未备案", "lack": "未备案", "ask_waiver": "申请免核对", "waive": "免核对",
    "grant_waiver": "批准免核对", "refuse_waiver": "不批准免核对", "ask_phones": "让网关核对", "lapse": "到期没有陈述",
    "clear": "认定无责", "blame": "认定擅自更改", "uphold": "维持", "overturn": "改判", "answer": "答复申诉",
    "asked": "通知本人", "submit": "提交", "send_back": "退回",
    "approve_over": "批准超额", "ask": "申请", "undo_buy": "撤销购买",
    "replace": "换机",
    "attach": "附文件", "change": "修改", "layer_drop": "删除", "enqueue": "排队", "succeed": "成功", "fail": "失败",
    "expire": "过期", "supersede": "被新的取代", "exhaust": "没有回音", "keys_made": "备份密钥", "factor": "设置验证器",
    "deputy": "设代理人", "end_deputy": "结束代理", "end_grant": "收回角色", "end_sessions": "结束登录",
    "reset_factor": "重置验证器", "reset_password": "重置密码", "checkpoint": "检查点",
}  # fmt: skip
_ACTIONS: Mapping[str, str] = {
    "escrow.file": "备案", "escrow.in_force": "生效", "escrow.drop": "放弃新密码", "escrow.check": "核对",
    "escrow.due": "要更换", "escrow.file_same": "与正在使用的相同，未备案", "escrow.init": "初始化",
    "escrow.rotate": "更换密钥", "escrow.destroy": "销毁密钥", "escrow.export": "导出密钥环",
    "escrow.passphrase": "换口令", "escrow.tampered": "记录被改动", "escrow.reveal": "显示密码",
    "escrow.reveal_request": "申请查看", "escrow.reveal_approve": "批准查看", "escrow.reveal_reject": "不批准查看",
    "escrow.reveal_withdraw": "撤回查看", "escrow.reveal_open": "验证本人", "escrow.reveal_show": "显示密码",
    "escrow.lock_check": "手机上核对", "escrow.lock_check_ask": "要网关核对", "escrow.lock_check_send": "发给网关核对",
    "escrow.lock_set": "手机上更换", "escrow.lock_set_ask": "要网关更换", "escrow.lock_set_send": "发给网关更换",
    "escrow.lock_cancel": "撤回网关指令", "session.end": "退出", "number_contract.enter": "登记",
    "exemption.ask": "申请", "exemption.lapse": "过期未批",
    "wipe.open": "建立", "wipe.fill": "修改清单", "wipe.request": "提交申请", "wipe.typed_wrong": "编号核对不符",
    "wipe.approve_first": "第一人批准", "wipe.arm": "冷静期结束", "wipe.release": "执行", "wipe.recall": "收回指令",
    "wipe.deliver": "指令发给网关", "wipe.word": "网关回报", "wipe.late_word": "网关迟到的回报",
    "wipe.acknowledge": "手机接受指令", "wipe.stop": "没有执行", "wipe.silence": "结果不明",
    "wipe.guide": "开始手工重置", "wipe.report": "报告手工重置", "wipe.retry": "准许再执行", "wipe.lapse": "过期",
    "wipe.inspect": "检查", "wipe.verify": "确认已清除", "wipe.fail": "确认没有清除", "wipe.contest": "发现矛盾",
    "wipe.certify": "出具证明", "wipe.cert_draft": "拟定证明", "wipe.cert_sign": "证明签字",
    "wipe.cert_drop": "证明退回", "wipe.cert_doubt": "证明有疑", "wipe.cert_uphold": "证明仍有效",
    "wipe.cert_revoke": "撤销证明", "wipe.cert_seal": "证明已数字签名", "wipe.certificate_read": "下载证明",
    "wipe.give_up": "无法证实", "wipe.refuse": "退回", "escrow.lock_wipe_send": "随清除指令发给网关",
    "disposal.finish": "已销毁数据",
    "transfer.open": "建立", "transfer.send": "交给网关", "transfer.result": "网关的结果", "transfer.end": "命令结束",
    "transfer.manifest": "清单到齐", "transfer.accept_data": "接受差异", "transfer.wechat": "登记微信迁移",
    "transfer.accept_wechat": "接受微信未全部迁移", "transfer.ask_waive": "申请免迁移",
    "transfer.refuse_waive": "不批准免迁移", "transfer.verify": "核验完成", "transfer.accept": "接受并完成",
    "transfer.waive": "批准免迁移", "transfer.discard": "销毁副本的密钥", "transfer.destroyed": "副本已销毁",
    "remedy.order": "下令移除", "remedy.send": "指令发给网关", "remedy.resend": "指令再次发给网关",
    "remedy.word": "网关回报", "remedy.late_word": "网关迟到的回报", "remedy.stop": "没有移除",
    "remedy.verify": "核实已移除", "remedy.dismiss": "搁置", "remedy.restore": "下令恢复",
    "remedy.bring_back": "已恢复", "remedy.keep": "没有恢复",
    "handover.start": "开始", "handover.complete": "完成", "hardware.order": "扣款通知", "paper.issue": "出具",
}  # fmt: skip
"""Where a room means something else by a verb, or has more to say."""
_OBJECTS: Mapping[str, str] = {
    "handset": "手机", "employee": "员工", "household": "业主", "post": "岗位", "centre": "服务中心", "user": "用户",
    "principal": "登录人", "incident": "关机事件", "task": "待办", "topup_claim": "报销", "probe": "联系测试",
    "dial_test": "拨测", "report": "客户反映", "delegation": "委托", "excuse": "保养维修", "command": "命令",
    "exemption": "应用例外",
    "policy": "制度", "robot": "群机器人", "contact": "联系方式", "payroll_export": "工资表", "route": "页面",
    "allowance_month": "月结", "ledger": "补贴账", "import_file": "导入文件", "audit": "审计", "list": "名单",
    "dial_draw": "拨测抽签", "district": "大区", "grid": "片区", "sim_number": "号码", "wechat_account": "微信号",
    "wipe": "数据销毁", "transfer": "数据迁移", "remedy": "整改",
    "hardware_case": "损坏遗失", "disposal": "待销毁", "agent": "网关", "backup": "备份", "paper": "单据",
    "secret": "密码", "keyring": "密钥环", "handover": "交接", "handover_leg": "交接记录", "number": "号码",
    "wechat": "微信号", "kit_assignment": "配套归属", "post_holding": "任岗", "company": "公司",
    "service_centre": "服务中心", "enrolment_token": "登记码", "round": "月度核对", "check_item": "核对项",
    "change_case": "密码不一致", "number_contract": "号码合约", "contract_assessment": "设备评估",
    "replacement_request": "换机申请", "deduction_order": "扣款单",
}  # fmt: skip
_LISTS: Mapping[str, str] = {
    "audit": "审计记录", "employees": "员工", "households": "业主", "contacts": "联系方式", "posts": "岗位",
    "transfers": "数据迁移", "handsets": "手机", "centres": "服务中心", "numbers": "号码", "wechat-accounts": "微信号",
}  # fmt: skip
OUTCOMES: Mapping[str, tuple[str, str]] = {
    "ok": ("quiet", "完成"), "refused": ("bad", "被拒绝"), "mismatch": ("unknown", "不一致"),
}  # fmt: skip


def action_words(action: str) -> str:
    """`登录 · 口令或验证码不对`; what has no word is shown as it is called."""
    room, _, verb = action.partition(".")
    return f"{ROOMS.get(room, room)} · {_ACTIONS.get(action) or _VERBS.get(verb, verb)}"


def object_words(subject: str) -> str:
    """The kind in words, and the end of its id."""
    kind, _, name = subject.partition(":")
    if kind == "list":
        return f"名单 {_LISTS.get(name, name)}"
    short = name if len(name) < 20 or not name.isascii() or "/" in name else name[-6:]
    return f"{_OBJECTS.get(kind, kind)} {short}"


_PATHS: Mapping[str, str] = {
    "handset": "/phones/", "incident": "/incidents/", "user": "/people/", "paper": "/papers/",
    "topup_claim": "/allowance/claims/", "hardware_case": "/hardware/", "handover": "/handovers/",
    "secret": "/escrow/secrets/", "round": "/rounds/", "change_case": "/rounds/cases/",
    "number_contract": "/contracts/", "wipe": "/wipes/", "transfer": "/transfers/", "remedy": "/remedies/",
    "exemption": "/compliance/exemptions/",
    "contract_assessment": "/contracts/assessments/", "replacement_request": "/contracts/requests/",
}  # fmt: skip


def object_path(subject: str) -> str | None:
    """Where this object is shown, None where it has no page of its own."""
    kind, _, name = subject.partition(":")
    return f"{_PATHS[kind]}{name}" if kind in _PATHS else None
