"""Policy files: `policies/<subject>/schema.json` and `vN.yaml`. Read once at start; a faulty one stops it.

An older version whose shape was another has its own `vN.schema.json`: rulings that were made by it are still replayed.
Two words of `schema.json` are this program's own: `x-formerly` maps a member's former place to its present one, for
stored layers that still use that (`rules.renewed`); `x-patches` names the member that holds patches over the body
itself, each of which must leave it fit (`rules.patched`).
"""

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

from app.policy.rules import patched, renewed, stack

_KEPT = 1000
_VERSION = re.compile(r"v([1-9]\d*)\.yaml")
_OWN_SCHEMA = re.compile(r"v([1-9]\d*)\.schema\.json")


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


@dataclass(frozen=True)
class Fault:
    """What a schema says against a body. `rule` is the schema's keyword (`pattern`, `required` …); `patch` the model or
    brand under whose patch the fault shows, empty where it needs none.
    """

    path: tuple[str | int, ...]
    rule: str
    message: str
    patch: str = ""

    def __str__(self) -> str:
        where = ".".join(str(part) for part in self.path) or "(whole)"
        return f"{self.patch}: {where}: {self.message}" if self.patch else f"{where}: {self.message}"


@dataclass(frozen=True)
class _Schema:
    validator: Draft202012Validator
    formerly: Mapping[str, str]
    patches: str | None

    def faults(self, body: object, patch: str = "") -> list[Fault]:
        return [
            Fault(tuple(error.absolute_path), str(error.validator), error.message, patch)
            for error in self.validator.iter_errors(body)
        ]


class PolicyFiles:
    """Every version of every subject. Raise `PolicyError` with all problems of all files at once."""

    def __init__(self, directory: Path) -> None:
        self._policies: dict[str, dict[int, Policy]] = {}
        self._schemas: dict[str, _Schema] = {}
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

    def faults_of(self, subject: str, body: object) -> list[Fault]:
        """What the subject's schema says against a body, and against it under its own patches."""
        schema = self._schemas[subject]
        faults = schema.faults(body)
        member = schema.patches
        if faults or member is None or not isinstance(body, Mapping):
            return faults
        for key in body[member]:
            faults += schema.faults(patched(body, member, key), f"{member}.{key}")
        return faults

    def problems_of(self, subject: str, body: object) -> list[str]:
        """As `faults_of`, each a line `path: message`."""
        return [str(fault) for fault in self.faults_of(subject, body)]

    def renewed(self, subject: str, layer: Mapping[str, Any]) -> dict[str, Any]:
        """A stored layer as it would be written for the newest file."""
        return renewed(layer, self._schemas[subject].formerly)

    def problems_over(self, subject: str, layers: Sequence[Mapping[str, Any]]) -> list[str]:
        """What the schema says against the newest file under these layers."""
        return self.problems_of(subject, self.stacked(subject, layers))

    def stacked(
        self, subject: str, layers: Sequence[Mapping[str, Any]], below: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The newest file, or `below` in its place, under these layers."""
        body = self.latest(subject).body if below is None else below
        return stack(body, [self.renewed(subject, layer) for layer in layers], self._schemas[subject].patches)

    def kept(self, subject: str, layer_ids: tuple[UUID, ...]) -> Policy | None:
        """What `overlay` made of these layers before; layers never change, so it still holds."""
        return self._overlaid.get((subject, layer_ids)) if layer_ids else self.latest(subject)

    def overlay(self, subject: str, layers: Sequence[tuple[UUID, Mapping[str, Any]]]) -> Policy:
        """The newest file under these layers, lowest first. Raise `PolicyError` when the schema speaks against it."""
        bodies = [body for _, body in layers]
        problems = self.problems_over(subject, bodies)
        if problems:
            raise PolicyError(problems)
        policy = make_policy(subject, self.latest(subject).version, self.stacked(subject, bodies))
        if len(self._overlaid) >= _KEPT:
            self._overlaid.clear()
        self._overlaid[subject, tuple(layer_id for layer_id, _ in layers)] = policy
        return policy

    def _read_subject(self, folder: Path) -> list[str]:
        problems: list[str] = []
        schemas: dict[str, _Schema] = {}
        paths: dict[int, Path] = {}
        for path in sorted(folder.iterdir()):
            if path.name == "schema.json" or _OWN_SCHEMA.fullmatch(path.name):
                problems += _read_schema(path, schemas)
            elif match := _VERSION.fullmatch(path.name):
                paths[int(match[1])] = path
            else:
                problems.append(f"{folder.name}/{path.name}: expected schema.json, vN.yaml or vN.schema.json")
        if not paths:
            problems.append(f"{folder.name}: no version found")
        if "schema.json" not in {path.name for path in folder.iterdir()}:
            problems.append(f"{folder.name}/schema.json: not found")
        older = {f"v{version}.schema.json" for version in paths if version != max(paths)}
        problems += [
            f"{folder.name}/{name}: belongs to no older version"
            for name in schemas.keys() - older - {"schema.json"}
        ]
        if problems:
            return problems
        self._schemas[folder.name] = schemas["schema.json"]
        versions: dict[int, Policy] = {}
        for version, path in sorted(paths.items()):
            own = schemas.get(f"v{version}.schema.json")
            problems += self._read_version(folder.name, version, path, own, versions)
        self._policies[folder.name] = versions
        return problems

    def _read_version(
        self,
        subject: str,
        version: int,
        path: Path,
        own: _Schema | None,
        into: dict[int, Policy],
    ) -> list[str]:
        where = f"{subject}/{path.name}"
        try:
            # YAML 1.2: `on` stays text, 012 is no octal, a key given twice is an error.
            body = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, YAMLError) as exc:
            return [f"{where}: {' '.join(str(exc).split())}"]
        found = self.problems_of(subject, body) if own is None else [str(fault) for fault in own.faults(body)]
        if not found:
            into[version] = make_policy(subject, version, body)
        return [f"{where}: {problem}" for problem in found]


def _read_schema(path: Path, into: dict[str, _Schema]) -> list[str]:
    try:
        schema = json.loads(path.read_text(encoding="utf-8"))
        into[path.name] = _Schema(
            Draft202012Validator(schema), schema.get("x-formerly", {}), schema.get("x-patches")
        )
    except (OSError, ValueError) as exc:
        return [f"{path.parent.name}/{path.name}: {exc}"]
    return []
