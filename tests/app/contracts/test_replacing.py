"""Assessment with two signatures, replacement with its approvals, the old phone to be destroyed (R06)."""

from __future__ import annotations

import datetime as dt
import json

import pytest
from sqlalchemy import select, update

from app.audit import AuditRow
from app.contracts import assessment_service as signing
from app.contracts import contract_service, drafting_service, purchase_service, request_service, store
from app.contracts.model import Assessment, NumberContract
from app.contracts.purchase_service import Bought
from app.contracts.request_service import Wanted
from app.hardware import order_disposal, waiting_of
from app.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from app.kernel.pictures import take_picture
from app.kernel.tenancy import Principal
from app.papers import from_plain, get_paper
from app.papers.document import Signatures
from app.registry import RESOURCES, hold, ties_of
from app.tasks import open_tasks
from tests.app.contracts.conftest import DAY, terms


@pytest.fixture
def database_url(sqlite_url):
    """What these steps decide does not depend on the database; what does is in `test_contracts` and `test_races`."""
    return sqlite_url


WANTED = Wanted("Redmi", "13C", 99_900, {"内存": "8GB"})


@pytest.fixture
def ask(session, kit, clock, here, assess):
    def made(wanted=WANTED, by=None):
        row = assess()
        return request_service.ask(
            session, by or kit.lead, row.id, wanted, policies=here.policies, now=clock.now()
        )

    return made


@pytest.fixture
def approve(session, clock, here):
    def act(row, by):
        return request_service.approve(session, by, row.id, keys=here.keys, now=clock.now())

    return act


@pytest.fixture
def buy(session, kit, clock, here):
    def act(row, by=None, **changes):
        given = Bought(
            **{"handset_id": kit.new, "bought_fen": 98_000, "bought_on": dt.date(2026, 11, 22), **changes}
        )
        return purchase_service.buy(
            session, by or kit.ops, row.id, given, policies=here.policies, now=clock.now()
        )

    return act


def titles(session, who):
    return {task.title.split("：")[0] for task in open_tasks(session, who).items}


def test_what_was_not_read_is_said_to_be_unknown(session, assess):
    known = dict(assess(signed=False).readings)
    assert known["系统版本"] == known["安全补丁"] == known["存储空间"] == known["读取时电量"] == "未知"
    assert "未知" in known["电池健康度"]
    assert known["手机"] == "GJ-1　Redmi 12C"


def test_one_assessment_a_contract_and_only_of_a_phone(session, kit, clock, here, contract, assess):
    row = assess(signed=False)
    with pytest.raises(Conflict, match="已有评估"):
        assess()
    signing.cancel(session, kit.lead, row.id, reason="重来", version=row.version, now=clock.now())
    assess(signed=False)
    spare = contract_service.enter(session, kit.ops, kit.spare, terms(), now=clock.now())
    with pytest.raises(Conflict, match="没有手机"):
        drafting_service.open_assessment(session, kit.lead, spare.id, policies=here.policies, now=clock.now())


def test_an_assessment_is_signed_whole_by_the_lead(session, kit, clock, here, contract, ink):
    row = drafting_service.open_assessment(
        session, kit.ops, contract.id, policies=here.policies, now=clock.now()
    )
    given = signing.Signing("吴主管", "x", ink)
    common = {"blobs": here.blobs, "now": clock.now()}
    with pytest.raises(Forbidden):
        signing.submit(session, kit.ops, row.id, given, version=1, **common)
    with pytest.raises(Invalid) as refusal:
        signing.submit(session, kit.lead, row.id, given, version=1, **common)
    assert {p.field for p in refusal.value.fields} >= {"battery", "conclusion", "reason"}
    with pytest.raises(Stale):
        signing.submit(session, kit.lead, row.id, given, version=9, **common)


