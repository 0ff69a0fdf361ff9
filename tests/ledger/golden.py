"""What is stored of every event type and version ever released, which must be readable for ever.

``golden_events.json`` is frozen: with it the format of what is stored, from the outermost bytes to the sealed
parts, the places that they are sealed for and the way in which keys are wrapped. Nothing in the file is ever
changed or taken out; it only grows. It holds

* `keys`: the two keys of a made-up school, and those of the people in the examples, wrapped under them. They
  are kept here in the open because they open nothing else;
* `events`: two examples of each type and version: `full`, from :mod:`tests.ledger.examples`, and `bare`, the
  same with every field that has a default left at it, because a default that is changed later would change
  history. Beside the sealed state stands what it means, with every field spelled out that there was then. For
  fields that joined a class afterwards there are further examples, from `LATER`.

``python -m tests.ledger.golden`` adds what is missing, and never changes what is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from enum import Enum
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from eventsourcing.persistence import StoredEvent

from domain.events import Compartment, Event
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sealing import Keys, generation_of, place_of_event, unseal
from domain.vault.keyring import Keyring, SchoolKeys, WrappedSubjectKeys
from tests.ledger.example_ids import SCHOOL
from tests.ledger.examples import EXAMPLES
from tests.ledger.later_examples import LATER

FILE = Path(__file__).with_name("golden_events.json")

SCHOOL_GENERATION = 3
SUBJECT_GENERATION = 2
"""Not the first, so that it can be told from a number that happens to be one."""

Entry = dict[str, Any]
"""One recorded example: originator, version and state of what was stored, and its meaning."""

Recorded = dict[str, Any]
"""The file: `keys`, and `events` by name and version, then `full` or `bare`."""


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


def is_meant(value: Any, meaning: Any) -> bool:
    """Whether a value says what was recorded of it, and nothing else.

    Fields that joined its class since must be at their defaults: then nothing is stored of them.
    """
    if isinstance(value, tuple | list) and isinstance(meaning, list):
        return len(value) == len(meaning) and all(map(is_meant, value, meaning))
    if not (isinstance(value, msgspec.Struct) and isinstance(meaning, dict)):
        return bool(spelled_out(value) == meaning)
    fields = {field.name: field for field in msgspec.structs.fields(value)}
    return meaning.keys() <= fields.keys() and all(
        is_meant(getattr(value, name), meaning[name])
        if name in meaning
        else field.default is not msgspec.NODEFAULT and getattr(value, name) == field.default
        for name, field in fields.items()
    )


def new_keys() -> Entry:
    """The keys of a school that there is only here."""
    keys = SchoolKeys.new(SCHOOL, SCHOOL_GENERATION)
    assert keys.names
    assert keys.record
    return {
        "school_id": str(SCHOOL),
        "generation": keys.generation,
        "names": keys.names.hex(),
        "record": keys.record.hex(),
        "subjects": {},
    }


def keyring_of(recorded: Recorded) -> Keyring:
    """The recorded keys."""
    keys = recorded["keys"]
    school = SchoolKeys(
        UUID(keys["school_id"]),
        keys["generation"],
        bytes.fromhex(keys["names"]),
        bytes.fromhex(keys["record"]),
    )
    keyring = Keyring(school)
    keyring.give(
        map(UUID, keys["subjects"]),
        [
            WrappedSubjectKeys(
                UUID(subject),
                wrapped["generation"],
                wrapped["school_generation"],
                bytes.fromhex(wrapped["names"]),
                bytes.fromhex(wrapped["record"]),
            )
            for subject, wrapped in keys["subjects"].items()
        ],
    )
    return keyring


def keep_keys(recorded: Recorded, subjects: Iterable[UUID]) -> Keyring:
    """The recorded keys, after some for whoever has none yet have been recorded, too."""
    keyring = keyring_of(recorded)
    for subject in subjects:
        if str(subject) not in recorded["keys"]["subjects"]:
            made = keyring.make(subject, SUBJECT_GENERATION)
            assert made.names
            recorded["keys"]["subjects"][str(subject)] = {
                "generation": made.generation,
                "school_generation": made.school_generation,
                "names": made.names.hex(),
                "record": made.record.hex(),
            }
    return keyring


def entry_of(event: Event, keys: Keys) -> Entry:
    """What is recorded of an example."""
    stored = EventMapper(keys).to_stored_event(event)
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


def opened_parts(keys: Keys, subject: UUID, stored: StoredEvent) -> dict[Compartment, bytes | None]:
    """The parts of a stored event as they were before they were sealed."""
    opened: dict[Compartment, bytes | None] = {}
    for home, part in zip(Compartment, split(stored.state), strict=True):
        if part is not None and home is not Compartment.OPEN:
            cipher = keys.to_open(subject, home, generation_of(part))
            assert cipher is not None
            assert isinstance(stored.originator_id, UUID)
            place = place_of_event(
                keys.school_id, stored.originator_id, stored.originator_version, stored.topic, home
            )
            opened[home] = unseal(cipher, part, place)
        else:
            opened[home] = part
    return opened


def items_of(part: bytes | None) -> Any:
    """What a part holds, in its order.

    How many octets the length of a map takes is left out of account: msgspec decides that by the number of
    fields that there are, also where most are at their defaults and not written.
    """
    if part is None:
        return None

    def ordered(value: Any) -> Any:
        match value:
            case dict():
                return [(key, ordered(held)) for key, held in value.items()]
            case list():
                return [ordered(held) for held in value]
            case _:
                return value

    return ordered(msgspec.msgpack.decode(part))


def topic_of(event: Event) -> str:
    """The stored name and version of an event's class."""
    return f"{event.name}.{event.version}"


def read() -> Recorded:
    """The recorded keys and examples."""
    recorded: Recorded = json.loads(FILE.read_text(encoding="utf-8"))
    return recorded


def add_missing(recorded: Recorded) -> list[str]:
    """Records the examples whose type and version are not recorded yet, and returns those."""
    events = recorded["events"]
    missing = {topic_of(event): event for event in EXAMPLES if topic_of(event) not in events}
    later = {
        name: event for name, event in LATER.items() if name.split()[1] not in events.get(topic_of(event), {})
    }
    keys = keep_keys(recorded, {event.subject for event in [*missing.values(), *later.values()]})
    for topic, event in missing.items():
        events[topic] = {"full": entry_of(event, keys), "bare": entry_of(bare(event), keys)}
    for name, event in later.items():
        events[topic_of(event)][name.split()[1]] = entry_of(event, keys)
    return sorted(missing) + sorted(later)


if __name__ == "__main__":
    examples = read() if FILE.exists() else {"keys": new_keys(), "events": {}}
    for added in add_missing(examples):
        print("added", added)
    FILE.write_text(
        json.dumps(examples, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8"
    )
