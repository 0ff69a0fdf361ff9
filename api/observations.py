"""Observations of a pupil: text and photographs, for those alone who may know who pupils are."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from uuid import UUID

import msgspec
from fastapi import Depends
from starlette.requests import Request

from api.callers import Caller, signed_in
from api.conditions import ExpectedVersion, tag_of
from api.encoding import Answer, NoBody, PageSize, RawBody, ReadQuery, Sent, body, query
from api.heavy_work import developed_in_turn
from api.moments import AsAtQuery, moment_of
from api.reading import see
from api.routing import Routes
from api.showing import Shown, ShownPicture
from domain.access import Permission
from domain.application import observing
from domain.application.observing import ObservationResult, PhotographResult
from domain.application.school_application import Outcome
from domain.files.photographs import EXTENSIONS
from domain.ledger.photographs import Role
from domain.observation import Observation, Observed
from domain.usage import ReadKind

routes = Routes("observations")

OBSERVATIONS = "/v1/pupils/{pupil_id}/observations"
OBSERVATION = f"{OBSERVATIONS}/{{observation_id}}"
PHOTOGRAPHS = f"{OBSERVATION}/photographs"
PHOTOGRAPH = f"{PHOTOGRAPHS}/{{photograph_id}}"

Reader = Annotated[Caller, signed_in(Permission.READ_NAMES)]
Writer = Annotated[Caller, signed_in(Permission.RECORD_ASSESSMENTS_OF_OWN_CLASSES)]

PICTURES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture",
        "content": {each: {"schema": {"type": "string", "format": "binary"}} for each in EXTENSIONS},
    }
}


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why an observation is withdrawn."""

    reason: Annotated[str, msgspec.Meta(max_length=1000)] | None = None


class PhotographBody(msgspec.Struct, frozen=True, kw_only=True):
    """A photograph of an observation.

    Attributes:
        photograph_id: Its id.
        media_type: What it is sent as: image/jpeg, image/png or image/webp.
        width: Pixels.
        height: Pixels.
    """

    photograph_id: UUID
    media_type: str
    width: int
    height: int


class ObservationBody(msgspec.Struct, frozen=True, kw_only=True):
    """An observation.

    Attributes:
        observation_id: Its id: those made later have greater ones.
        version: What a change is made against.
        made_by: The member of staff who wrote it down first.
        observed_on: The day.
        subject: A subject code, if it was in a subject.
        text: What was seen.
        photographs: In the order in which they were attached.
    """

    observation_id: UUID
    version: int
    made_by: UUID | None
    observed_on: date
    subject: str | None
    text: str
    photographs: list[PhotographBody]


class ObservationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An observation of a pupil."""

    pupil_id: UUID
    observation: ObservationBody
    position: int


class ObservationsQuery(AsAtQuery, frozen=True, kw_only=True):
    """Which observations.

    Attributes:
        after: Those behind this one in the list: `next` of the page before.
        limit: The most to return.
    """

    after: UUID | None = None
    limit: PageSize = 100


class ObservationsPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a pupil's observations.

    Attributes:
        pupil_id: The pupil.
        observations: Those made last come first.
        next: Where the next page begins, if there is one.
        position: It shows everything up to this position of the school's stream; null as at a day.
    """

    pupil_id: UUID
    observations: list[ObservationBody]
    next: UUID | None
    position: int | None


class ObservationKept(msgspec.Struct, frozen=True, kw_only=True):
    """The observation that a command was about, and its version after it."""

    observation_id: UUID
    version: int
    position: int


class PhotographKept(msgspec.Struct, frozen=True, kw_only=True):
    """The photograph that a command was about, and the version of its observation after it."""

    photograph_id: UUID
    version: int
    position: int


def _kept(outcome: Outcome[ObservationResult], status: int = 200) -> Answer[ObservationKept]:
    result = outcome.result
    return Answer(
        ObservationKept(
            observation_id=result.observation_id, version=result.version, position=outcome.position
        ),
        status,
        position=outcome.position,
        repeated=outcome.repeated,
        etag=tag_of(result.version),
    )


def _photograph_kept(outcome: Outcome[PhotographResult], status: int = 200) -> Answer[PhotographKept]:
    result = outcome.result
    return Answer(
        PhotographKept(photograph_id=result.photograph_id, version=result.version, position=outcome.position),
        status,
        position=outcome.position,
        repeated=outcome.repeated,
    )


def _body(observation: Observation) -> ObservationBody:
    return ObservationBody(
        observation_id=observation.id,
        version=observation.version,
        made_by=observation.made_by,
        observed_on=observation.observed_on,
        subject=observation.subject_code,
        text=observation.text,
        photographs=[
            PhotographBody(
                photograph_id=each.id, media_type=each.media_type, width=each.width, height=each.height
            )
            for each in observation.photographs
        ],
    )


