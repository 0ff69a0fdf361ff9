"""The Merkle tree that the database keeps is that of RFC 9162, over all that is stored."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from eventsourcing.persistence import StoredEvent
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.identifiers import new_id
from domain.ledger.database import Database, bound
from domain.ledger.merkle import EMPTY_ROOT, CompactRange, entry_hash, leaf_hash, node_hash
from domain.ledger.stream import Stream, register_school
from tests.conftest import TestDatabase

ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The reference entries of the Certificate Transparency project's tests (google/certificate-transparency)."""

ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
"""The roots of the trees of none, one, two, ... of them, from the same tests."""

_urns = count(200000)


def recursive_root(entries: list[bytes]) -> bytes:
    """MTH as RFC 9162 section 2.1.1 defines it, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    split = 1
    while split * 2 < len(entries):
        split *= 2
    return hashlib.sha256(
        b"\x01" + recursive_root(entries[:split]) + recursive_root(entries[split:])
    ).digest()


def tree_of(entries: list[bytes]) -> CompactRange:
    tree = CompactRange()
    tree.extend(entry_hash(entry) for entry in entries)
    return tree


@pytest.mark.parametrize("size", range(9))
def test_known_answers(size: int) -> None:
    assert tree_of(ENTRIES[:size]).root().hex() == ROOTS[size]
    assert recursive_root(ENTRIES[:size]).hex() == ROOTS[size]
    assert ROOTS[0] == EMPTY_ROOT.hex()


def test_a_leaf_is_not_a_node() -> None:
    left, right = entry_hash(b"left"), entry_hash(b"right")
    assert entry_hash(left + right) != node_hash(left, right)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=8), max_size=70), st.integers(0, 70))
def test_the_compact_range_has_the_root_of_the_definition(entries: list[bytes], pause: int) -> None:
    before = tree_of(entries[:pause])
    resumed = CompactRange(before.size, before.peaks)
    resumed.extend(entry_hash(entry) for entry in entries[pause:])
    assert resumed.root() == tree_of(entries).root() == recursive_root(entries)
    assert resumed.peaks == tree_of(entries).peaks
    assert resumed.size == len(entries)


@pytest.mark.parametrize(("size", "peaks"), [(0, 1), (1, 0), (3, 1), (4, 2), (-1, 1)])
def test_peaks_must_fit_the_size(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="does not have"):
        CompactRange(size, bytes(32 * peaks))


EPOCH = datetime(2000, 1, 1, tzinfo=UTC)

LEAF: dict[str, Any] = {
    "school_id": UUID("01890000-0000-7000-8000-000000000001"),
    "position": 2,
    "originator_id": UUID("01890000-0000-7000-8000-000000000002"),
    "originator_version": 3,
    "recorded_at": datetime(2025, 6, 20, 12, 30, 0, 123456, tzinfo=UTC),
    "topic": "pupil.left.1",
    "state": b"state",
}


def test_the_leaf_is_what_the_schema_says() -> None:
    """The bytes written out by hand, so that neither the model nor the database can drift unnoticed."""
    entry = bytes.fromhex(
        "01890000000070008000000000000001"
        "0000000000000002"
        "01890000000070008000000000000002"
        "0000000000000003"
        "0002dafeca11a440"
        "0000000c"
    )
    assert int.from_bytes(entry[48:56]) == (9302 * 86_400 + 45_000) * 1_000_000 + 123_456
    assert leaf_hash(**LEAF) == hashlib.sha256(b"\x00" + entry + b"pupil.left.1" + b"state").digest()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    school_id=st.uuids(),
    position=st.integers(0, 2**63 - 1),
    originator_id=st.uuids(),
    originator_version=st.integers(0, 2**63 - 1),
    recorded_at=st.integers(-(10**15), 10**17).map(lambda since: EPOCH + timedelta(microseconds=since)),
    topic=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
    state=st.binary(max_size=200),
)
def test_the_database_hashes_a_leaf_as_the_model_does(database: Database, **leaf: Any) -> None:
    with database.connection() as connection:
        row = connection.execute(
            "SELECT ledger.leaf_hash(%s, %s, %s, %s, %s, %s, %b)", list(leaf.values()), binary=True
        ).fetchone()
    assert row is not None
    assert row[0] == leaf_hash(**leaf)


def leaf_of(row: tuple[Any, ...]) -> bytes:
    """The hash of an event's row, from its columns alone."""
    school_id, position, originator_id, originator_version, recorded_at, topic, state = row
    return leaf_hash(
        school_id=school_id,
        position=position,
        originator_id=originator_id,
        originator_version=originator_version,
        recorded_at=recorded_at,
        topic=topic,
        state=state,
    )


