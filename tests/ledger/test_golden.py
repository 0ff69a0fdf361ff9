"""Every event type and version that was ever released is read as it was meant when it was recorded.

The format is frozen with the golden file: what lies in a ledger today must open, and be understood, for ever.
"""

from __future__ import annotations

import copy
from datetime import date
from typing import Any
from uuid import UUID

import msgspec
import pytest
from eventsourcing.persistence import StoredEvent

from domain.assessment import AssessmentRecorded
from domain.events import OPERATOR, REGISTRY, Compartment, Event, Record, Registry
from domain.ledger.mapper import EventMapper, split
from domain.ledger.sealing import generation_of
from tests.keys import keyring_of
from tests.ledger import golden
from tests.ledger.example_ids import PUPIL, SCHOOL
from tests.ledger.examples import EVENT_CLASSES, EXAMPLES, FORMER
from tests.ledger.later_examples import LATER

RECORDED = golden.read()
KEYS = golden.keyring_of(RECORDED)
MAPPER = EventMapper(KEYS)


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.name)
def test_every_event_class_has_an_example(cls: type[Event]) -> None:
    found = [example for example in EXAMPLES if type(example) is cls]
    assert len(found) == 1, f"{cls.__name__} needs one example in tests/ledger/examples.py, not {len(found)}"


def meaning_now(topic: str, kind: str, entry: golden.Entry) -> Any:
    """What a recorded example must be read as."""
    name, _, version = topic.rpartition(".")
    if int(version) == REGISTRY.classes[name].version:
        return entry["meaning"]
    key = topic if kind == "full" else f"{topic} {kind}"
    assert key in FORMER, f"say in tests/ledger/examples.py, FORMER, what {key} is to be read as"
    return golden.spelled_out(FORMER[key])


GOLDEN = [
    (topic, kind, entry) for topic, kinds in RECORDED["events"].items() for kind, entry in kinds.items()
]


@pytest.mark.parametrize(
    ("topic", "kind", "entry"), GOLDEN, ids=[f"{topic} {kind}" for topic, kind, _ in GOLDEN]
)
def test_what_was_ever_recorded_is_read_as_it_was_meant(topic: str, kind: str, entry: golden.Entry) -> None:
    event = MAPPER.to_domain_event(golden.stored_event_of(topic, entry))
    assert golden.is_meant(event, meaning_now(topic, kind, entry))


def test_a_field_that_joined_counts_at_its_default_alone() -> None:
    """The sabotaged twins of the check above: another default, and a field that is there no longer."""
    entry = RECORDED["events"]["assessment.recorded.1"]["full"]
    event = MAPPER.to_domain_event(golden.stored_event_of("assessment.recorded.1", entry))
    assert isinstance(event, AssessmentRecorded)
    assert "statement" not in entry["meaning"]["result"]
    other = msgspec.structs.replace(event, result=msgspec.structs.replace(event.result, statement=PUPIL))
    assert not golden.is_meant(other, entry["meaning"])
    assert not golden.is_meant(event, entry["meaning"] | {"no_more": None})
    assert not golden.is_meant(event, {**entry["meaning"], "pupil_id": str(SCHOOL)})


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_every_event_type_and_version_is_recorded(event: Event) -> None:
    topic = golden.topic_of(event)
    assert topic in RECORDED["events"], f"{topic} is not recorded: run python -m tests.ledger.golden"
    kinds = RECORDED["events"][topic]
    later = {name.split()[1]: each for name, each in LATER.items() if name.split()[0] == topic}
    assert kinds.keys() == {"full", "bare", *later}
    for kind, example in later.items():
        assert MAPPER.to_domain_event(golden.stored_event_of(topic, kinds[kind])) == example
    assert MAPPER.to_domain_event(golden.stored_event_of(topic, kinds["full"])) == event
    assert MAPPER.to_domain_event(golden.stored_event_of(topic, kinds["bare"])) == golden.bare(event)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_what_is_sealed_is_written_as_it_was_recorded(event: Event) -> None:
    """Sealing is random, so it is what the parts hold that must be the same, in the same order."""
    topic = golden.topic_of(event)
    for kind, example in (("full", event), ("bare", golden.bare(event))):
        recorded = golden.stored_event_of(topic, RECORDED["events"][topic][kind])
        written = MAPPER.to_stored_event(example)
        assert items_of(event.subject, written) == items_of(event.subject, recorded)


def items_of(subject: UUID, stored: StoredEvent) -> dict[Compartment, Any]:
    parts = golden.opened_parts(KEYS, subject, stored)
    return {home: golden.items_of(part) for home, part in parts.items()}


def test_every_field_has_been_recorded_with_a_value() -> None:
    assert unrecorded([*EXAMPLES, *LATER.values()]) == set()


