"""The mapper: events to what is stored, and back, one compartment at a time.

A stored state is a msgpack array of three binary parts, `[open, names, record]`; a compartment in which the
event says nothing is nil, so that whoever cannot open a part can still tell whether there is anything in it.
Each part is a msgpack map of the compartment's fields, typed by the event's class. A later step seals the
second and third part here, each with its own key, and nothing outside this module will notice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, cast, get_type_hints
from uuid import UUID

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, MapperDeserialisationError, StoredEvent

from domain.events import REGISTRY, Compartment, Event, Registry, Upcaster

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
)

EMPTY = b"\x80"
"""A map of nothing: a compartment whose fields are all as they are by default. Nil is stored in its place."""


class Parts(NamedTuple):
    """The stored parts of an event, as they lie in the database."""

    open: bytes | None
    names: bytes | None
    record: bytes | None


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
        codecs = [_Codec(cls, home) for home in Compartment]
        self.codecs = tuple(codec if codec.fields else None for codec in codecs)


_PLACES = {home: place for place, home in enumerate(Compartment)}


class EventMapper(Mapper[UUID]):
    """Maps the events of a registry; the `MAPPER_TOPIC` of Target Tracker's applications."""

    def __init__(self, registry: Registry = REGISTRY, **_: Any) -> None:
        """Ignores the library's transcoder, compressor and cipher, which know nothing of compartments."""
        super().__init__(transcoder=JSONTranscoder())
        self.registry = registry
        self._forms = {name: _Form(cls) for name, cls in registry.classes.items()}
        self._newest = {form.topic: form for form in self._forms.values()}

    def to_stored_event(self, domain_event: DomainEventProtocol[UUID]) -> StoredEvent:
        """Writes an event; its topic is its stable name and version."""
        event = cast("Event", domain_event)
        form = self._forms[event.name]
        parts = [codec.encode(event) if codec else None for codec in form.codecs]
        return StoredEvent(event.originator_id, event.originator_version, form.topic, _encoder.encode(parts))

    def to_domain_event(self, stored_event: StoredEvent) -> Event:
        """Reads an event, upcasting what was stored at an older version.

        Raises:
            MapperDeserialisationError: The type is not known, is newer than this software, or does not hold
                what it should. The message names the place, never the content.
        """
        try:
            form = self._newest.get(stored_event.topic)
            parts: Sequence[bytes | None] = split(stored_event.state)
            if form is None:
                form, steps = self._from_older(stored_event.topic)
                parts = [_upcast(part, steps[home]) for part, home in zip(parts, Compartment, strict=True)]
            fields: dict[str, Any] = {}
            for codec, part in zip(form.codecs, parts, strict=True):
                if part is not None:
                    fields.update(_decoded(codec, part))
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

    def open_part(self, topic: str, home: Compartment, part: bytes | None) -> dict[str, Any]:
        """The fields of one compartment of an event, from its stored part alone.

        Raises:
            MapperDeserialisationError: The type is not known, or the part does not hold what it should.
        """
        try:
            form = self._newest.get(topic)
            if form is None:
                form, steps = self._from_older(topic)
                part = _upcast(part, steps[home])
            return {} if part is None else _decoded(form.codecs[_PLACES[home]], part)
        except _UNREADABLE as error:
            raise MapperDeserialisationError(
                f"cannot read the {home.value} part of a {topic!r}: {type(error).__name__}"
            ) from None

    def _from_older(self, topic: str) -> tuple[_Form, dict[Compartment, list[Upcaster]]]:
        """The newest form of what was stored at an older version, and the way there."""
        name, _, version = topic.rpartition(".")
        form = self._forms[name]
        if not 1 <= int(version) < form.cls.version:
            raise ValueError(f"there is no version {version}, the newest is {form.cls.version}")
        return form, {home: self.registry.steps(name, int(version), home) for home in Compartment}


def _decoded(codec: _Codec | None, part: bytes) -> dict[str, Any]:
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
