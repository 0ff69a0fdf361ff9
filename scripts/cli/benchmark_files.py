"""Released benchmarks as files, Parquet and Explore Education Statistics, and the data dictionary's page."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scripts.cli.operating import database_of_settings
from scripts.cli.output import say, show_table

ANALYSTS = "For analysts, with a connection to the database"
"""The heading of these commands in the help."""


class FileFormat(StrEnum):
    """The forms of files."""

    PARQUET = "parquet"
    EXPLORE_EDUCATION_STATISTICS = "explore-education-statistics"
    BOTH = "both"


def add_to(app: typer.Typer) -> None:
    """Adds these commands to `target-tracker benchmarks`."""
    app.command(rich_help_panel=ANALYSTS)(export)
    app.command(rich_help_panel=ANALYSTS)(dictionary)


def export(
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder for the files; it is made if it is not there.")
    ],
    release: Annotated[
        int | None, typer.Option(help="This release; of each point the newest that stands, if not given.")
    ] = None,
    file_format: Annotated[
        FileFormat,
        typer.Option(
            "--format",
            case_sensitive=False,
            metavar="FORMAT",
            help="parquet, explore-education-statistics (pairs of CSV), or both.",
        ),
    ] = FileFormat.BOTH,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the files of an earlier export in the folder.")
    ] = False,
    withdrawn: Annotated[
        bool,
        typer.Option(
            "--withdrawn", help="Export the release although it was withdrawn; the files will say so."
        ),
    ] = False,
) -> None:
    """Write the released figures to files: Parquet, and CSV as Explore Education Statistics takes it.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_analytics, or any other that may
    read its figures. For Parquet, requirements-parquet.lock must be installed.
    """
    from projections.benchmarks import explore_education_statistics, exported_files, exporting, parquet

    with database_of_settings() as database:
        found = exporting.read(database, release, withdrawn=withdrawn)
    files: dict[str, bytes] = {}
    others: set[str] = set()
    if file_format != FileFormat.EXPLORE_EDUCATION_STATISTICS:
        files |= parquet.files(found)
        others |= parquet.file_names(exporting.TABLES)
    if file_format != FileFormat.PARQUET:
        files |= explore_education_statistics.files(found)
        others |= explore_education_statistics.file_names(found)
    exported_files.write(folder, files, others, overwrite=overwrite)
    show_table(["File", "Bytes"], [[name, len(content)] for name, content in files.items()], right=("Bytes",))
    numbers = ", ".join(str(each.release) for each in found.releases)
    points = len(found.points)
    say(f"Written to {folder}: {points} assessment point{'' if points == 1 else 's'}, release {numbers}.")
    if found.warning:
        say(f"{found.warning}.")


def dictionary() -> None:
    """Print the data dictionary as a page of Markdown.

    TARGET_TRACKER_DATABASE names the database as the role target_tracker_analytics, or any other that may
    read its figures.
    """
    from projections.benchmarks.dictionary import page

    with database_of_settings() as database, database.transaction() as connection:
        typer.echo(page(connection), nl=False)
