"""Fills the service with the made-up schools, through the API alone.

Every command has an id that is the same in every run, so a second run is answered with what the first did.
"""

from __future__ import annotations

import hashlib
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

from domain.academic_year import AssessmentPoint
from scripts.cli.client import Client
from scripts.cli.failures import Refused
from scripts.cli.roll import every_pupil
from scripts.demonstration.folder import DemoFolder
from scripts.demonstration.made_up_results import Judgement
from scripts.demonstration.made_up_school import MadeUpPupil, MadeUpSchool
from scripts.demonstration.reporting import Advance
from scripts.demonstration.twelve_schools import PlannedSchool

ADMINISTRATOR = "head"
DEPUTY = "deputy"
TEACHER = "teacher"
ADVISER = "adviser"
FORMER = "former"

STAFF: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    (DEPUTY, "Dana Deputy", "read-write", ()),
    (TEACHER, "Terry Teacher of Oak", "limited-read-write", ("Oak",)),
    ("governor", "Gwen Governor", "read-only", ()),
    (ADVISER, "Avery Adviser", "read-only-nonames", ()),
    (FORMER, "Frankie Former", "read-write", ()),
)
"""Username, name, access level and classes of the accounts beside the administrator's."""

CHUNK = 5000
"""The most judgements that one request may hold."""


@dataclass
class Service:
    """The service that is filled.

    Attributes:
        server: The API's address.
        ca: The authority of its certificate.
        folder: The demo's folder.
        recover: Issues a login key to a school that has lost its own, given the school's id.
        superuser: How the database is reached by whoever may read everything in it.
        stopping: Set when the demo is being stopped.
    """

    server: str
    ca: Path
    folder: DemoFolder
    recover: Callable[[UUID], str]
    superuser: str
    stopping: threading.Event = field(default_factory=threading.Event)

    def client(self, token: str | None = None) -> Client:
        """A connection."""
        return Client(self.server, ca=self.ca, token=token)

    def log_in(self, urn: str, username: str, password: str | None = None) -> Client:
        """A connection with a session of its own.

        Raises:
            Refused: The login is refused.
        """
        credentials = {
            "login_key": self.folder.login_key(urn),
            "username": username,
            "password": password or self.folder.password(),
        }
        with self.client() as anonymous:
            opened = anonymous.command("POST", "/v1/sessions", credentials)
        client = self.client(opened.body["token"])
        client.position = opened.position
        return client


@dataclass(frozen=True)
class FilledSchool:
    """A school that the service has.

    Attributes:
        planned: The plan that it was made up after.
        school: What was made up.
        csv: Its import file.
        ctf: Its Common Transfer File.
        imported: What the two imports did, in numbers.
        judgements: How many judgements were recorded.
    """

    planned: PlannedSchool
    school: MadeUpSchool
    csv: Path
    ctf: Path
    imported: tuple[dict[str, Any], ...]
    judgements: int


def fill(service: Service, planned: PlannedSchool, school: MadeUpSchool, advance: Advance) -> FilledSchool:
    """Writes a school's files, registers it, imports the files and records its judgements.

    Args:
        service: The service.
        planned: The plan that the school was made up after.
        school: The school.
        advance: Told of every pupil and judgement that the service has.

    Raises:
        Refused: The service refuses.
        KeyboardInterrupt: The demo is being stopped.
    """
    csv = _file(service.folder.files / f"{planned.file_name}.csv", school.pupil_csv)
    ctf = _file(service.folder.files / f"{planned.file_name}.xml", school.ctf)
    _register(service, planned)
    with service.log_in(planned.facts.urn, ADMINISTRATOR) as client:
        imported = []
        for file in (csv, ctf):
            _go_on(service)
            imported.append(_import(client, file))
        advance(len(school.pupils))
        judgements = 0
        for sheet in _sheets(school, _pupil_ids(client), by_class=planned.classes_in_year > 1):
            _go_on(service)
            client.command("POST", "/v1/sheets", sheet, key=_key("sheet", planned, repr(sheet)))
            judgements += len(sheet["entries"])
            advance(len(sheet["entries"]))
        client.command("DELETE", "/v1/sessions/current")
    return FilledSchool(planned, school, csv, ctf, tuple(imported), judgements)


def size_of(school: MadeUpSchool) -> int:
    """How much :func:`fill` has to do: pupils and judgements."""
    return len(school.pupils) + sum(len(pupil.judgements) for pupil in school.pupils)


def _file(path: Path, make: Any) -> Path:
    if not path.exists():
        path.write_bytes(make())
    return path


def _key(what: str, planned: PlannedSchool, content: str = "") -> str:
    digest = hashlib.sha256(content.encode()).hexdigest()[:32]
    return f"demo-{what}-{planned.facts.urn}-{digest}"


def _go_on(service: Service) -> None:
    if service.stopping.is_set():
        raise KeyboardInterrupt


