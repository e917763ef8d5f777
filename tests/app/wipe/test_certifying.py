from __future__ import annotations

import hashlib
import json
import re
import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from app.audit import begin_bundle, verify_audit, write_bundle
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.papers import Paper, papers_about, pdf_of
from app.papers.checking import Verdict, check_beside, overall
from app.rooms import subject_checks
from app.wipe import guiding, inspection_store, revoking
from app.wipe.certificate_verifying import check_wipe
from app.wipe.hook import tools
from app.wipe.inspection_model import WipeCertificate, WipeInspection, WipeSignature
from app.wipe.inspection_trail import inspection_mark
from app.wipe.judging import judge
from app.wipe.model import Wipe
from app.wipe.states import State
from tests.app.wipe.certificate_world import Story
from tests.app.wipe.test_inspecting import code_of, problems, story
from tests.app.wipe.test_pages import database_url
from tests.app.wipe.wipe_world import ANDROID

__all__ = ["database_url", "story"]


def paper_of(found: Story) -> Paper:
    with found.world.app.app_context():
        row = db.session().get_one(Paper, found.row().paper_id)
        db.session().refresh(row, ["document"])
        db.session().expunge_all()
        db.session.remove()
    return row


def pdf(found: Story) -> bytes:
    with found.world.app.app_context():
        made = pdf_of(db.session(), found.press, db.session().get_one(Paper, found.row().paper_id))
        db.session.remove()
    return made


def standing(found: Story) -> WipeCertificate | None:
    with found.world.app.app_context():
        row = inspection_store.standing(db.session(), found.world.id)
        db.session.remove()
    return row


class TestIssuing:
    def test_two_signatures_make_it(self, story: Story) -> None:
        story.verified()
        story.put_up()
        assert story.sign("performer", "u-it") == "signing"
        assert story.world.state == "verified"
        assert story.sign("verifier", "u-lead2") == "issued"
        wipe, paper = story.world.row(), paper_of(story)
        assert (wipe.state, wipe.certificate_paper_id) == ("certified", paper.id)
        assert (paper.kind, paper.subject) == ("certificate", f"wipe:{wipe.id}")
        assert paper.number.startswith("XH-C1-")
        assert problems(story) == []

    def test_it_tells_all_that_a_certificate_tells(self, story: Story) -> None:
        story.issued()
        told = json.dumps(json.loads(paper_of(story).document), ensure_ascii=False)
        for words in (
            "Xiaomi", "S1", "GJ-0000", "490154203237518", "手机内置闪存", "Clear", "SP 800-88", "testharness", "去向",
            "执行人", "检查人", "021-5555", "锦绣花园办公室", "主管", "FRP", "eSIM", "Android", "2024-05-01",
            "按文件加密", "不包括：微信", "没有对闪存芯片做物理检测", "验证方法", "批准人", "经过",
        ):  # fmt: skip
            assert words in told, words
        assert not re.search("网关 [0-9a-f]{6}", told), "a gateway is called by its name"

    def test_what_a_person_did_in_the_end_is_not_told_as_a_gateways(self, story: Story) -> None:
        story.world.to("armed")
        story.world.read_phone()
        story.world.guide()
        story.world.act(guiding.report_reset, story.world.who("it"), done=True)
        story.read()
        story.verify()
        story.put_up()
        told = story.row().document
        assert ("由人在手机上恢复出厂设置" in told, "手机自带的恢复出厂设置" in told) == (True, True)
        assert ("由网关下令" in told, "testharness" in told) == (False, False)

    def test_another_phones_version_is_not_this_ones(self, story: Story) -> None:
        story.verified()
        story.read(serial="S9", imei=[], security_patch="1999-01-01", android_release="4")
        story.put_up()
        assert "1999-01-01" not in story.row().document
        assert "2024-05-01" in story.row().document

    def test_no_state_before_verified_is_certified(self, story: Story) -> None:
        story.world.to("silent")
        assert code_of(story.put_up) == "not_certifiable"
        story.read()
        assert story.world.state == "inspected"
        assert code_of(story.put_up) == "not_certifiable"

    def test_nor_is_any_that_was_set_so_from_outside(self, story: Story) -> None:
        story.verified()
        story.put_up()
        story.sign("performer", "u-it")
        for state in (s for s in State if s is not State.VERIFIED):
            with story.world.writing() as session:
                session.execute(update(Wipe).values(state=state))
            assert code_of(story.sign, "verifier", "u-lead2") == "not_certifiable", state
            assert code_of(story.put_up) == "not_certifiable", state

    def test_a_state_set_by_hand_without_evidence_is_none(self, story: Story) -> None:
        """Somebody with the database in his hands sets the wipe to verified: nothing proves it, nothing is issued."""
        story.world.to("acknowledged")
        with story.world.writing() as session:
            session.execute(update(Wipe).values(state="verified", grade="verified", verified_by="u-lead2"))
        assert code_of(story.put_up) == "not_certifiable"

    def test_evidence_written_by_hand_is_none(self, story: Story) -> None:
        story.world.to("silent")
        story.read(story.before(), minutes=1)
        now = story.now.timestamp()
        forged = story.told(
            uptime_s=20.0,
            boot_reasons=[{"reason": "reboot,factory_reset", "at": now - 15}],
            first_install_s=None,
        )
        with story.world.writing() as session:
            row = session.scalars(select(WipeInspection)).one()
            row.evidence, row.grade = forged, "verified"
            wipe = session.get_one(Wipe, story.world.id)
            wipe.state, wipe.grade, wipe.verified_by = "verified", "verified", "u-lead2"
            session.flush()
            graded = judge(session, wipe, tools().policies)
            assert graded is not None
            assert graded.grade == "verified", "what was written there would do"
            row.mark = inspection_mark(row)
        assert code_of(story.put_up) == "not_certifiable"

    def test_an_altered_release_is_found(self, story: Story) -> None:
        story.verified()
        with story.world.writing() as session:
            session.execute(update(Wipe).values(released_by="u-other"))
        assert code_of(story.put_up) == "not_certifiable"

    def test_a_second_person_whom_the_database_names_confirmed_nothing(self, story: Story) -> None:
        story.world.to("acknowledged")
        story.read()
        now = story.now
        forged = {"state": "verified", "grade": "verified", "verified_by": "u-it2", "verified_at": now}
        with story.world.writing() as session:
            session.execute(update(Wipe).values(forged))
        assert code_of(story.put_up) == "not_certifiable"

    def test_it_is_issued_once(self, story: Story) -> None:
        story.issued()
        assert code_of(story.put_up) == "not_certifiable"
        given = ("verifier", "u-lead2")
        assert code_of(story.sign, *given) == "certificate_state"

    def test_sealed_it_waits_with_clear_words(self, story: Story) -> None:
        story.verified()
        with story.world.app.app_context():
            story.vault.drop_root()
        assert code_of(story.put_up) == "escrow_sealed"
        assert story.world.state == "verified"


