"""The subject access bundle: everything held of one child, and nothing of another."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Iterable
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from uuid import UUID

import msgspec
import pytest

import domain.bundles.html
import domain.bundles.page
import domain.pupil
from domain.application import held, noting, observing, subject_access
from domain.application.histories import originators_of_pupil
from domain.application.pupils import PupilResult
from domain.application.school_application import Decision, SchoolApplication
from domain.bundles.archive import problems_of
from domain.bundles.html import POLICY, day_in_words, in_words, moment_in_words
from domain.bundles.spelling import label
from domain.errors import DoesNotOpen, Erased, NotFound
from domain.events import REGISTRY, Actor, Event
from domain.identifiers import new_id
from domain.ledger.database import Connection
from domain.ledger.photographs import Role, add, digest_of, sealed_for
from domain.observation import Observed, PhotographAdded, PhotographWithdrawn
from domain.pupil import (
    ErasureReason,
    PupilAdmitted,
    PupilChanged,
    PupilErased,
    PupilNames,
    PupilRecord,
    RecordChange,
)
from domain.school_time import today
from domain.usage import Read, ReadKind, RecordsRead, packed, usage_of
from tests.application.conftest import RegisteredSchool
from tests.application.examples import admitted, child
from tests.ledger.examples import EVENT_CLASSES, EXAMPLES
from tests.ledger.later_examples import LATER
from tests.photographs import jpeg

MADE_AT = datetime(2026, 11, 25, 9, 15, tzinfo=UTC)


def bundle(school: SchoolApplication, pupil_id: UUID, actor: Actor) -> bytes:
    return b"".join(subject_access.everything_about(school, pupil_id, actor, MADE_AT))


def parts(content: bytes) -> dict[str, bytes]:
    """The files of a bundle, which must be as its manifest says."""
    assert problems_of(io.BytesIO(content)) == []
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def about_a_pupil(cls: type[Event]) -> bool:
    """Whether events of a class are about a child."""
    return cls.subject_field == "pupil_id" or cls.name.startswith("pupil.")


ABOUT_A_PUPIL = [cls for cls in EVENT_CLASSES if about_a_pupil(cls)]


def without_a_place(classes: Iterable[type[Event]]) -> set[str]:
    """The kinds of events about a child that no bundle would show."""
    return {cls.name for cls in classes} - held.KINDS.keys() - held.NOT_HELD.keys()


def test_every_kind_of_event_about_a_pupil_has_a_place() -> None:
    assert len(ABOUT_A_PUPIL) >= 20
    assert without_a_place(ABOUT_A_PUPIL) == set()
    assert held.KINDS.keys() | held.NOT_HELD.keys() <= REGISTRY.classes.keys()


def test_every_log_of_a_pupil_is_of_a_kind() -> None:
    pupil_id = new_id()
    of_kinds = [log(pupil_id) for log in held.LOGS.values()]
    assert sorted([pupil_id, *of_kinds]) == sorted(originators_of_pupil(pupil_id))


def test_a_kind_without_a_place_would_be_noticed() -> None:
    class Forgotten(PupilErased, frozen=True, kw_only=True):
        """Something about a child that nobody thought of."""

    Forgotten.name = "pupil.forgotten"
    assert without_a_place([*ABOUT_A_PUPIL, Forgotten]) == {"pupil.forgotten"}


BY_LOG = ("pupil", "assessment", "attendance", "target", "note", "observation")
"""The first words of the names of events, in the order in which a pupil's logs are named."""


def lived(registered: RegisteredSchool) -> tuple[UUID, list[Event]]:
    """A child to whom everything happened that there is, with every field set; photographs too.

    Their bytes are those of a picture that is stored for real.
    """
    school, actor = registered.application, registered.teacher
    pupil_id, photograph_id = new_id(), new_id()
    whole = LATER["pupil.admitted.1 whole"]
    others = (
        each
        for each in (*EXAMPLES, *LATER.values())
        if about_a_pupil(type(each)) and each.name not in {*held.NOT_HELD, whole.name}
    )
    order = list(held.KINDS)
    logs = originators_of_pupil(pupil_id)
    school.keys.make(pupil_id)
    sealed = {role: sealed_for(school.keys, pupil_id, photograph_id, role, jpeg()) for role in Role}
    events: list[Event] = []
    for example in (whole, *sorted(others, key=lambda each: order.index(each.name))):
        log = logs[BY_LOG.index(example.name.split(".")[0])]
        changes: dict[str, Any] = {
            "originator_id": log,
            "originator_version": 1 + sum(each.originator_id == log for each in events),
            "actor": actor,
        }
        if "pupil_id" in example.__struct_fields__:
            changes["pupil_id"] = pupil_id
        if isinstance(example, PhotographAdded):
            changes["photograph"] = msgspec.structs.replace(
                example.photograph,
                id=photograph_id,
                sha256=digest_of(sealed[Role.PHOTOGRAPH]),
                thumbnail_sha256=digest_of(sealed[Role.THUMBNAIL]),
            )
        if isinstance(example, PhotographWithdrawn):
            changes["photograph_id"] = photograph_id
        events.append(msgspec.structs.replace(example, **changes))

    events.append(_with_every_field(events))

    def keep(connection: Connection) -> None:
        for role, content in sealed.items():
            add(connection, school.school_id, pupil_id, photograph_id, role, content)

    school.carry_out(lambda: Decision(events, PupilResult(pupil_id, 1), beside=keep), PupilResult)
    return pupil_id, events