def _register(service: Service, planned: PlannedSchool) -> None:
    facts = planned.facts
    body = {
        "facts": facts,
        "official_email": f"office@school-{facts.urn}.example",
        "agreement_from": "2020-09-01",
        "administrator": {"username": ADMINISTRATOR, "display_name": "Harper Head"},
        "password": service.folder.password(),
        "headteacher": True,
    }
    with service.client(service.folder.operator_token()) as operator:
        registered = operator.command("POST", "/v1/schools", body, key=_key("register", planned)).body
    if registered["login_key"] is not None:
        service.folder.keep_login_key(facts.urn, registered["login_key"])
    elif not service.folder.login_key_file(facts.urn).exists():
        # An earlier run was stopped between the registration and the file. The key is kept nowhere else.
        service.folder.keep_login_key(facts.urn, service.recover(UUID(registered["school_id"])))


def _import(client: Client, file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    key = f"demo-import-{hashlib.sha256(content).hexdigest()}"
    report: dict[str, Any] = client.command("POST", "/v1/imports", content=content, key=key).body
    counts: dict[str, Any] = report["counts"]
    return counts


def _pupil_ids(client: Client) -> dict[str, str]:
    """The ids that the service gave, by UPN."""
    pupils = every_pupil(client, on_roll="any")["pupils"]
    return {pupil["upn"]: pupil["pupil_id"] for pupil in pupils}


def _sheets(school: MadeUpSchool, ids: dict[str, str], *, by_class: bool) -> Iterator[dict[str, Any]]:
    """The bodies of the requests that record the school's judgements, the oldest term first."""
    groups: dict[str | None, list[MadeUpPupil]] = defaultdict(list)
    for pupil in school.pupils:
        groups[pupil.record.class_name if by_class else None].append(pupil)
    points = sorted(
        {judgement.point for pupil in school.pupils for judgement in pupil.judgements},
        key=lambda point: point.ends_on,
    )
    for point in points:
        for pupils in groups.values():
            entries = [
                {"pupil_id": ids[upn], "subject": judgement.subject, "value": judgement.value}
                for pupil in pupils
                if (upn := pupil.names.upn)
                for judgement in _of(pupil.judgements, point)
            ]
            for start in range(0, len(entries), CHUNK):
                yield {
                    "academic_year": point.academic_year,
                    "term": point.term.value,
                    "assessed_on": _assessed_on(point, school.day).isoformat(),
                    "entries": entries[start : start + CHUNK],
                }


def _of(judgements: Iterable[Judgement], point: AssessmentPoint) -> Iterator[Judgement]:
    return (judgement for judgement in judgements if judgement.point == point)


def _assessed_on(point: AssessmentPoint, day: date) -> date:
    """Some time before the term ends; not before it has come."""
    return min(point.ends_on - timedelta(days=21), day)


def add_staff(service: Service, planned: PlannedSchool) -> None:
    """Gives the school some staff, one of whom has gone."""
    with service.log_in(planned.facts.urn, ADMINISTRATOR) as client:
        for username, name, level, classes in STAFF:
            body = {
                "username": username,
                "display_name": name,
                "access": {"level": level, "classes": list(classes)},
                "password": service.folder.password(),
            }
            added = client.command("POST", "/v1/staff", body, key=_key(f"staff-{username}", planned)).body
            if username == FORMER:
                path = f"/v1/staff/{added['staff_id']}/disable"
                client.command("POST", path, key=_key("disable", planned))


def log_in_and_out(service: Service, planned: PlannedSchool) -> None:
    """Has the staff come and go, and some turned away; once, however often the demo runs."""
    urn = planned.facts.urn
    with service.log_in(urn, ADMINISTRATOR) as client:
        if any(line["outcome"] == "failed" for line in client.query("/v1/logins", limit=500).body["logins"]):
            return
    for username in (DEPUTY, TEACHER, ADVISER):
        with service.log_in(urn, username) as client:
            client.command("DELETE", "/v1/sessions/current")
    for username, password in (
        (DEPUTY, "not the password"),
        (DEPUTY, "not it either"),
        ("nobody", "a user whom nobody knows"),
        (FORMER, None),
    ):
        try:
            service.log_in(urn, username, password).close()
        except Refused as refused:
            if refused.status != 401:
                raise


def correct_one(service: Service, filled: FilledSchool) -> None:
    """Has the deputy correct a judgement, so that a history has something to show."""
    planned = filled.planned
    last = max(
        chain.from_iterable(pupil.judgements for pupil in filled.school.pupils),
        key=lambda judgement: judgement.point.ends_on,
    ).point
    with service.log_in(planned.facts.urn, DEPUTY) as client:
        oak = next(each for each in client.query("/v1/classes").body if each["class_name"] == "Oak")
        sheet = client.query(
            f"/v1/classes/{oak['class_id']}/sheet", academic_year=last.academic_year, term=last.term.value
        ).body
        judged = [each for each in sheet["pupils"] if "MAT" in each["results"]]
        # Whoever tries the demo may have moved the child of the first run to another class.
        if judged and not any(each["results"]["MAT"]["corrected"] for each in judged):
            pupil = min(judged, key=lambda each: str(each["pupil_id"]))
            assessment = pupil["results"]["MAT"]["assessment_id"]
            client.command(
                "POST",
                f"/v1/pupils/{pupil['pupil_id']}/assessments/{assessment}/corrections",
                {"value": "6b", "reason": "Entered in the wrong row of the sheet"},
                key=_key("correction", planned, assessment),
            )
        client.command("DELETE", "/v1/sessions/current")
