"""Released figures as Parquet: one file for each table, with typed columns that say what they hold.

Arrow's and pandas' readers find the description, the unit and PostgreSQL's type of a column in its metadata,
and every reader finds the releases and their rules in the file's. The same figures give the same bytes.
"""

from __future__ import annotations

import json
from decimal import Decimal
from io import BytesIO
from typing import Any

import msgspec

from domain.errors import Misconfigured
from projections.benchmarks.exporting import Column, Export, Table

EXTRA = "pip install --require-hashes --requirement requirements-parquet.lock"


def files(export: Export) -> dict[str, bytes]:
    """The files of an export, by name: `benchmarks.parquet`, and so on.

    Shares, means and the like, which PostgreSQL keeps as `numeric`, become `double`: what is read is the
    nearest number to the one that was released, and prints like it.

    Raises:
        Misconfigured: The library that writes Parquet is not installed, or a table has a column of a type
            that nobody said how to write.
    """
    return {f"{name}.parquet": _written(table, export) for name, table in export.tables.items()}


def file_names(tables: tuple[str, ...]) -> set[str]:
    """The names of all files that an export may have."""
    return {f"{name}.parquet" for name in tables}


def _written(table: Table, export: Export) -> bytes:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise Misconfigured(
            f"Parquet is written with pyarrow, which is not installed here: {EXTRA}. "
            "The form of Explore Education Statistics needs nothing"
        ) from None
    types = {
        "smallint": pyarrow.int16(),
        "integer": pyarrow.int32(),
        "bigint": pyarrow.int64(),
        "numeric": pyarrow.float64(),
        "text": pyarrow.string(),
        "boolean": pyarrow.bool_(),
        "timestamp with time zone": pyarrow.timestamp("us", tz="UTC"),
    }
    if unknown := [column for column in table.columns if column.type not in types]:
        raise Misconfigured(
            f"analytics.{table.name}.{unknown[0].name} is of a type that Parquet is not told of"
        )
    fields = [
        pyarrow.field(column.name, types[column.type], metadata=_metadata_of_column(column))
        for column in table.columns
    ]
    arrays = [
        pyarrow.array([_plain(row[place]) for row in table.rows], type=field.type)
        for place, field in enumerate(fields)
    ]
    schema = pyarrow.schema(fields, metadata=_metadata_of_file(table, export))
    out = BytesIO()
    pyarrow.parquet.write_table(
        pyarrow.Table.from_arrays(arrays, schema=schema),
        out,
        compression="zstd",
        # Codes come again and again; numbers do not.
        use_dictionary=[column.name for column in table.columns if column.type == "text"],
    )
    return out.getvalue()


def _plain(value: Any) -> Any:
    return float(value) if isinstance(value, Decimal) else value


def _metadata_of_column(column: Column) -> dict[str, str]:
    found = {"description": column.description, "postgresql_type": column.type}
    return found | ({"unit": column.unit} if column.unit else {})


def _metadata_of_file(table: Table, export: Export) -> dict[str, str]:
    found = {
        "title": f"Target Tracker, analytics.{table.name}",
        "description": table.description,
        "releases": json.dumps(msgspec.to_builtins([rules_of(each) for each in export.releases])),
        "points": json.dumps([f"{year}:{name}, release {number}" for number, year, name in export.points]),
        "withdrawn": "true" if export.withdrawn else "false",
    }
    return found | ({"warning": export.warning} if export.warning else {})


def rules_of(release: Any) -> dict[str, Any]:
    """A release, and the rules that it was made under, as they stand in a file's metadata."""
    return {
        name: float(value) if isinstance(value, Decimal) else value
        for name, value in msgspec.structs.asdict(release).items()
    }
