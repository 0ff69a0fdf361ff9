"""The demo checks itself: what was put in comes out again, over HTTPS, and only what may."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from domain.academic_year import Term
from domain.errors import TargetTrackerError
from scripts.cli.client import Client
from scripts.cli.failures import Refused
from scripts.cli.roll import every_pupil
from scripts.demonstration.dump import readable
from scripts.demonstration.filling import ADMINISTRATOR, ADVISER, STAFF, TEACHER, FilledSchool, Service

LEAST_IN_BENCHMARKS = 10

Check = Callable[[Client, Service, FilledSchool], str]


class CheckFailed(TargetTrackerError):
    """Something is not as the demo left it."""

    title = "The demo found something wrong"


def check_all(service: Service, filled: FilledSchool) -> Iterator[str]:
    """Makes every check, and yields what it found.

    Raises:
        CheckFailed: Something is not as it should be.
    """
    with service.log_in(filled.planned.facts.urn, ADMINISTRATOR) as client:
        for check in CHECKS:
            yield check(client, service, filled)


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise CheckFailed(what)


def _pupils(client: Client, _: Service, filled: FilledSchool) -> str:
    pupils = every_pupil(client)["pupils"]
    expected = {pupil.names.upn for pupil in filled.school.pupils}
    _expect(len(pupils) == len(expected), f"there are {len(pupils)} pupils, not {len(expected)}")
    _expect({pupil["upn"] for pupil in pupils} == expected, "the pupils are other ones than in the file")
    return f"{len(pupils)} pupils, the same as in the file"


def _sheet(client: Client, _: Service, filled: FilledSchool) -> str:
    sheet, point = _sheet_of(client, filled, "Oak")
    cells = sum(len(row["results"]) for row in sheet["pupils"])
    expected = sum(
        (judgement.point.academic_year, judgement.point.term.value) == point
        for pupil in filled.school.pupils
        if pupil.record.class_name == "Oak"
        for judgement in pupil.judgements
    )
    _expect(cells == expected > 0, f"the sheet of Oak has {cells} judgements, not {expected}")
    corrected = sum(cell["corrected"] for row in sheet["pupils"] for cell in row["results"].values())
    _expect(corrected >= 1, "the sheet of Oak does not show the correction")
    return f"a sheet of {len(sheet['pupils'])} pupils with {cells} judgements, {corrected} corrected"


def _sheet_of(client: Client, filled: FilledSchool, name: str) -> tuple[dict[str, Any], tuple[int, str]]:
    last = max(
        (judgement.point for pupil in filled.school.pupils for judgement in pupil.judgements),
        key=lambda point: point.ends_on,
    )
    found = next(each for each in client.query("/v1/classes").body if each["class_name"] == name)
    point = (last.academic_year, last.term.value)
    path = f"/v1/classes/{found['class_id']}/sheet"
    return client.query(path, academic_year=point[0], term=point[1]).body, point


def _history(client: Client, _: Service, filled: FilledSchool) -> str:
    sheet, _point = _sheet_of(client, filled, "Oak")
    corrected = next(
        row for row in sheet["pupils"] if any(cell["corrected"] for cell in row["results"].values())
    )
    entries = client.query(f"/v1/pupils/{corrected['pupil_id']}/history").body["entries"]
    events = [entry["event"] for entry in entries]
    _expect(events[0] == "pupil.admitted", "a pupil's history does not begin with the admission")
    _expect("assessment.corrected" in events, "a pupil's history does not show the correction")
    then = client.query("/v1/pupils", as_at_position=1, limit=1).body["pupils"]
    _expect(then == [], "the school had pupils before the first was admitted")
    return f"a history of {len(events)} events, and an empty roll as at the first position"


def _logins(client: Client, _: Service, __: FilledSchool) -> str:
    logins = client.query("/v1/logins", limit=500).body["logins"]
    reasons = {line["reason"] for line in logins if line["outcome"] == "failed"}
    wanted = {"wrong password", "unknown user", "account disabled"}
    _expect(wanted <= reasons, f"the failed logins are {reasons or 'none'}, not {wanted}")
    opened = sum(line["outcome"] == "opened" for line in logins)
    return f"{opened} logins, and some turned away: {', '.join(sorted(wanted))}"


def _access(_: Client, service: Service, filled: FilledSchool) -> str:
    urn = filled.planned.facts.urn
    with service.log_in(urn, ADVISER) as adviser:
        pupils = adviser.query("/v1/pupils", limit=500).body["pupils"]
        _expect(bool(pupils), "the adviser sees no pupils")
        for field in ("surname", "forename", "date_of_birth", "upn", "postcode"):
            _expect(all(pupil[field] is None for pupil in pupils), f"the adviser sees a {field}")
        adviser.command("DELETE", "/v1/sessions/current")
    with service.log_in(urn, TEACHER) as teacher:
        _expect(_is_refused(teacher, "/v1/logins"), "the teacher can list logins")
        teacher.command("DELETE", "/v1/sessions/current")
    with service.client() as nobody:
        _expect(_is_refused(nobody, "/v1/pupils"), "somebody without a session can list pupils")
    return "no names for the adviser, no logins for the teacher, nothing for anybody else"


def _is_refused(client: Client, path: str) -> bool:
    try:
        client.query(path)
    except Refused as refused:
        return refused.status in {401, 403}
    return False


def _benchmarks(client: Client, _: Service, __: FilledSchool) -> str:
    rows = client.query("/v1/benchmarks").body
    _expect(bool(rows), "no benchmark has been released")
    figures = [row for row in rows if row["measure"] == "pupils" and row["value"] is not None]
    counts = [int(row["value"]) for row in figures]
    _expect(bool(counts), "every benchmark is suppressed")
    _expect(min(counts) >= LEAST_IN_BENCHMARKS, f"a benchmark is about {min(counts)} pupils")
    return f"{len(rows)} rows of benchmarks, none about fewer than {min(counts)} pupils"


def _comparison(client: Client, _: Service, __: FilledSchool) -> str:
    last = client.query("/v1/benchmarks", scheme="steps").body[-1]
    point = {name: last[name] for name in ("academic_year", "assessment_point")}
    answer = client.query("/v1/benchmarks/compare", **point).body
    groups = [row for table in answer["tables"] for row in table["rows"]]
    own = sum(row["cells"]["pupils"]["own"] is not None for row in groups)
    told = sum(row["cells"]["pupils"]["released"]["value"] is not None for row in groups)
    if not own or not told:
        raise CheckFailed("The school does not stand beside the benchmark")
    return f"the school's own figures of {own} groups beside the benchmark, which tells of {told}"


def _again(client: Client, _: Service, filled: FilledSchool) -> str:
    for file in (filled.csv, filled.ctf):
        for dry_run in ("true", "false"):
            counts = client.command(
                "POST", "/v1/imports", content=file.read_bytes(), parameters={"dry_run": dry_run}
            ).body["counts"]
            changes = counts["created"] + counts["changed"] + counts["refused"] + counts["results"]
            _expect(changes == 0, f"importing {file.name} again would change {changes} things")
    return f"importing {filled.csv.name} and {filled.ctf.name} again changes nothing"


def _sealed(_: Client, service: Service, filled: FilledSchool) -> str:
    """As somebody would look who stole the whole database."""
    words = {STAFF[0][1], f"office@school-{filled.planned.facts.urn}.example"}
    for pupil in filled.school.pupils:
        names = pupil.names
        words |= {names.surname, names.forename, names.date_of_birth.isoformat(), names.upn or ""}
        words |= {names.postcode or "", *names.former_upns}
    # Terms stand in the clear, and some children are called like one.
    words = {word for word in words if word and word.casefold() not in set(Term)}
    found = list(readable(service.superuser, words))
    _expect(not found, f"{found[:1]} can be read in the database")
    return f"nothing of {len(filled.school.pupils)} pupils can be read in the database itself"


def _erased(client: Client, _: Service, __: FilledSchool) -> str:
    """A child who is made up here and now, and erased again; a second run finds the erased one."""
    child = {
        "surname": "Soonforgotten",
        "forename": "Robin",
        "date_of_birth": "2018-03-04",
        "sex": "F",
        "date_of_entry": "2022-09-01",
    }
    admitted = client.command("POST", "/v1/pupils", child, key="demo-soon-forgotten")
    path, reason = f"/v1/pupils/{admitted.body['pupil_id']}", {"reason": "mistake"}
    if not admitted.repeated:
        _expect(client.query(path).body["pupil"]["surname"] == "Soonforgotten", "a new pupil is not shown")
        asked = client.command("POST", f"{path}/erasure", reason).body
        client.command("POST", f"{path}/erase", reason | {"confirmation": asked["confirmation"]})
    told = [entry["details"] for entry in client.query(f"{path}/history").body["entries"]]
    _expect(told == [{"source": "entered", "erased": True}, reason], f"after the erasure there is {told}")
    found = client.search("/v1/pupils/search", {"name": "Soonforgotten", "on_roll": None}).body["pupils"]
    _expect(found == [], "a child who was erased is found")
    return "a child was erased: the history still says that there was one, and nothing else"


CHECKS: tuple[Check, ...] = (
    _pupils,
    _sheet,
    _history,
    _logins,
    _access,
    _benchmarks,
    _comparison,
    _again,
    _sealed,
    _erased,
)
"""Every check, in the order in which it is made."""