def set_in(part: msgspec.Struct) -> dict[str, Any]:
    """The fields that are not as they are by default."""
    return {
        field.name: value
        for field in msgspec.structs.fields(part)
        if (value := getattr(part, field.name)) != field.default
    }


def _with_every_field(events: list[Event]) -> Event:
    """A change that gives a child, after these events, what examples leave out."""
    pupil = domain.pupil.fold(None, [each for each in events if each.name.startswith("pupil.")])
    whole = LATER["pupil.admitted.1 whole"]
    assert pupil
    assert isinstance(whole, PupilAdmitted)
    return PupilChanged(
        originator_id=pupil.id,
        originator_version=pupil.version + 1,
        actor=events[0].actor,
        names=msgspec.structs.replace(
            pupil.names,
            **{
                field: value
                for each in LATER.values()
                if isinstance(each, PupilAdmitted | PupilChanged) and each.names
                for field, value in set_in(each.names).items()
            }
            | set_in(whole.names)
            | {"upn": "A881200121001", "former_upns": ("B881200121002",), "postcode": "CM1 1QH"},
        ),
        record=RecordChange(**set_in(whole.record) | {"upn_missing": "UN1"}),
    )


def texts(value: Any) -> set[str]:
    """Every text in plain data: days and codes are, too."""
    match value:
        case dict():
            return {text for each in value.values() for text in texts(each)}
        case list() | tuple():
            return {text for each in value for text in texts(each)}
        case str():
            return {value}
        case _:
            return set()


def missing(record: dict[str, Any], events: Iterable[Event], *without: str) -> set[str]:
    """What some events say and a record, without some of its sections, does not."""
    said = {text for each in events for text in texts(held.said_by(each))}
    return said - texts({name: value for name, value in record.items() if name not in without})


def test_everything_that_events_say_is_in_it(registered: RegisteredSchool) -> None:
    pupil_id, events = lived(registered)
    assert {each.name for each in events} == held.KINDS.keys()
    record = json.loads(parts(bundle(registered.application, pupil_id, registered.teacher))["record.json"])
    assert missing(record, events) == set()
    assert missing(record, events, "history") == set(), "the history alone is no place that people look at"
    assert {each["event"] for each in record["history"]} == held.KINDS.keys()


def not_readable(page: Page, events: Iterable[Event]) -> set[str]:
    """What some events say and a page does not, however deep it lies in them."""
    said = {text for each in events for text in texts(held.said_by(each))}
    words = {text: " ".join(moment_in_words(day_in_words(text)).split()) for text in said}
    return {text for text in said if words[text] not in page.text}


def test_a_parent_can_read_all_of_it(registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch) -> None:
    pupil_id, events = lived(registered)
    page = Page.of(parts(bundle(registered.application, pupil_id, registered.teacher))["index.html"])
    assert not_readable(page, events) == set()
    # The sabotaged twin: a page that does not look into what is made of several fields.
    for module in (domain.bundles.html, domain.bundles.page):
        monkeypatch.setattr(
            module,
            "in_words",
            lambda field, value: "–" if isinstance(value, dict) else in_words(field, value),
        )
    page = Page.of(parts(bundle(registered.application, pupil_id, registered.teacher))["index.html"])
    assert {"COM", "eyfs-profile"} & not_readable(page, events)


