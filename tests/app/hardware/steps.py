"""The ways of a case, as short calls for tests."""

from __future__ import annotations

import datetime as dt

from app.hardware import appealing, deducting, judging, repairing, replacing, reporting
from app.hardware.kits import NewPhone

NEW = NewPhone("Redmi", "13C", "SERIAL-NEW", None, None, {"内存": "8GB", "存储": "256GB"})
DAY = dt.timedelta(days=1)


class Way:
    """A case on its way; `now` moves on with `later`."""

    def __init__(self, session, tools, place, photo):
        self.session, self.tools, self.place, self.photo = session, tools, place, photo
        self.now = place.now
        self.case = None

    def later(self, days):
        self.now += days * DAY
        return self

    def report(self, kind="damage", by=None, **values):
        given = {
            "handset_id": self.place.phone,
            "kind": kind,
            "happened_at": self.now,
            "words": "屏幕碎了",
        } | values
        self.case = reporting.report(
            self.session, by or self.place.lead, self.tools, reporting.Report(**given), self.now
        )
        return self.case

    def state(self, by=None, disputed=False):
        return reporting.state_view(
            self.session, by or self.place.zhang, self.case.id, words="摔了", disputed=disputed, now=self.now
        )

    def judge(self, cause="human", way="replace", by=None, **values):
        finding = judging.Finding(cause, "照片和维修单", way, **values)
        return judging.judge(self.session, by or self.place.lead, self.tools, self.case.id, finding, self.now)

    def repair(self, result, fen=0, by=None):
        photos = (self.photo,) if fen else ()
        given = repairing.Repair("小米之家", self.now.date(), fen, result, photos=photos)
        return repairing.record_repair(
            self.session, by or self.place.operations, self.tools, self.case.id, given, self.now
        )

    def offer(self, phone=NEW, by=None, fen=None):
        return replacing.offer(
            self.session,
            by or self.place.zhang,
            self.tools,
            self.case.id,
            replacing.Offered(phone, fen),
            self.now,
        )

    def accept(self, by=None, reason="", tag="GJ-2"):
        return replacing.accept(
            self.session,
            by or self.place.lead,
            self.tools,
            self.case.id,
            asset_tag=tag,
            reason=reason,
            now=self.now,
        )

    def reject(self, by=None):
        return replacing.reject(
            self.session, by or self.place.lead, self.case.id, reason="不同", now=self.now
        )

    def refuse(self, by=None, reason=""):
        return replacing.refuse(
            self.session, by or self.place.zhang, self.case.id, reason=reason, now=self.now
        )

    def buy(self, fen=120_000, by=None, months=None, phone=NEW, tag="GJ-2"):
        given = replacing.Purchase(replacing.Offered(phone, fen, "FP-1", (self.photo,)), tag, months)
        return replacing.buy(self.session, by or self.place.lead, self.tools, self.case.id, given, self.now)

    def take(self, month, cap, by=None, attested=True):
        given = deducting.Confirmed(month, cap, attested)
        return deducting.confirm_month(self.session, by or self.place.finance, self.case.id, given, self.now)

    def appeal(self, by=None):
        return appealing.file_appeal(
            self.session, by or self.place.zhang, self.case.id, words="不是我摔的", now=self.now
        )

    def decide(self, allow, by=None):
        return appealing.decide_appeal(
            self.session,
            by or self.place.second,
            self.tools,
            self.case.id,
            allow=allow,
            reason="已查",
            now=self.now,
        )

    def find(self, by=None):
        return appealing.find_again(
            self.session, by or self.place.it, self.tools, self.case.id, words="在沙发下", now=self.now
        )

    def drop(self, by=None):
        return reporting.drop(self.session, by or self.place.lead, self.case.id, reason="误报", now=self.now)

    def deducting(self, months=None, fen=120_000, kind="damage"):
        """As far as the order: reported, stated, judged, refused, bought."""
        self.report(kind)
        self.state()
        self.judge()
        self.refuse()
        self.buy(fen, months=months)
        return self
