"""`make prove`: the long proofs. Writes `docs/proofs.json`, which is committed with what it proves.

Each proof is the same code as a quick test, given thousands of examples or many rounds instead of a few.
`python -m bench.prove NAME …` runs some and leaves the others' results; `--rounds N` says how many times over.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

from bench import readers as fuzzed_readers
from bench import timing as guesses
from bench import uptime_truth

ROOT = Path(__file__).resolve().parent.parent
RESULT = ROOT / "docs" / "proofs.json"
_BIN = Path(sys.executable).parent
_PASSED = re.compile(r"(\d+) passed")
_FUZZED = re.compile(r"(\d+) generated")
_UP_S = 120
_PARTS = 20
# Examples for each operation of the API and round.
_FUZZ_EXAMPLES = 100
# How far from "as often longer as shorter" is chance: four standard deviations of that share for so many guesses.
_TELLS = {
    "wrong_against_right_guess": 0.03,
    "far_against_near_guess": 0.03,
    "unknown_against_known_login": 0.135,
}


class Outcome(NamedTuple):
    """`cases`: how many were tried; `said`: shown if it failed; `figures` stand in the result file."""

    ok: bool
    cases: int
    said: str
    figures: Mapping[str, int] = MappingProxyType({})


def properties() -> Outcome:
    """Every property test, each with 5,000 examples that nobody chose."""
    return _pytest("-m", "hypothesis", "--hypothesis-profile=prove", "-o", "faulthandler_timeout=0")


def kills() -> Outcome:
    """The agent at random moments, changes of the escrow's keys at each step: killed outright, nothing is lost."""
    return _pytest("tests/agent", "tests/app/escrow", "-k", "kill")


def lock() -> Outcome:
    """The agent killed at each step, and 200 times at any moment, of a try at a phone's lock: at most one, no lie."""
    return _pytest(
        "tests/agent/test_lock_kill.py", "tests/agent/test_lock.py", environment={"BUTLER_PROVE_LOCK": "200"}
    )


def wipe_agent() -> Outcome:
    """The agent killed at each step, and 200 times at any moment, of an order to erase; the cable cut at each byte."""
    return _pytest(
        "tests/agent/test_wipe_faults.py",
        "tests/agent/test_wipe.py",
        environment={"BUTLER_PROVE_WIPE": "200"},
    )


def removal() -> Outcome:
    """1,600 removals by chance on phones that lie, hang, drop, are swapped or cloned; 200 kills; each maker's phone
    with each lie, and a clone beside it, from the finding to the end of its case: all that is told is so (R03).
    """
    return _pytest(
        "tests/agent/test_remove_faults.py",
        "tests/agent/test_remove.py",
        "tests/agent/test_remove_protected.py",
        "tests/e2e/test_removal.py",
        "-o",
        "faulthandler_timeout=0",
        environment={"BUTLER_PROVE_REMOVE": "200", "BUTLER_PROVE_REMOVAL_TURNS": "60"},
    )


def wrong_phone() -> Outcome:
    """Cables, serials, answers, orders, disks mixed up: no phone is erased but the one that was approved (R06)."""
    return _runs("tests/e2e/test_wrong_phone.py", "BUTLER_PROVE_WRONG_PHONE", 3000)


def certificate() -> Outcome:
    """Lines cut at any packet, kills, lies, other phones: what is certified was erased, all told is so (R06)."""
    return _runs("tests/e2e/test_certificate_truth.py", "BUTLER_PROVE_CERTIFICATE", 1000)


def transfer() -> Outcome:
    """5,000 contacts, 2,000 files, one above 4 GiB, cut off anywhere, by TCP and adb servers; kills (R06)."""
    sizes = {"FILES": 2000, "CONTACTS": 5000, "HUGE": 2**32 + 10 * 2**20}
    return _pytest(
        "tests/contract/test_transfer.py",
        "tests/agent/transfer",
        "-o",
        "faulthandler_timeout=0",
        environment={
            "BUTLER_PROVE_TRANSFER": "50",
            **{f"BUTLER_PROVE_TRANSFER_{name}": str(size) for name, size in sizes.items()},
        },
    )