@pytest.mark.parametrize("kind", sorted(set(held.KINDS.values())))
def test_a_kind_that_is_left_out_would_be_noticed(
    registered: RegisteredSchool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        held, "of_kind", lambda wanted, placed: () if wanted == kind else _of_kind(wanted, placed)
    )
    pupil_id, events = lived(registered)
    placed = held.events_about(registered.application, [pupil_id], 10**9)[pupil_id]
    record = subject_access.record_of(
        registered.application, pupil_id, placed, 10**9, registered.teacher, MADE_AT
    )
    of_it = [each for each in events if held.KINDS[each.name] == kind]
    assert missing(record, of_it, "history") != set()


_of_kind = held.of_kind


def test_every_field_of_a_pupil_is_in_it(registered: RegisteredSchool) -> None:
    pupil_id, _ = lived(registered)
    files = parts(bundle(registered.application, pupil_id, registered.teacher))
    record = json.loads(files["record.json"])["pupil"]
    assert record["names"].keys() == set(PupilNames.__struct_fields__)
    assert record["record"].keys() == set(PupilRecord.__struct_fields__)
    page = Page.of(files["index.html"])
    for part in ("names", "record"):
        for field, value in record[part].items():
            assert label(field) in page.text
            assert value not in (None, [], {}), f"{field} is not set: nothing would show that it is there"
            assert " ".join(in_words(field, value).split()) in page.text, field


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []

    @classmethod
    def of(cls, content: bytes) -> Page:
        page = cls()
        page.feed(content.decode())
        page.close()
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def dangers(self) -> list[str]:
        """What would be run, fetched, or led elsewhere to."""
        known = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "table", "thead",
                 "tbody", "tr", "th", "td", "article", "figure", "figcaption", "a", "img"}  # fmt: skip
        found = [tag for tag, _ in self.tags if tag not in known]
        for tag, attributes in self.tags:
            found += [f"{tag} {name}" for name in attributes if name.startswith("on") or name == "style"]
            for name in ("src", "href"):
                address = attributes.get(name)
                if address and not address.startswith(("data:image/", "photographs/")):
                    found.append(address)
        return found


HOSTILE = "</td></table><script src=https://evil.example/x.js></script><img onerror=alert(1) src=x>&amp;\"'"


def test_hostile_text_is_shown_and_not_obeyed(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1, surname=HOSTILE))
    noting.write_note(school, pupil_id, HOSTILE, today(), actor)
    seen = Observed(observed_on=today(), text=HOSTILE)
    observation_id = observing.make(school, pupil_id, seen, actor).result.observation_id
    observing.attach(school, pupil_id, observation_id, jpeg(), actor)
    page = Page.of(parts(bundle(school, pupil_id, actor))["index.html"])
    assert page.dangers() == []
    assert page.text.count(HOSTILE) >= 4
    [policy] = [each["content"] for tag, each in page.tags if tag == "meta" and "http-equiv" in each]
    assert policy == POLICY
    assert dict(page.tags)["html"] == {"lang": "en-GB"}


