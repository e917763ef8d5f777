"""The parts `calls` and `messages`: lists of plain records, written one by one where the phone takes them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.transfer.parts import PartCount, PartOutcome, PartProgress, PartReport, PartStore
from agent.transfer.people.batches import Writer
from agent.transfer.people.differences import MOST, entry
from agent.transfer.people.keep import get, get_lines, put, put_lines
from agent.transfer.people.memory import Memo
from agent.transfer.people.provider import NotRead, Provider, insert, longest
from agent.transport import Transport

INSERT_ROWS = 2000
_LOOKS = 3
Record = tuple[str, ...]


@dataclass(frozen=True)
class Kind:
    """`columns` are what a record is and what is compared; `ignored`: why a phone takes an insert without a word and
    does nothing. `beside`: records of another kind that cannot be moved at all, and the code that says so.
    """

    name: str
    uri: str
    columns: tuple[str, ...]
    whole_numbers: frozenset[str]
    ignored: str
    beside: tuple[str, str] | None = None


CALLS = Kind(
    "calls",
    "content://call_log/calls",
    ("number", "date", "duration", "type"),
    frozenset({"date", "duration", "type"}),
    "insert_ignored",
)
MESSAGES = Kind(
    "messages",
    "content://sms",
    ("address", "date", "type", "read", "body"),
    frozenset({"date", "type", "read"}),
    # Android takes messages of the default SMS app only.
    "default_sms_app",
    ("content://mms", "mms_not_moved"),
)


@dataclass
class Records:
    """`limits`: `insert_rows`."""

    kind: Kind
    limits: Mapping[str, Any]

    name: str = field(init=False)
    _old: Memo = field(default_factory=Memo)
    _new: Memo = field(default_factory=Memo)
    _there: int = field(default=0, init=False)

    @property
    def held(self) -> tuple[int, ...]:
        """See `Part`."""
        return self._old.held, self._new.held, self._there

    def __post_init__(self) -> None:
        self.name = self.kind.name

    def collect(self, old: Transport, store: PartStore, progress: PartProgress) -> PartCount:
        """See `Part`. What was read once whole is not read again."""
        told = get(store, self._at("collected"))
        if told is None or told["reason"] is not None:
            told = self._collect(Provider(old, lambda: progress(0, None), self._old), store)
            put(store, self._at("collected"), told)
        return PartCount(told["found"], None, told["reason"])

    def _collect(self, provider: Provider, store: PartStore) -> dict[str, Any]:
        try:
            records = self._read(provider)
        except NotRead as exc:
            return {"found": None, "reason": exc.reason, "beside": None}
        put_lines(store, self._at("rows"), records)
        return {"found": len(records), "reason": None, "beside": self._beside(provider)}

    def _beside(self, provider: Provider) -> int | None:
        """How many of the kind that cannot be moved; None: unknown."""
        if self.kind.beside is None:
            return 0
        try:
            return len(provider.ids(self.kind.beside[0]))
        except NotRead:
            return None

    def deliver(self, new: Transport, store: PartStore, progress: PartProgress) -> PartCount:
        """See `Part`. One record is tried first: where it does not appear, none of the others is written."""
        told = get(store, self._at("collected"))
        if told is None or told["reason"] is not None:
            return PartCount(None, None, "not_collected" if told is None else told["reason"])
        provider = Provider(new, lambda: progress(0, told["found"]), self._new)
        try:
            note = self._deliver(provider, store, progress)
            moved = told["found"] - len(self._missing(provider, store))
        except NotRead as exc:
            note, moved = f"new_{exc.reason}", None
        put(store, self._at("note"), note)
        return PartCount(told["found"], moved, note)

    def _deliver(self, provider: Provider, store: PartStore, progress: PartProgress) -> str | None:
        missing = self._missing(provider, store)
        if not missing:
            return None
        left = int(self.limits.get("insert_rows", INSERT_ROWS))
        writer = Writer(provider.transport, longest(provider.sdk()), left, progress)
        writer.run([self._insert(missing[0])])
        rest = self._missing(provider, store)
        if len(rest) == len(missing) and writer.done:
            return writer.refused or self.kind.ignored
        writer.run([self._insert(record) for record in rest], len(missing))
        if writer.over_limit:
            return "over_limit"
        return writer.refused or ("too_long" if writer.too_long else None)

    def verify(self, new: Transport, store: PartStore, progress: PartProgress) -> PartReport:
        """See `Part`."""
        told = get(store, self._at("collected"))
        if told is None or told["reason"] is not None:
            reason = "not_collected" if told is None else told["reason"]
            return PartReport(self.name, "not_offered", None, None, None, None, reason)
        found = told["found"]
        try:
            missing = self._missing(Provider(new, lambda: progress(0, found), self._new), store)
        except NotRead as exc:
            return PartReport(self.name, "failed", found, None, None, None, f"new_{exc.reason}")
        return self._report(found, missing, told["beside"], store)

    def _report(self, found: int, missing: list[Record], beside: int | None, store: PartStore) -> PartReport:
        note = get(store, self._at("note"))
        reason = (note or "not_there") if missing else None
        if reason is None and self.kind.beside is not None and beside != 0:
            reason = self.kind.beside[1] if beside else "mms_unknown"
        refused = bool(missing) and len(missing) == found and note in {self.kind.ignored, "denied"}
        outcome: PartOutcome = "not_offered" if refused else "differences" if reason else "verified"
        there = found - len(missing)
        lines = list(self._entries(missing, beside, store))
        return PartReport(self.name, outcome, found, there, there, len(missing), reason, lines)

    def _entries(
        self, missing: list[Record], beside: int | None, store: PartStore
    ) -> Iterator[dict[str, Any]]:
        """By the record's place in the old phone's list; what it says and whose number it is stays out of it."""
        left = Counter(missing)
        told = 0
        for place, line in enumerate(get_lines(store, self._at("rows"))):
            if left[tuple(line)] > 0 and told < MOST - 1:
                left[tuple(line)] -= 1
                told += 1
                yield entry(self.name, f"{self.name}/{place + 1}", "missing", "not_there")
        if beside != 0 and self.kind.beside is not None:
            yield entry(
                self.name, f"{self.name}/mms", "skipped", self.kind.beside[1] if beside else "mms_unknown"
            )

    def _missing(self, provider: Provider, store: PartStore) -> list[Record]:
        """What the new phone does not hold, each as often as it is missing. Raise `NotRead`."""
        there = Counter(self._read(provider))
        missing, self._there = [], 0
        for line in get_lines(store, self._at("rows")):
            record = tuple(line)
            if there[record] > 0:
                there[record] -= 1
                self._there += 1
            else:
                missing.append(record)
        return missing

    def _read(self, provider: Provider) -> list[Record]:
        """All records in the order of their numbers; what a column lacks is empty. Raise `NotRead`."""
        uri, memo = self.kind.uri, provider.memo
        try:
            for _ in range(_LOOKS):
                memo.begin()
                numbers = provider.known_ids(uri)
                columns = [provider.column(uri, column) for column in self.kind.columns]
                unchanged = provider.long_ids(uri) == numbers
                memo.forget()
                if unchanged:
                    return [tuple(column.get(number, "") for column in columns) for number in numbers]
        except NotRead:
            memo.forget()
            raise
        raise NotRead("changing")

    def _insert(self, record: Record) -> str:
        values: dict[str, str | int] = {}
        for column, text in zip(self.kind.columns, record, strict=True):
            if text:
                number = column in self.kind.whole_numbers and text.lstrip("-").isdigit()
                values[column] = int(text) if number else text
        return insert(self.kind.uri, values)

    def _at(self, what: str) -> str:
        return f"{self.name}.{what}"
