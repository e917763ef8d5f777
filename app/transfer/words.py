"""The words and colours of this room's pages, lists and sheets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.transfer import states
from app.transfer.model import Transfer
from app.transfer.noting import STEPS
from app.transfer.states import AT_WORK, COPY_WORDS, Copy, State
from app.transfer.tools import PART_WORDS

STATE: Mapping[str, tuple[str, str]] = {
    state: (colour, states.WORDS[state])
    for state, colour in {
        State.DRAFT: "quiet", State.QUEUED: "busy", State.RUNNING: "busy", State.INTERRUPTED: "unknown",
        State.STOPPING: "unknown", State.STOPPED: "unknown",
        State.ATTENTION: "bad", State.FAILED: "bad", State.MOVED: "unknown", State.VERIFIED: "good",
        State.ACCEPTED: "good", State.WAIVED: "good", State.CANCELLED: "quiet",
    }.items()
}  # fmt: skip
NEXT: Mapping[str, str] = {
    State.DRAFT: "把两台手机都用数据线接到同一台网关，解锁并允许调试，然后开始。",
    State.QUEUED: "等网关取走命令（约一分钟内）。两台手机保持插着、亮屏解锁。",
    State.RUNNING: "网关正在迁移，可以离开；中断后会自动继续，不会从头开始。",
    State.INTERRUPTED: "检查两台手机是否都插着、已解锁、允许了调试，网关是否联网。恢复后自动继续。",
    State.STOPPING: "已告诉网关停止，它做完手上的一步就停；确认以前可能还在迁移。手机先不要拔。",
    State.STOPPED: "接上两台手机，可以继续（不会从头开始）；不再迁移的，取消。",
    State.ATTENTION: "先看下面的差异：可以重试（只补没有核验的）；确实补不了的，由没有经手的主管写明原因接受。",
    State.FAILED: "看下面的原因，处理后重新开始；已复制的部分不会重来。旧手机读不了的，可以申请免迁移。",
    State.MOVED: "资料已经处理完。还要用微信自带的功能迁移聊天记录，并登记结果和截图。",
}
"""What comes next in a transfer that is not over, whoever looks."""
STAGES: Mapping[str, str] = {
    "identity": "核对两台手机", "space": "检查空间", "listing": "列出文件", "reading": "读取旧手机",
    "writing": "写入新手机", "verifying": "核验新手机",
    "people": "通讯录、通话和短信", "tap_needed": "需要在新手机上点一下",
    "manifest": "上报清单",
}  # fmt: skip
TAP = "请在新手机屏幕上按提示确认导入联系人（选择“确定”或“导入”，存到“手机”），确认后自动继续。"
COPY: Mapping[str, tuple[str, str]] = {
    Copy.NONE: ("quiet", COPY_WORDS[Copy.NONE]),
    Copy.KEPT: ("unknown", COPY_WORDS[Copy.KEPT]),
    Copy.DESTROYED: ("good", COPY_WORDS[Copy.DESTROYED]),
    Copy.UNKNOWN: ("unknown", COPY_WORDS[Copy.UNKNOWN]),
}
ENTRY: Mapping[str, tuple[str, str]] = {
    "verified": ("good", "已核验"), "differs": ("bad", "不一致"), "failed": ("bad", "失败"),
    "skipped": ("unknown", "跳过"),     "missing": ("bad", "缺少"),
}  # fmt: skip
PART: Mapping[str, tuple[str, str]] = {
    "verified": ("good", "已核验"), "differences": ("bad", "有差异"), "not_offered": ("unknown", "这台手机不提供"),
    "failed": ("bad", "失败"),
}  # fmt: skip
WECHAT: Mapping[str, tuple[str, str]] = {
    "yes": ("good", "全部迁移"), "partly": ("unknown", "迁移了一部分"), "no": ("bad", "没有迁移"),
}  # fmt: skip
_NOTES: Mapping[str, str] = {
    "not_seen": "网关没有看到其中一台手机：请用数据线插好",
    "unauthorized": "手机没有允许调试：解锁手机，在弹窗里点“允许”",
    "plaintext": "手机是通过不加密的网络连接的：请改用数据线",
    "busy": "手机正在做别的事，稍后自动再试",
    "no_box": "网关没有收到密钥，稍后自动再试",
    "not_destroyed": "网关上的加密副本没有删干净，稍后自动再试",
    "bad_box": "网关打不开密钥：检查网关是否重装过",
    "other_phone": "插着的不是要迁移的那台手机",
    "identity": "手机的身份和档案不符",
    "expect": "手机的系统标识与这次迁移开始时不同：换了一台，或恢复过出厂设置。核对后取消，重新建立",
    "no_imei": "手机不肯说 IMEI，认不出来",
    "interrupted": "迁移中断，恢复后自动继续",
    "silence": "网关没有回音",
    "no_room_new": "新手机空间不足：先腾出空间再重试",
    "no_room_here": "网关磁盘空间不足：请 IT 腾出空间再重试",
    "server_away": "网关连不上服务器，稍后自动再试",
    "manifest_refused": "清单没有被接受：请重试，仍不行的升级网关",
    "stopped": "按要求停止",
    "not_stopped": "网关没有停止，还在迁移：网关的版本可能太旧。要停下来先拔掉手机，等显示“已中断”再停止",
    "discarded": "副本被要求销毁，迁移停止",
    "bad_args": "网关不认识这个命令：请升级网关",
    "denied": "Android 不允许读取这一类内容",
    "no_provider": "这台手机没有这一类内容的存储", "too_old": "手机系统太旧，读不了",
    "words": "手机的回答看不懂", "changing": "读取时内容一直在变化：请先停止使用旧手机",
    "not_collected": "没有从旧手机读出来", "not_tapped": "没有人在新手机上确认导入：请重试，并按提示点确认",
    "no_import": "新手机没有导入界面", "over_limit": "条数太多，超过了上限",
    "insert_ignored": "新手机收下但没有保存", "default_sms_app": "Android 只允许默认短信应用写入短信，短信没有迁移",
    "mms_not_moved": "彩信没有迁移", "mms_unknown": "彩信不清楚", "photo_not_taken": "新手机没有收下联系人头像",
    "changed_by_phone": "新手机改写了内容", "extra": "新手机上多出了联系人，可能导入了两次",
    "too_many_files": "文件超过 20 万个，请先整理或减少要迁移的文件夹",
    "no_manifest": "没有收到完整的清单，不能算核验：请重试",
    "no_counts": "网关没有报告文件数量",
    "contradiction": "网关报告的数量和清单对不上，不能算核验：请重试",
    "differences": "有文件或内容没有核验一致", "part_missing": "有一部分内容没有结果",
    "differs": "有文件或内容没有核验一致",
    "not_offered": "这台手机不提供其中一部分内容（如短信），无法迁移",
    "parts_left_out": "选了的都已核验，还有内容没有选择迁移：由主管接受，或取消后重新建立",
    "odd_word": "网关的回报看不懂，可能版本不一致：请升级网关",
    "expired": "24 小时内没有完成", "cancelled": "命令被取消", "superseded": "被新的命令取代",
    "no_answer": "网关一直没有回音", "not_waiting": "迁移已不在等待",
    "retired_phone": "其中一台手机已停用", "other_centre": "手机已不在同一个服务中心",
    "unreachable": "连不上手机", "dropped": "与手机的连接断开", "timeout": "手机没有及时回应",
    "adb_down": "网关上的 adb 没有运行", "internal": "网关内部出错，请看网关日志", "refused": "手机拒绝了连接",
    "not_supported": "这台手机不支持", "no_copy": "加密副本不在了，重试会从头开始", "failed": "没有成功",
    "unknown": "原因不清楚",
}  # fmt: skip
_ENTRY_NOTES: Mapping[str, str] = {
    "changed": "读取时文件在变化", "changing": "读取时文件在变化", "vanished": "读取时文件已不在",
    "unreadable": "读不了", "too_large": "超过大小上限", "not_there": "新手机上没有", "not_moved": "没有迁移",
    "folder_unread": "文件夹没有读全", "renamed": "新手机上已有同名文件，另存了一份",
    "mtime": "文件时间没有保住", "no_name": "新手机不接受这个名称", "not_taken": "没有写进去",
    "not_written": "没有写进去",
    "not_placed": "没有放到位",
    "hash": "内容不一致", "not_offered": "手机不提供", "field_missing": "缺了一项内容", "field_changed": "一项内容不同",
    "field_extra": "多了一项内容", "photo_missing": "缺头像", "star_missing": "没有标为收藏",
    "extra_on_new_phone": "新手机上多出来的",
}  # fmt: skip


def copy_badge(row: Transfer) -> tuple[str, str]:
    """Colour and word of the gateway's copy; while it is worked with nobody asks where it is."""
    in_use = row.state in AT_WORK and row.copy in (Copy.KEPT, Copy.UNKNOWN)
    return ("busy", "迁移中使用") if in_use else COPY[row.copy]


def note_words(code: str | None) -> str:
    """A gateway's or the server's code in words; what is not known is shown as it is."""
    return "" if code is None else _NOTES.get(code, f"原因代码 {code}")


def entry_words(code: str | None) -> str:
    return "" if code is None else _ENTRY_NOTES.get(code, _NOTES.get(code, code))


def size_words(number: int | None) -> str:
    """`1.2 GB`; bytes as people say them."""
    if number is None:
        return "—"
    size, units = float(number), ("B", "KB", "MB", "GB", "TB")
    for unit in units:
        if size < 1024 or unit == units[-1]:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return ""


FOR_PAGES: Mapping[str, Any] = {
    "state_words": STATE,
    "next_words": NEXT,
    "stage_words": STAGES,
    "tap_words": TAP,
    "copy_badge": copy_badge,
    "entry_states": ENTRY,
    "part_outcomes": PART,
    "part_words": PART_WORDS,
    "wechat_words": WECHAT,
    "step_words": STEPS,
    "note_words": note_words,
    "entry_words": entry_words,
    "size_words": size_words,
    "open_states": states.OPEN,
    "at_work": states.AT_WORK,
}