class TestSigning:
    def test_who_may_not_sign_so(self, story: Story) -> None:
        story.verified()
        story.put_up()
        cases: list[tuple[str, str, dict[str, Any], str]] = [
            ("performer", "u-lead2", {}, "second_person"),
            ("performer", "u-other", {}, "not_this_side"),
            ("verifier", "u-it", {}, "not_this_side"),
            ("verifier", "u-lead", {}, "not_this_side"),
            ("verifier", "u-lead2", {"instead_reason": "他不在"}, "not_this_side"),
            ("performer", "u-it", {"instead_reason": "他不在"}, "not_this_side"),
            ("performer", "u-stranger", {"instead_reason": "他不在"}, "not_this_side"),
            ("witness", "u-it", {}, "invalid"),
            ("performer", "u-it", {"title": " "}, "invalid"),
            ("performer", "u-it", {"place": ""}, "invalid"),
            ("performer", "u-it", {"contact": ""}, "invalid"),
            ("performer", "u-it", {"digest_seen": "0" * 64}, "digest"),
        ]
        for side, user, changes, code in cases:
            assert code_of(story.sign, side, user, **changes) == code, (side, user, changes)

    def test_nobody_signs_twice(self, story: Story) -> None:
        story.verified()
        story.put_up()
        story.sign("performer", "u-it")
        assert code_of(story.sign, "performer", "u-it") == "signed_already"

    def test_what_changed_since_it_was_put_up_wants_a_new_text(self, story: Story) -> None:
        story.verified()
        story.put_up()
        story.sign("performer", "u-it")
        story.read(minutes=20, boot_id="boot-3", uptime_s=1900.0, first_install_s=None)
        assert code_of(story.sign, "verifier", "u-lead2") == "facts"
        story.put_up()
        assert code_of(story.sign, "verifier", "u-lead2", digest_seen="1" * 64) == "digest"
        story.sign("verifier", "u-lead2")
        assert story.sign("performer", "u-it") == "issued"
        assert problems(story) == []

    def test_an_altered_text_is_not_signed(self, story: Story) -> None:
        story.verified()
        story.put_up()
        with story.world.writing() as session:
            text = story.row().document.replace("Xiaomi", "Huawei")
            session.execute(update(WipeCertificate).values(document=text))
        assert code_of(story.sign, "performer", "u-it") == "facts"


