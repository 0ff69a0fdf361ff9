"""Pupils: the roll, one child, and what may be changed of either."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from domain.academic_year import HALF_TERMS_BY_THE_END, academic_year_label
from domain.school_time import today
from scripts.cli.auditing import show_history
from scripts.cli.client import Client
from scripts.cli.connection import signed_in
from scripts.cli.failures import Misused
from scripts.cli.options import Json, PupilId, read_day
from scripts.cli.output import day, say, show_fields, show_json, show_table
from scripts.cli.particulars import BY_HAND, read_particulars
from scripts.cli.roll import class_called, every_pupil, name_of, same_class

app = typer.Typer(no_args_is_help=True, help="Look at pupils, and change what is kept of them.")


NCYear = Annotated[str | None, typer.Option("--nc-year", metavar="YEAR", help="NC year: R, 1 to 6, ...")]
AsAt = Annotated[
    str | None,
    typer.Option("--as-at", parser=read_day, metavar="DATE", help="As it was at the end of this day."),
]
AsAtPosition = Annotated[
    int | None,
    typer.Option("--as-at-position", min=1, metavar="N", help="As it was at this position of the stream."),
]
OnClass = Annotated[str | None, typer.Option("--class", metavar="NAME", help="Only this class.")]
Particulars = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FIELD=VALUE...",
        help=f"Fields to set, such as nc_year=3; with no value, to empty: {', '.join(BY_HAND)}.",
    ),
]
ParticularsFile = Annotated[
    Path | None,
    typer.Option("--file", metavar="FILE", help="Read the fields as JSON from a file; - for standard input."),
]


@app.command("list")
def list_pupils(
    context: typer.Context,
    class_name: OnClass = None,
    nc_year: NCYear = None,
    left: Annotated[bool, typer.Option("--left", help="Only those who have left.")] = False,
    as_at: AsAt = None,
    as_at_position: AsAtPosition = None,
    as_json: Json = False,
) -> None:
    """List pupils, now or as at a day or a position."""
    then = as_at is not None or as_at_position is not None
    with signed_in(context) as client:
        # Classes of the past may be gone, and only the service can tell their ids.
        answer = every_pupil(
            client,
            class_id=class_called(client, class_name)["class_id"] if class_name and not then else None,
            nc_year=nc_year,
            on_roll="false" if left else "true",
            as_at=as_at,
            as_at_position=as_at_position,
        )
    if class_name and then:
        wanted = same_class(class_name)
        answer["pupils"] = [
            pupil for pupil in answer["pupils"] if same_class(pupil["class_name"] or "") == wanted
        ]
    _show_pupils(answer, as_json)


@app.command()
def search(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="Beginnings of forenames and surnames.")
    ] = None,
    class_name: OnClass = None,
    nc_year: NCYear = None,
    upn: Annotated[str | None, typer.Option(help="The UPN, now or before.")] = None,
    left: Annotated[bool, typer.Option("--left", help="Also those who have left.")] = False,
    as_json: Json = False,
) -> None:
    """Search for pupils by name, class, NC year or UPN."""
    asked = {"name": name, "class_name": class_name, "nc_year": nc_year, "upn": upn}
    given: dict[str, Any] = {field: value for field, value in asked.items() if value is not None}
    if not given:
        raise Misused("Say what to search for: a name, --class, --nc-year or --upn")
    if left:
        given["on_roll"] = None
    with signed_in(context) as client:
        answer = client.search("/v1/pupils/search", given).body
    _show_pupils(answer, as_json)


def _show_pupils(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        show_json(answer)
        return
    pupils = sorted(answer["pupils"], key=lambda pupil: name_of(pupil).casefold())
    if not pupils:
        say("No pupils.")
        return
    show_table(
        ["Pupil id", "Name", "Year", "Class"],
        [[pupil["pupil_id"], name_of(pupil), pupil["nc_year"], pupil["class_name"]] for pupil in pupils],
        whole=("Pupil id",),
    )
    say(f"{len(pupils)} {'pupil' if len(pupils) == 1 else 'pupils'}")


@app.command()
def show(
    context: typer.Context,
    pupil_id: PupilId,
    as_at: AsAt = None,
    as_at_position: AsAtPosition = None,
    on: Annotated[
        str | None,
        typer.Option(
            parser=read_day,
            metavar="DATE",
            help="The day for age, terms, meals, SEN and care; today, if not given.",
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Show a pupil with the latest assessments, now or as at a day or a position."""
    with signed_in(context) as client:
        reply = client.query(f"/v1/pupils/{pupil_id}", as_at=as_at, as_at_position=as_at_position, on=on)
    if as_json:
        show_json(reply.content)
        return
    pupil, assessments = reply.body["pupil"], reply.body["assessments"]
    then = pupil["on_day"]
    show_fields(
        [
            ("Pupil id", pupil["pupil_id"]),
            ("Version", pupil["version"]),
            ("UPN", pupil["upn"]),
            ("Former UPNs", ", ".join(pupil["former_upns"] or [])),
            ("Mistyped UPNs", ", ".join(pupil["mistyped_upns"] or [])),
            ("UPN missing", pupil["upn_missing"]),
            ("Called", _called(pupil)),
            ("Middle names", pupil["middle_names"]),
            ("Born", day(pupil["date_of_birth"])),
            ("Age", _age(then["age"])),
            ("Sex", pupil["sex"]),
            ("Postcode", pupil["postcode"]),
            ("NC year", pupil["nc_year"]),
            ("Class", pupil["class_name"]),
            ("Joined", day(pupil["date_of_entry"])),
            ("Left", day(pupil["left_on"])),
            ("Terms completed", then["terms_completed"]),
            ("Preschool terms", pupil["preschool_terms"]),
            ("Previous setting", pupil["previous_setting"]),
            ("Schools before", "; ".join(map(_attended_school, pupil["previous_schools"] or []))),
            ("Attendance before", "; ".join(map(_attended_year, pupil["attendance_before"] or []))),
            ("Kept from files", _kept(pupil["other_elements"])),
            ("Free school meals", then["free_school_meals"]),
            ("Pupil premium", ", ".join(then["premium"])),
            ("SEN provision", then["sen_provision"]),
            ("SEN needs", ", ".join(pupil["sen_needs"])),
            ("First language", pupil["first_language"]),
            ("EAL", then["eal"]),
            ("Ethnicity", pupil["ethnicity"]),
            ("In care", then["in_care"]),
            ("After care", pupil["post_looked_after"]),
            ("Gifted", pupil["gifted"]),
            ("Talented", pupil["talented"]),
            ("Active concerns", pupil["active_concerns"]),
            ("Attendance", _attended(pupil["attendance"])),
        ],
        title=name_of(pupil),
    )
    if pupil["flags"]:
        show_table(
            ["Field", "Kept as it came", "To be looked at"],
            [[flag["field"], flag["found"], flag["says"]] for flag in pupil["flags"]],
            title="Codes",
        )
    _show_results(assessments)


