"""What an event is: a frozen struct with a stable name, a version, and a compartment for every field.

An event belongs to an *originator* (a pupil, a member of staff, the school, or a log of one of these) and is
that originator's `originator_version`-th event. Its Python class is never written down: what is stored is the
registered name and schema version, as in ``pupil.admitted.1``, so that a class may be renamed or moved.

Every field lies in one of three compartments:

* `Open` is not personal: ids, flags, who acted.
* `Names` says who somebody is: names, dates of birth, UPNs, usernames, comments.
* `Record` is everything else about a person: year group, results, access level.

The mapper writes the three parts of an event side by side, and will seal the latter two with different keys.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, StrEnum
from typing import Annotated, Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

T = TypeVar("T")


class Compartment(Enum):
    """Which key will seal a field: none, the school's `names` key or its `record` key."""

    OPEN = "open"
    NAMES = "names"
    RECORD = "record"


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

    originator_id: UUID
    originator_version: int
    actor: Open[Actor]

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
            TypeError: The name is taken, or a field names no compartment or hides the name or version.
        """

        def register(cls: type[E]) -> type[E]:
            if name in self.classes:
                raise TypeError(f"the event name {name!r} is taken by {self.classes[name].__name__}")
            if hidden := {"name", "version"}.intersection(cls.__struct_fields__):
                raise TypeError(
                    f"{cls.__name__} cannot have a field {hidden.pop()!r}: every event class has one"
                )
            cls.name, cls.version = name, version
            cls.compartments()
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
