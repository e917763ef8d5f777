"""A wipe whose order is out, what a gateway reads of the phone then, and two people who sign."""

from __future__ import annotations

import io
import json
import uuid
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from PIL import Image

from app.kernel.db import db
from app.kernel.tenancy import Principal
from app.papers import Press, read_ink
from app.wipe import certifying, confirming, inspection_store, revoking
from app.wipe.grading_rules import SEEN
from app.wipe.hook import tools
from app.wipe.inspecting import ask_inspection
from app.wipe.inspection_model import WipeCertificate
from app.wipe.sealing import json_of
from tests.app.wipe.grading_world import raw
from tests.app.wipe.wipe_world import ANDROID, IMEI, World

STROKES = (
    '{"width": 600, "height": 200, "strokes": [[[20, 30], [200, 150], [400, 40]], [[50, 160], [500, 170]]]}'
)


def picture(shade: int = 0) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 80), (60 * shade, 90, 60)).save(out, "JPEG")
    return out.getvalue()


@dataclass
class Story:
    world: World

    @property
    def lead(self) -> Principal:
        """Another lead than the one who approved."""
        return self.world.who("lead", "u-lead2")

    def told(self, **changes: Any) -> dict[str, Any]:
        """What the phone tells now: reset ten minutes ago by its kernel, and nothing on it."""
        now = self.world.clock.now().timestamp()
        values = {
            "serial": "S1", "imei": [IMEI], "brand": "Xiaomi", "android_id": "ffff000011112222", "uptime_s": 600.0,
            "phone_now_s": now, "boot_reasons": [{"reason": "reboot,factory_reset", "at": now - 590}],
            "first_install_s": {"oldest": now - 580, "newest": now - 570},
        }  # fmt: skip
        return raw(**{**values, **changes})

    def before(self) -> dict[str, Any]:
        """What it told while it was in use."""
        now = self.world.clock.now().timestamp()
        return self.told(
            android_id=ANDROID, boot_id="boot-1", boot_count=41, uptime_s=90_000.0, media_files=2400,
            boot_reasons=[{"reason": "reboot,userrequested", "at": now - 90_000}], lock_screen="set",
            accounts={"count": 2, "types": ["com.xiaomi"]},
        )  # fmt: skip

    def command(self) -> str:
        """Somebody asks for a reading; the command as the gateway gets it."""
        self.world.act(ask_inspection, self.world.who("it"))
        found = [c for c in self.world.read_phone(boot=2) if c.kind == "inspect_phone"]
        assert len(found) == 1, found
        assert found[0].args["wipe"] == str(self.world.id)
        return found[0].id

    def read(self, evidence: Any = None, minutes: float = 15, **changes: Any) -> None:
        """So much later the gateway reads the phone."""
        self.world.clock.move(60 * minutes)
        command = self.command()
        self.answer(command, "succeeded", evidence=evidence or self.told(**changes))

    def answer(self, command: str, state: str, age_s: float = 1.0, **detail: Any) -> Any:
        self.world.clock.move(2)
        result = {"id": command, "state": state, "age_s": age_s, "detail": detail}
        answer = self.world.gateway.checkin(results=[result])
        assert answer.status_code == 200, answer.text
        return answer.get_json()["rejected"]

    def by_hand(self, by: Principal | None = None, **changes: Any) -> str:
        given = {
            "seen": dict.fromkeys(SEEN, "yes"), "typed_imei": IMEI, "words": "",
            "photos": [(kind, picture(n)) for n, kind in enumerate(confirming.MUST_PHOTOS)], **changes,
        }  # fmt: skip
        with self.world.writing() as session:
            row = confirming.inspect_by_hand(
                session,
                by or self.lead,
                self.world.id,
                confirming.ByHand(**given),
                tools=tools(),
                now=self.now,
            )
            return str(row.grade)

    def read_off(self, imei: str = IMEI, by: Principal | None = None) -> str:
        with self.world.writing() as session:
            row = confirming.read_off_imei(
                session, by or self.lead, self.world.id, imei, tools=tools(), now=self.now
            )
            return str(row.grade)

    @property
    def now(self) -> Any:
        return self.world.clock.now()

    def verify(self, by: Principal | None = None, grade: str = "verified", words: str = "") -> None:
        with self.world.writing() as session:
            confirming.verify(
                session,
                by or self.lead,
                self.world.id,
                grade_seen=grade,
                words=words,
                tools=tools(),
                now=self.now,
            )

    def put_up(self, by: Principal | None = None) -> uuid.UUID:
        with self.world.writing() as session:
            row = certifying.put_up(
                session,
                by or self.world.who("it"),
                self.world.id,
                tools=tools(),
                vault=self.vault,
                now=self.now,
            )
            return uuid.UUID(str(row.id))

    @property
    def vault(self) -> Any:
        return self.world.app.extensions["butler"].vault

    def signing(self, side: str, user: str, **changes: Any) -> tuple[certifying.Signing, Any]:
        values = {
            "side": side, "title": "主管", "place": "锦绣花园办公室", "contact": "021-5555",
            "ink": read_ink(STROKES).png, "digest_seen": self.row().digest,
        }  # fmt: skip
        signer = SimpleNamespace(user=user, name=user, employee=None, how="own_session")
        return certifying.Signing(**{**values, **changes}), signer

    def sign(self, side: str, user: str, **changes: Any) -> str:
        given, signer = self.signing(side, user, **changes)
        with self.world.writing() as session:
            row = certifying.sign(
                session,
                self.world.who("it"),
                self.row().id,
                given,
                signer=signer,
                tools=tools(),
                now=self.now,
            )
            return str(row.state)

    def row(self) -> WipeCertificate:
        """The newest certificate."""
        with self.world.app.app_context():
            found = inspection_store.certificates(db.session(), self.world.id)[0]
            db.session().expunge_all()
            db.session.remove()
        return found

    def verified(self) -> None:
        """An order that Android took, read after it, and confirmed."""
        self.world.to("acknowledged")
        self.read()
        self.verify()

    def issued(self) -> None:
        self.verified()
        self.put_up()
        self.sign("performer", "u-it")
        assert self.sign("verifier", "u-lead2") == "issued"

    @property
    def press(self) -> Press:
        here = self.world.app.extensions["butler"]
        return Press(self.world.writing, here.keys, here.blobs, here.settings, self.world.clock)

    def json(self) -> bytes:
        with self.world.app.app_context():
            made = json_of(db.session(), self.press, self.vault, self.row().id)
            db.session.remove()
        assert json.loads(made)
        return made

    def revoke(self, by: Principal | None = None) -> None:
        with self.world.writing() as session:
            revoking.revoke(
                session, by or self.lead, self.row().id, reason="读错了手机", tools=tools(), now=self.now
            )
