"""Arrays as PostgreSQL's binary protocol has them, made column by column.

psycopg looks at each element of a list to find out how to send it. For whole columns of known types, tens of
thousands of values in a batch, that costs more than opening what is in them.

Source of the form: `array_recv` in PostgreSQL's `src/backend/utils/adt/arrayfuncs.c`. No value may be null.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

_HEAD = struct.Struct(">iiIii")  # dimensions, whether any is null, type; and of the dimension: length, first index
_NO_ELEMENTS = struct.Struct(">iiI")

_types = psycopg.postgres.types


class Array:
    """A column of values, ready to be sent: a parameter of a statement, in the place of a list."""

    __slots__ = ("data",)

    element = ""
    """The elements' type, as PostgreSQL names it."""

    def __init__(self, elements: Sequence[bytes]) -> None:
        """Takes in the elements, each with its length before it."""
        oid = _types[self.element].oid
        head = _HEAD.pack(1, 0, oid, len(elements), 1) if elements else _NO_ELEMENTS.pack(0, 0, oid)
        self.data = head + b"".join(elements)


class Uuids(Array):
    """Of `uuid`."""

    __slots__ = ()
    element = "uuid"

    def __init__(self, values: Iterable[UUID]) -> None:
        """Takes in the values."""
        super().__init__([b"\0\0\0\x10" + value.int.to_bytes(16) for value in values])


class Smallints(Array):
    """Of `smallint`."""

    __slots__ = ()
    element = "int2"

    def __init__(self, values: Iterable[int]) -> None:
        """Takes in the values.

        Raises:
            OverflowError: One is too large.
        """
        super().__init__([b"\0\0\0\x02" + value.to_bytes(2, signed=True) for value in values])


class Bigints(Array):
    """Of `bigint`."""

    __slots__ = ()
    element = "int8"

    def __init__(self, values: Iterable[int]) -> None:
        """Takes in the values.

        Raises:
            OverflowError: One is too large.
        """
        super().__init__([b"\0\0\0\x08" + value.to_bytes(8, signed=True) for value in values])


class Texts(Array):
    """Of `text`: of codes and names of types, where few values come again and again."""

    __slots__ = ()
    element = "text"

    def __init__(self, values: Sequence[str]) -> None:
        """Takes in the values."""
        known = {value: _with_its_length(value.encode()) for value in set(values)}
        super().__init__([known[value] for value in values])


class Byteas(Array):
    """Of `bytea`."""

    __slots__ = ()
    element = "bytea"

    def __init__(self, values: Iterable[bytes]) -> None:
        """Takes in the values."""
        super().__init__([_with_its_length(value) for value in values])


def columns_of(rows: Iterable[Sequence[Any]], *kinds: Callable[[Sequence[Any]], Array]) -> list[Array]:
    """The columns of some rows, each as an array of its kind.

    Args:
        rows: The rows; at least one.
        kinds: What each column is made into.

    Raises:
        ValueError: The rows have fewer or more columns, or not all as many.
    """
    return [kind(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]


def _with_its_length(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj.data


for _kind in (Uuids, Smallints, Bigints, Texts, Byteas):
    psycopg.adapters.register_dumper(
        _kind, type(f"{_kind.__name__}Dumper", (_ArrayDumper,), {"oid": _types[_kind.element].array_oid})
    )
