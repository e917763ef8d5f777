"""What of a kit a post has at an instant, and who holds the post."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.spans import holds_at
from app.registry.ties import KitAssignment, PostHolding


@dataclass(frozen=True)
class Kit:
    """Ids in the order in which the parts were tied."""

    handset_ids: tuple[uuid.UUID, ...]
    number_ids: tuple[uuid.UUID, ...]
    wechat_ids: tuple[uuid.UUID, ...]

    @property
    def subjects(self) -> list[tuple[str, uuid.UUID]]:
        """(kind, id), as `hold` takes them."""
        parts = (("handset", self.handset_ids), ("number", self.number_ids), ("wechat", self.wechat_ids))
        return [(kind, found) for kind, ids in parts for found in ids]


def kit_of(session: Session, post_id: uuid.UUID, instant: dt.datetime) -> Kit:
    """The parts tied to a post at the instant. Internal: the caller may see the post."""
    query = select(KitAssignment).where(
        KitAssignment.post_id == post_id,
        KitAssignment.voided_at.is_(None),
        holds_at(KitAssignment.valid_from, KitAssignment.valid_to, instant),
    )
    ties = list(session.scalars(query.order_by(KitAssignment.valid_from, KitAssignment.id)))
    return Kit(
        tuple(t.handset_id for t in ties if t.handset_id is not None),
        tuple(t.number_id for t in ties if t.number_id is not None),
        tuple(t.wechat_account_id for t in ties if t.wechat_account_id is not None),
    )


def holding_of(session: Session, post_id: uuid.UUID, instant: dt.datetime) -> PostHolding | None:
    """Who holds the post at the instant. Internal, as `kit_of`."""
    query = select(PostHolding).where(
        PostHolding.post_id == post_id,
        PostHolding.voided_at.is_(None),
        holds_at(PostHolding.valid_from, PostHolding.valid_to, instant),
    )
    return session.scalar(query.execution_options(populate_existing=True))