def _age(age: dict[str, int] | None) -> str | None:
    return f"{age['years']} years, {age['months']} months" if age else None


def _called(pupil: dict[str, Any]) -> str | None:
    called = [pupil["preferred_forename"], pupil["preferred_surname"]]
    return " ".join(filter(None, called)) or None


def _attended(totals: dict[str, int] | None) -> str | None:
    if not totals:
        return None
    attended = totals["possible"] - totals["authorised"] - totals["unauthorised"]
    year = academic_year_label(totals["academic_year"])
    return f"{attended} of {totals['possible']} sessions in {year}"


def _attended_school(school: dict[str, Any]) -> str:
    """A school before this one, with the days that are known."""
    numbers = "/".join(filter(None, (school.get("local_authority"), school.get("establishment"))))
    days = [day(school[name]) for name in ("entered_on", "left_on") if school.get(name)]
    told = f" ({' to '.join(days)})" if days else ""
    return f"{school.get('name') or numbers or '?'}{told}"


def _attended_year(year: dict[str, Any]) -> str:
    where = f" at {year['name']}" if year.get("name") else ""
    return f"{_attended(year)}{where}"


def _kept(elements: list[dict[str, str]] | None) -> str | None:
    """How much there is that Target Tracker has no field for; it goes out again with the child."""
    if not elements:
        return None
    return f"{len(elements)} {'element' if len(elements) == 1 else 'elements'} of Common Transfer Files"


