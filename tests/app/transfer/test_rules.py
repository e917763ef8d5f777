"""What a last word proves: the gateway's own "verified" is worth no more than its manifest."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.readings import BadEntry
from app.transfer.copy_rules import copy_key, new_salt
from app.transfer.rules import PARTS, ManifestFacts, judge, percent, rest_s
from app.transfer.wire_schemas import parse_final, parse_page, parse_progress, plain_final
from tests.app.transfer.conftest import detail, entry, manifest_sha

ENTRIES = [entry(i) for i in range(3)]
FACTS = ManifestFacts(manifest_sha(ENTRIES), 3, {("files", "verified"): 3})


def final(**changes):
    return parse_final(detail(ENTRIES, **changes))


def test_all_told_and_all_listed_is_verified():
    assert judge(final(), PARTS, FACTS).verdict == "verified"


@pytest.mark.parametrize(
    ("given", "facts", "why"),
    [
        ({}, None, "no_manifest"),
        ({}, replace(FACTS, sha256="0" * 64), "no_manifest"),
        ({}, replace(FACTS, entries=4), "no_manifest"),
        ({}, replace(FACTS, counts={("files", "verified"): 2, ("files", "differs"): 1}), "differs"),
        ({}, replace(FACTS, counts={("files", "verified"): 2}), "contradiction"),
        ({"files": None}, FACTS, "no_counts"),
        ({"parts": []}, FACTS, "part_missing"),
        ({"outcome": "differences"}, FACTS, "differs"),
        ({"manifest": None}, FACTS, "no_manifest"),
    ],
)
def test_what_is_not_proved_is_a_difference(given, facts, why):
    told = final(**given)
    judged = judge(told, PARTS, facts)
    assert judged.verdict == "differences"
    assert judged.why in {why, "differences"}


@pytest.mark.parametrize("outcome", ["differences", "not_offered", "failed"])
def test_a_part_that_was_not_verified_keeps_all_from_it(outcome):
    parts = detail(ENTRIES)["parts"]
    parts[1] = {**parts[1], "outcome": outcome}
    assert judge(final(parts=parts), PARTS, FACTS) == judge(final(parts=parts), PARTS, FACTS)
    assert judge(final(parts=parts), PARTS, FACTS).why == outcome
    # Asked for less, the rest is nobody's business.
    assert judge(final(parts=parts), ("files", "contacts", "messages"), FACTS).verdict == "verified"


@pytest.mark.parametrize(
    "change", [{"verified": 4}, {"found": None}, {"verified": None}, {"differs": 1}, {"found": 6}]
)
def test_a_part_whose_numbers_contradict_it_is_no_proof(change):
    parts = detail(ENTRIES)["parts"]
    parts[0] = {**parts[0], **change}
    assert judge(final(parts=parts), PARTS, FACTS).why == "contradiction"


@pytest.mark.parametrize(
    "change", [{"found": 4}, {"verified": 2}, {"differs": 1}, {"failed": 1}, {"skipped": 1}]
)
def test_counts_of_files_that_contradict_the_list_are_no_proof(change):
    files = {**detail(ENTRIES)["files"], **change}
    assert judge(final(files=files), PARTS, FACTS).why == "contradiction"


@pytest.mark.parametrize("outcome", ["failed", "cancelled"])
def test_a_failure_is_none_whatever_is_listed(outcome):
    assert judge(final(outcome=outcome, reason="no_space"), PARTS, FACTS).verdict == "failed"
    assert judge(final(outcome=outcome, reason="no_space"), PARTS, FACTS).why == "no_space"


def test_a_list_of_what_nobody_asked_for_is_no_proof():
    assert judge(final(), ("contacts", "calls", "messages"), FACTS).why == "contradiction"


RUBBISH = [
    None, [], "x", 1, {}, {"outcome": "wiped"}, {"seconds": -1}, {"seconds": 1.5}, {"seconds": True},
    {"files": {}}, {"files": {**detail(ENTRIES)["files"], "found": -1}},
    {"files": {**detail(ENTRIES)["files"], "bytes": 2**63}}, {"files": {**detail(ENTRIES)["files"], "more": 1}},
    {"parts": None}, {"parts": [1]}, {"parts": detail(ENTRIES)["parts"] * 2}, {"copy": "burnt"},
    {"manifest": {"sha256": "x", "entries": 1, "pages": 1}}, {"manifest": "x"}, {"reason": "With Blanks"},
    {"reason": "x" * 41}, {"reason": 5}, {"more": 1},
]  # fmt: skip


@pytest.mark.parametrize("odd", RUBBISH)
def test_a_last_word_that_is_odd_is_none(odd):
    told = {**detail(ENTRIES), **odd} if isinstance(odd, dict) and odd else odd
    with pytest.raises(BadEntry):
        parse_final(told)


def test_a_last_word_is_kept_as_it_was_understood():
    assert parse_final(plain_final(final())) == final()
    assert parse_final(plain_final(final(manifest=None, files=None))) == final(manifest=None, files=None)


GOOD = {
    "stage": "reading", "done_bytes": 5, "total_bytes": 10, "done_files": 1, "total_files": None, "rate_bps": 40,
    "left_s": None, "note": None,
}  # fmt: skip


def test_progress_is_numbers_or_nothing():
    assert parse_progress(GOOD) == GOOD
    for odd in ({"stage": "dancing"}, {"done_bytes": -1}, {"rate_bps": "fast"}, {"note": "<b>"}, {"more": 1}):
        with pytest.raises(BadEntry):
            parse_progress({**GOOD, **odd})
    with pytest.raises(BadEntry):
        parse_progress({name: value for name, value in GOOD.items() if name != "note"})


@pytest.mark.parametrize(
    ("progress", "shown"),
    [(None, None), ({}, None), (GOOD, 50), ({"total_bytes": 0, "done_bytes": 0}, None),
     ({"total_bytes": 10, "done_bytes": 99}, 100)],
)  # fmt: skip
def test_percent(progress, shown):
    assert percent(progress) == shown


def test_time_left_is_told_or_reckoned_or_unknown():
    assert rest_s(1, 2, 3, 9) == 9
    assert rest_s(0, 100, 10, None) == 10
    assert rest_s(100, 50, 10, None) == 0
    assert rest_s(None, 100, 10, None) is None
    assert rest_s(0, 100, 0, None) is None


def page(**changes):
    return {
        "schema": 1, "command": "0197" + "0" * 28, "transfer": "0198" + "0" * 28, "page": 0, "pages": 1,
        "sha256": "a" * 64, "entries": ENTRIES,
    } | changes  # fmt: skip


@pytest.mark.parametrize(
    "odd",
    [
        {"schema": 2}, {"command": "x"}, {"command": 5}, {"page": 1}, {"page": -1}, {"pages": 0}, {"pages": 41},
        {"sha256": "A" * 64}, {"entries": None}, {"entries": [entry(1)] * 5001}, {"pages": 2}, {"more": 1},
        {"entries": [entry(1, path="a\0b")]}, {"entries": [entry(1, path="\ud800")]},
        {"entries": [entry(1, path="x" * 4097)]}, {"entries": [entry(1, path=5)]},
        {"entries": [entry(1, state="gone")]}, {"entries": [entry(1, part="apps")]},
        {"entries": [entry(1, size=-1)]}, {"entries": [entry(1, size=2**63)]}, {"entries": [entry(1, sha256="x")]},
        {"entries": [entry(1, size=None)]}, {"entries": [entry(1, mtime=1.5)]}, {"entries": [entry(1, reason="No!")]},
        {"entries": [{**entry(1), "more": 1}]}, {"entries": [5]}, {"page": 1, "pages": 2, "entries": []},
    ],
)  # fmt: skip
def test_a_page_that_is_odd_is_refused(odd):
    with pytest.raises(BadEntry):
        parse_page(page(**odd))


def test_ugly_names_are_taken_as_they_are():
    names = ["'; rm -rf /'", "新\n行.jpg", "-rf", " 空白 ", "😀.mp4", "a" * 4096, "\\x80", ""]
    found = parse_page(page(entries=[entry(i, path=name) for i, name in enumerate(names)]))
    assert [e["path"] for e in found.entries] == names
    assert parse_page(page(entries=[])).entries == []
    assert parse_page(page(entries=[entry(1, mtime=-5)])).entries[0]["mtime"] == -5


def test_each_transfer_phone_and_salt_has_a_key_of_its_own():
    import uuid

    one, two, salt = uuid.uuid4(), uuid.uuid4(), new_salt()
    keys = {
        copy_key(b"root", salt, one, "S1"), copy_key(b"root", salt, two, "S1"), copy_key(b"root", salt, one, "S2"),
        copy_key(b"root", new_salt(), one, "S1"), copy_key(b"toor", salt, one, "S1"),
    }  # fmt: skip
    assert len(keys) == 5
    assert copy_key(b"root", salt, one, "S1") in keys
