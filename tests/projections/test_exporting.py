"""Released figures as files: the same as in SQL, read by DuckDB and pandas, and in the form of DfE's."""

from __future__ import annotations

import csv
import json
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pandas
import psycopg
import pyarrow.parquet
import pytest

from domain.academic_year import academic_year_label
from domain.errors import Conflict, InvalidInput, Misconfigured, NotFound
from domain.ledger.database import Database
from projections.benchmarks import explore_education_statistics, exported_files, parquet
from projections.benchmarks.exporting import TABLES, Column, Export, read
from projections.benchmarks.points import Point
from projections.benchmarks.publishing import withdraw
from tests.application.examples import YEAR
from tests.conftest import TestDatabase, fresh_database
from tests.ledger.roles import ANALYTICS
from tests.projections.ees_rules import problems
from tests.projections.publishing import published
from tests.projections.releasing import THEN, release

LAST_YEAR = academic_year_label(YEAR - 1)


@pytest.fixture(scope="module")
def worker(module_database: TestDatabase) -> Iterator[Database]:
    """A database with a release; the name is that of the fixture that it stands in for."""
    with published(module_database) as worker:
        yield worker


@pytest.fixture(scope="module")
def analysts(worker: Database, module_database: TestDatabase) -> Iterator[Database]:
    """Connections of the analysts' role, which has to be enough."""
    with Database(module_database.conninfo(ANALYTICS)) as database:
        yield database


@pytest.fixture(scope="module")
def export(analysts: Database) -> Export:
    return read(analysts)


