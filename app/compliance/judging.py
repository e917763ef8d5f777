"""What phones are judged by: what was read of them, their lists, the exemptions; and the findings that come of it."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.orm import Session

from app.compliance import exemption_store, store
from app.compliance.exemption_rules import Grouped, covering, grouped, next_start
from app.compliance.finding_rules import BREACHED, named, plain
from app.compliance.grading_rules import Cover, Graded, Grading, Moment, grade, grading_of
from app.compliance.lists import allowlist_for
from app.compliance.rules import Finding, Inputs, Status, evaluate, next_change, storage_state
from app.kernel.db import from_us, to_us
from app.kernel.tenancy import SYSTEM
from app.policy import Policy
from app.readings import PhoneNow, latest_texts, phone_states

SECTIONS = ("packages", "users", "accounts", "setup", "storage", "security", "identity")
_SECTIONS = frozenset(SECTIONS)
Known = Mapping[str, Any]
_NO_LABELS: Mapping[uuid.UUID, Mapping[str, str]] = MappingProxyType({})
_BREACHED = frozenset(status.value for status in BREACHED)


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one phone. `before`: its verdict's row, None: it has none; `findings` and `memory`: of that."""

    handset_id: uuid.UUID
    centre_id: uuid.UUID
    inputs: Inputs
    confirmed: Mapping[str, int]
    brand: str | None
    model: str | None
    sha256: str
    before: Row[Any] | None
    findings: list[dict[str, Any]]
    memory: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Ruling:
    """`due_at`: when time alone may change it. `storage`: as `ComplianceVerdict.storage`."""

    graded: Graded
    due_at: dt.datetime
    storage: str | None


def gather(
    session: Session,
    centres: Mapping[uuid.UUID, uuid.UUID],
    *,
    known: Mapping[uuid.UUID, Known] | None = None,
    lock: bool = False,
) -> Iterator[Facts]:
    """Of each of these phones (handset → centre) in the order of their ids. `known`: sections that need not be read
    from the database. `lock`: their verdicts are locked until the commit, before anything is read: else a verdict on
    older content could be written over one on newer.
    """
    before = store.locked(session, centres) if lock else store.present(session, centres)
    given: Mapping[uuid.UUID, Known] = known or {}
    stored = _stored(session, centres, given)
    states = phone_states(session, SYSTEM, centres)
    for handset_id, centre_id in sorted(centres.items()):
        texts = stored.pop(handset_id, {})
        sections = given.get(handset_id, {})
        yield _facts(handset_id, centre_id, texts, sections, states.get(handset_id), before.get(handset_id))


def _stored(
    session: Session, handset_ids: Collection[uuid.UUID], given: Mapping[uuid.UUID, Known]
) -> dict[uuid.UUID, dict[str, str]]:
    """The sections that are not given. Phones that lack the same are asked for at once, and what is given of all of
    them is not read: a list of packages is larger than all the rest together.
    """
    lacking: dict[frozenset[str], list[uuid.UUID]] = {}
    for handset_id in handset_ids:
        lacking.setdefault(_SECTIONS.difference(given.get(handset_id, ())), []).append(handset_id)
    found: dict[uuid.UUID, dict[str, str]] = {}
    for names, ids in lacking.items():
        found |= latest_texts(session, ids, names)
    return found


def _facts(
    handset_id: uuid.UUID,
    centre_id: uuid.UUID,
    texts: Mapping[str, str],
    known: Known,
    state: PhoneNow | None,
    before: Row[Any] | None,
) -> Facts:
    unread = dict(state.unread) if state is not None else {}
    digest = hashlib.sha256(orjson.dumps([sorted(unread.items()), state and state.power.airplane_mode]))
    sections: dict[str, Any] = {}
    for name in SECTIONS:
        if name in known:
            sections[name] = known[name]
            digest.update(orjson.dumps(known[name]))
        elif name in texts:
            sections[name] = orjson.loads(texts[name])
            digest.update(texts[name].encode())
        digest.update(b"\0")
    identity = sections.get("identity") or {}
    return Facts(
        handset_id=handset_id,
        centre_id=centre_id,
        # A part that the newest reading could not read is not known, whatever an older one brought.
        inputs=Inputs(
            **{name: data for name, data in sections.items() if name not in unread},
            unread=unread,
            airplane_mode=None if state is None else state.power.airplane_mode,
            read_at=None if state is None else state.at,
        ),
        confirmed={} if state is None else {name: to_us(at) for name, at in state.confirmed.items()},
        brand=identity.get("brand"),
        model=identity.get("model"),
        sha256=digest.hexdigest(),
        before=before,
        findings=[] if before is None else orjson.loads(before.findings),
        memory=[] if before is None else orjson.loads(before.memory),
    )


