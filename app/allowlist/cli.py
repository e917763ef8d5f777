"""`flask policies preview`: what a file would flag on today's fleet. The list of rooms hangs it up in its group."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from flask.cli import with_appcontext

from app.allowlist.comparing import SUBJECT, streamed
from app.allowlist.comparison_rules import ORDER, STATUS_WORDS, Tally
from app.allowlist.trying import Attempt, read_attempt
from app.kernel.db import db
from app.kernel.errors import DomainError
from app.runtime import runtime

REFUSED, WORSE = 1, 3
_TOLD = 40


@click.command("preview")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--subject", type=click.Choice([SUBJECT]), default=SUBJECT, expose_value=False)
@click.option("--centre", help="the layer of the service centre of this code")
@click.option("--district", help="the layer of the district of this code")
@click.option("--json", "as_json", is_flag=True, help="everything as one JSON document")
@with_appcontext
def preview_command(file: Path, centre: str | None, district: str | None, as_json: bool) -> None:
    """Judge today's fleet by FILE and by what holds, and print what would change; nothing is written.

    FILE is YAML: with --centre or --district the whole layer of that place, in the place of the one that it has;
    without them the company's policy, or a layer over it. Exit 0: no phone would get a worse verdict; 3: some would;
    1: FILE or the place cannot be taken.
    """
    if centre and district:
        raise click.UsageError("--centre or --district, not both")
    session, files, now = db.session(), runtime().policies, runtime().clock.now()
    tally = Tally()
    try:
        attempt = read_attempt(
            session, files, file.read_text(encoding="utf-8"), centre=centre, district=district
        )
        for changes in streamed(session, attempt.rules, now):
            tally.add(changes)
            click.echo(f"{tally.phones} / {attempt.total}", err=True)
    except (DomainError, UnicodeDecodeError) as exc:
        for line in _faults(exc):
            click.echo(line, err=True)
        sys.exit(REFUSED)
    click.echo(json.dumps(_document(attempt, tally), ensure_ascii=False) if as_json else _text(tally))
    sys.exit(WORSE if tally.worse else 0)


def _faults(error: DomainError | UnicodeDecodeError) -> list[str]:
    if isinstance(error, DomainError):
        return [fault.message for fault in error.fields] or [error.detail]
    return ["文件不是 UTF-8 / the file is not UTF-8"]


def _document(attempt: Attempt, tally: Tally) -> dict[str, object]:
    return {
        "subject": SUBJECT,
        "reach": attempt.proposal.reach,
        "rules_sha256": attempt.rules.sha256,
        "phones": tally.phones,
        "never_read": tally.never_read,
        "worse": tally.worse,
        "better": tally.better,
        "before": {status: tally.before()[status] for status in ORDER},
        "after": {status: tally.after()[status] for status in ORDER},
        "findings": [
            {"way": way, "code": code, "subject": subject, "status": status, "phones": phones, "zh": zh}
            for (way, code, subject, status), phones, zh in _findings(tally)
        ],
    }


def _findings(tally: Tally) -> list[tuple[tuple[str, str, str, str], int, str]]:
    """The most frequent first."""
    ordered = sorted(tally.findings.items(), key=lambda item: (-item[1], item[0]))
    return [(key, phones, tally.words[key]) for key, phones in ordered]


def _text(tally: Tally) -> str:
    before, after = tally.before(), tally.after()
    lines = [f"{tally.phones} 台手机，其中 {tally.never_read} 台从来没有读到过（不能预计）"]
    lines += [f"{STATUS_WORDS[s]}\t{before[s]} → {after[s]}" for s in reversed(ORDER)]
    for way, words in (("appears", "新出现"), ("vanishes", "不再有")):
        found = [(key, phones, zh) for key, phones, zh in _findings(tally) if key[0] == way]
        lines += [
            f"{words}（{STATUS_WORDS[key[3]]}）\t{phones} 台\t{zh}" for key, phones, zh in found[:_TOLD]
        ]
        if len(found) > _TOLD:
            lines.append(f"{words}\t另有 {len(found) - _TOLD} 种，用 --json 看全部")
    return "\n".join(lines)
