"""Manifests page by page: any order, twice, replaced, torn, by somebody else."""

from __future__ import annotations

import pytest

from app.transfer.model import ManifestEntry, ManifestPage
from tests.app.transfer.conftest import FILES, MANIFEST_PATH, detail, entry, manifest_sha


@pytest.fixture
def database_url(one_database):
    return one_database


@pytest.fixture
def many(world, monkeypatch):
    """Pages of two entries each, so that a few make several pages."""
    monkeypatch.setattr("app.transfer.wire_schemas.PAGE_ENTRIES", 2)
    monkeypatch.setattr("app.transfer.manifests.manifest_store.PAGE_ENTRIES", 2)
    entries = [entry(i, path=f"/sdcard/DCIM/{i}-'\n😀.jpg") for i in range(5)]

    def page(command, number, of=entries, **changes):
        parts = [of[i : i + 2] for i in range(0, len(of), 2)]
        body = {
            "schema": 1, "command": command.id, "transfer": str(world.id), "page": number, "pages": len(parts),
            "sha256": manifest_sha(of), "entries": parts[number],
        } | changes  # fmt: skip
        return world.gateway.post(MANIFEST_PATH, body)

    return page, entries


def test_pages_in_any_order_and_twice(world, many, rows):
    page, entries = many
    command = world.begin()
    for number in (2, 0, 2, 0):
        answer = page(command, number)
        assert (answer.status_code, answer.get_json()) == (200, {"received": 1 if number == 2 else 2})
        assert world.row().manifest_sha256 is None
    assert page(command, 1).status_code == 200
    assert (world.row().manifest_sha256, world.row().manifest_entries) == (manifest_sha(entries), 5)
    assert page(command, 1).status_code == 200
    assert len(rows(ManifestEntry)) == 5
    world.tell(command, "succeeded", **detail(entries))
    assert world.state == "moved"


def test_a_manifest_made_anew_takes_the_place_of_the_first(world, many, rows):
    page, _ = many
    command = world.begin()
    page(command, 0)
    other = [entry(i) for i in range(7, 10)]
    assert page(command, 0, of=other).status_code == 200
    assert page(command, 1, of=other).status_code == 200
    assert world.row().manifest_sha256 == manifest_sha(other)
    assert {e.path for e in rows(ManifestEntry)} == {e["path"] for e in other}


def test_a_whole_with_another_hash_is_refused(world, many, rows):
    page, _ = many
    command = world.begin()
    page(command, 0, sha256="0" * 64)
    page(command, 1, sha256="0" * 64)
    answer = page(command, 2, sha256="0" * 64)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "bad_body")
    assert (world.row().manifest_sha256, len(rows(ManifestPage))) == (None, 2)


def test_another_gateway_hands_in_nothing(world, many, enroller):
    _, entries = many
    command = world.begin()
    other = enroller.gateway()
    body = {
        "schema": 1, "command": command.id, "transfer": str(world.id), "page": 0, "pages": 1,
        "sha256": manifest_sha(entries[:1]), "entries": entries[:1],
    }  # fmt: skip
    for sender, changes, code in (
        (other, {}, "unknown_command"),
        (world.gateway, {"command": str(world.id)}, "unknown_command"),
        (world.gateway, {"transfer": command.id}, "command_finished"),
        (world.gateway, {"page": 7}, "bad_body"),
    ):
        answer = sender.post(MANIFEST_PATH, body | changes)
        assert answer.get_json()["code"] == code
    nobody = world.gateway.post(MANIFEST_PATH, body, signed_body=b"{}")
    assert nobody.status_code == 401


def test_a_manifest_of_nothing(world):
    command = world.begin()
    world.final(command, [])
    assert world.state == "moved"


def test_an_earlier_orders_manifest_gives_way(world, rows):
    first = world.begin()
    world.final(first, [entry(0, "failed"), entry(1)], "differences")
    second = world.begin()
    assert len(rows(ManifestEntry)) == 2
    assert world.pages(first, [entry(5)])[0].get_json()["code"] == "command_finished"
    world.final(second)
    assert len(rows(ManifestEntry)) == FILES
