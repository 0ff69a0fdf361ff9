"""Looks through a whole database for what must not be readable in it, as somebody who stole it would.

Every table is written out in PostgreSQL's binary form, in which text and bytes stand as they are, and
searched by `grep` for each word in several spellings: as it is, in capitals and without, as UTF-16, as
hexadecimal digits and as base64. Words that are too short are left out, since they turn up in any heap of
random bytes; but what is not sealed also shows by the names of its fields, which are looked for as well.
"""

from __future__ import annotations

import base64
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import psycopg

from domain.assessment import Result
from domain.attendance import Totals
from domain.pupil import PupilNames, PupilRecord
from domain.staff import Access, StaffNames

SHORTEST = 6
"""Bytes that a spelling must have to be looked for."""

FIELDS = frozenset(
    {
        field
        for struct in (PupilNames, PupilRecord, Result, Totals, StaffNames, Access)
        for field in struct.__struct_fields__
        if len(field) >= SHORTEST
    }
    | {"observed_on", "subject_code", "official_email", "password_verifier", "$argon2id$", "$pbkdf2-sha512$"}
) - {
    "attendance",
    "classes",
    "statement",
}  # which name what is read, in the audit, and what events are called
"""Names of fields that only ever stand in sealed parts."""

BENCHMARKS = "analytics."
"""What is released is told by characteristics that are called like these fields.

Who anybody is stands there no more than elsewhere.
"""


class Readable(msgspec.Struct, frozen=True):
    """Something that can be read.

    Attributes:
        table: Where.
        word: What, as it was found; bytes that are no text are shown as Python shows them.
    """

    table: str
    word: str


def spellings(word: str) -> set[bytes]:
    """A word as bytes, in every spelling that is looked for."""
    plain = {word.encode(), word.upper().encode(), word.casefold().encode(), word.encode("utf-16-le")}
    found = set(plain)
    for octets in plain:
        if len(octets) < SHORTEST:  # its digits would turn up by chance, however many they are
            continue
        found.add(octets.hex().encode())
        # Within base64, a word looks different at each of three places; what is round about it is cut off.
        for shift in range(3):
            encoded = base64.b64encode(bytes(shift) + octets)
            found.add(encoded[(0, 2, 3)[shift] : len(encoded) - 4])
    return {spelling for spelling in found if len(spelling) >= SHORTEST and b"\n" not in spelling}


def tables(connection: psycopg.Connection[tuple[object, ...]]) -> list[str]:
    """Every table of the database but the server's own."""
    rows = connection.execute(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
    )
    return [str(row[0]) for row in rows]


def readable(conninfo: str, words: Iterable[str]) -> Iterator[Readable]:
    """What of these words can be read in a database, table by table.

    Args:
        conninfo: How a superuser reaches it, whom no row is hidden from.
        words: What to look for, besides the names of fields.
    """
    of_words = {spelling for word in words for spelling in spellings(word)}
    of_fields = {spelling for field in FIELDS for spelling in spellings(field)}
    with (
        tempfile.TemporaryDirectory() as folder,
        psycopg.connect(conninfo, autocommit=True) as connection,
    ):
        patterns, dump = Path(folder) / "patterns", Path(folder) / "dump"
        for table in tables(connection):
            looked_for = of_words if table.startswith(BENCHMARKS) else of_words | of_fields
            patterns.write_bytes(b"\n".join(sorted(looked_for)) + b"\n")
            with (
                dump.open("wb") as file,
                connection.cursor().copy(f"COPY {table} TO STDOUT (FORMAT binary)".encode()) as copy,
            ):
                for block in copy:
                    file.write(block)
            yield from (Readable(table, word) for word in sorted(_found(patterns, dump)))


def _found(patterns: Path, dump: Path) -> set[str]:
    result = subprocess.run(
        ["grep", "--text", "--fixed-strings", "--only-matching", f"--file={patterns}", dump],
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
    )
    if result.returncode > 1:  # 1 is: nothing found
        raise RuntimeError(f"grep failed: {result.stderr.decode(errors='replace')}")
    return {re.sub(r"^b'|'$", "", repr(line)) for line in result.stdout.splitlines()}
