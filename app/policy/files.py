"""Policy files: `policies/<subject>/schema.json` and `vN.yaml`. Read once at start; a faulty one stops it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from jsonschema import Draft202012Validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from app.policy.rules import stack

_KEPT = 1000
_VERSION = re.compile(r"v([1-9]\d*)\.yaml")


class PolicyError(Exception):
    """All that is wrong with the policy files, one line each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Policy:
    """One effective policy. `sha256` is over its canonical JSON: what a ruling stores, to be replayed by."""

    subject: str
    version: int
    body: Mapping[str, Any]
    sha256: str


def make_policy(subject: str, version: int, body: Mapping[str, Any]) -> Policy:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Policy(subject, version, body, hashlib.sha256(canonical.encode()).hexdigest())


class PolicyFiles:
    """Every version of every subject. Raise `PolicyError` with all problems of all files at once."""

    def __init__(self, directory: Path) -> None:
        self._policies: dict[str, dict[int, Policy]] = {}
        self._schemas: dict[str, Draft202012Validator] = {}
        self._overlaid: dict[tuple[str, tuple[UUID, ...]], Policy] = {}
        problems: list[str] = []
        subjects = sorted(p for p in directory.iterdir() if p.is_dir()) if directory.is_dir() else []
        if not subjects:
            problems.append(f"{directory}: no policy found")
        for subject in subjects:
            problems += self._read_subject(subject)
        if problems:
            raise PolicyError(problems)

    @property
    def subjects(self) -> list[str]:
        return sorted(self._policies)

    def latest(self, subject: str) -> Policy:
        versions = self._policies[subject]
        return versions[max(versions)]

    def version(self, subject: str, version: int) -> Policy:
        return self._policies[subject][version]

    def problems_of(self, subject: str, body: object) -> list[str]:
        """What the subject's schema says against a body, as `path: message`."""
        errors = self._schemas[subject].iter_errors(body)
        return [f"{'.'.join(str(p) for p in e.absolute_path) or '(whole)'}: {e.message}" for e in errors]

    def problems_over(self, subject: str, layers: Sequence[Mapping[str, Any]]) -> list[str]:
        """What the schema says against the newest file under these layers."""
        return self.problems_of(subject, stack(self.latest(subject).body, layers))

    def kept(self, subject: str, layer_ids: tuple[UUID, ...]) -> Policy | None:
        """What `overlay` made of these layers before; layers never change, so it still holds."""
        return self._overlaid.get((subject, layer_ids)) if layer_ids else self.latest(subject)

    def overlay(self, subject: str, layers: Sequence[tuple[UUID, Mapping[str, Any]]]) -> Policy:
        """The newest file under these layers, lowest first. Raise `PolicyError` when the schema speaks against it."""
        bodies = [body for _, body in layers]
        problems = self.problems_over(subject, bodies)
        if problems:
            raise PolicyError(problems)
        file = self.latest(subject)
        policy = make_policy(subject, file.version, stack(file.body, bodies))
        if len(self._overlaid) >= _KEPT:
            self._overlaid.clear()
        self._overlaid[subject, tuple(layer_id for layer_id, _ in layers)] = policy
        return policy

    def _read_subject(self, folder: Path) -> list[str]:
        try:
            schema = json.loads((folder / "schema.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as exc:
            return [f"{folder.name}/schema.json: {exc}"]
        self._schemas[folder.name] = Draft202012Validator(schema)
        problems: list[str] = []
        versions: dict[int, Policy] = {}
        for path in sorted(folder.iterdir()):
            match = _VERSION.fullmatch(path.name)
            if match is None:
                if path.name != "schema.json":
                    problems.append(f"{folder.name}/{path.name}: expected schema.json or vN.yaml")
                continue
            problems += self._read_version(folder.name, int(match[1]), path, versions)
        if not versions and not problems:
            problems.append(f"{folder.name}: no version found")
        self._policies[folder.name] = versions
        return problems

    def _read_version(self, subject: str, version: int, path: Path, into: dict[int, Policy]) -> list[str]:
        where = f"{subject}/{path.name}"
        try:
            # YAML 1.2: `on` stays text, 012 is no octal, a key given twice is an error.
            body = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, YAMLError) as exc:
            return [f"{where}: {' '.join(str(exc).split())}"]
        problems = [f"{where}: {p}" for p in self.problems_of(subject, body)]
        if not problems:
            into[version] = make_policy(subject, version, body)
        return problems