class TestLater:
    def contested(self, story: Story) -> None:
        story.issued()
        # The kernel's own clock: the phone never went down since before the order.
        story.read(minutes=30, android_id=ANDROID, uptime_s=90_000.0, boot_count=42)

    def test_what_contradicts_marks_it_and_calls_people(self, story: Story) -> None:
        self.contested(story)
        row = story.row()
        assert (row.state, story.world.state) == ("issued", "certified")
        assert row.contested_why is not None
        assert "android_id" in row.contested_why
        assert problems(story) == []
        with story.world.app.app_context():
            blobs = story.press.blobs
            paper = db.session().get_one(Paper, row.paper_id)
            assert overall(check_beside(db.session(), blobs, paper, subject_checks())) is Verdict.UNKNOWN
            db.session.remove()

    def test_a_phone_in_use_again_contradicts_nothing(self, story: Story) -> None:
        story.issued()
        story.read(minutes=60, accounts={"count": 2, "types": []}, media_files=900, boot_reasons=None)
        assert story.row().contested_at is None

    def test_a_lead_revokes_it_by_a_paper_in_its_place(self, story: Story) -> None:
        self.contested(story)
        old = paper_of(story)
        assert code_of(story.revoke, story.world.who("it")) == "role_in_centre"
        story.revoke()
        assert (story.row().state, standing(story)) == ("revoked", None)
        assert code_of(story.revoke) == "certificate_state"
        with story.world.app.app_context():
            found = papers_about(db.session(), story.lead, f"wipe:{story.world.id}")
            assert [paper.corrects for paper in found] == [None, old.id]
            db.session.remove()
        assert problems(story) == []

    def test_or_says_why_it_stands(self, story: Story) -> None:
        self.contested(story)
        with story.world.writing() as session:
            revoking.uphold(session, story.lead, story.row().id, reason="读的是另一台", now=story.now)
        assert story.row().contested_at is None
        assert problems(story) == []

    def test_whatever_is_altered_later_is_found(self, story: Story) -> None:
        story.issued()
        story.json()
        assert problems(story) == []
        for change in (
            update(WipeSignature).where(WipeSignature.side == "verifier").values(name="别人"),
            update(WipeCertificate).values(grade="warnings"),
            update(WipeCertificate).values(state="revoked"),
            update(WipeCertificate).values(signed_json=b"{}"),
            update(WipeCertificate).values(signed_json=None),
        ):
            with story.world.writing() as session:
                session.execute(change)
                blobs = story.press.blobs
                assert any(line.startswith("!") for line in check_wipe(session, blobs, story.world.id)), str(
                    change
                )
                session.rollback()
        assert problems(story) == []


class TestJson:
    def test_it_is_signed_by_the_key_of_certificates_and_names_its_pdf(self, story: Story) -> None:
        story.issued()
        raw, body = story.json(), json.loads(story.json())["body"]
        with story.world.app.app_context():
            key = story.vault.opened().certificate.public_key()
        more, signed = raw[:-1] + b',"z":1}', json.loads(raw)["signature"].encode()
        for altered in (more, raw.replace(signed, signed.upper())):
            with pytest.raises(verify_audit.Broken):
                verify_audit.read_certificate(altered)
        assert body["pdf_sha256"] == hashlib.sha256(pdf(story)).hexdigest()
        assert verify_audit.check_certificate(raw, pdf(story), key.public_bytes_raw().hex()) == body
        with pytest.raises(verify_audit.Broken, match="PDF"):
            verify_audit.check_certificate(raw, pdf(story) + b" ", None)
        with pytest.raises(verify_audit.Broken, match="key"):
            verify_audit.check_certificate(raw, None, "00" * 32)

    def test_no_byte_of_it_can_be_another(self, story: Story) -> None:
        story.issued()
        raw = story.json()
        for at in range(0, len(raw), max(len(raw) // 40, 1)):
            for bit in (0x01, 0x20):
                forged = raw[:at] + bytes([raw[at] ^ bit]) + raw[at + 1 :]
                with pytest.raises(verify_audit.Broken):
                    verify_audit.read_certificate(forged)
        for forged in (raw[:-1], raw + b"\n", b" " + raw, b"", b"null", b"[]", b'{"a":1}'):
            with pytest.raises(verify_audit.Broken):
                verify_audit.read_certificate(forged)

    def test_the_exported_trail_holds_it_until_it_is_revoked(self, story: Story, tmp_path: Any) -> None:
        story.issued()
        body = json.loads(story.json())["body"]
        verify_audit.check_in_trail(self.export(story, tmp_path / "a"), body)
        story.revoke()
        with pytest.raises(verify_audit.Broken, match="revoked"):
            verify_audit.check_in_trail(self.export(story, tmp_path / "b"), body)
        other = {**body, "paper": str(uuid.uuid4())}
        with pytest.raises(verify_audit.Broken):
            verify_audit.check_in_trail(tmp_path / "a", other)

    def export(self, story: Story, folder: Any) -> Any:
        with story.world.writing() as session:
            info = begin_bundle(session, story.press.keys, actor="test", now=story.now)
        with story.world.app.app_context():
            write_bundle(db.session(), story.press.keys, folder, info)
            db.session.remove()
        return folder

    def test_sealed_it_waits_and_the_job_signs_it_later(self, story: Story) -> None:
        from app.wipe.sealing import seal_waiting

        story.issued()
        root = story.vault.root()
        story.vault.drop_root()
        with pytest.raises(DomainError) as told:
            story.json()
        assert told.value.code == "escrow_sealed"

        def job() -> int:
            with story.world.app.app_context():
                done = seal_waiting(db.session(), story.press, story.vault)
                db.session.remove()
            return done

        assert job() == 0
        story.vault.put_root(root)
        assert [job(), job()] == [1, 0]