def races() -> Outcome:
    """Writers beside each other on both databases: one wins, the others are told."""
    return _pytest("tests/app", "-k", "concurren or test_races or at_once or writers or threads")


def whole_way() -> Outcome:
    """Two runs of `make run`, from simulated phones to verdicts; agents and servers killed, on both databases."""
    return _pytest(
        "tests/e2e/test_make_run.py",
        "tests/e2e/test_whole_way.py",
        environment={"BUTLER_PROVE_WHOLE_WAY": "1"},
    )


def on_time() -> Outcome:
    """Months on a fake clock through the live system, from the wire to the money, on both databases (R02)."""
    return _pytest("tests/e2e/test_on_time.py", environment={"BUTLER_PROVE_MONTHS": "13"})


def api() -> Outcome:
    """Right and wrong requests to every operation of the API: never an error of the server's own."""
    with tempfile.TemporaryDirectory() as var, _server(Path(var)) as (url, token):
        hooks = {**os.environ, "SCHEMATHESIS_HOOKS": "bench.prove_hooks", "PYTHONPATH": str(ROOT)}
        command = [str(_BIN / "st"), "run", f"{url}/api/v1/openapi.json"]
        command += ["-H", f"Authorization: Bearer {token}", "--checks", "not_a_server_error"]
        command += ["--phases", "examples,fuzzing,coverage", "--max-examples", str(_FUZZ_EXAMPLES)]
        ended = subprocess.run(command, check=False, cwd=var, env=hooks, capture_output=True, text=True)
    found = _FUZZED.search(ended.stdout)
    return Outcome(ended.returncode == 0, int(found[1]) if found else 0, ended.stdout[-4000:])


