"""The registry's JSON API over HTTP, on both databases."""

from __future__ import annotations

from typing import Any

import pytest

IMEI_1, IMEI_2 = "490154203237518", "356938035643809"


def handset(org: Any, **changes: Any) -> dict[str, Any]:
    return {
        "centre_id": str(org.centre),
        "asset_tag": "GJ-0001",
        "serial": "R58M123ABC",
        "brand": "Xiaomi",
        "model": "Redmi Note 9",
        "imei1": IMEI_1,
        "imei2": IMEI_2,
        **changes,
    }


def create(client: Any, resource: str, **body: Any) -> dict[str, Any]:
    answer = client.post(f"/api/v1/{resource}", json=body)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def fields_of(answer: Any) -> dict[str, str]:
    return {e["field"]: e["code"] for e in answer.json["errors"]}


def test_a_handset_is_created_read_listed_and_changed(client: Any, org: Any) -> None:
    answer = client.post(
        "/api/v1/handsets",
        json=handset(org, price_fen=129900, purchased_on="2026-05-03", specification={"内存": "8GB"}),
    )
    assert answer.status_code == 201, answer.json
    made = answer.json
    assert (made["imei1"], made["imei2"], made["price_fen"]) == (IMEI_1, IMEI_2, 129900)
    read = client.get(answer.headers["Location"])
    assert read.json == made
    changed = client.patch(
        answer.headers["Location"],
        json={"imei2": None, "note": "换屏"},
        headers={"If-Match": read.headers["ETag"]},
    )
    assert changed.status_code == 200, changed.json
    assert (changed.json["imei1"], changed.json["imei2"], changed.json["note"]) == (IMEI_1, None, "换屏")
    assert changed.headers["ETag"] != read.headers["ETag"]
    assert client.get("/api/v1/handsets").json["items"] == [changed.json]


def test_a_stale_change_is_refused_and_loses_nothing(client: Any, org: Any) -> None:
    url = f"/api/v1/handsets/{create(client, 'handsets', **handset(org))['id']}"
    tag = client.get(url).headers["ETag"]
    assert client.patch(url, json={"note": "one"}, headers={"If-Match": tag}).status_code == 200
    stale = client.patch(url, json={"note": "two"}, headers={"If-Match": tag})
    assert (stale.status_code, stale.json["code"]) == (412, "stale_version")
    assert client.get(url).json["note"] == "one"
    assert client.patch(url, json={"note": "two"}).status_code == 428


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"imei1": "490154203237519"}, "imei1"),
        ({"imei1": "000000000000000"}, "imei1"),
        ({"imei1": 490154203237518}, "imei1"),
        ({"serial": "0123456789ABCDEF"}, "serial"),
        ({"serial": "unknown"}, "serial"),
        ({"asset_tag": ""}, "asset_tag"),
        ({"asset_tag": "A\u0000B"}, "asset_tag"),
        ({"price_fen": 12.5}, "price_fen"),
        ({"price_fen": -1}, "price_fen"),
        ({"price_fen": True}, "price_fen"),
        ({"purchased_on": "03.05.2026"}, "purchased_on"),
        ({"way_back": "prayer"}, "way_back"),
        ({"specification": {"a": {"b": 1}}}, "specification"),
        ({"colour": "red"}, "colour"),
        ({"retired_at": "2026-01-01T00:00:00Z"}, "retired_at"),
        ({"imei2": IMEI_1}, "imei2"),
        ({"centre_id": "0197f000-0000-7000-8000-000000000001"}, "centre_id"),
        ({"centre_id": "not an id"}, "centre_id"),
    ],
)
def test_bad_fields_are_named(client: Any, org: Any, change: dict[str, Any], field: str) -> None:
    answer = client.post("/api/v1/handsets", json=handset(org, **change))
    assert answer.status_code == 422, answer.json
    assert [e["field"].split(".")[0] for e in answer.json["errors"]] == [field]
    assert client.get("/api/v1/handsets").json["items"] == []


def test_duplicates_are_named_by_field(client: Any, org: Any) -> None:
    create(client, "handsets", **handset(org))
    answer = client.post("/api/v1/handsets", json=handset(org, imei1=IMEI_2, imei2=None))
    assert answer.status_code == 409
    assert fields_of(answer) == {"serial": "taken", "asset_tag": "taken", "imei1": "taken"}


def test_imeis_may_change_places(client: Any, org: Any) -> None:
    made = create(client, "handsets", **handset(org))
    url = f"/api/v1/handsets/{made['id']}"
    answer = client.patch(url, json={"imei1": IMEI_2, "imei2": IMEI_1}, headers={"If-Match": '"v1"'})
    assert answer.status_code == 200, answer.json
    assert (answer.json["imei1"], answer.json["imei2"]) == (IMEI_2, IMEI_1)


