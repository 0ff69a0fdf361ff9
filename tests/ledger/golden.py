"""The bytes of every event type and version ever released, which must be readable for ever.

``golden_events.json`` holds two examples of each: `full`, from :mod:`tests.ledger.examples`, and `bare`, the
same with every field that has a default left at it, because a default that is changed later would change
history. Beside the bytes stands what they mean, with every field spelled out.

``python -m tests.ledger.golden`` adds what is missing, and never changes what is there.
"""

from __future__ import annotations

import json
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import StoredEvent

from domain.events import Event
from domain.ledger.mapper import EventMapper
from tests.ledger.examples import EXAMPLES

FILE = Path(__file__).with_name("golden_events.json")

Entry = dict[str, Any]
"""One recorded example: originator, version and state of what was stored, and its meaning."""


def bare(value: Any) -> Any:
    """The same, with every field that has a default left at it, all the way down."""
    if not isinstance(value, msgspec.Struct):
        return value
    fields = {}
    for field in msgspec.structs.fields(value):
        optional = field.default is not msgspec.NODEFAULT or field.default_factory is not msgspec.NODEFAULT
        if not optional:
            fields[field.name] = bare(getattr(value, field.name))
    return type(value)(**fields)


def spelled_out(value: Any) -> Any:
    """A value as plain JSON that says every field, so that it does not lean on the defaults of the code."""
    match value:
        case msgspec.Struct():
            return {name: spelled_out(getattr(value, name)) for name in value.__struct_fields__}
        case msgspec.UnsetType():
            return "(unset)"
        case Enum():
            return value.value
        case tuple() | list():
            return [spelled_out(item) for item in value]
        case _:
            return msgspec.to_builtins(value)


def entry_of(event: Event) -> Entry:
    """What is recorded of an example."""
    stored = EventMapper().to_stored_event(event)
    return {
        "originator_id": str(stored.originator_id),
        "originator_version": stored.originator_version,
        "state": stored.state.hex(),
        "meaning": spelled_out(event),
    }


def stored_event_of(topic: str, entry: Entry) -> StoredEvent:
    """A recorded example as it would lie in the ledger."""
    return StoredEvent(
        UUID(entry["originator_id"]), entry["originator_version"], topic, bytes.fromhex(entry["state"])
    )


def topic_of(event: Event) -> str:
    """The stored name and version of an event's class."""
    return f"{event.name}.{event.version}"


def read() -> dict[str, dict[str, Entry]]:
    """The recorded examples: by name and version, then `full` or `bare`."""
    recorded: dict[str, dict[str, Entry]] = json.loads(FILE.read_text(encoding="utf-8"))
    return recorded


def add_missing(recorded: dict[str, dict[str, Entry]]) -> list[str]:
    """Records the examples whose type and version are not recorded yet, and returns those."""
    missing = {topic_of(event): event for event in EXAMPLES if topic_of(event) not in recorded}
    for topic, event in missing.items():
        recorded[topic] = {"full": entry_of(event), "bare": entry_of(bare(event))}
    return sorted(missing)


if __name__ == "__main__":
    examples = read() if FILE.exists() else {}
    for added in add_missing(examples):
        print("added", added)
    FILE.write_text(
        json.dumps(examples, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
