"""The demo's kits were issued months ago, and one is on its way to a successor: a charger is missing, the screen is
cracked. Told through the room's own services, at instants that lie in the past.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from sqlalchemy.orm import Session

from app.demo.pictures import phone_front
from app.demo.users import seed_butler
from app.handover import (
    AtHand,
    HandoverItem,
    HandoverLeg,
    ItemInput,
    Wanted,
    add_photo,
    freeze,
    items_of,
    legs_of,
    save_counts,
    save_item,
    sign,
    start,
)
from app.kernel.tenancy import SYSTEM, Principal
from app.papers import read_ink
from app.people import get_user, principal_of, user_of_employee, users_with
from app.registry import RESOURCES, Employee, create, holding_of, known_id

_ISSUED_DAYS, _LATER_DAYS = 85, 28
_LEAVER = 3
"""The place of the kit that changes hands: its phone can be reached, and nothing else goes on with it."""
_SUCCESSOR = ("E0201", "钱书宁")
_GOOD = ItemInput(True, "good")
_FOUND: Mapping[str, ItemInput] = {
    "handset": ItemInput(True, "cracked", "屏幕左上角裂开，能用"),
    "accessory:charger": ItemInput(False, "", "说是弄丢了，没有带来"),
    "accessory:case": ItemInput(True, "worn"),
}
_SCRAWLS = (
    [[[30, 40], [90, 36], [60, 110], [110, 70]], [[150, 30], [150, 120]], [[190, 60], [240, 50], [210, 110]]],
    [[[40, 60], [120, 40], [80, 120]], [[160, 40], [220, 110], [230, 50]]],
)


@dataclass(frozen=True)
class _Signer:
    user: str
    name: str
    employee: uuid.UUID | None
    how: str = "own_session"


@dataclass
class Handovers:
    """`kits`: handset and post of each place of the demo. Users have had their rights for as long as the kits."""

    session: Session
    centre: uuid.UUID
    at_hand: AtHand
    now: dt.datetime
    kits: Sequence[tuple[uuid.UUID, uuid.UUID]]

    def tell(self) -> int:
        """Returns how many papers were signed."""
        signed = 0
        for place, (handset, post) in enumerate(self.kits):
            signed += self._issue(place, handset, post)
        if len(self.kits) > _LEAVER:
            signed += self._leaves(*self.kits[_LEAVER])
        return signed

    def _issue(self, place: int, handset: uuid.UUID, post: uuid.UUID) -> int:
        for days in (_ISSUED_DAYS, _LATER_DAYS):
            # The first post changed hands since: its present holder's receipt is the later one.
            at = self.now - dt.timedelta(days=days) + dt.timedelta(hours=place)
            holding = holding_of(self.session, post, at)
            if holding is not None and holding.valid_to is None:
                break
        else:
            return 0
        seed_butler(self.session, self.centre, holding.employee_id, at)
        wanted = Wanted(post, "issue", "joined", holding.employee_id, lead_user=self._lead.user)
        case = start(self.session, self._lead, wanted, policies=self.at_hand.policies, now=at)
        (leg,) = legs_of(self.session, case.id)
        self._fill(leg, at, {}, handset, cracked=False)
        self._sign(leg, at + dt.timedelta(minutes=20), self._lead_signs(), self._butler(holding.employee_id))
        return 1

    def _leaves(self, handset: uuid.UUID, post: uuid.UUID) -> int:
        """The butler leaves, the lead took the kit three days ago, the successor comes for it."""
        holding = holding_of(self.session, post, self.now)
        if holding is None:
            return 0
        begun, met = self.now - dt.timedelta(days=4), self.now - dt.timedelta(days=3, hours=2)
        successor = self._successor(begun)
        wanted = Wanted(
            post, "handover", "left", successor, due_at=self.now + dt.timedelta(days=1), place="服务中心二楼办公室",
            lead_user=self._lead.user,
        )  # fmt: skip
        case = start(self.session, self._lead, wanted, policies=self.at_hand.policies, now=begun)
        first, second = legs_of(self.session, case.id)
        self._fill(first, met, _FOUND, handset, cracked=True)
        self._sign(
            first, met + dt.timedelta(minutes=35), self._butler(holding.employee_id), self._lead_signs()
        )
        self.session.refresh(second)
        half = items_of(self.session, second.id)[:3]
        self._answer(half, self.now - dt.timedelta(hours=1), _FOUND)
        return 1

    def _successor(self, at: dt.datetime) -> uuid.UUID:
        number, name = _SUCCESSOR
        values = {"centre_id": self.centre, "number": number, "name": name}
        resource = RESOURCES["employees"]
        known = known_id(self.session, resource, values)
        found: uuid.UUID = known or create(self.session, SYSTEM, resource, values, at).id
        seed_butler(self.session, self.centre, found, at)
        return found

    def _fill(
        self,
        leg: HandoverLeg,
        at: dt.datetime,
        found: Mapping[str, ItemInput],
        handset: uuid.UUID,
        *,
        cracked: bool,
    ) -> None:
        rows = items_of(self.session, leg.id)
        self._answer(rows, at, found)
        phone = next(row for row in rows if row.handset_id == handset)
        data = phone_front(phone.identifier.split(" · ")[0].removeprefix("编号 "), cracked=cracked)
        sha256 = self.at_hand.blobs.put(self.session, data, "image/jpeg", at)
        photograph = partial(add_photo, self.session, self._lead, phone.id, sha256)
        photograph(policies=self.at_hand.policies, now=at)
        counted = {"contacts": 214, "friends": 187, "ledger": 163}
        save_counts(
            self.session, self._lead, leg.id, counted, by="双方当面看手机", version=leg.version,
            policies=self.at_hand.policies, now=at,
        )  # fmt: skip

    def _answer(self, rows: Sequence[HandoverItem], at: dt.datetime, found: Mapping[str, ItemInput]) -> None:
        for row in rows:
            given = found.get(row.key) or found.get(row.category) or _GOOD
            save_item(
                self.session,
                self._lead,
                row.id,
                given,
                version=row.version,
                policies=self.at_hand.policies,
                now=at,
            )

    def _sign(self, leg: HandoverLeg, at: dt.datetime, giver: _Signer, receiver: _Signer) -> None:
        shown = freeze(self.session, self._lead, leg.id, policies=self.at_hand.policies, now=at)
        for minutes, (side, signer) in enumerate((("giver", giver), ("receiver", receiver))):
            strokes = {"width": 300, "height": 150, "strokes": _SCRAWLS[minutes]}
            sign(
                self.session, self._lead, leg.id, side, signer=signer, ink=read_ink(json.dumps(strokes)).png,
                digest_seen=shown.digest, at_hand=self.at_hand, now=at + dt.timedelta(minutes=1 + minutes),
            )  # fmt: skip

    @cached_property
    def _lead(self) -> Principal:
        found = users_with(self.session, self.centre, "lead", at=self.now)
        return principal_of(self.session, found[0], self.now)

    def _lead_signs(self) -> _Signer:
        lead = self._lead
        return _Signer(lead.user, get_user(self.session, uuid.UUID(lead.user)).name, lead.employee)

    def _butler(self, employee_id: uuid.UUID) -> _Signer:
        user = user_of_employee(self.session, employee_id)
        name = self.session.get_one(Employee, employee_id).name
        return _Signer(str(user), name, employee_id, "at_this_device")