def _show_results(assessments: list[dict[str, Any]]) -> None:
    ordered = sorted(
        assessments,
        key=lambda each: (
            -each["academic_year"],
            -HALF_TERMS_BY_THE_END.get(each["term"], len(HALF_TERMS_BY_THE_END)),
            each["scheme"],
            each["subject"],
        ),
    )
    if ordered:
        show_table(
            ["Year", "Term", "Subject", "Result", "Assessment id"],
            [
                [
                    academic_year_label(each["academic_year"]),
                    each["term"] or each["stage"],
                    " ".join(filter(None, [each["subject"], each["component"]])),
                    f"{each['value']}{' (corrected)' if each['corrected'] else ''}"
                    f"{'' if each['known'] else ' (not known)'}",
                    each["assessment_id"],
                ]
                for each in ordered
            ],
            title="Latest assessments",
            whole=("Assessment id",),
        )


@app.command()
def admit(context: typer.Context, fields: Particulars = None, file: ParticularsFile = None) -> None:
    """Begin a child's record: surname, forename, date_of_birth, sex and date_of_entry are needed."""
    with signed_in(context) as client:
        answer = client.command("POST", "/v1/pupils", read_particulars(fields, file)).body
    say(f"The record begins: pupil {answer['pupil_id']}, version {answer['version']}.")


@app.command()
def change(
    context: typer.Context,
    pupil_id: PupilId,
    fields: Particulars = None,
    file: ParticularsFile = None,
    version: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="The version that you have seen: refuse another.")
    ] = None,
) -> None:
    """Change some of a child's particulars."""
    particulars = read_particulars(fields, file)
    with signed_in(context) as client:
        headers = {"If-Match": _tag(client, pupil_id, version)}
        answer = client.command("PATCH", f"/v1/pupils/{pupil_id}", particulars, headers=headers).body
    say(f"Changed: version {answer['version']}.")


@app.command()
def leave(
    context: typer.Context,
    pupil_id: PupilId,
    on: Annotated[
        str | None, typer.Option(parser=read_day, metavar="DATE", help="Today, if not given.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Why the child leaves.")] = None,
    destination: Annotated[str | None, typer.Option(help="The school that the child goes to.")] = None,
    reason_code: Annotated[
        str | None,
        typer.Option(metavar="CODE", help="Why, as DfE's code; `codes leaving-reason` lists them."),
    ] = None,
    destination_school: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="The DfE number of that school, such as 881/2001."),
    ] = None,
) -> None:
    """Take a child off the roll; the record stays readable."""
    body = {
        "left_on": on or _today(),
        "reason": reason,
        "destination": destination,
        "reason_code": reason_code,
        "destination_school": destination_school,
    }
    with signed_in(context) as client:
        headers = {"If-Match": _tag(client, pupil_id)}
        client.command("POST", f"/v1/pupils/{pupil_id}/leave", body, headers=headers)
    say(f"Off the roll from {day(body['left_on'])}.")


@app.command("return")
def take_back(
    context: typer.Context,
    pupil_id: PupilId,
    on: Annotated[
        str | None, typer.Option(parser=read_day, metavar="DATE", help="Today, if not given.")
    ] = None,
) -> None:
    """Put a child who had left on the roll again."""
    returned_on = on or _today()
    with signed_in(context) as client:
        headers = {"If-Match": _tag(client, pupil_id)}
        client.command("POST", f"/v1/pupils/{pupil_id}/return", {"returned_on": returned_on}, headers=headers)
    say(f"On the roll again from {day(returned_on)}.")


@app.command()
def history(context: typer.Context, pupil_id: PupilId, as_json: Json = False) -> None:
    """Show everything that happened to a pupil's record and assessments."""
    with signed_in(context) as client:
        reply = client.query(f"/v1/pupils/{pupil_id}/history")
        if as_json:
            show_json(reply.content)
        else:
            show_history(client, reply.body["entries"])


def _tag(client: Client, pupil_id: str, version: int | None = None) -> str:
    """What a change is made against: the version that was seen, or the one that is there now."""
    return f'"{version}"' if version else client.query(f"/v1/pupils/{pupil_id}").headers["ETag"]


def _today() -> str:
    return today().isoformat()