def unrecorded(examples: list[Event]) -> set[str]:
    """The fields of events, and of what they hold, that no example gives another value than the default."""
    given: dict[type[msgspec.Struct], set[str]] = {}

    def look(value: Any) -> None:
        if isinstance(value, msgspec.Struct):
            for field in msgspec.structs.fields(value):
                held = getattr(value, field.name)
                if held != field.default:
                    given.setdefault(type(value), set()).add(field.name)
                look(held)
        elif isinstance(value, tuple | list):
            for item in value:
                look(item)

    for event in examples:
        look(event)
    return {
        f"{held.__name__}.{field}"
        for held, fields in given.items()
        for field in held.__struct_fields__
        if field not in fields
    }


def test_a_field_that_nobody_recorded_is_found() -> None:
    assert "PupilRecord.talented" in unrecorded(list(EXAMPLES))


def test_the_recorded_parts_are_sealed() -> None:
    """And the generations of their keys are not the first, lest another number should pass for them."""
    admitted = golden.stored_event_of("pupil.admitted.1", RECORDED["events"]["pupil.admitted.1"]["full"])
    parts = split(admitted.state)
    assert parts.names
    assert parts.record
    assert {generation_of(part) for part in (parts.names, parts.record)} == {golden.SUBJECT_GENERATION}
    assert b"Exempel" not in admitted.state
    assert KEYS.school.generation == golden.SCHOOL_GENERATION


def test_recording_adds_and_never_changes() -> None:
    recorded = golden.read()
    assert golden.add_missing(recorded) == []
    assert recorded == RECORDED

    lost, topic, kept = golden.topic_of(EXAMPLES[3]), golden.topic_of(EXAMPLES[4]), {"full": {"state": "00"}}
    damaged = copy.deepcopy(RECORDED)
    del damaged["events"][lost]
    damaged["events"][topic] = kept
    assert golden.add_missing(damaged) == [lost]
    assert damaged["events"][topic] is kept
    assert damaged["keys"] == RECORDED["keys"]
    for kind in ("full", "bare"):
        anew, before = damaged["events"][lost][kind], RECORDED["events"][lost][kind]
        assert {field: anew["meaning"][field] for field in before["meaning"]} == before["meaning"]
        subject = EXAMPLES[3].subject
        assert golden.opened_parts(KEYS, subject, golden.stored_event_of(lost, anew)) == golden.opened_parts(
            KEYS, subject, golden.stored_event_of(lost, before)
        )


def test_keys_are_recorded_for_whoever_comes_to_it_and_never_changed() -> None:
    recorded = copy.deepcopy(RECORDED)
    del recorded["keys"]["subjects"][str(PUPIL)]
    golden.keep_keys(recorded, [SCHOOL, PUPIL])
    subjects, before = recorded["keys"]["subjects"], RECORDED["keys"]["subjects"]
    assert subjects.keys() == before.keys()
    assert subjects[str(SCHOOL)] == before[str(SCHOOL)]
    assert subjects[str(PUPIL)] != before[str(PUPIL)]


def test_a_default_that_changes_would_be_noticed() -> None:
    """A field left at its default is not stored, so another default would give old events another meaning."""
    before, after = Registry(), Registry()

    @before.event("child.left")
    class Left(Event, frozen=True, kw_only=True):
        on: Record[date] = date(2025, 1, 1)

    @after.event("child.left")
    class LeftLater(Event, frozen=True, kw_only=True):
        on: Record[date] = date(2026, 1, 1)

    keys = keyring_of(KEYS.school, PUPIL)
    stored = EventMapper(keys, before).to_stored_event(
        Left(originator_id=PUPIL, originator_version=1, actor=OPERATOR)
    )
    was = golden.spelled_out(EventMapper(keys, before).to_domain_event(stored))
    assert golden.spelled_out(EventMapper(keys, after).to_domain_event(stored)) != was


def test_another_encoding_would_be_noticed() -> None:
    """The sabotaged twin: a field that is written under another name."""

    @(renamed := Registry()).event("pupil.returned")
    class Returned(Event, frozen=True, kw_only=True):
        on: Record[date]

    topic = "pupil.returned.1"
    recorded = golden.stored_event_of(topic, RECORDED["events"][topic]["full"])
    written = EventMapper(KEYS, renamed).to_stored_event(
        Returned(
            originator_id=PUPIL,
            originator_version=recorded.originator_version,
            actor=OPERATOR,
            on=date(2025, 9, 2),
        )
    )
    now, then = (items_of(PUPIL, stored) for stored in (written, recorded))
    assert now[Compartment.RECORD] != then[Compartment.RECORD]
