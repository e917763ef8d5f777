"""Who may do what over the API, and that a centre is closed to others."""

from __future__ import annotations

import io
import uuid

import pytest

from app.kernel.tenancy import ROLES
from tests.app.allowance.conftest import MONTH
from tests.app.allowance.receipts import pdf

VIEWERS = {"admin", "finance", "lead", "operations", "auditor"}
CLOSERS = {"admin", "finance", "lead"}


@pytest.fixture
def furnished(kept, org):
    def write(world):
        world.phone(org.post, "2026-01-01")
        world.holds(org.post, org.zhang, "2026-01-01")

    kept(write)


@pytest.fixture
def closed(furnished, kept):
    return kept(lambda world: world.close().id)


def _sheet(caller, org, centre=None):
    return caller.get(
        "/api/v1/allowance-sheet", query_string={"centre_id": centre or org.centre, "month": MONTH}
    )


@pytest.mark.parametrize("role", ROLES)
def test_every_role_and_every_act(as_user, org, closed, role):
    caller = as_user(role, org.centre)
    seen = "0" * 64
    reads = [
        "/allowance-months",
        f"/allowance-months/{closed}",
        f"/allowance-months/{closed}/corrections",
        f"/allowance-sheet?centre_id={org.centre}&month={MONTH}",
        "/ledger-entries",
        "/topup-claims",
    ]
    for path in reads:
        assert caller.get("/api/v1" + path).status_code == (200 if role in VIEWERS else 403), path
    close = caller.post(
        "/api/v1/allowance-months", json={"centre_id": str(org.centre), "month": MONTH, "seen": seen}
    )
    assert close.status_code == (409 if role in CLOSERS else 403)
    correct = caller.post(
        f"/api/v1/allowance-months/{closed}/corrections", json={"seen": seen, "reason": "x"}
    )
    assert correct.status_code == (409 if role in CLOSERS else 403)
    made = caller.post(f"/api/v1/allowance-months/{closed}/exports")
    assert made.status_code == (201 if role in CLOSERS else 403)
    if made.status_code == 201:
        assert caller.get(f"/api/v1/payroll-exports/{made.json['id']}/file").status_code == 200
    claim = f"/api/v1/topup-claims/{uuid.uuid4()}"
    for act in ("approve", "reject", "reverse"):
        answer = caller.post(f"{claim}/{act}", json={"reason": "x"})
        assert answer.status_code == (404 if role in {"admin", "finance"} else 403), act


@pytest.mark.parametrize("role", sorted(VIEWERS))
def test_a_foreign_centre_is_not_there(as_user, org, closed, role):
    caller = as_user(role, org.other_centre)
    assert caller.get("/api/v1/allowance-months").json["items"] == []
    assert caller.get("/api/v1/ledger-entries").json["items"] == []
    assert caller.get(f"/api/v1/allowance-months/{closed}").status_code == 404
    assert _sheet(caller, org).status_code == 404
    assert caller.get(f"/allowance/people/{org.zhang}").status_code == 404
    if role in CLOSERS:
        body = {"centre_id": str(org.centre), "month": MONTH, "seen": "0" * 64}
        assert caller.post("/api/v1/allowance-months", json=body).status_code == 404
        assert caller.post(f"/api/v1/allowance-months/{closed}/exports").status_code == 404


def test_a_lead_of_one_centre_who_is_butler_in_another(as_user, org, closed):
    caller = as_user("lead", org.other_centre, rights=[("butler", org.centre)])
    assert caller.get(f"/api/v1/allowance-months/{closed}").status_code == 404


def test_previewed_and_closed(client, org, furnished):
    sheet = _sheet(client, org).json
    assert (sheet["closed"], sheet["hindrance"]) == (None, None)
    assert [(line["name"], line["paid"], line["days"]) for line in sheet["lines"]] == [("张三", 5000, 31)]
    body = {"centre_id": str(org.centre), "month": MONTH, "seen": sheet["sha256"]}
    made = client.post("/api/v1/allowance-months", json=body)
    assert made.status_code == 201
    assert client.post("/api/v1/allowance-months", json=body).json["code"] == "already_closed"
    assert _sheet(client, org).json["closed"]["id"] == made.json["id"]
    entries = client.get(f"/api/v1/ledger-entries?employee_id={org.zhang}&month={MONTH}").json["items"]
    assert [(e["account"], e["amount_fen"], e["rule"]) for e in entries] == [("grant", 5000, "U05")]


def test_ones_own(as_user, client, org, closed):
    zhang = as_user("butler", org.centre, employee=org.zhang)
    own = zhang.get("/api/v1/my/allowance").json
    assert own["months"] == [MONTH]
    assert [line["paid"] for line in own["lines"]] == [5000]
    assert [e["amount_fen"] for e in own["entries"]] == [5000]
    assert client.get("/api/v1/my/allowance").json["code"] == "no_employee"
    li = as_user("butler", org.centre, employee=org.li)
    assert li.get("/api/v1/my/allowance").json == {"lines": [], "months": [], "entries": []}


def test_a_receipt_over_the_api(as_user, org, furnished):
    zhang = as_user("butler", org.centre, employee=org.zhang)
    finance = as_user("finance", org.centre)
    form = {"paid_fen": "3000", "paid_on": "2026-10-08", "receipt": (io.BytesIO(pdf()), "a.pdf")}
    filed = zhang.post("/api/v1/topup-claims", data=form, content_type="multipart/form-data")
    assert filed.status_code == 201, filed.json
    path = f"/api/v1/topup-claims/{filed.json['id']}"
    assert zhang.get(path).json["state"] == "filed"
    assert zhang.get("/api/v1/topup-claims").status_code == 403
    assert finance.post(f"{path}/reject", json={"reason": ""}).status_code == 422
    approved = finance.post(f"{path}/approve", json={"approved_fen": 2500})
    assert (approved.json["state"], approved.json["approved_fen"]) == ("approved", 2500)
    assert finance.post(f"{path}/approve", json={}).json["code"] == "claim_state"
    assert finance.post(f"{path}/reverse", json={"reason": "重复"}).json["state"] == "reversed"
    assert zhang.post(f"{path}/withdraw").status_code == 409
    assert zhang.get(f"{path}/receipt").data == pdf()


@pytest.mark.parametrize(
    "changes",
    [{"paid_fen": "0"}, {"paid_fen": "1.5"}, {"paid_on": "2026-02-30"}, {"paid_on": ""}, {"else": "x"}],
)
def test_forms_that_make_no_sense(as_user, org, furnished, changes):
    zhang = as_user("butler", org.centre, employee=org.zhang)
    form = {"paid_fen": "3000", "paid_on": "2026-10-08", "receipt": (io.BytesIO(pdf()), "a.pdf"), **changes}
    answer = zhang.post("/api/v1/topup-claims", data=form, content_type="multipart/form-data")
    assert answer.status_code == 422
