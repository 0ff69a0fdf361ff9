"""The mapper: events to what is stored, and back, one compartment at a time.

A stored state is a msgpack array of three binary parts, `[open, names, record]`; a compartment in which the
event says nothing is nil, so that whoever cannot open a part can still tell whether there is anything in it.
Each part is a msgpack map of the compartment's fields, typed by the event's class. The second and the third
are sealed, each with its own key of the event's subject, and for their place in the stream.

A mapper works with the keys that are at hand. What it cannot open it says so: the fields of that compartment
hold :data:`~domain.events.SEALED`, or :data:`~domain.events.ERASED` where the key has been destroyed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple, cast, get_type_hints
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent

from domain.errors import DoesNotOpen
from domain.events import ERASED, REGISTRY, SEALED, Compartment, Event, Registry, Sealed, Upcaster
from domain.ledger.sealing import Keys, generation_of, place_of_event, seal, unseal

_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")

# What damaged bytes can make decoders and upcasters raise.
_UNREADABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
    DoesNotOpen,
)

EMPTY = b"\x80"
"""A map of nothing: a compartment whose fields are all as they are by default. Nil is stored in its place."""


class Parts(NamedTuple):
    """The stored parts of an event, as they lie in the database."""

    open: bytes | None
    names: bytes | None
    record: bytes | None


class Origin(msgspec.Struct, frozen=True):
    """Which event a part is from, where the part lies apart from the event."""

    originator_id: UUID
    originator_version: int
    topic: str


_parts_decoder = msgspec.msgpack.Decoder(Parts)
split = _parts_decoder.decode
"""Splits a stored state into its parts without opening any."""


class _Codec:
    """How one compartment of one event class is written and read."""

    def __init__(self, cls: type[Event], compartment: Compartment) -> None:
        hints = get_type_hints(cls)
        self.fields = [field for field, home in cls.compartments().items() if home is compartment]
        defaults = msgspec.structs.fields(cls)
        self.struct = msgspec.defstruct(
            f"{cls.__name__}{compartment.name.title()}",
            [_part_field(hints, info) for info in defaults if info.name in self.fields],
            omit_defaults=True,
            kw_only=True,
            frozen=True,
        )
        self.decoder = msgspec.msgpack.Decoder(self.struct)

    def encode(self, event: Event) -> bytes | None:
        part = _encoder.encode(self.struct(**{field: getattr(event, field) for field in self.fields}))
        return None if part == EMPTY else part

    def decode(self, part: bytes) -> dict[str, Any]:
        return msgspec.structs.asdict(self.decoder.decode(part))


def _part_field(hints: dict[str, Any], info: msgspec.structs.FieldInfo) -> Any:
    if info.default is not msgspec.NODEFAULT:
        return (info.name, hints[info.name], info.default)
    if info.default_factory is not msgspec.NODEFAULT:
        return (info.name, hints[info.name], msgspec.field(default_factory=info.default_factory))
    return (info.name, hints[info.name])


class _Form:
    """How the events of one class are written and read, at their newest version."""

    def __init__(self, cls: type[Event]) -> None:
        self.cls = cls
        self.topic = f"{cls.name}.{cls.version}"
        self.codecs = {home: codec for home in Compartment if (codec := _Codec(cls, home)).fields}


class _Forms:
    """The forms of a registry's events, made once."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.by_name = {name: _Form(cls) for name, cls in registry.classes.items()}
        self.newest = {form.topic: form for form in self.by_name.values()}

    def find(self, topic: str) -> tuple[_Form, dict[Compartment, list[Upcaster]] | None]:
        """The form in which an event of this topic is read, and the way there from an older version.

        Raises:
            ValueError: There is no such event, or not yet.
        """
        if form := self.newest.get(topic):
            return form, None
        name, _, version = topic.rpartition(".")
        form = self.by_name[name]
        if not 1 <= int(version) < form.cls.version:
            raise ValueError(f"there is no version {version}, the newest is {form.cls.version}")
        return form, {home: self.registry.steps(name, int(version), home) for home in Compartment}


