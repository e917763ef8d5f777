"""The lives of a version of a secret and of a request to see one. `advance` alone moves a state."""

from __future__ import annotations

from enum import StrEnum

from app.kernel.errors import Conflict


class Version(StrEnum):
    PENDING = "pending"
    """Filed, and not yet in force on the phone, at the carrier or with WeChat: the one before it is kept."""
    IN_FORCE = "in_force"
    REPLACED = "replaced"
    DROPPED = "dropped"
    """Never came into force."""


class VersionEvent(StrEnum):
    CONFIRM = "confirm"
    REPLACE = "replace"
    DROP = "drop"


class Reveal(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    OPENED = "opened"
    """He who asked has proved himself and holds the token for one showing."""
    SHOWN = "shown"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class RevealEvent(StrEnum):
    APPROVE = "approve"
    REJECT = "reject"
    WITHDRAW = "withdraw"
    OPEN = "open"
    SHOW = "show"
    EXPIRE = "expire"


_V, _VE, _R, _RE = Version, VersionEvent, Reveal, RevealEvent
VERSION_NEXT: dict[tuple[str, str], str] = {
    (_V.PENDING, _VE.CONFIRM): _V.IN_FORCE,
    (_V.PENDING, _VE.DROP): _V.DROPPED,
    (_V.IN_FORCE, _VE.REPLACE): _V.REPLACED,
}
REVEAL_NEXT: dict[tuple[str, str], str] = {
    (_R.REQUESTED, _RE.APPROVE): _R.APPROVED,
    (_R.REQUESTED, _RE.REJECT): _R.REJECTED,
    (_R.APPROVED, _RE.REJECT): _R.REJECTED,
    (_R.APPROVED, _RE.OPEN): _R.OPENED,
    # A token that was lost (a closed page) is drawn anew as long as the approval lasts; the one before it is void.
    (_R.OPENED, _RE.OPEN): _R.OPENED,
    (_R.OPENED, _RE.SHOW): _R.SHOWN,
    **{(state, _RE.WITHDRAW): _R.WITHDRAWN for state in (_R.REQUESTED, _R.APPROVED, _R.OPENED)},
    **{(state, _RE.EXPIRE): _R.EXPIRED for state in (_R.REQUESTED, _R.APPROVED, _R.OPENED)},
}
OPEN_REVEALS = (Reveal.REQUESTED, Reveal.APPROVED, Reveal.OPENED)
VERSION_WORDS: dict[str, str] = {
    _V.PENDING: "待生效", _V.IN_FORCE: "使用中", _V.REPLACED: "已更换", _V.DROPPED: "已放弃",
}  # fmt: skip
REVEAL_WORDS: dict[str, str] = {
    _R.REQUESTED: "等待批准", _R.APPROVED: "已批准，未查看", _R.OPENED: "已批准，未查看", _R.SHOWN: "已查看",
    _R.REJECTED: "未批准", _R.WITHDRAWN: "已撤回", _R.EXPIRED: "已过期",
}  # fmt: skip


def advance(state: Version | Reveal, event: VersionEvent | RevealEvent) -> str:
    """The state after the event. Raise `Conflict` when that cannot happen in this state."""
    table = VERSION_NEXT if isinstance(state, Version) else REVEAL_NEXT
    after = table.get((state, event))
    if after is None:
        words = VERSION_WORDS if isinstance(state, Version) else REVEAL_WORDS
        raise Conflict(
            f"现在的状态（{words[state]}）不能这样处理，请刷新 / {state}: cannot {event}", code="escrow_state"
        )
    return after