def test_search_filter_sort_and_pages(client: Any, org: Any) -> None:
    for i, brand in enumerate(["Xiaomi", "OPPO", "Xiaomi", "vivo", "Xiaomi"]):
        create(
            client,
            "handsets",
            **handset(org, serial=f"SER{i:04}", asset_tag=f"GJ_{i}%", brand=brand, imei1=None, imei2=None),
        )
    create(client, "handsets", **handset(org))
    get = client.get

    def serials(query: str) -> list[str]:
        answer = get(f"/api/v1/handsets?{query}")
        assert answer.status_code == 200, answer.json
        return [item["serial"] for item in answer.json["items"]]

    assert serials("brand=Xiaomi&sort=-serial") == ["SER0004", "SER0002", "SER0000", "R58M123ABC"]
    assert serials("q=ser0003") == ["SER0003"]
    assert serials("q=_3%25") == ["SER0003"]
    assert serials(f"q={IMEI_2}") == ["R58M123ABC"]
    assert serials(f"imei2={IMEI_2}") == ["R58M123ABC"]
    assert serials(f"imei1={IMEI_2}") == []
    assert serials("q=xiaomi+redmi+ser") == ["SER0000", "SER0002", "SER0004"]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = get(f"/api/v1/handsets?limit=2&sort=-brand&cursor={cursor}").json
        seen += [item["serial"] for item in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 6
    assert get("/api/v1/handsets?limit=2&sort=brand&cursor=bm9uc2Vuc2U").status_code == 422
    assert get("/api/v1/handsets?brnad=Xiaomi").status_code == 422
    assert get("/api/v1/handsets?sort=price_fen").status_code == 422
    assert get("/api/v1/handsets?q=%00").status_code == 422


def test_retired_things_leave_the_list_but_stay(client: Any, org: Any, clock: Any) -> None:
    made = create(client, "handsets", **handset(org))
    url = f"/api/v1/handsets/{made['id']}"
    retired = client.post(f"{url}/retire", json={"reason": "报废"}, headers={"If-Match": '"v1"'})
    assert retired.status_code == 200, retired.json
    assert client.get("/api/v1/handsets").json["items"] == []
    assert client.get("/api/v1/handsets?state=retired").json["items"] == [retired.json]
    assert client.get(url).json == retired.json
    again = client.post(f"{url}/retire", json={}, headers={"If-Match": '"v2"'})
    assert (again.status_code, again.json["code"]) == (409, "already_retired")
    back = client.post(f"{url}/reinstate", json={"reason": "误操作"}, headers={"If-Match": '"v2"'})
    assert back.json["retired_at"] is None
    assert client.delete(url).status_code == 405


def test_what_is_in_use_is_not_retired(client: Any, org: Any) -> None:
    answer = client.post(f"/api/v1/centres/{org.centre}/retire", json={}, headers={"If-Match": '"v1"'})
    assert (answer.status_code, answer.json["code"]) == (409, "in_use")
    answer = client.post(f"/api/v1/grids/{org.grid}/retire", json={}, headers={"If-Match": '"v1"'})
    assert (answer.status_code, answer.json["code"]) == (409, "in_use")


def test_a_nickname_is_unique_in_its_district(client: Any, org: Any) -> None:
    create(client, "wechat-accounts", centre_id=str(org.centre), nickname="锦绣小新")
    clash = client.post(
        "/api/v1/wechat-accounts", json={"centre_id": str(org.other_centre), "nickname": " 锦绣小新 "}
    )
    assert clash.status_code == 409
    assert fields_of(clash) == {"nickname": "taken"}
    district = client.get(f"/api/v1/districts/{org.district}").json
    other = create(client, "districts", company_id=district["company_id"], code="HN", name="华南大区")
    far = create(client, "centres", district_id=other["id"], code="C9", name="海景苑")
    create(client, "wechat-accounts", centre_id=far["id"], nickname="锦绣小新")


def test_numbers_are_stored_as_e164(client: Any, org: Any) -> None:
    made = create(client, "numbers", centre_id=str(org.centre), e164="138 0013 8000")
    assert made["e164"] == "+8613800138000"
    listed = client.get("/api/v1/numbers?e164=13800138000").json["items"]
    assert listed == [made]
    bad = client.post(
        "/api/v1/numbers", json={"centre_id": str(org.centre), "e164": "12345", "iccid": "8986"}
    )
    assert set(fields_of(bad)) == {"e164", "iccid"}


def test_references_stay_within_the_centre(client: Any, org: Any) -> None:
    answer = client.post(
        "/api/v1/posts",
        json={"centre_id": str(org.other_centre), "grid_id": str(org.grid), "code": "P9", "name": "x"},
    )
    assert answer.status_code == 422
    assert fields_of(answer) == {"grid_id": "other_centre"}


def test_every_list_answers(client: Any, org: Any) -> None:
    for name in (
        "companies districts centres grids posts employees households handsets numbers wechat-accounts"
        " kit-assignments post-holdings"
    ).split():
        answer = client.get(f"/api/v1/{name}?limit=1")
        assert answer.status_code == 200, (name, answer.json)


def test_writes_are_audited(client: Any, org: Any, app: Any) -> None:
    from app.audit import verify
    from app.kernel.db import db

    made = create(client, "handsets", **handset(org))
    client.patch(f"/api/v1/handsets/{made['id']}", json={"note": "x"}, headers={"If-Match": '"v1"'})
    with app.app_context():
        result = verify(db.session())
    assert (result.size, result.problem) == (2, None)
