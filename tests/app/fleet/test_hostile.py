"""Phones and gateways that lie: what they tell is shown as text, and nothing that they send breaks the server."""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from agent import wire
from tests.support.agents import FakeAgent, envelope, package, reading, with_sections
from tests.support.fleet import Phones

EVIL = "<script>alert(1)</script>\"'{{7*7}}{0}%s\u202e"
SHOWN = EVIL.rstrip("\u202e")


def _identity(**changes: Any) -> dict[str, Any]:
    told = dict.fromkeys(
        ("model", "brand", "manufacturer", "android_release", "fingerprint", "security_patch", "android_id",
         "build_type"), EVIL
    )  # fmt: skip
    return {"serial": "S1", "imei": [], "sdk": 2**63, **told, **changes}


def _hostile(number: int) -> dict[str, Any]:
    possible = {"version_code": max(-(2**63), min(number, 2**63 - 1)), "user": max(0, min(number, 2**31 - 1))}
    return with_sections(
        reading(unread=[{"section": "accounts", "reason": EVIL}], target="tcp:" + SHOWN),
        identity=_identity(),
        packages=[package(SHOWN, installer=EVIL, version_name=EVIL, **possible)],
        users=[{"id": possible["user"], "name": EVIL, "running": True}],
        sim=[{"slot": number, "state": EVIL, "operator": EVIL, "iccid": EVIL, "number": EVIL}],
        setup={"lock_screen": EVIL, "unknown_sources": [EVIL]},
        storage={"data_total_bytes": number, "data_free_bytes": number},
        boot_reasons=[{"reason": EVIL, "at": number}],
    )


@pytest.mark.parametrize("number", [2**63, -(2**63), 0])
def test_a_lying_phone_is_shown_as_text(gateway: FakeAgent, phones: Phones, client: Any, number: int) -> None:
    told = gateway.checkin(readings=[_hostile(number)]).get_json()
    assert (told["accepted"], told["rejected"]) == (1, []), told
    unknown = {**_hostile(number), "phone": "S9UNKNOWN"}
    assert gateway.checkin(readings=[unknown]).get_json()["rejected"][0]["code"] == "unknown_phone"
    home = f"/phones/{phones['S1']}"
    for path in (
        "/",
        home,
        f"{home}?system=1",
        f"/api/v1/handsets/{phones['S1']}/compliance",
        "/api/v1/sightings",
    ):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert path.startswith("/api/") or b"<script>alert" not in answer.data


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"name": EVIL}, "name"), ({"name": "a" * 256}, "name"), ({"name": ""}, "name"),
        ({"user": -1}, "user"), ({"user": 2**31}, "user"), ({"version_code": 2**63}, "version_code"),
    ],
)  # fmt: skip
def test_what_no_phone_has_is_refused_by_its_field(
    gateway: FakeAgent, phones: Phones, row: dict[str, Any], field: str
) -> None:
    entry = with_sections(reading(), packages=[package("a.b"), package("c.d") | row])
    told = gateway.checkin(readings=[entry, reading("S2")]).get_json()
    assert told["accepted"] == 1, "of the other phone"
    (refused,) = told["rejected"]
    assert (refused["code"], refused["detail"].split(":")[0]) == ("bad_entry", f"sections.packages.1.{field}")


def _raw(entry: dict[str, Any]) -> bytes:
    """A body that only a lax parser reads: with NaN, and with half a character."""
    return json.dumps(envelope(readings=[entry, {**reading(), "age_s": float("nan")}])).encode()


@pytest.mark.parametrize("phone", ["S1", "S9UNKNOWN"])
def test_half_characters_do_not_ride_on_a_nan(gateway: FakeAgent, phones: Phones, phone: str) -> None:
    entry = with_sections(reading(phone), identity=_identity(serial=phone, model="m"))
    entry["sections"]["identity"]["model"] = "\ud800"
    answer = gateway.post(wire.CHECKIN_PATH, _raw(entry))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_body")