class Judge:
    """Judges phones by the policies of their centres at one instant; writes nothing."""

    def __init__(
        self,
        session: Session,
        policies: Mapping[uuid.UUID, Policy],
        now: dt.datetime,
        labels: Mapping[uuid.UUID, Mapping[str, str]] = _NO_LABELS,
    ) -> None:
        """`labels`: of each centre, what people call the apps that are on no list."""
        self.policies = policies
        self.now = now
        self._labels = labels
        self._exemptions: Grouped = grouped(exemption_store.current(session, policies, now))
        self._gradings: dict[str, Grading] = {}
        self._allowed_strangers: dict[uuid.UUID, list[str]] = {}
        for centre, code, subject in self._exemptions:
            if code == "app_not_prescribed":
                self._allowed_strangers.setdefault(centre, []).append(subject)

    def rule(self, facts: Facts) -> Ruling:
        """The findings of one phone with what became of those before."""
        policy = self.policies[facts.centre_id]
        allowlist = allowlist_for(policy, facts.brand, facts.model)
        cover = self._cover(facts)
        findings = evaluate(facts.inputs, allowlist, self.now, self._excused(facts))
        labels = self._labels.get(facts.centre_id, {})
        findings = [plain(named(finding, labels)) for finding in findings]
        moment = Moment(to_us(self.now), _us(facts.inputs.read_at), facts.confirmed)
        graded = grade(findings, self._grading(policy), moment, facts.findings, facts.memory, cover)
        moments = [next_change(facts.inputs, allowlist, self.now), *self._ahead(facts, graded)]
        if graded.due_us is not None:
            moments.append(from_us(graded.due_us))
        due = min(moment for moment in moments if moment is not None)
        return Ruling(graded, due, storage_state(facts.inputs, allowlist))

    def _grading(self, policy: Policy) -> Grading:
        found = self._gradings.get(policy.sha256)
        if found is None:
            found = self._gradings[policy.sha256] = grading_of(policy.body)
        return found

    def _cover(self, facts: Facts) -> Callable[[str, str], Cover | None]:
        if not self._exemptions:
            return _nothing

        def cover(code: str, subject: str) -> Cover | None:
            found = covering(self._exemptions, facts.centre_id, facts.handset_id, code, subject, self.now)
            return None if found is None else Cover(str(found.id), to_us(found.valid_to))

        return cover

    def _excused(self, facts: Facts) -> Collection[str]:
        names = self._allowed_strangers.get(facts.centre_id, ())
        cover = self._cover(facts)
        return frozenset(name for name in names if cover("app_not_prescribed", name) is not None)

    def _ahead(self, facts: Facts, graded: Graded) -> Iterator[dt.datetime | None]:
        """When exemptions of what is held against the phone begin."""
        for row in graded.findings if self._exemptions else ():
            if row["status"] in _BREACHED:
                about = (facts.centre_id, facts.handset_id, row["code"], row["subject"])
                yield next_start(self._exemptions, *about, self.now)


def judge_as(
    session: Session,
    handset_ids: Collection[uuid.UUID],
    rules: Sequence[Mapping[uuid.UUID, Policy]],
    now: dt.datetime,
) -> dict[uuid.UUID, list[list[Finding]]]:
    """What these phones would be found by each set of policies (centre → policy), as they are known at this instant;
    those of a centre that a set lacks are left out. Each phone is read once, however many sets there are. Nothing is
    written or locked; give some hundred phones at a time. Internal.
    """
    everywhere = set.intersection(*(set(policies) for policies in rules))
    centres = {i: c for i, c in store.centres_of(session, handset_ids).items() if c in everywhere}
    judges = [Judge(session, policies, now) for policies in rules]
    return {
        facts.handset_id: [_found(judge.rule(facts)) for judge in judges]
        for facts in gather(session, centres)
    }


def _found(ruling: Ruling) -> list[Finding]:
    return [
        Finding(row["code"], row["subject"], Status(row["status"]), row["evidence"])
        for row in ruling.graded.findings
    ]


def _nothing(_code: str, _subject: str) -> None:
    return None


def _us(instant: dt.datetime | None) -> int | None:
    return None if instant is None else to_us(instant)