@lru_cache(maxsize=8)
def _forms_of(registry: Registry, known: int) -> _Forms:  # noqa: ARG001 - made anew when there are more
    return _Forms(registry)


SEALABLE = (Compartment.NAMES, Compartment.RECORD)
"""The compartments that are sealed."""


class EventMapper(Mapper[UUID]):
    """Maps the events of a registry with the keys of one school."""

    def __init__(self, keys: Keys, registry: Registry = REGISTRY) -> None:
        """Ignores the library's transcoder, compressor and cipher, which know nothing of compartments.

        Args:
            keys: What is at hand to seal and open with.
            registry: The events that there are.
        """
        super().__init__(transcoder=JSONTranscoder())
        self.keys = keys
        self._forms = _forms_of(registry, len(registry.classes))

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Writes an event and seals it; its topic is its stable name and version.

        Raises:
            KeyNotHeld: A compartment that it says something in has no key at hand.
        """
        event = cast("Event", domain_event)
        form = self._forms.by_name[event.name]
        parts = [self._written(event, form, home) for home in Compartment]
        return StoredEvent(event.originator_id, event.originator_version, form.topic, _encoder.encode(parts))

    def _written(self, event: Event, form: _Form, home: Compartment) -> bytes | None:
        codec = form.codecs.get(home)
        part = codec.encode(event) if codec else None
        if part is None or home is Compartment.OPEN:
            return part
        place = place_of_event(
            self.keys.school_id, event.originator_id, event.originator_version, form.topic, home
        )
        return seal(self.keys.to_seal(event.subject, home), part, place)

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        """Reads an event, upcasting what was stored at an older version.

        Raises:
            MapperDeserialisationError: The type is not known, is newer than this software, or does not hold
                what it should; or a part does not open, though its key is at hand: it was damaged, or moved
                here from elsewhere. The message names the place, never the content.
        """
        try:
            form, steps = self._forms.find(stored_event.topic)
            parts = split(stored_event.state)
            fields = self._open_fields(form, steps, parts)
            subject = _subject_of(form, stored_event, fields)
            for home, part in ((Compartment.NAMES, parts.names), (Compartment.RECORD, parts.record)):
                opened = part if part is None else self._unsealed(stored_event, subject, home, part)
                fields |= _read(form, steps, home, opened)
            return form.cls(
                originator_id=cast("UUID", stored_event.originator_id),
                originator_version=stored_event.originator_version,
                **fields,
            )
        except _UNREADABLE as error:
            raise MapperDeserialisationError(
                f"cannot read version {stored_event.originator_version} of {stored_event.originator_id}, "
                f"a {stored_event.topic!r}: {type(error).__name__}"
            ) from None

    def subject_of(self, stored_event: StoredEvent) -> UUID:
        """Whom a stored event is about, from its open part.

        Raises:
            MapperDeserialisationError: As for :meth:`to_domain_event`.
        """
        try:
            form, steps = self._forms.find(stored_event.topic)
            if form.cls.subject_field == "originator_id":
                return cast("UUID", stored_event.originator_id)
            return _subject_of(form, stored_event, self._open_fields(form, steps, split(stored_event.state)))
        except _UNREADABLE as error:
            raise MapperDeserialisationError(
                f"cannot tell whom a {stored_event.topic!r} is about: {type(error).__name__}"
            ) from None

    def open_part(
        self, stored_event: StoredEvent | Origin, subject: UUID, home: Compartment, part: bytes | None
    ) -> dict[str, Any]:
        """The fields of one compartment of an event, from its stored part alone.

        Args:
            stored_event: The event that it is from; its state is not looked at.
            subject: Whom it is about.
            home: The compartment.
            part: The stored part; nothing, where the event says nothing.

        Raises:
            MapperDeserialisationError: As for :meth:`to_domain_event`.
        """
        opened: bytes | Sealed | None = part
        try:
            if part is not None and home is not Compartment.OPEN:
                opened = self._unsealed(stored_event, subject, home, part)
        except _UNREADABLE as error:
            raise _cannot_read(home, stored_event.topic, error) from None
        return self.read_part(stored_event.topic, home, opened)

    def place_of(self, originator_id: UUID, originator_version: int, topic: str, home: Compartment) -> bytes:
        """The place that a part of an event of the school is sealed for."""
        return place_of_event(self.keys.school_id, originator_id, originator_version, topic, home)

    def read_part(self, topic: str, home: Compartment, part: bytes | Sealed | None) -> dict[str, Any]:
        """The fields of one compartment of an event, from its part once that is opened.

        Args:
            topic: The event's name and version.
            home: The compartment.
            part: What is in it; that it is sealed or erased; or nothing, where the event says nothing.

        Raises:
            MapperDeserialisationError: As for :meth:`to_domain_event`.
        """
        try:
            form, steps = self._forms.find(topic)
            return _read(form, steps, home, part)
        except _UNREADABLE as error:
            raise _cannot_read(home, topic, error) from None

    def decoder_of(self, topic: str, home: Compartment) -> Callable[[bytes], Any]:
        """What reads one compartment of every event of a type, once it is opened: for whole streams of them.

        Args:
            topic: The event's name and version.
            home: The compartment.

        Returns:
            A function from the part, which is not nil, to an object with the compartment's fields.

        Raises:
            MapperDeserialisationError: The type is not known, or is newer than this software.
        """
        try:
            form, steps = self._forms.find(topic)
            decode = form.codecs[home].decoder.decode
        except _UNREADABLE as error:
            raise _cannot_read(home, topic, error) from None
        if not steps:
            return decode
        return lambda part: decode(_upcast(part, steps[home]) or EMPTY)

    def _open_fields(
        self, form: _Form, steps: dict[Compartment, list[Upcaster]] | None, parts: Parts
    ) -> dict[str, Any]:
        return _read(form, steps, Compartment.OPEN, parts.open)

    def _unsealed(
        self, stored_event: StoredEvent | Origin, subject: UUID, home: Compartment, part: bytes
    ) -> bytes | Sealed:
        if not self.keys.holds(home):
            return SEALED
        cipher = self.keys.to_open(subject, home, generation_of(part))
        if cipher is None:
            return ERASED
        originator_id = cast("UUID", stored_event.originator_id)
        place = self.place_of(originator_id, stored_event.originator_version, stored_event.topic, home)
        return unseal(cipher, part, place)


def _cannot_read(home: Compartment, topic: str, error: Exception) -> MapperDeserialisationError:
    return MapperDeserialisationError(
        f"cannot read the {home.value} part of a {topic!r}: {type(error).__name__}"
    )


def _subject_of(form: _Form, stored_event: StoredEvent, fields: dict[str, Any]) -> UUID:
    name = form.cls.subject_field
    return cast("UUID", stored_event.originator_id if name == "originator_id" else fields[name])


def _read(
    form: _Form,
    steps: dict[Compartment, list[Upcaster]] | None,
    home: Compartment,
    part: bytes | Sealed | None,
) -> dict[str, Any]:
    codec = form.codecs.get(home)
    if isinstance(part, Sealed):
        # What an upcaster would make of it is as unknown as what is in it.
        return dict.fromkeys(codec.fields, part) if codec else {}
    if steps:
        part = _upcast(part, steps[home])
    if part is None:
        return {}
    if codec is None:
        raise ValueError("a part of a compartment that the event does not have")
    return codec.decode(part)


def _upcast(part: bytes | None, steps: Sequence[Upcaster]) -> bytes | None:
    if not steps:
        return part
    data = msgspec.msgpack.decode(part or EMPTY, type=dict[str, Any])
    for step in steps:
        data = step(data)
    return _encoder.encode(data)