def test_both_sign_the_same_text_and_the_paper_holds_it(session, kit, clock, assess, sign):
    row = assess("keep", confirmed=False)
    assert row.state == "submitted"
    assert "确认设备评估" in titles(session, kit.ops)
    both = Principal(kit.lead.user, frozenset({"operations", "lead"}), kit.lead.centres)
    with pytest.raises(Forbidden, match="确认"):
        sign(row, by=both)
    with pytest.raises(Forbidden):
        sign(row, by=kit.finance)
    sign(row, by=kit.ops)
    assert {s["over"] for s in row.signatures} == {row.digest}
    paper = get_paper(session, kit.lead, row.paper_id)
    document = paper.document
    assert row.digest in document
    assert "用了三年" in document
    assert "确认设备评估" not in titles(session, kit.ops)
    with pytest.raises(Conflict):
        sign(row, by=kit.ops2)


def test_a_text_altered_after_the_first_signature_is_confirmed_by_nobody(session, kit, assess, sign):
    row = assess("keep", confirmed=False)
    altered = str(row.document).replace("用了三年", "刚买来的")
    assert altered != str(row.document)
    document = {**row.document, "title": "另一份"}
    session.execute(update(Assessment).where(Assessment.id == row.id).values(document=document))
    session.refresh(row)
    with pytest.raises(Conflict, match="不一致"), session.begin_nested():
        sign(row, by=kit.ops)


def test_a_signed_text_is_filled_in_no_more_until_it_is_sent_back(session, kit, clock, assess, sign):
    row = assess("keep", confirmed=False)
    again = {"items": {}, "conclusion": None, "reason": "", "now": clock.now()}
    with pytest.raises(Conflict):
        drafting_service.fill(session, kit.lead, row.id, **again, version=row.version)
    signing.send_back(session, kit.ops, row.id, reason="照片不清楚", version=row.version, now=clock.now())
    assert (row.state, row.digest, row.signatures) == ("draft", None, [])
    drafting_service.fill(session, kit.lead, row.id, **again, version=row.version)
    with pytest.raises(Invalid):
        sign(row)


def test_keep_asks_for_the_renewal_until_it_is_entered(session, kit, clock, assess):
    assess("keep")
    assert titles(session, kit.lead) == {"续约并登记"}
    contract_service.enter(session, kit.ops, kit.number, terms("2027-01-01", "2028-12-31"), now=clock.now())
    assert titles(session, kit.lead) == set()


def test_a_wrong_assessment_is_voided_while_nothing_followed_and_corrected(session, kit, clock, assess, ask):
    row = assess("keep")
    first = row.paper_id
    signing.void(session, kit.ops2, row.id, reason="看错了手机", version=row.version, now=clock.now())
    assert titles(session, kit.lead) == set()
    asked = ask()
    second = session.get_one(Assessment, asked.assessment_id)
    assert get_paper(session, kit.ops, second.paper_id).corrects == first
    with pytest.raises(Conflict, match="申请"):
        signing.void(session, kit.ops, second.id, reason="错", version=second.version, now=clock.now())


def test_only_a_confirmed_replace_may_be_asked_for(session, kit, clock, here, assess):
    row = assess("keep")
    with pytest.raises(Conflict, match="更换"):
        request_service.ask(session, kit.lead, row.id, WANTED, policies=here.policies, now=clock.now())


def test_within_the_price_one_other_person_approves(session, kit, clock, ask, approve):
    row = ask()
    assert (row.budget_fen, row.state) == (129_900, "requested")
    with pytest.raises(Forbidden):
        approve(row, kit.lead)
    with pytest.raises(Forbidden):
        approve(row, kit.finance)
    approve(row, kit.ops)
    assert row.state == "approved"
    roles = [s.role for part in _parts(session, row) if isinstance(part, Signatures) for s in part.signed]
    assert roles == ["申请人", "批准人"]
    assert titles(session, kit.ops) == {"购买并登记新手机"}


def _parts(session, row):
    paper = get_paper(session, Principal("x", frozenset({"admin"}), None), row.paper_id)
    return from_plain(json.loads(paper.document)).parts