def matrix() -> Outcome:
    """Makers' phones, Android 7 to 16 x second users x breaches, unread parts, lies: phone to verdict (R03)."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {"BUTLER_PROVE_MATRIX": "1", "BUTLER_PROVE_TOLD": folder}
        ended = _pytest("tests/e2e/test_matrix.py", "-o", "faulthandler_timeout=0", environment=environment)
        told: Counter[str] = Counter()
        for file in Path(folder).glob("*.json"):
            told.update(json.loads(file.read_text(encoding="utf-8")))
    return ended._replace(cases=told.pop("runs", 0), figures=dict(sorted(told.items())))


def truth() -> Outcome:
    """3,000 phones for 30 days each, of which the truth is known: who is called off, and who is wronged (R02)."""
    found = uptime_truth.run(sites=60, phones=50, days=30, seed=1)
    wrong = uptime_truth.failures(found)
    figures = uptime_truth.figures(found)
    return Outcome(not wrong, found["lines"], "\n".join([uptime_truth.table(found), *wrong]), figures)


def readers() -> Outcome:
    """10 minutes of dumps cut, mixed, spoilt and stretched: no parser falls over, hangs, or slows with their length."""
    seed = secrets.randbelow(2**32)
    found = fuzzed_readers.run(float(os.environ.get("BUTLER_PROVE_READERS", "600")), seed)
    said = "\n".join([f"seed {seed}", *found.failures])
    return Outcome(not found.failures, found.texts, said, found.figures)


def timing() -> Outcome:
    """Right and wrong guesses, near and far, known logins and unknown: how long the answer takes tells none of them."""
    found = guesses.run(checks=3000, sign_ins=150, seed=1)
    told = {name: share for name, share in found.items() if abs(share - 0.5) > _TELLS[name]}
    shares = {f"{name}_permille": round(share * 1000) for name, share in found.items()}
    return Outcome(not told, 2 * (3000 + 3000 + 150), str(found), shares)


PROOFS: dict[str, Callable[[], Outcome]] = {
    proof.__name__: proof
    for proof in (
        properties,
        kills,
        lock,
        wipe_agent,
        removal,
        wrong_phone,
        certificate,
        transfer,
        races,
        matrix,
        truth,
        readers,
        timing,
        on_time,
        api,
        whole_way,
    )
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*PROOFS, []], metavar="NAME")
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    chosen = arguments.names or list(PROOFS)
    results = []
    for name in chosen:
        results.append(_prove(name, arguments.rounds))
        _write(results[-1])
    return 0 if all(result["ok"] for result in results) else 1


def _prove(name: str, rounds: int) -> dict[str, Any]:
    begin, cases, ok = time.monotonic(), 0, True
    figures: dict[str, int] = {}
    for _ in range(rounds):
        outcome = PROOFS[name]()
        cases += outcome.cases
        figures.update(outcome.figures)
        if not outcome.ok or not outcome.cases:
            ok = False
            print(outcome.said)
            break
    seconds = round(time.monotonic() - begin)
    print(f" {'✓' if ok else '✗'} {name}: {cases} cases in {seconds} s", flush=True)
    what = " ".join((PROOFS[name].__doc__ or "").split())
    result = {"name": name, "what": what, "rounds": rounds, "cases": cases, "seconds": seconds, "ok": ok}
    return result | ({"figures": figures} if figures else {})


def _runs(test: str, name: str, runs: int) -> Outcome:
    """So many runs (or as many as the environment's `name` says) in parts beside each other, each of which tells in a
    file what came of it.
    """
    runs = int(os.environ.get(name, runs))
    with tempfile.TemporaryDirectory() as folder:
        parts = {"BUTLER_PROVE_PARTS": str(_PARTS), "BUTLER_PROVE_TOLD": folder, name: str(runs // _PARTS)}
        ended = _pytest(test, "-o", "faulthandler_timeout=0", environment=parts)
        told: Counter[str] = Counter()
        for file in Path(folder).glob("*.json"):
            told.update(json.loads(file.read_text(encoding="utf-8")))
    return ended._replace(cases=told.pop("runs", 0), figures=dict(sorted(told.items())))


def _pytest(*arguments: str, environment: Mapping[str, str] = MappingProxyType({})) -> Outcome:
    command = [str(_BIN / "pytest"), "-n", "auto", "-p", "no:cacheprovider", *arguments]
    environ = {**os.environ, **environment}
    ended = subprocess.run(command, check=False, cwd=ROOT, env=environ, capture_output=True, text=True)
    found = _PASSED.search(ended.stdout)
    return Outcome(ended.returncode == 0, int(found[1]) if found else 0, ended.stdout[-4000:])


@contextmanager
def _server(var: Path) -> Iterator[tuple[str, str]]:
    """A real server with the demo's data; its address and access token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environment = {**os.environ, "BUTLER_VAR_DIR": str(var)}
    command = [sys.executable, "-m", "scripts.run", "--demo", "0", "--port", str(port)]
    with (var / "run.log").open("w") as log:
        run = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _await(f"http://127.0.0.1:{port}/readyz", run)
        flask = [str(_BIN / "flask"), "--app", "wsgi"]
        subprocess.run([*flask, "demo", "seed"], check=True, cwd=ROOT, env=environment, capture_output=True)
        asked = [*flask, "installation", "access-token"]
        token = subprocess.run(asked, check=True, cwd=ROOT, env=environment, capture_output=True, text=True)
        yield f"http://127.0.0.1:{port}", token.stdout.strip()
    finally:
        run.send_signal(signal.SIGINT)
        run.wait(60)


def _await(url: str, run: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _UP_S
    while run.poll() is None and time.monotonic() < deadline:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own http address
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not come up")


def _write(result: dict[str, Any]) -> None:
    """Put one proof's result in the place of its former one; each says which commit it proved."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], check=False, cwd=ROOT, capture_output=True, text=True
    )
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    former = json.loads(RESULT.read_text(encoding="utf-8"))["proofs"] if RESULT.exists() else []
    proofs = {proof["name"]: proof for proof in former}
    proofs[result["name"]] = {**result, "commit": commit.stdout.strip(), "machine": machine}
    document = {"proofs": [proofs[name] for name in PROOFS if name in proofs]}
    RESULT.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