@routes.get(OBSERVATIONS)
def list_observations(
    caller: Reader, asked: Annotated[ObservationsQuery, query(ObservationsQuery)], pupil_id: UUID
) -> Shown[ObservationsPage]:
    """List a pupil's observations, now or as at a day or position."""
    position: int | None = see(caller, asked.min_position)
    moment = moment_of(asked)
    if moment:
        position = moment.position
    found = [
        each
        for each in observing.observations(caller.school, pupil_id, moment)
        if asked.after is None or each.id < asked.after
    ]
    page = found[: asked.limit]
    return Shown(
        caller,
        ReadKind.OBSERVATIONS,
        [pupil_id],
        ObservationsPage(
            pupil_id=pupil_id,
            observations=[_body(each) for each in page],
            next=page[-1].id if len(found) > len(page) else None,
            position=position,
        ),
    )


@routes.post(OBSERVATIONS, status_code=201)
def make_observation(
    caller: Writer, pupil_id: UUID, sent: Annotated[Sent[Observed], body(Observed)]
) -> Answer[ObservationKept]:
    """Keep what somebody has seen a child do."""
    outcome = observing.make(
        caller.school,
        pupil_id,
        sent.value,
        caller.actor,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _kept(outcome, 201)


@routes.get(OBSERVATION)
def read_observation(
    caller: Reader,
    asked: Annotated[ReadQuery, query(ReadQuery)],
    pupil_id: UUID,
    observation_id: UUID,
) -> Shown[ObservationAnswer]:
    """Read an observation."""
    position = see(caller, asked.min_position)
    observation = observing.observation(caller.school, pupil_id, observation_id)
    answer = ObservationAnswer(pupil_id=pupil_id, observation=_body(observation), position=position)
    etag = tag_of(observation.version)
    return Shown(caller, ReadKind.OBSERVATIONS, [pupil_id], answer, etag=etag)


@routes.put(OBSERVATION)
def change_observation(
    caller: Writer,
    pupil_id: UUID,
    observation_id: UUID,
    expected: ExpectedVersion,
    sent: Annotated[Sent[Observed], body(Observed)],
) -> Answer[ObservationKept]:
    """Let an observation read otherwise; what it said before stays in the history."""
    outcome = observing.change(
        caller.school,
        pupil_id,
        observation_id,
        sent.value,
        expected,
        caller.actor,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _kept(outcome)


@routes.post(f"{OBSERVATION}/withdraw")
def withdraw_observation(
    caller: Writer,
    pupil_id: UUID,
    observation_id: UUID,
    sent: Annotated[Sent[Withdrawal], body(Withdrawal)],
) -> Answer[ObservationKept]:
    """Take an observation and its photographs out of sight; the history keeps what was said."""
    outcome = observing.withdraw(
        caller.school,
        pupil_id,
        observation_id,
        caller.actor,
        reason=sent.value.reason,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _kept(outcome)


@routes.post(PHOTOGRAPHS, status_code=201)
async def attach_photograph(
    caller: Writer,
    pupil_id: UUID,
    observation_id: UUID,
    sent: Annotated[Sent[bytes], Depends(RawBody())],
    request: Request,
) -> Answer[PhotographKept]:
    """Attach a photograph to an observation: the body is the file.

    JPEG, PNG, WebP or HEIC, told by its content, of at most 10,000,000 octets and 50 million pixels. What is
    kept is upright and holds nothing but the picture.
    """
    outcome = await developed_in_turn(
        request,
        observing.attach,
        caller.school,
        pupil_id,
        observation_id,
        sent.value,
        caller.actor,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _photograph_kept(outcome, 201)


@routes.get(PHOTOGRAPH, responses=PICTURES)
def read_photograph(
    caller: Reader,
    asked: Annotated[ReadQuery, query(ReadQuery)],
    pupil_id: UUID,
    observation_id: UUID,
    photograph_id: UUID,
) -> ShownPicture:
    """Read a photograph."""
    return _picture(caller, asked, pupil_id, observation_id, photograph_id, Role.PHOTOGRAPH)


@routes.get(f"{PHOTOGRAPH}/thumbnail", responses=PICTURES)
def read_thumbnail(
    caller: Reader,
    asked: Annotated[ReadQuery, query(ReadQuery)],
    pupil_id: UUID,
    observation_id: UUID,
    photograph_id: UUID,
) -> ShownPicture:
    """Read a photograph's thumbnail, of at most 320 pixels on each side."""
    return _picture(caller, asked, pupil_id, observation_id, photograph_id, Role.THUMBNAIL)


def _picture(
    caller: Caller, asked: ReadQuery, pupil_id: UUID, observation_id: UUID, photograph_id: UUID, role: Role
) -> ShownPicture:
    see(caller, asked.min_position)
    picture = observing.picture(caller.school, pupil_id, observation_id, photograph_id, role)
    return ShownPicture(caller, ReadKind.PHOTOGRAPH, [pupil_id], picture.content, picture.media_type)


@routes.post(f"{PHOTOGRAPH}/withdraw")
def withdraw_photograph(
    caller: Writer,
    pupil_id: UUID,
    observation_id: UUID,
    photograph_id: UUID,
    sent: Annotated[Sent[bytes], Depends(NoBody())],
) -> Answer[PhotographKept]:
    """Take a photograph out of sight."""
    outcome = observing.withdraw_photograph(
        caller.school,
        pupil_id,
        observation_id,
        photograph_id,
        caller.actor,
        only_classes=caller.only_classes,
        command=sent.command,
    )
    return _photograph_kept(outcome)