def test_over_the_price_it_needs_a_reason_and_a_third_person(session, kit, clock, here, assess, approve):
    found = assess()
    dear = Wanted("Redmi", "Note 14", 159_900)
    common = {"policies": here.policies, "now": clock.now()}
    with pytest.raises(Invalid) as refusal:
        request_service.ask(session, kit.lead, found.id, dear, **common)
    assert [p.field for p in refusal.value.fields] == ["over_reason"]
    why = Wanted("Redmi", "Note 14", 159_900, over_reason="原型号停产")
    row = request_service.ask(session, kit.lead, found.id, why, **common)
    approve(row, kit.ops)
    assert (row.state, row.paper_id) == ("second", None)
    with pytest.raises(Forbidden):
        approve(row, kit.ops2)  # operations, and not finance
    one = Principal(kit.ops.user, frozenset({"finance"}), kit.ops.centres)
    with pytest.raises(Forbidden):
        approve(row, one)  # finance, and the same person
    assert titles(session, kit.finance) >= {"复批超额换机申请"}
    approve(row, kit.finance)
    assert (row.state, row.second_by) == ("approved", kit.finance.user)


def test_nobody_knows_the_limit_so_it_is_over_it(session, kit, clock, here, assess, contract):
    session.execute(update(NumberContract).values(handset_budget_fen=None))
    session.refresh(contract)
    row = assess()
    with pytest.raises(Invalid):
        request_service.ask(session, kit.lead, row.id, WANTED, policies=here.policies, now=clock.now())


def test_a_request_that_came_to_nothing_leaves_room_for_another(session, kit, clock, here, ask):
    row = ask()
    common = {"policies": here.policies, "now": clock.now()}
    with pytest.raises(Conflict, match="已有换机申请"):
        request_service.ask(session, kit.lead, row.assessment_id, WANTED, **common)
    with pytest.raises(Forbidden):
        request_service.reject(session, kit.lead, row.id, reason="不", now=clock.now())
    with pytest.raises(Invalid):
        request_service.reject(session, kit.ops, row.id, reason=" ", now=clock.now())
    request_service.reject(session, kit.ops, row.id, reason="再问一家", now=clock.now())
    assert titles(session, kit.lead) == {"申请换机"}
    again = request_service.ask(session, kit.lead, row.assessment_id, WANTED, **common)
    request_service.withdraw(session, kit.lead, again.id, reason="打错价格", now=clock.now())
    with pytest.raises(Conflict):
        request_service.withdraw(session, kit.lead, again.id, reason="再来", now=clock.now())


def test_the_comparison_is_shown_with_unknown_where_it_is(ask):
    verdicts = {line["label"]: line["verdict"] for line in ask().compared}
    assert (verdicts["品牌"], verdicts["内存"]) == ("ok", "ok")
    assert "unknown" in verdicts.values()


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"bought_fen": 0}, "bought_fen"), ({"bought_on": dt.date(2026, 11, 23)}, "bought_on")],
)
def test_a_purchase_that_will_not_do(ask, approve, buy, kit, changes, field):
    row = ask()
    approve(row, kit.ops)
    with pytest.raises(Invalid) as refusal:
        buy(row, **changes)
    assert [p.field for p in refusal.value.fields] == [field]


def test_a_purchase_names_a_free_phone_and_costs_no_more_than_approved(
    session, kit, clock, ask, approve, buy
):
    row = ask()
    with pytest.raises(Conflict):
        buy(row)  # not approved yet
    approve(row, kit.ops)
    with pytest.raises(Conflict, match="超过批准"):
        buy(row, bought_fen=99_901)
    with pytest.raises(NotFound):
        buy(row, handset_id=kit.old)
    with pytest.raises(Forbidden):
        buy(row, by=kit.lead)
    buy(row)
    purchase_service.undo_buy(session, kit.ops, row.id, reason="退货", now=clock.now())
    assert (row.state, row.new_handset_id) == ("approved", None)
    buy(row)
    with pytest.raises(Conflict):
        request_service.cancel(session, kit.ops, row.id, reason="不买了", now=clock.now())


