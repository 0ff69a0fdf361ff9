"""Whole columns of values in PostgreSQL's binary form: as arrays in a statement, and as rows in a COPY.

psycopg looks at each value to find out how to send it. For columns of known types, tens of thousands of
values in a batch, that costs more than opening what is in them.

Sources of the forms: `array_recv` in PostgreSQL's `src/backend/utils/adt/arrayfuncs.c`, and "Binary Format"
in its documentation of COPY.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, repeat
from typing import Any
from uuid import UUID

import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format

_HEAD = struct.Struct(
    ">iiIii"
)  # dimensions, whether any is null, type; and of the dimension: length, first index
_NO_ELEMENTS = struct.Struct(">iiI")
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"

_types = psycopg.postgres.types

Elements = Callable[[Sequence[Any]], list[bytes]]
"""Makes each value of a column into bytes, with its length before it. No value may be null."""


def _uuids(values: Iterable[UUID]) -> list[bytes]:
    return [b"\0\0\0\x10" + value.int.to_bytes(16) for value in values]


def _smallints(values: Iterable[int]) -> list[bytes]:
    return [b"\0\0\0\x02" + value.to_bytes(2, signed=True) for value in values]


def _bigints(values: Iterable[int]) -> list[bytes]:
    return [b"\0\0\0\x08" + value.to_bytes(8, signed=True) for value in values]


def _texts(values: Sequence[str]) -> list[bytes]:
    # They are codes and names of types: few values, which come again and again.
    known = {value: _with_its_length(value.encode()) for value in set(values)}
    return [known[value] for value in values]


def _byteas(values: Iterable[bytes]) -> list[bytes]:
    return [_with_its_length(value) for value in values]


def _booleans(values: Iterable[bool]) -> list[bytes]:
    return [b"\0\0\0\x01\x01" if value else b"\0\0\0\x01\x00" for value in values]


def _with_its_length(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


_ELEMENTS: dict[int, Elements] = {
    _types["uuid"].oid: _uuids,
    _types["int2"].oid: _smallints,
    _types["int8"].oid: _bigints,
    _types["text"].oid: _texts,
    _types["bytea"].oid: _byteas,
    _types["bool"].oid: _booleans,
}


def _array(oid: int, elements: Sequence[bytes]) -> bytes:
    head = _HEAD.pack(1, 0, oid, len(elements), 1) if elements else _NO_ELEMENTS.pack(0, 0, oid)
    return head + b"".join(elements)


class Array:
    """A column of values, ready to be sent: a parameter of a statement, in the place of a list."""

    __slots__ = ("data",)

    element = ""
    """The elements' type, as PostgreSQL names it."""

    def __init__(self, values: Sequence[Any]) -> None:
        """Takes in the values.

        Raises:
            OverflowError: A number is too large for its type.
        """
        oid = _types[self.element].oid
        self.data = _array(oid, _ELEMENTS[oid](values))


class Uuids(Array):
    """Of `uuid`."""

    __slots__ = ()
    element = "uuid"


class Smallints(Array):
    """Of `smallint`."""

    __slots__ = ()
    element = "int2"


class Bigints(Array):
    """Of `bigint`."""

    __slots__ = ()
    element = "int8"


class Texts(Array):
    """Of `text`."""

    __slots__ = ()
    element = "text"


class Byteas(Array):
    """Of `bytea`."""

    __slots__ = ()
    element = "bytea"


def columns_of(rows: Iterable[Sequence[Any]], kinds: Sequence[type[Array]]) -> list[Array]:
    """The columns of some rows, each as an array of its kind.

    Args:
        rows: The rows; at least one.
        kinds: What each column is made into.

    Raises:
        ValueError: The rows have fewer or more columns, or not all as many.
        OverflowError: A number is too large for its type.
    """
    return [kind(column) for kind, column in zip(kinds, zip(*rows, strict=True), strict=True)]


def knows(types: Iterable[int]) -> bool:
    """Whether :class:`Columns` can be of these types, by their numbers."""
    return _ELEMENTS.keys() >= set(types)


class Columns:
    """The columns of some rows in binary form, made once: both to be compared, and to be copied."""

    def __init__(self, rows: Iterable[Sequence[Any]], types: Sequence[int]) -> None:
        """Takes in the rows.

        Args:
            rows: The rows; no value is null.
            types: The numbers of the columns' types.

        Raises:
            ValueError: The rows have fewer or more columns, or not all as many.
            OverflowError: A number is too large for its type.
        """
        self._types = types
        columns = list(zip(*rows, strict=True)) or [()] * len(types)
        self._columns = [_ELEMENTS[oid](values) for oid, values in zip(types, columns, strict=True)]

    def arrays(self) -> list[bytes]:
        """Each column as a cursor that is :func:`undecoded` reads an array of it."""
        return [_array(oid, elements) for oid, elements in zip(self._types, self._columns, strict=True)]

    def copied(self, first: UUID) -> Iterator[bytes]:
        """All that a COPY in binary form takes.

        Args:
            first: The value of one more column, before the others, which all rows have in common.
        """
        start = (1 + len(self._types)).to_bytes(2) + _uuids([first])[0]
        yield _SIGNATURE
        yield b"".join(chain.from_iterable(zip(repeat(start), *self._columns, strict=False)))
        yield _TRAILER


class _Undecoded(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


def undecoded(connection: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """A cursor that reads arrays of the types that there are here as the bytes that the server sends.

    Where nothing in the array is null, they are those of :meth:`Columns.arrays`.
    """
    cursor = connection.cursor(binary=True)
    for oid in _ELEMENTS:
        cursor.adapters.register_loader(_types[oid].array_oid, _Undecoded)
    return cursor


class _ArrayDumper(Dumper):
    format = Format.BINARY

    def dump(self, obj: Array) -> bytes:
        return obj.data


for _kind in (Uuids, Smallints, Bigints, Texts, Byteas):
    psycopg.adapters.register_dumper(
        _kind, type(f"{_kind.__name__}Dumper", (_ArrayDumper,), {"oid": _types[_kind.element].array_oid})
    )