@pytest.fixture(scope="module")
def folder(export: Export, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every file of an export."""
    folder = tmp_path_factory.mktemp("export") / "released"
    exported_files.write(folder, parquet.files(export) | explore_education_statistics.files(export), set())
    return folder


def select(database: Database, statement: str) -> list[tuple[Any, ...]]:
    with database.connection() as connection:
        return connection.execute(statement.encode()).fetchall()


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_reads_what_sql_reads(analysts: Database, folder: Path, table: str) -> None:
    columns = ", ".join(column.name for column in pyarrow.parquet.read_schema(folder / f"{table}.parquet"))
    told = select(analysts, f"SELECT {columns} FROM analytics.{table}")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        found = connection.execute(f"SELECT {columns} FROM '{folder}/{table}.parquet'").fetchall()
    assert found
    assert sorted(map(comparable, found)) == sorted(map(comparable, told))


def comparable(row: tuple[Any, ...]) -> list[str]:
    """A row as text: a number is what its shortest decimal form says."""
    return [
        f"{Decimal(repr(value)).normalize():f}"
        if isinstance(value, float)
        else f"{value.normalize():f}"
        if isinstance(value, Decimal)
        else str(value.timestamp())
        if hasattr(value, "timestamp")
        else repr(value)
        for value in row
    ]


def test_pandas_reads_what_sql_reads(analysts: Database, folder: Path) -> None:
    frame = pandas.read_parquet(folder / "benchmarks.parquet")
    told = select(
        analysts,
        "SELECT academic_year, assessment_point, scheme, subject, nc_year, characteristic, category, "
        "measure, value, symbol FROM analytics.benchmarks",
    )
    assert len(frame) == len(told) > 1000
    key = [
        "academic_year",
        "assessment_point",
        "scheme",
        "subject",
        "nc_year",
        "characteristic",
        "category",
        "measure",
    ]
    indexed = frame.set_index(key)
    for *place, value, symbol in told:
        row = indexed.loc[tuple(place)]
        if value is None:
            assert pandas.isna(row["value"])
            assert row["symbol"] == symbol
        else:
            assert Decimal(repr(float(row["value"]))) == value
            assert pandas.isna(row["symbol"])
    assert str(frame["value"].dtype) == "float64"
    assert str(frame["release"].dtype) == "int32"


def test_a_figure_that_was_changed_would_be_noticed(
    analysts: Database, export: Export, tmp_path: Path
) -> None:
    """The twin of the two above: one figure of a thousand is another."""
    table = export.tables["benchmarks"]
    place = next(number for number, row in enumerate(table.rows) if Decimal(33) > (row[10] or 0) > 0)
    rows = list(table.rows)
    rows[place] = (*rows[place][:10], rows[place][10] + Decimal("0.001"), rows[place][11])
    tables = export.tables | {"benchmarks": msgspec.structs.replace(table, rows=rows)}
    exported_files.write(tmp_path, parquet.files(msgspec.structs.replace(export, tables=tables)), set())
    with pytest.raises(AssertionError):
        test_duckdb_reads_what_sql_reads(analysts, tmp_path, "benchmarks")
    with pytest.raises(AssertionError):
        test_pandas_reads_what_sql_reads(analysts, tmp_path)


def test_every_column_says_what_it_holds(analysts: Database, folder: Path) -> None:
    described = {
        (table, column): (type_, unit, description)
        for table, column, type_, unit, description in select(
            analysts, "SELECT table_name, column_name, type, unit, description FROM analytics.data_dictionary"
        )
    }
    for table in TABLES:
        schema = pyarrow.parquet.read_schema(folder / f"{table}.parquet")
        assert schema.metadata[b"description"].decode() == described[table, ""][2]
        for field in schema:
            type_, unit, description = described[table, field.name]
            said = {key.decode(): value.decode() for key, value in field.metadata.items()}
            assert said["description"] == description
            assert (said["postgresql_type"], said.get("unit")) == (type_, unit)
        with duckdb.connect() as connection:
            # DuckDB does not hand out what Arrow says of columns; it has the dictionary beside them.
            kept = connection.execute(
                f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{folder}/{table}.parquet')"
            ).fetchall()
        of_file = dict(kept)
        [released] = json.loads(of_file["releases"])
        assert (released["release"], released["minimum_pupils"], released["rounding_base"]) == (1, 10, 5)
        assert of_file["withdrawn"] == "false"
        assert "warning" not in of_file
        assert f"{LAST_YEAR}:summer, release 1" in json.loads(of_file["points"])


def test_text_is_in_dictionaries(folder: Path) -> None:
    for table in TABLES:
        file = pyarrow.parquet.ParquetFile(folder / f"{table}.parquet")
        of_group = file.metadata.row_group(0)
        for place, field in enumerate(file.schema_arrow):
            in_one = "RLE_DICTIONARY" in of_group.column(place).encodings
            empty = of_group.column(place).statistics.num_values == 0
            assert in_one is (str(field.type) == "string") or empty, (table, field.name)


def test_the_same_figures_are_the_same_bytes(analysts: Database, export: Export) -> None:
    assert parquet.files(read(analysts)) == parquet.files(export)
    assert explore_education_statistics.files(read(analysts)) == explore_education_statistics.files(export)


def test_without_the_library_that_is_said(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(Misconfigured, match=r"requirements-parquet\.lock"):
        parquet.files(export)
    assert explore_education_statistics.files(export), "it needs nothing"


def test_a_type_that_nobody_thought_of_is_refused(export: Export) -> None:
    table = export.tables["symbols"]
    odd = msgspec.structs.replace(table, columns=(Column("symbol", "money", None, ""), *table.columns[1:]))
    with pytest.raises(Misconfigured, match=r"analytics\.symbols\.symbol"):
        parquet.files(msgspec.structs.replace(export, tables={"symbols": odd}))


# --- Explore Education Statistics ---


def pairs(files: dict[str, bytes]) -> Iterator[tuple[str, bytes, bytes]]:
    for name, data in files.items():
        if name.endswith(".csv") and not name.endswith(".meta.csv"):
            yield name, data, files[name.replace(".csv", ".meta.csv")]


def rows_of(data: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(data.decode(), newline="")))


def test_the_pairs_keep_the_rules(export: Export) -> None:
    files = explore_education_statistics.files(export)
    names = [name for name, _, _ in pairs(files)]
    assert names == [f"{each}.csv" for each in explore_education_statistics.NAMES]
    assert [problems(*pair) for pair in pairs(files)] == [[], [], [], []]
    assert "release 1" in files["about.txt"].decode()
    assert "minimum pupils: 10" in files["about.txt"].decode()


def test_the_pairs_hold_the_released_figures(analysts: Database, export: Export) -> None:
    """Every released figure is found again where the form has its place, and nothing else is there."""
    files = explore_education_statistics.files(export)
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for name in ("benchmarks_terms.csv", "benchmarks_years.csv"):
        for row in rows_of(files[name]):
            place = (
                row["time_period"],
                row["time_identifier"].split()[0].lower(),
                row["scheme"],
                row["subject"],
                row["nc_year"],
                row["region_name"] or row["breakdown"],
            )
            assert place not in found
            found[place] = row
    told = select(
        analysts,
        "SELECT left(academic_year, 4) || right(academic_year, 2), "
        "CASE assessment_point WHEN 'year' THEN 'academic' ELSE assessment_point END, scheme, subject, "
        "nc_year, CASE WHEN characteristic = 'region' AND category = 'unknown' THEN 'Not available' "
        "WHEN characteristic = 'region' THEN category WHEN characteristic = 'all' THEN 'Total' "
        "ELSE label END, measure, value, symbol FROM analytics.benchmarks JOIN analytics.characteristics "
        "USING (characteristic, category)",
    )
    column = {
        "pupils": "pupil_count",
        "below": "below_percent",
        "at": "at_percent",
        "above": "above_percent",
        "mean_points": "points_average",
        "progress": "progress_average",
    }
    for *key, measure, value, symbol in told:
        cell = found[tuple(key)][column[measure]]
        times = 100 if measure in {"below", "at", "above"} else 1
        assert (cell == symbol) if value is None else (Decimal(cell) == value * times)
    assert len(told) == 6 * len(found)
    assert {row["geographic_level"] for row in found.values()} == {"National", "Regional"}
    assert {"c", "z"} <= {row["below_percent"] for row in found.values()}
    assert found[f"{LAST_YEAR[:4]}{LAST_YEAR[-2:]}", "academic", "ks2-tests", "MAT", "3", "Total"][
        "point_scale"
    ]


Edit = Callable[[list[str]], list[str]]


def edited(data: bytes, edit: Edit) -> bytes:
    return ("\n".join(edit(data.decode().splitlines())) + "\n").encode()


def written(rows: list[list[str]]) -> list[str]:
    out = StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue().splitlines()


def without_column(name: str) -> Edit:
    def edit(lines: list[str]) -> list[str]:
        rows = list(csv.reader(lines))
        place = rows[0].index(name)
        return written([[*row[:place], *row[place + 1 :]] for row in rows])

    return edit


def with_cell(name: str, value: str, row: int = 1) -> Edit:
    def edit(lines: list[str]) -> list[str]:
        rows = list(csv.reader(lines))
        rows[row][rows[0].index(name)] = value
        return written(rows)

    return edit


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        pytest.param(lambda lines: [*lines, lines[-1]], "rows are there twice", id="row twice"),
        pytest.param(lambda lines: [*lines, "one,two"], "longer or shorter", id="short row"),
        pytest.param(without_column("time_identifier"), "lacks time_identifier", id="no time"),
        pytest.param(without_column("region_code"), "regions lack", id="no code"),
        pytest.param(without_column("subject"), "no column subject", id="no filter"),
        pytest.param(with_cell("below_percent", ""), "neither a figure", id="empty cell"),
        pytest.param(with_cell("pupil_count", "~"), "neither a figure", id="old symbol"),
        pytest.param(with_cell("time_identifier", "Academic year"), "do not mix", id="year in terms"),
        pytest.param(with_cell("time_identifier", "Half term 1"), "do not mix", id="half-term"),
        pytest.param(with_cell("time_period", "202527"), "not an academic year", id="two years"),
        pytest.param(with_cell("geographic_level", "England"), "there are not", id="level"),
        pytest.param(with_cell("region_name", "London"), "of a region", id="nation of a region"),
        pytest.param(with_cell("breakdown", " Total"), "white space", id="white space"),
        pytest.param(with_cell("pupil_count", "Pupil count", 0), "snake case", id="name"),
    ],
)
def test_data_that_break_a_rule_would_be_noticed(export: Export, edit: Edit, problem: str) -> None:
    files = explore_education_statistics.files(export)
    data, metadata = files["benchmarks_terms.csv"], files["benchmarks_terms.meta.csv"]
    assert problem in " / ".join(problems("benchmarks_terms.csv", edited(data, edit), metadata))


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        pytest.param(without_column("indicator_dp"), "lacks indicator_dp", id="no places"),
        pytest.param(with_cell("indicator_unit", "per cent", -2), "is in per cent", id="unit"),
        pytest.param(with_cell("label", ""), "no label", id="no label"),
        pytest.param(with_cell("col_type", "Dimension"), "is a Dimension", id="type"),
        pytest.param(lambda lines: [lines[0], *lines[2:]], "is not in the metadata", id="filter left out"),
        pytest.param(with_cell("filter_default", "Nobody"), "nor a default", id="default"),
    ],
)
def test_metadata_that_break_a_rule_would_be_noticed(export: Export, edit: Edit, problem: str) -> None:
    files = explore_education_statistics.files(export)
    data, metadata = files["benchmarks_terms.csv"], files["benchmarks_terms.meta.csv"]
    assert problem in " / ".join(problems("benchmarks_terms.csv", data, edited(metadata, edit)))


def test_a_number_in_place_of_a_symbol_would_be_noticed(analysts: Database, export: Export) -> None:
    table = export.tables["benchmarks"]
    place = next(number for number, row in enumerate(table.rows) if row[11] == "c")
    rows = list(table.rows)
    rows[place] = (*rows[place][:10], Decimal("0"), None)
    sabotaged = msgspec.structs.replace(
        export, tables=export.tables | {"benchmarks": msgspec.structs.replace(table, rows=rows)}
    )
    with pytest.raises(AssertionError):
        test_the_pairs_hold_the_released_figures(analysts, sabotaged)


def test_half_terms_are_a_filter(export: Export) -> None:
    """There is no `time_identifier` of half-terms."""
    table = export.tables["benchmarks"]
    halves = [
        (*row[:2], "summer-1", *row[3:])
        for row in table.rows
        if row[2] == "summer" and row[7] in {"pupils", "all"}
    ]
    both = msgspec.structs.replace(table, rows=[*table.rows, *halves])
    files = explore_education_statistics.files(
        msgspec.structs.replace(export, tables=export.tables | {"benchmarks": both})
    )
    [terms] = [pair for pair in pairs(files) if pair[0] == "benchmarks_terms.csv"]
    assert problems(*terms) == []
    assert {row["point_in_term"] for row in rows_of(terms[1])} == {"End of term", "First half of term"}
    assert "point_in_term,Filter" in terms[2].decode()
    without = explore_education_statistics.files(export)["benchmarks_terms.meta.csv"]
    assert b"point_in_term" not in without


# --- Releases ---


def test_what_is_exported_of_several_releases(server: Any, tmp_path: Path) -> None:
    with fresh_database(server) as database, published(database) as worker:
        release(worker, points=[Point.of(THEN)])
        both = read(worker)
        assert [each.release for each in both.releases] == [1, 2]
        assert {point: number for number, _, point in both.points} == {
            "spring": 1,
            "summer": 2,
            "year": 1,
        }
        assert [each.release for each in read(worker, 1).releases] == [1]
        assert {number for number, _, _ in read(worker, 1).points} == {1}
        for name, data, metadata in pairs(explore_education_statistics.files(both)):
            assert problems(name, data, metadata) == []
        withdraw(worker, 2, "A school had entered last year's")
        assert {number for number, _, _ in read(worker).points} == {1}, "that of the point that stands"
        with pytest.raises(Conflict, match="--withdrawn"):
            read(worker, 2)
        says_so(read(worker, 2, withdrawn=True), tmp_path)
        withdraw(worker, 1, "It, too")
        with pytest.raises(NotFound, match="No benchmark"):
            read(worker)
        with pytest.raises(NotFound, match="no release 3"):
            read(worker, 3)


def says_so(withdrawn: Export, folder: Path) -> None:
    """A withdrawn release says that it was in each of its files."""
    warning = "WITHDRAWN: release 2 should not be used"
    for name, content in parquet.files(withdrawn).items():
        metadata = pyarrow.parquet.read_schema(BytesIO(content)).metadata
        assert (metadata[b"withdrawn"], metadata[b"warning"].decode()) == (b"true", warning), name
    files = explore_education_statistics.files(withdrawn)
    for name, data, meta in pairs(files):
        assert problems(name, data, meta) == []
        assert name.startswith("withdrawn_release_2_")
        assert {row["release_state"] for row in rows_of(data)} == {warning}
        headings = {row["indicator_grouping"] for row in rows_of(meta) if row["col_type"] == "Indicator"}
        assert headings == {warning}
    # What stands is not left beside what does not.
    assert {
        "benchmarks_terms.csv",
        "withdrawn_release_2_about.txt",
    } <= explore_education_statistics.file_names(withdrawn)
    assert "A school had entered last year's" in files["withdrawn_release_2_about.txt"].decode()


# --- Files ---


def test_files_are_whole_or_not_there(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "b"
    written = exported_files.write(folder, {"one.csv": b"1", "two.csv": b"2"}, set())
    assert [path.read_bytes() for path in written] == [b"1", b"2"]
    assert all(stat.S_IMODE(path.stat().st_mode) & 0o444 for path in written)
    with pytest.raises(InvalidInput, match="--overwrite") as refused:
        exported_files.write(folder, {"two.csv": b"3", "three.csv": b"3"}, set())
    assert [finding.found for finding in refused.value.findings] == ["two.csv"]
    assert sorted(path.name for path in folder.iterdir()) == ["one.csv", "two.csv"]
    # What an earlier export left is not left beside another's figures.
    with pytest.raises(InvalidInput, match="--overwrite"):
        exported_files.write(folder, {"three.csv": b"3"}, {"one.csv"})
    exported_files.write(folder, {"two.csv": b"3"}, {"one.csv", "two.csv"}, overwrite=True)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"two.csv": b"3"}
    (tmp_path / "c" / "three.csv").mkdir(parents=True)
    with pytest.raises(InvalidInput, match="cannot be written"):
        exported_files.write(tmp_path / "c", {"one.csv": b"1", "three.csv": b"3"}, set(), overwrite=True)
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["three.csv"], "all of them, or none"
    (tmp_path / "c" / "one.csv").write_bytes(b"earlier")
    with pytest.raises(InvalidInput, match="cannot be written"):
        exported_files.write(tmp_path / "c", {"one.csv": b"1", "three.csv": b"3"}, set(), overwrite=True)
    assert (tmp_path / "c" / "one.csv").read_bytes() == b"earlier"
    with pytest.raises(InvalidInput, match="is a file"):
        exported_files.write(folder / "two.csv", {"one.csv": b"1"}, set())
    with pytest.raises(InvalidInput, match="cannot be written"):
        exported_files.write(Path("/proc/nowhere"), {"one.csv": b"1"}, set())


def test_where_there_is_no_room_nothing_is_replaced(tmp_path: Path) -> None:
    """A file system that is full after the first file, in a process of its own: the limit stays there."""
    exported_files.write(tmp_path, {"one.csv": b"earlier", "two.csv": b"earlier"}, set())
    code = (
        "import resource, signal, pathlib\n"
        "from projections.benchmarks import exported_files\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "files = {'one.csv': b'new', 'two.csv': b'n' * 5000, 'three.csv': b'new'}\n"
        f"exported_files.write(pathlib.Path({str(tmp_path)!r}), files, set(), overwrite=True)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "InvalidInput" in ended.stderr
    assert "File too large" in ended.stderr
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {
        "one.csv": b"earlier",
        "two.csv": b"earlier",
    }


def test_analysts_need_no_more_than_their_role(analysts: Database) -> None:
    with analysts.connection() as connection:
        assert connection.execute("SELECT current_user").fetchone() == (ANALYTICS,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT count(*) FROM ledger.schools")