def test_text_that_is_not_escaped_would_be_noticed(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(domain.bundles.html, "escaped", str)
    [pupil_id] = admitted(registered.application, registered.teacher, child(1, surname=HOSTILE))
    page = Page.of(parts(bundle(registered.application, pupil_id, registered.teacher))["index.html"])
    assert {"script", "img onerror", "https://evil.example/x.js"} <= set(page.dangers())


def test_photographs_are_those_that_were_stored_withdrawn_ones_too(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    [pupil_id] = admitted(school, actor, child(1))
    seen = Observed(observed_on=today(), text="Shared the conkers.")
    observation_id = observing.make(school, pupil_id, seen, actor).result.observation_id
    stored = []
    for _ in range(2):
        kept = observing.attach(school, pupil_id, observation_id, jpeg(), actor).result
        stored.append(
            [observing.picture(school, pupil_id, observation_id, kept.photograph_id, role) for role in Role]
        )
    observing.withdraw_photograph(school, pupil_id, observation_id, kept.photograph_id, actor)
    files = parts(bundle(school, pupil_id, actor))
    assert [name for name in files if name.startswith("photographs/")] == [
        "photographs/0001.jpg",
        "photographs/0002.jpg",
    ]
    page = Page.of(files["index.html"])
    images = [attributes["src"] or "" for tag, attributes in page.tags if tag == "img"]
    for number, (photograph, thumbnail) in enumerate(stored):
        assert files[f"photographs/000{number + 1}.jpg"] == photograph.content
        assert base64.b64decode(images[number].partition(",")[2]) == thumbnail.content
    assert "Photograph 2, 96 × 64 pixels, withdrawn" in page.text
    assert ("a", {"href": "photographs/0001.jpg"}) in page.tags


def test_a_photograph_that_was_exchanged_breaks_it_off(
    registered: RegisteredSchool, monkeypatch: pytest.MonkeyPatch
) -> None:
    pupil_id, _ = lived(registered)
    monkeypatch.setattr(
        "domain.application.held_photographs.photographs.get", lambda *_: b"what somebody else put there"
    )
    sent: list[bytes] = []
    content = subject_access.everything_about(registered.application, pupil_id, registered.teacher, MADE_AT)
    with pytest.raises(DoesNotOpen):
        sent.extend(content)
    assert problems_of(io.BytesIO(b"".join(sent))) == ["this is no bundle, or only a part of one"]


def test_nothing_of_another_child_is_in_it(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    one, other = admitted(school, actor, child(1), child(2, surname="Zanzibarcanary"))
    noting.write_note(school, other, "Lynxcanary is what it says", today(), actor)
    assert b"canary" not in b"".join(parts(bundle(school, one, actor)).values())
    assert b"Zanzibarcanary" in parts(bundle(school, other, actor))["index.html"]
    assert b"Lynxcanary" in parts(bundle(school, other, actor))["index.html"]


def seen_in(content: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(parts(content)["record.json"])["seen"]["reads"]
    return found


def test_who_saw_the_child_stands_in_it(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    one, other = admitted(school, actor, child(1), child(2))
    assert actor.staff_id
    # Bytes of two ids that lie side by side may look like a third, which was not shown.
    across = [UUID(bytes=bytes(8) + one.bytes[:8]), UUID(bytes=one.bytes[8:] + bytes(8))]
    shown = [[other], [other, one], across, [one]]
    reads = tuple(
        Read(MADE_AT, kind, True, packed(ids))
        for kind, ids in zip(
            (ReadKind.PUPIL, ReadKind.SHEET, ReadKind.SEARCH, ReadKind.NOTES), shown, strict=True
        )
    )
    for lost, some in ((0, reads[:2]), (3, reads[2:])):
        school.add_to_log(
            RecordsRead(
                originator_id=usage_of(actor.staff_id),
                originator_version=0,
                actor=actor,
                session_id=new_id(),
                staff_id=actor.staff_id,
                reads=some,
                lost=lost,
            )
        )
    content = bundle(school, one, actor)
    assert [(each["what"], each["by"], each["pupils"], each["named"]) for each in seen_in(content)] == [
        ("class sheet", "A Teacher", 2, True),
        ("notes about a pupil", "A Teacher", 1, True),
    ]
    page = Page.of(parts(content)["index.html"]).text
    assert "25 November 2026, 09:15:00 A Teacher class sheet with the name 2" in page
    assert "3 further reads by A Teacher could not be recorded" in page
    assert [each["what"] for each in seen_in(bundle(school, other, actor))] == ["pupil", "class sheet"]


def test_the_same_is_the_same_file_and_later_events_are_not_in_it(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    pupil_id, _ = lived(registered)
    begun = subject_access.everything_about(school, pupil_id, actor, MADE_AT)
    noting.write_note(school, pupil_id, "Written meanwhile", today(), actor)
    assert b"Written meanwhile" not in parts(b"".join(begun))["record.json"]
    assert bundle(school, pupil_id, actor) == bundle(school, pupil_id, actor)


def test_who_is_not_there_or_erased_has_none(registered: RegisteredSchool) -> None:
    school, actor = registered.application, registered.teacher
    with pytest.raises(NotFound):
        bundle(school, new_id(), actor)
    [pupil_id] = admitted(school, actor, child(1))
    erased = PupilErased(
        originator_id=pupil_id, originator_version=2, actor=actor, reason=ErasureReason.REQUEST
    )
    school.carry_out(lambda: Decision([erased], PupilResult(pupil_id, 2)), PupilResult)
    with pytest.raises(Erased):
        bundle(school, pupil_id, actor)


def test_codes_are_spelled_out() -> None:
    assert in_words("ethnicity", "WBRI") == "WBRI (White - British)"
    assert in_words("record.sen_periods.provision", "K").startswith("K (")
    assert in_words("ethnicity", "ZZZZ") == "ZZZZ"
    assert in_words("date_of_birth", "2018-03-04") == "4 March 2018"
    assert in_words("at", "2026-07-01T09:15:00+00:00") == "1 July 2026, 10:15:00"
    assert in_words("eal", False) == "no"
    assert in_words("target", {"subject": "MAT", "term": None}) == "Subject: MAT (Mathematics); Term: –"
    assert in_words("marks", ["/", "", "I"]) == "/, –, I"
    assert in_words("sen_needs", ()) == in_words("target", {}) == "–"
