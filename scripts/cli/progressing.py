"""Progress: from any point to any other, transition matrices, on-track tables, and a pupil's track."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from domain.academic_year import When
from domain.progress.groups import NOT_KNOWN, Group
from domain.progress.matrix import By
from domain.schemes.catalogue import STEPS
from domain.vault import private_files
from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import Json, PupilId, SchemeName, read_point
from scripts.cli.output import clean, say, show_json, show_table
from scripts.cli.roll import class_called, name_of

app = typer.Typer(
    invoke_without_command=True,
    subcommand_metavar="[matrix|on-track]",
    help="Show what pupils gained from any point to any other, transition matrices, and who is on track.",
)

POINT = "POINT"
From = Annotated[
    Any,
    typer.Option(
        "--from", parser=read_point, metavar=POINT, help="The earlier point: 'autumn 2025/26', or a year."
    ),
]
To = Annotated[Any, typer.Option("--to", parser=read_point, metavar=POINT, help="The later point.")]
At = Annotated[Any, typer.Option("--at", parser=read_point, metavar=POINT, help="The point.")]
OnClass = Annotated[str | None, typer.Option("--class", metavar="NAME", help="Only this class.")]
NCYear = Annotated[
    str | None, typer.Option("--nc-year", metavar="YEAR", help="Only who was in this NC year at that point.")
]
Subject = Annotated[str | None, typer.Option(metavar="CODE", help="Only this subject.")]
Scale = Annotated[
    str | None, typer.Option(metavar="NAME", help="The scale of points, where a scheme has several.")
]
ToScheme = Annotated[
    str | None, typer.Option(metavar="NAME", help="The scheme at the later point, if it is another one.")
]
ByGroup = Annotated[
    Group | None, typer.Option("--group", help="Tell the parts of this group apart.", case_sensitive=False)
]
ToCsv = Annotated[
    Path | None,
    typer.Option("--csv", metavar="FILE", help="Write the table to a file that only you can read."),
]
ToHtml = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write a page to print to a file that only you can read."),
]


@app.callback()
def progress(
    context: typer.Context,
    start: From = None,
    end: To = None,
    class_name: OnClass = None,
    nc_year: NCYear = None,
    subject: Subject = None,
    group: ByGroup = None,
    scheme: SchemeName = STEPS,
    to_scheme: ToScheme = None,
    scale: Scale = None,
    to_csv: Annotated[
        Path | None,
        typer.Option(
            "--csv", metavar="FILE", help="Write pupils, or parts of the group, to a file only you can read."
        ),
    ] = None,
    to_html: ToHtml = None,
    as_json: Json = False,
) -> None:
    """Show what pupils gained from any point to any other."""
    if context.invoked_subcommand is not None:
        return
    if start is None or end is None:
        raise Misused("Name the points: --from 'autumn 2025/26' --to 'summer 2025/26'")
    if sum(map(bool, (to_csv, to_html, as_json))) > 1:
        raise Misused("Name one of --csv, --html and --json")
    with signed_in(context) as client:
        asked = _between(client, start, end, class_name, nc_year, subject, scheme, to_scheme, scale)
        asked |= {"group": group}
        if to_csv or to_html:
            file, form = (to_csv, "csv") if to_csv else (to_html, "html")
            assert file is not None
            write_form(file, client.query("/v1/progress", format=form, **asked).content)
            return
        reply = client.query("/v1/progress", **asked)
    if as_json:
        show_json(reply.content)
        return
    _show_progress(reply.body, pupils=class_name is not None and group is None)


def _between(
    client: Client,
    start: When,
    end: When,
    class_name: str | None,
    nc_year: str | None,
    subject: str | None,
    scheme: str,
    to_scheme: str | None,
    scale: str | None,
) -> dict[str, Any]:
    """What is asked, as the API takes it."""
    return {
        "from_year": start.academic_year,
        "from_term": start.term,
        "to_year": end.academic_year,
        "to_term": end.term,
        "class_id": class_called(client, class_name)["class_id"] if class_name else None,
        "nc_year": nc_year,
        "subject": subject,
        "scheme": scheme,
        "to_scheme": to_scheme,
        "scale": scale,
    }


def _check_one_form(to_csv: Path | None, as_json: bool) -> None:
    if to_csv and as_json:
        raise Misused("Name --csv or --json, not both")


def write_form(file: Path, content: bytes) -> None:
    """Writes what the service made, to a file that only its owner can read.

    Raises:
        Misused: It cannot be written.
    """
    try:
        private_files.write(file, content)
    except OSError as error:
        raise Misused(f"{file} cannot be written: {error.strerror}") from None
    say(f"{file} is written.")


def _title(asked: dict[str, Any], what: str) -> str:
    year = asked["nc_year"]
    whose = asked["class_name"] or (f"Year {year}" if year else "The whole school")
    return f"{clean(whose)}: {what} from {asked['start']['label']} to {asked['end']['label']}"


COLUMNS = ["Subject", "Pupils", "Both", "First", "Last", "From", "To", "Gain", "Less", "As", "More", "?"]
EXPLAINED = (
    "Both: pupils with results at both points, of whom all that follows is.",
    "First, Last: with a result there only. From, To: mean points.",
    "Less, As, More: progress that was less than expected, as expected or more.",
)


def _show_progress(answer: dict[str, Any], *, pupils: bool) -> None:
    title = _title(answer["asked"], "progress")
    if not answer["subjects"]:
        say(title)
        say("There are no results at either point.")
        return
    show_table(
        COLUMNS,
        [[subject, *_figures(figures)] for subject, figures in answer["whole"].items()],
        title=title,
        right=COLUMNS[1:],
    )
    if answer["expected_gain"] is not None:
        say(f"Expected of everybody: {answer['expected_gain']:+} points.")
    elif not answer["asked"]["comparable"]:
        say("The results cannot be compared: they do not stand on one scale of points.")
    for line in EXPLAINED:
        say(line)
    if len(answer["groups"]) == 1:
        [(group, parts)] = answer["groups"].items()
        _show_parts(group, parts, answer["subjects"])
    if pupils:
        show_table(
            ["Pupil", "Subject", "From", "To", "Gain", "Progress"],
            [row for pupil in answer["pupils"] for row in _gains(pupil)],
            right=("Gain",),
        )


def _figures(figures: dict[str, Any]) -> list[object]:
    verdicts = figures["verdicts"]
    return [
        figures["pupils"],
        figures["matched"],
        figures["only_start"],
        figures["only_end"],
        *(_mean(figures[name]) for name in ("mean_start", "mean_end")),
        _signed(figures["mean_gain"]),
        *(verdicts[name] for name in ("less", "as_expected", "more", "not_known")),
    ]


def _mean(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _signed(value: float | None) -> str | None:
    return None if value is None else f"{value:+.2f}"


def _show_parts(group: str, parts: list[dict[str, Any]] | None, subjects: list[str]) -> None:
    if parts is None:
        say(f"Your access level does not show {group}.")
        return
    columns = ["Subject", group, "Pupils", "Both", "Gain", "Less", "As", "More", "?"]
    rows = []
    for subject in subjects:
        for part in parts:
            figures = part["subjects"][subject]
            pupils, both, _, _, _, _, *rest = _figures(figures)
            rows.append([subject, _part(part["value"]), pupils, both, *rest])
    show_table(columns, rows, right=columns[2:])


def _part(value: str) -> str:
    return "not known" if value == NOT_KNOWN else value


WORDS = {
    "less-than-expected": "less than expected",
    "as-expected": "as expected",
    "more-than-expected": "more than expected",
    None: "one result only",
}

REASONS = {
    "schemes-differ": "not known: the schemes differ",
    "no-points": "not known: a result counts no points",
    "nothing-expected": "not known: nothing is expected",
    "top-of-scale": "not known: top of the scale",
}


def _gains(pupil: dict[str, Any]) -> list[list[object]]:
    return [
        [
            name_of(pupil),
            subject,
            gain["start"] and gain["start"]["value"],
            gain["end"] and gain["end"]["value"],
            None if gain["gain"] is None else f"{gain['gain']:+}",
            REASONS[gain["reason"]] if gain["reason"] else WORDS[gain["verdict"]],
        ]
        for subject, gain in sorted(pupil["subjects"].items())
    ]


@app.command()
def matrix(
    context: typer.Context,
    start: From,
    end: To,
    class_name: OnClass = None,
    nc_year: NCYear = None,
    subject: Subject = None,
    by: Annotated[By, typer.Option(help="What rows and columns are.")] = By.VALUE,
    scheme: SchemeName = STEPS,
    to_scheme: ToScheme = None,
    to_csv: ToCsv = None,
    as_json: Json = False,
) -> None:
    """Show how many pupils went from each value, or standing, to each other."""
    _check_one_form(to_csv, as_json)
    with signed_in(context) as client:
        asked = _between(client, start, end, class_name, nc_year, subject, scheme, to_scheme, None)
        asked |= {"by": by.value}
        if to_csv:
            write_form(to_csv, client.query("/v1/progress/matrix", format="csv", **asked).content)
            return
        reply = client.query("/v1/progress/matrix", **asked)
    if as_json:
        show_json(reply.content)
        return
    answer = reply.body
    say(_title(answer["asked"], "transitions"), style="bold")
    for each in answer["matrices"]:
        counts = {(cell["start"], cell["end"]): len(cell["pupils"]) for cell in each["cells"]}
        columns = [f"{each['subject']} from", *map(_part, each["columns"]), "All"]
        rows = [
            [
                _part(row),
                *(counts.get((row, column), "·") for column in each["columns"]),
                sum(number for (first, _), number in counts.items() if first == row),
            ]
            for row in each["rows"]
        ]
        show_table(columns, rows, right=columns[1:])
        say(
            f"{each['matched']} with both results, {each['only_start']} only with the first, "
            f"{each['only_end']} only with the last."
        )
    if not answer["matrices"]:
        say("There are no results at either point.")


@app.command("on-track")
def on_track(
    context: typer.Context,
    at: At,
    class_name: OnClass = None,
    nc_year: NCYear = None,
    subject: Subject = None,
    group: ByGroup = None,
    scheme: SchemeName = STEPS,
    to_csv: ToCsv = None,
    as_json: Json = False,
) -> None:
    """Show how many pupils are below, at and above what is expected at a point."""
    _check_one_form(to_csv, as_json)
    path = "/v1/progress/on-track"
    with signed_in(context) as client:
        asked = {
            "academic_year": at.academic_year,
            "term": at.term,
            "class_id": class_called(client, class_name)["class_id"] if class_name else None,
            "nc_year": nc_year,
            "subject": subject,
            "group": group,
            "scheme": scheme,
        }
        if to_csv:
            write_form(to_csv, client.query(path, format="csv", **asked).content)
            return
        reply = client.query(path, **asked)
    if as_json:
        show_json(reply.content)
        return
    answer = reply.body
    year = answer["nc_year"]
    whose = answer["class_name"] or (f"Year {year}" if year else "The whole school")
    parts: list[dict[str, Any]] = [{"value": "all", "subjects": answer["whole"]}]
    if group is not None:
        if (found := answer["groups"][group.value]) is None:
            say(f"Your access level does not show {group}.")
        parts += found or []
    columns = ["Subject", group.value if group else "", "Pupils", "Without", "Below", "At", "Above", "?"]
    show_table(
        columns,
        [
            [subject_, _part(part["value"]), *_on_track(part["subjects"][subject_])]
            for subject_ in answer["subjects"]
            for part in parts
        ],
        title=f"{clean(whose)}: on track in {answer['point']['label']}",
        right=columns[2:],
    )
    say("Below, at and above what is expected: shares of those of whom it is known.")


def _on_track(found: dict[str, Any]) -> list[object]:
    counted = found["standings"]
    shares = [
        str(counted[name]) + ("" if found[f"share_{name}"] is None else f" ({found[f'share_{name}']:.0%})")
        for name in ("below", "at", "above")
    ]
    return [found["pupils"], found["without"], *shares, counted["not_known"]]


def add_track_to(pupils: typer.Typer) -> None:
    """Adds the command to those about pupils."""
    pupils.command()(track)


def track(
    context: typer.Context,
    pupil_id: PupilId,
    scheme: SchemeName = STEPS,
    scale: Scale = None,
    to_html: ToHtml = None,
    as_json: Json = False,
) -> None:
    """Show a pupil's results on a scheme over the years, beside what was expected."""
    if to_html and as_json:
        raise Misused("Name --html or --json, not both")
    path = f"/v1/pupils/{pupil_id}/track"
    with signed_in(context) as client:
        if to_html:
            write_form(to_html, client.query(path, scheme=scheme, scale=scale, format="html").content)
            return
        reply = client.query(path, scheme=scheme, scale=scale)
    if as_json:
        show_json(reply.content)
        return
    answer = reply.body
    if not answer["subjects"]:
        say("There are no results on this scheme.")
        return
    columns = ["Subject", "Point", "Year", "Result", "Points", "Expected", "Standing"]
    show_table(
        columns,
        [
            [
                subject,
                each["point"]["label"],
                each["nc_year"],
                each["value"],
                each["points"],
                each["expected"] and "{}–{}".format(*each["expected"]),
                each["standing"],
            ]
            for subject, points in answer["subjects"].items()
            for each in points
        ],
        title=clean(name_of(answer["pupil"])),
        right=("Points", "Expected"),
    )