def test_a_phone_that_waits_to_be_destroyed_is_no_new_one(session, kit, clock, ask, approve, buy):
    row = ask()
    approve(row, kit.ops)
    assert kit.new in {phone.id for phone in store.spares(session, kit.ops, row.centre_id, clock.now())}
    order_disposal(
        session,
        kit.ops,
        kit.new,
        cause="beyond_repair",
        reason="屏幕碎了",
        source="/hardware/x",
        now=clock.now(),
    )
    assert kit.new not in {phone.id for phone in store.spares(session, kit.ops, row.centre_id, clock.now())}
    with pytest.raises(Conflict, match="待销毁"):
        buy(row)


def test_another_phone_than_approved_needs_its_reason(ask, approve, buy, kit):
    row = ask(Wanted("Redmi", "14C", 99_900))
    approve(row, kit.ops)
    with pytest.raises(Invalid) as refusal:
        buy(row)
    assert [p.field for p in refusal.value.fields] == ["note"]
    assert buy(row, note="14C 缺货").state == "bought"


def test_the_new_phone_takes_the_place_and_the_old_one_waits(session, kit, clock, ask, approve, buy):
    row = ask()
    approve(row, kit.ops)
    buy(row)
    clock.move(60)
    done = purchase_service.replace(session, kit.ops, row.id, now=clock.now())
    disposal = waiting_of(session, kit.old)
    assert (done.state, done.disposal_id, disposal.cause) == ("replaced", disposal.id, "contract_end")
    (old,) = ties_of(session, RESOURCES["kit-assignments"], "handset_id", kit.old)
    (new,) = ties_of(session, RESOURCES["kit-assignments"], "handset_id", kit.new)
    assert old.valid_to == new.valid_from == clock.now()
    assert (new.post_id, new.valid_to) == (kit.org.post, None)
    assert titles(session, kit.ops) == set()
    with pytest.raises(Conflict):
        purchase_service.replace(session, kit.ops, row.id, now=clock.now())
    session.commit()  # events are appended just before it
    actions = set(session.scalars(select(AuditRow.action)))
    assert {"replacement_request.ask", "replacement_request.approve", "replacement_request.buy"} <= actions
    assert {"replacement_request.replace", "disposal.order", "paper.issue"} <= actions


def test_nothing_is_replaced_while_a_handover_holds_the_phone(session, kit, clock, ask, approve, buy):
    row = ask()
    approve(row, kit.ops)
    buy(row)
    hold(
        session, cause="handover:x", subjects=[("handset", kit.old)], centre_id=kit.org.centre, reason="交接中",
        link="/handovers/x", by="x", now=clock.now(),
    )  # fmt: skip
    with pytest.raises(Conflict) as refusal, session.begin_nested():
        purchase_service.replace(session, kit.ops, row.id, now=clock.now() + DAY)
    assert refusal.value.code == "held"
    session.refresh(row)
    assert row.state == "bought"
    assert waiting_of(session, kit.old) is None


def test_photos_are_kept_once_and_no_more_than_policy_says(session, kit, clock, here, assess, ink):
    row = assess(signed=False)
    picture = take_picture(ink)

    def add(pictures):
        return drafting_service.add_photos(
            session, kit.lead, row.id, pictures, "背面", version=row.version, blobs=here.blobs,
            policies=here.policies, now=clock.now(),
        )  # fmt: skip

    add([picture, picture])
    assert [photo["caption"] for photo in row.photos] == ["背面"]
    with pytest.raises(Invalid):
        add([picture] * 12)
    with pytest.raises(Invalid):
        add([])
    drafting_service.drop_photo(
        session, kit.lead, row.id, row.photos[0]["sha256"], version=row.version, now=clock.now()
    )
    assert row.photos == []
    with pytest.raises(NotFound):
        drafting_service.drop_photo(session, kit.lead, row.id, "0" * 64, version=row.version, now=clock.now())