def test_endless_numbers_do_not_ride_on_a_nan(gateway: FakeAgent, phones: Phones) -> None:
    entry = with_sections(reading(), packages=[package("a", version_code=10**30)])
    answer = gateway.post(wire.CHECKIN_PATH, _raw(entry))
    assert answer.status_code in (200, 400), answer.data


PARAMS = 'created={};keyid="{}";alg="ed25519";nonce="n"'
COVERED = '("@method" "@path" "content-digest")'
INPUTS: list[Callable[[str], str]] = [
    lambda who: f"sig1={COVERED};" + PARAMS.format("999999999999999", who),
    lambda who: f"sig1={COVERED};" + PARAMS.format("-999999999999999", who),
    lambda who: f"sig1={COVERED};" + PARAMS.format("1.5", who),
    lambda who: f"sig1={COVERED};" + PARAMS.format('"x"', who),
    lambda who: f"sig1={COVERED};" + PARAMS.format("1;expires=99999999999999", who),
    lambda who: f'sig1=("@status" "@query-param");keyid="{who}";nonce="n";created=1',
    lambda who: (
        f'sig1=("@query-param";name="x" "@method" "@path" "content-digest");keyid="{who}";nonce="n";created=1'
    ),
    lambda who: f'sig1=("host";sf "x-none";bs);keyid="{who}"',
    lambda who: f'sig1=("@method";req 1 :AAAA:);keyid="{who}"',
    lambda who: f'sig1=5;keyid="{who}"',
    lambda who: f'sig1;keyid="{who}"',
    lambda who: f'sig1=();keyid="{who}", sig2=();keyid="{who}"',
    lambda who: f'sig1=();keyid="{who}";alg=5',
    lambda who: f'sig1=();keyid="{who}";nonce=5;created=1',
    lambda who: 'sig1=();keyid="\\',
    lambda who: "é=",
    lambda who: "(" * 5000,
    lambda who: f"sig1={COVERED};" + PARAMS.format("1", who) + ';alg="rsa-pss-sha512"',
]


def test_no_signature_header_breaks_the_check(gateway: FakeAgent) -> None:
    digest = "sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:"
    signatures = ("sig1=:AAAA:", "sig1=5", "sig1", "", "sig2=:AAAA:", "sig1=(:A:)")
    digests = (digest, "sha-256=5", "x", "", "sha-256=:AAAA:, sha-256=:AAAA:", f"{digest}, sha-512=5")
    with gateway.app.test_client() as caller:
        for make, signature, named in itertools.product(INPUTS, signatures, digests):
            headers = {
                "Signature-Input": make(gateway.agent_id),
                "Signature": signature,
                "Content-Digest": named,
            }
            answer = caller.post(wire.CHECKIN_PATH, headers=headers, base_url="http://127.0.0.1")
            assert (answer.status_code, answer.get_json()["code"]) == (401, "bad_signature"), headers


def test_an_agent_adopts_no_phone_of_another_centre(gateway: FakeAgent, phones: Phones, client: Any) -> None:
    body = {
        "schema": 1, "request": "0197f000-0000-7000-8000-" + secrets.token_hex(6), "target": "server:F1",
        "identity": {"serial": "R58MFOREIGN", "brand": "Xiaomi", "model": "M1"}, "asset_tag": "GJ-9", "imei": [],
        "way_back": "none", "adb_allowed_connection_time": None,
    }  # fmt: skip
    known = {
        "centre_id": str(phones.other_centre),
        "asset_tag": "GJ-9",
        "serial": "R58MFOREIGN",
        "brand": "Xiaomi",
    }
    made = client.post("/api/v1/handsets", json={**known, "model": "M1", "way_back": "none"})
    assert made.status_code == 201, made.data
    answer = gateway.post(wire.ADOPT_PATH, body)
    assert answer.status_code == 409, answer.data
    # No word of which centre has it, or as what.
    assert str(phones.other_centre) not in answer.get_data(as_text=True)
    assert client.get(made.headers["Location"]).get_json() == made.get_json()
