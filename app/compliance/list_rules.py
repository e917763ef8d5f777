"""The policy `allowlist`, ready for look-ups. Plain values only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

Place = Literal["required", "allowed", "preset", "forbidden", "unlisted"]


@dataclass(frozen=True, slots=True)
class App:
    """A prescribed app. `least_version` is a version code, `signer` its print; None: not compared."""

    label: str
    required: bool
    least_version: int | None = None
    signer: str | None = None
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Allowlist:
    """What holds for phones of one brand and model.

    `places` and `labels` know each package of any list; `apps` the prescribed ones, also those that are forbidden at
    the same time. `unnamed` are prescribed apps whose package is not configured, true where they are required.
    `settings` and `security` are the policy's own members; `accounts`, `accessibility`, `installers` None: not judged.
    """

    places: Mapping[str, Place]
    labels: Mapping[str, str]
    apps: Mapping[str, App]
    unnamed: Mapping[str, bool]
    installers: frozenset[str] | None
    by_hand: frozenset[str]
    judge_inactive: bool
    work_user: int
    users: frozenset[int]
    accounts: frozenset[str] | None
    settings: Mapping[str, Any]
    accessibility: frozenset[str] | None
    security: Mapping[str, Any]
    owners: frozenset[str]
    silent_hours: int

    def place_of(self, package: str) -> Place:
        return self.places.get(package, "unlisted")


def presets_for(presets: Mapping[str, Any], brand: str, model: str) -> dict[str, str]:
    """Removable apps that come in the box of this brand (in lower case) and model: package to name."""
    of_brand = presets.get(brand, {})
    return {**of_brand.get("*", {}), **of_brand.get(model, {})}


def build(body: Mapping[str, Any], presets: Mapping[str, str]) -> Allowlist:
    """From an effective body (its schema was checked) under the patches of its model.

    Where lists contradict each other the ban, which somebody wrote down on purpose, holds; then the prescription.
    """
    apps, unnamed = _apps(body["apps"])
    places: dict[str, Place] = dict.fromkeys(presets, "preset")
    places |= dict.fromkeys(body["allowed"], "allowed")
    places |= {package: "required" if app.required else "allowed" for package, app in apps.items()}
    places |= dict.fromkeys(body["forbidden"], "forbidden")
    names = {package: app.label for package, app in apps.items()}
    work_user: int = body["users"]["work"]
    return Allowlist(
        places=places,
        labels={**presets, **body["allowed"], **names, **body["forbidden"]},
        apps=apps,
        unnamed=unnamed,
        installers=_set(body["installers"].get("allowed")),
        by_hand=frozenset(body["installers"]["by_hand"]),
        judge_inactive=body["judge_inactive"],
        work_user=work_user,
        users=frozenset(body["users"]["allowed"]) | {work_user},
        accounts=_set(body["accounts"].get("allowed")),
        settings=body["settings"],
        accessibility=_set(body["settings"]["accessibility"].get("allowed")),
        security=body["security"],
        owners=frozenset(body["security"]["device_owners"]),
        silent_hours=body["silent_hours"],
    )


def _apps(prescribed: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, App], dict[str, bool]]:
    apps, unnamed = {}, {}
    for label, app in prescribed.items():
        package = app.get("package")
        if package is None:
            unnamed[label] = app["required"]
        else:
            apps[package] = App(
                label, app["required"], app.get("least_version"), app.get("signer"), app.get("by_hand", False)
            )
    return apps, unnamed


def _set(values: Iterable[str] | None) -> frozenset[str] | None:
    return None if values is None else frozenset(values)
