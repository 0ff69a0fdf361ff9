"""Every event type and version that was ever released is read as it was meant when it was recorded."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.events import OPERATOR, REGISTRY, Event, Record, Registry
from domain.identifiers import new_id
from domain.ledger.mapper import EventMapper
from tests.ledger import golden
from tests.ledger.examples import EVENT_CLASSES, EXAMPLES, FORMER

MAPPER = EventMapper()


@pytest.mark.parametrize("cls", EVENT_CLASSES, ids=lambda cls: cls.name)
def test_every_event_class_has_an_example(cls: type[Event]) -> None:
    found = [example for example in EXAMPLES if type(example) is cls]
    assert len(found) == 1, f"{cls.__name__} needs one example in tests/ledger/examples.py, not {len(found)}"


def meaning_now(topic: str, kind: str, entry: golden.Entry) -> Any:
    """What a recorded example must be read as."""
    name, _, version = topic.rpartition(".")
    if int(version) == REGISTRY.classes[name].version:
        return entry["meaning"]
    key = topic if kind == "full" else f"{topic} bare"
    assert key in FORMER, f"say in tests/ledger/examples.py, FORMER, what {key} is to be read as"
    return golden.spelled_out(FORMER[key])


GOLDEN = [(topic, kind, entry) for topic, kinds in golden.read().items() for kind, entry in kinds.items()]


@pytest.mark.parametrize(
    ("topic", "kind", "entry"), GOLDEN, ids=[f"{topic} {kind}" for topic, kind, _ in GOLDEN]
)
def test_what_was_ever_recorded_is_read_as_it_was_meant(topic: str, kind: str, entry: golden.Entry) -> None:
    event = MAPPER.to_domain_event(golden.stored_event_of(topic, entry))
    assert golden.spelled_out(event) == meaning_now(topic, kind, entry)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.name)
def test_every_event_type_and_version_is_recorded(event: Event) -> None:
    recorded = golden.read()
    topic = golden.topic_of(event)
    assert topic in recorded, f"{topic} is not recorded: run python -m tests.ledger.golden"
    assert recorded[topic].keys() == {"full", "bare"}
    assert MAPPER.to_domain_event(golden.stored_event_of(topic, recorded[topic]["full"])) == event
    assert MAPPER.to_domain_event(golden.stored_event_of(topic, recorded[topic]["bare"])) == golden.bare(
        event
    )


def test_recording_adds_and_never_changes() -> None:
    recorded = golden.read()
    assert golden.add_missing(recorded) == []
    assert recorded == golden.read()

    topic, kept = EXAMPLES[0].name + ".1", {"full": {"state": "00"}}
    damaged = {name: kinds for name, kinds in golden.read().items() if name != golden.topic_of(EXAMPLES[1])}
    damaged[topic] = kept
    assert golden.add_missing(damaged) == [golden.topic_of(EXAMPLES[1])]
    assert damaged[topic] is kept
    assert damaged[golden.topic_of(EXAMPLES[1])] == recorded[golden.topic_of(EXAMPLES[1])]


def test_a_default_that_changes_would_be_noticed() -> None:
    """A field left at its default is not stored, so another default would give old events another meaning."""
    before, after = Registry(), Registry()

    @before.event("child.left")
    class Left(Event, frozen=True, kw_only=True):
        on: Record[date] = date(2025, 1, 1)

    @after.event("child.left")
    class LeftLater(Event, frozen=True, kw_only=True):
        on: Record[date] = date(2026, 1, 1)

    stored = EventMapper(before).to_stored_event(
        Left(originator_id=new_id(), originator_version=1, actor=OPERATOR)
    )
    was = golden.spelled_out(EventMapper(before).to_domain_event(stored))
    assert golden.spelled_out(EventMapper(after).to_domain_event(stored)) != was
