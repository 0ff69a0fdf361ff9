"""What an event is: a frozen struct with a stable name, a version, and a compartment for every field.

An event belongs to an *originator* (a pupil, a member of staff, the school, or a log of one of these) and is
that originator's `originator_version`-th event. Its Python class is never written down: what is stored is the
registered name and schema version, as in ``pupil.admitted.1``, so that a class may be renamed or moved.

Every field lies in one of three compartments:

* `Open` is not personal: ids, flags, who acted.
* `Names` says who somebody is: names, dates of birth, UPNs, usernames, comments.
* `Record` is everything else about a person: year group, results, access level.

The mapper writes the three parts of an event side by side, and seals the latter two, each with its own key of
the event's *subject*: the child or colleague whom it is about, or the school itself.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Annotated, Any, ClassVar, Final, Never, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from domain.errors import KeyNotHeld

T = TypeVar("T")


class Compartment(Enum):
    """Which key seals a field: none, the subject's `names` key or its `record` key."""

    OPEN = "open"
    NAMES = "names"
    RECORD = "record"

    # There is one object of each, so that it may be told by its identity: ten times faster than by its name,
    # which counts where every part of every event asks for a key.
    __hash__ = object.__hash__


class Sealed:
    """Stands where a field's value would, when its compartment was not opened.

    Whoever only hands it on need not know; whoever looks into it is told that it is sealed.

    Args:
        destroyed: The key is gone for ever, rather than not at hand.
    """

    __slots__ = ("destroyed",)

    def __init__(self, *, destroyed: bool) -> None:
        self.destroyed = destroyed

    def __getattr__(self, name: str) -> Never:
        if name.startswith("__"):
            raise AttributeError(name)
        if self.destroyed:
            raise KeyNotHeld("This was erased: its key has been destroyed")
        raise KeyNotHeld("This is sealed, and its key is not at hand")

    def __repr__(self) -> str:
        return "ERASED" if self.destroyed else "SEALED"


SEALED: Final = Sealed(destroyed=False)
"""A value whose key is not at hand."""

ERASED: Final = Sealed(destroyed=True)
"""A value whose key has been destroyed."""


def is_sealed(value: object) -> bool:
    """Whether a field holds no value, because its compartment was not opened."""
    return isinstance(value, Sealed)


Open = Annotated[T, Compartment.OPEN]
Names = Annotated[T, Compartment.NAMES]
Record = Annotated[T, Compartment.RECORD]


class ActorKind(StrEnum):
    """Who acted: a member of the school's staff, the operator on the school's behalf, or the software."""

    STAFF = "staff"
    OPERATOR = "operator"
    SYSTEM = "system"


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who caused an event.

    Attributes:
        kind: Staff, operator or system.
        staff_id: The member of staff, where it is one.
    """

    kind: ActorKind
    staff_id: UUID | None = None


OPERATOR = Actor(ActorKind.OPERATOR)
SYSTEM = Actor(ActorKind.SYSTEM)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every event.

    Attributes:
        originator_id: What it happened to.
        originator_version: Its number among that originator's events, from 1.
        actor: Who caused it.
    """

    name: ClassVar[str]
    version: ClassVar[int]

    subject_field: ClassVar[str] = "originator_id"
    """The field that names whom the event is about, and so whose keys seal it."""

    founds: ClassVar[bool] = False
    """Whether it is the first that is known of its subject, whose keys are made with it."""

    originator_id: UUID
    originator_version: int
    actor: Open[Actor]

    @property
    def subject(self) -> UUID:
        """Whom the event is about: a pupil, a member of staff, or the school itself."""
        subject: UUID = getattr(self, self.subject_field)
        return subject

    @classmethod
    def compartments(cls) -> dict[str, Compartment]:
        """The compartment of each field but the two that place the event.

        Raises:
            TypeError: A field does not say which compartment it belongs to.
        """
        hints = get_type_hints(cls, include_extras=True)
        return {
            field: _compartment(cls, field, hints[field])
            for field in cls.__struct_fields__
            if field not in {"originator_id", "originator_version"}
        }


def _compartment(cls: type[Event], field: str, hint: Any) -> Compartment:
    if get_origin(hint) is Annotated:
        for mark in get_args(hint)[1:]:
            if isinstance(mark, Compartment):
                return mark
    raise TypeError(f"{cls.__name__}.{field} does not say which compartment it belongs to")


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns one compartment of an event, as plain data, from one version into the next."""

E = TypeVar("E", bound=Event)


class Registry:
    """The event types that there are, by name, with the way from each old version to the newest."""

    def __init__(self) -> None:
        self.classes: dict[str, type[Event]] = {}
        self._upcasters: dict[tuple[str, int, Compartment], Upcaster] = {}

    def event(self, name: str, version: int = 1) -> Callable[[type[E]], type[E]]:
        """Registers an event class under a stable name, at its newest schema version.

        Raises:
            TypeError: The name is taken, a field names no compartment or hides the name or version, or the
                subject is not named by an open field.
        """

        def register(cls: type[E]) -> type[E]:
            if name in self.classes:
                raise TypeError(f"the event name {name!r} is taken by {self.classes[name].__name__}")
            if hidden := {"name", "version"}.intersection(cls.__struct_fields__):
                raise TypeError(
                    f"{cls.__name__} cannot have a field {hidden.pop()!r}: every event class has one"
                )
            cls.name, cls.version = name, version
            home = cls.compartments().get(cls.subject_field, Compartment.OPEN)
            if cls.subject_field not in cls.__struct_fields__ or home is not Compartment.OPEN:
                raise TypeError(f"{cls.__name__} does not say openly whom it is about")
            self.classes[name] = cls
            return cls

        return register

    def upcast(
        self, name: str, from_version: int, compartment: Compartment
    ) -> Callable[[Upcaster], Upcaster]:
        """Registers the step from one version to the next for one compartment of an event.

        A step sees one compartment alone, because the other may be sealed when it runs.
        """

        def register(step: Upcaster) -> Upcaster:
            self._upcasters[name, from_version, compartment] = step
            return step

        return register

    def steps(self, name: str, from_version: int, compartment: Compartment) -> list[Upcaster]:
        """The upcasters to run, in order, on a part stored at `from_version`; a version may have none."""
        return [
            step
            for version in range(from_version, self.classes[name].version)
            if (step := self._upcasters.get((name, version, compartment)))
        ]


REGISTRY = Registry()
"""The event types of Target Tracker."""

event = REGISTRY.event
