"""Dumps that are plain lists: properties, settings, packages, users, processes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from agent.parsers.common import is_noise
from agent.parsers.dumps.grammar import classifier
from agent.parsers.dumps.tally import Rule

_PROPERTY, _LINE_OF = Rule("property"), Rule("line of a property")
_BLANK = Rule("blank", noise=True)
_START = re.compile(r"\[[^\]\n]+\]: \[")
_NAME = r"[A-Za-z0-9_.\-]+"


def classify_props(lines: Sequence[str]) -> list[Rule | None]:
    """`getprop`: a record runs from its key to the bracket before the next key; one without its end is unread."""
    starts = [at for at, line in enumerate(lines) if _START.match(line)]
    first = starts[0] if starts else len(lines)
    found: list[Rule | None] = [_BLANK if is_noise(line) else None for line in lines[:first]]
    for at, start in enumerate(starts):
        end = starts[at + 1] if at + 1 < len(starts) else len(lines)
        found += _of_record(lines[start:end])
    return found


def _of_record(lines: Sequence[str]) -> list[Rule | None]:
    whole = len(lines)
    while whole > 1 and not lines[whole - 1]:
        whole -= 1
    blanks: list[Rule | None] = [_BLANK] * (len(lines) - whole)
    if not lines[whole - 1].endswith("]"):
        return [*[None] * whole, *blanks]
    return [_PROPERTY, *[_LINE_OF] * (whole - 1), *blanks]


classify_settings = classifier((("setting", r"[A-Za-z0-9_.:/\-]+=.*"),))
classify_listing = classifier(
    (
        (
            "package",
            rf"package:(?:/\S*=)?{_NAME}(?: versionCode:-?\d+)?(?:  installer=\S+)?(?: uid:[\d,]+)?\s*",
        ),
    )
)
classify_users = classifier(
    (("heading", r"Users:\s*"), ("user", r"\s*UserInfo\{\d+:.*:[0-9a-fA-F]+\}(?: running)?\s*"))
)
classify_ps = classifier(
    (
        ("heading", r"USER +PID +PPID +VSZ +RSS +WCHAN +ADDR +S +NAME *"),
        ("process", r"\S+ +\d+ +\d+ +\d+ +\d+ +\S+ +\S+ +[A-Za-z] .+"),
    )
)
classify_json = classifier(
    (
        ("bracket", r" *(?:[\[\]{}]|\}\s*,|\]\s*,|\{\s*\},?|\[\s*\],?)"),
        (
            "field",
            (
                r' *"(?:name|installer|uid|disabled|system|third_party|path|local_name|md5|sha1|sha256|sha512|error'
                r"|verified_certificate|certificate_error|trusted_certificate|Md5|Sha1|Sha256|ValidFrom|ValidTo|Issuer"
                r'|Subject|SignatureAlgorithm|SerialNumber)": (?:"(?:[^"\\]|\\.)*"|-?[\d.]+|true|false|null),?'
            ),
        ),
        ("opening field", r' *"(?:files|certificate)": (?:\[|\{|\[\]|\{\}|null),?'),
    )
)
classify_nothing = classifier(())