COLUMNS = ("school_id", "position", "originator_id", "originator_version", "recorded_at", "type", "state")
ROWS = f"SELECT {', '.join(COLUMNS)} FROM ledger.events WHERE school_id = %s ORDER BY position"

batches = st.lists(st.integers(1, 9), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=batches, in_one_transaction=st.booleans())
def test_any_split_into_batches_gives_the_same_tree(
    database: Database, sizes: list[int], in_one_transaction: bool
) -> None:
    """Batches of one take another path through the database than larger ones."""
    school_id = new_id()
    with database.bound_to(school_id) as connection:
        register_school(connection, school_id, str(next(_urns)))
    stream = Stream(database, school_id)
    written = [
        [StoredEvent(new_id(), 1, f"pupil.made-up-{size}.1", bytes(number)) for number in range(size)]
        for size in sizes
    ]
    if in_one_transaction:
        with database.connection() as connection, bound(connection, school_id):
            for batch in written:
                stream.append(batch, connection=connection)
    else:
        for batch in written:
            stream.append(batch)

    with database.bound_to(school_id) as connection:
        rows = connection.execute(ROWS.encode(), [school_id], binary=True).fetchall()
        stored = [
            row[0]
            for row in connection.execute(
                "SELECT leaf_hash FROM ledger.events WHERE school_id = %s ORDER BY position", [school_id]
            )
        ]
    tree = CompactRange()
    tree.extend(leaf_of(row) for row in rows)
    head = stream.head()
    assert [row[6] for row in rows] == [event.state for batch in written for event in batch]
    assert stored == [leaf_of(row) for row in rows]
    assert head.position == tree.size == sum(sizes)
    assert head.peaks == tree.peaks


def recomputed(test_database: TestDatabase) -> bytes:
    """The root over all events that lie in a database, whatever their columns say now."""
    with test_database.connect("postgres") as connection:
        rows = connection.execute(
            f"SELECT {', '.join(COLUMNS)} FROM ledger.events ORDER BY position".encode(), binary=True
        ).fetchall()
    tree = CompactRange()
    tree.extend(leaf_of(row) for row in rows)
    return tree.root()


def check_root(stream: Stream, test_database: TestDatabase) -> None:
    """Recomputes the tree.

    Raises:
        AssertionError: It is not the one that the head vouches for.
    """
    head = stream.head()
    assert recomputed(test_database) == CompactRange(head.position, head.peaks).root(), "altered"


CHANGES = {
    "school_id": "set_byte(uuid_send(school_id), 15, get_byte(uuid_send(school_id), 15) # 1)",
    "position": "position + 100",
    "originator_id": "set_byte(uuid_send(originator_id), 0, get_byte(uuid_send(originator_id), 0) # 128)",
    "originator_version": "originator_version + 1",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "type": "'pupil.admitted.2'",
    "state": "set_byte(state, 0, get_byte(state, 0) # 1)",
}
"""The smallest change to each column."""


@pytest.mark.parametrize("position", [1, 3, 5])
@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_byte_is_noticed(
    stream: Stream, test_database: TestDatabase, column: str, position: int
) -> None:
    stream.append([StoredEvent(new_id(), 1, "pupil.admitted.1", b"state") for _ in range(5)])
    check_root(stream, test_database)
    change = CHANGES[column]
    if column.endswith("_id"):
        change = f"encode({change}, 'hex')::uuid"
    with test_database.connect("postgres") as connection:
        statement = f"UPDATE ledger.events SET {column} = {change} WHERE position = %s"
        assert connection.execute(statement.encode(), [position]).rowcount == 1
    with pytest.raises(AssertionError, match="altered"):
        check_root(stream, test_database)


def test_every_stored_column_is_in_the_leaf(test_database: TestDatabase) -> None:
    with test_database.connect("postgres") as connection:
        rows = connection.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = 'ledger.events'::regclass AND attnum > 0"
            " AND NOT attisdropped"
        ).fetchall()
    assert {row[0] for row in rows} == {*COLUMNS, "leaf_hash"}


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM ledger.events WHERE position = 5",
        "DELETE FROM ledger.events WHERE position = 2",
        "UPDATE ledger.events SET position = 100 WHERE position = 2;"
        "UPDATE ledger.events SET position = 2 WHERE position = 3;"
        "UPDATE ledger.events SET position = 3 WHERE position = 100",
    ],
    ids=["tail cut off", "removed", "two exchanged"],
)
def test_what_is_removed_or_moved_is_noticed(
    stream: Stream, test_database: TestDatabase, damage: str
) -> None:
    stream.append([StoredEvent(new_id(), 1, "pupil.admitted.1", b"state") for _ in range(5)])
    with test_database.connect("postgres") as connection:
        assert connection.execute(damage.encode()).rowcount >= 1
    with pytest.raises(AssertionError, match="altered"):
        check_root(stream, test_database)
