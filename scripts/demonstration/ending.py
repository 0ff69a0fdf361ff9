"""What the demo says at its end: what to try next, with commands that work as they stand."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from domain.academic_year import AssessmentPoint, Term, academic_year_label
from scripts.demonstration.filling import ADMINISTRATOR, DEPUTY, STAFF, FilledSchool, Service


def what_next(service: Service, filled: FilledSchool) -> list[tuple[str, list[str]]]:
    """Headings with the commands below them; the ids are real."""
    urn, folder = filled.planned.facts.urn, service.folder
    now = AssessmentPoint.of(filled.school.day)
    term = f"--year {academic_year_label(now.academic_year)} --term {now.term}"
    last_summer = f"--year {academic_year_label(now.academic_year - 1)} --term {Term.SUMMER}"
    pupil, corrected = _two_pupils(service, filled)
    return [
        (
            "In another terminal, in this folder:",
            [
                f". {_here(folder.environment_file)}",
                f"target-tracker login --urn {urn} --user {ADMINISTRATOR} \\",
                f"  --password-file {_here(folder.password_file)} \\",
                f"  --key-file {_here(folder.login_key_file(urn))}",
            ],
        ),
        (
            "Pupils, now and then; a class sheet; a judgement; what happened:",
            [
                "target-tracker pupils list --class Oak",
                f"target-tracker pupils show {pupil}",
                f"target-tracker sheet show --class Oak {term}",
                f"target-tracker assess record {pupil} \\",
                f"  --subject SCI --value 6b+ {term}",
                f"target-tracker pupils history {corrected}",
                "target-tracker pupils list --as-at-position 100",
            ],
        ),
        (
            "Files, logins, benchmarks:",
            [
                f"target-tracker import {_here(filled.csv)} \\",
                "  --dry-run",
                f"target-tracker logins --user {DEPUTY}",
                f"target-tracker benchmarks {last_summer}",
                f"target-tracker benchmarks compare {last_summer}",
                "target-tracker projections status",
            ],
        ),
        (
            "The benchmark table as the analytics team reads it, with SQL:",
            [
                '"$PSQL" "$ANALYTICS" -c "SELECT nc_year, measure, value, symbol',
                "  FROM analytics.benchmarks WHERE scheme = 'steps' AND subject = 'MAT'",
                "  AND characteristic = 'all' AND assessment_point = 'summer'",
                f"  AND academic_year = '{academic_year_label(now.academic_year - 1)}'\"",
            ],
        ),
    ]


def _two_pupils(service: Service, filled: FilledSchool) -> tuple[str, str]:
    """A pupil of Oak, and the one whose judgement was corrected."""
    with service.log_in(filled.planned.facts.urn, DEPUTY) as client:
        oak = next(each for each in client.query("/v1/classes").body if each["class_name"] == "Oak")
        pupils = client.query("/v1/pupils", class_id=oak["class_id"]).body["pupils"]
        client.command("DELETE", "/v1/sessions/current")
    return pupils[-1]["pupil_id"], pupils[0]["pupil_id"]


def _here(path: Path) -> str:
    """A path as it is typed from where the demo was started, if it lies there."""
    absolute = path.absolute()
    here = Path.cwd()
    return shlex.quote(str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute))


def show(console: Console, service: Service, filled: FilledSchool, analytics: str) -> None:
    """Shows what to try next.

    Args:
        console: Where.
        service: The service.
        filled: The school that the commands are about.
        analytics: How the analytics role connects to the database.
    """
    connection = Text(f"$ANALYTICS, for other clients: {analytics}")
    text = Text("\n").join([*_lines(service, filled), Text(), connection])
    if console.is_terminal:
        # No lines at the sides: they would be copied with the commands.
        console.print(Panel(text, box.HORIZONTALS, title="What to try next", padding=(0, 1)))
    else:
        console.print("What to try next", text, sep="\n", soft_wrap=True)


def _lines(service: Service, filled: FilledSchool) -> Iterator[Text]:
    facts = filled.planned.facts
    yield Text(f"{facts.name}, URN {facts.urn}: {service.server}")
    users = ", ".join([ADMINISTRATOR, *(username for username, *_ in STAFF)])
    yield Text.assemble("Users: ", (users, "bold"), " (the last is disabled)")
    yield Text.assemble("Password of each: ", (service.folder.password(), "bold"))
    for heading, commands in what_next(service, filled):
        yield Text(f"\n{heading}", "bold")
        for command in commands:
            yield Text(f"  {command}", "cyan")
