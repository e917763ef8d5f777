"""Today's fleet judged by the policies that hold and by those that are proposed; nothing is written."""

from __future__ import annotations

import datetime as dt
import hashlib
import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.allowlist import fleet_store
from app.allowlist.comparison_rules import PhoneChange, Seen, differing
from app.compliance import Finding, judge_as, text_of, worst
from app.labels import labels_among
from app.policy import Policy, PolicyFiles, Proposal, centres_reached, effective_many, proposed

SUBJECT = "allowlist"
CHUNK = 500
"""Phones at a time: some hundred kilobytes of what each carries, twice judged, are enough to hold in memory."""
_NEVER_READ = "never_read"
_PASS = "pass"  # noqa: S105 - a verdict, no password


@dataclass(frozen=True)
class Rules:
    """The policies of the centres that a proposal reaches, as they hold and with it. `labels`: package → what people
    call it there.
    """

    before: Mapping[uuid.UUID, Policy]
    after: Mapping[uuid.UUID, Policy]
    labels: Mapping[str, str]

    @property
    def sha256(self) -> str:
        """Of all of them: whoever counted by other rules must count again."""
        parts = [
            f"{centre}:{self.before[centre].sha256}:{self.after[centre].sha256}"
            for centre in sorted(self.before)
        ]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def rules_of(session: Session, files: PolicyFiles, proposal: Proposal) -> Rules:
    """Raise `PolicyError` for a proposal that does not fit the schema."""
    after = proposed(session, files, proposal)
    centres = centres_reached(session, proposal.reach, proposal.scope_id)
    return Rules(
        effective_many(session, files, SUBJECT, centres), after, labels_among(session, files, centres)
    )


def compared(
    session: Session, rules: Rules, handset_ids: Collection[uuid.UUID], now: dt.datetime
) -> list[PhoneChange]:
    """What the change does to each of these phones at this instant, in the order of their ids."""
    centres = fleet_store.centres_of(session, handset_ids)
    wanted = {i for i, centre in centres.items() if centre in rules.after}
    found = judge_as(session, wanted, (rules.before, rules.after), now)
    return [
        _change(i, centres[i], before, after, rules.labels) for i, (before, after) in sorted(found.items())
    ]


def streamed(
    session: Session, rules: Rules, now: dt.datetime, *, chunk: int = CHUNK
) -> Iterator[list[PhoneChange]]:
    """The whole fleet that the rules are for, chunk by chunk."""
    after_id: uuid.UUID | None = None
    while ids := fleet_store.next_phones(session, rules.after, after_id, chunk):
        yield compared(session, rules, ids, now)
        after_id = ids[-1]
        # What was read of them is not needed any more: ten thousand phones' lists of apps are gigabytes.
        session.expunge_all()


def _change(
    handset_id: uuid.UUID,
    centre_id: uuid.UUID,
    before: Sequence[Finding],
    after: Sequence[Finding],
    labels: Mapping[str, str],
) -> PhoneChange:
    appears, vanishes = differing(_seen(before), _seen(after))
    return PhoneChange(
        handset_id, centre_id, worst(before).value, worst(after).value,
        tuple(_with_words(one, after, labels) for one in appears),
        tuple(_with_words(one, before, labels) for one in vanishes),
        never_read=any(finding.code == _NEVER_READ for finding in after),
    )  # fmt: skip


def _seen(findings: Sequence[Finding]) -> list[Seen]:
    return [Seen(f.code, f.subject, f.status.value) for f in findings if f.status.value != _PASS]


def _with_words(seen: Seen, findings: Sequence[Finding], labels: Mapping[str, str]) -> Seen:
    finding = next(f for f in findings if (f.code, f.subject) == (seen.code, seen.subject))
    return Seen(seen.code, seen.subject, seen.status, text_of(finding, labels)[0])
