"""One line of a life: what every room can tell of a phone, a number, an account, a post or a person."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Literal, get_args

SubjectKind = Literal["handset", "number", "wechat", "post", "employee"]
SUBJECT_KINDS: tuple[SubjectKind, ...] = get_args(SubjectKind)


@dataclass(frozen=True)
class Subject:
    """Whose life is asked for."""

    kind: SubjectKind
    id: uuid.UUID


@dataclass(frozen=True)
class LifeEvent:
    """`title` and `detail` are Chinese and hold no secret; `link` is a path on this server; `room` is the key by
    which events are filtered (`handover` …). `until`: the end of what lasted, None for a moment and what goes on.
    """

    at: dt.datetime
    title: str
    detail: str = ""
    link: str | None = None
    room: str = ""
    until: dt.datetime | None = None
