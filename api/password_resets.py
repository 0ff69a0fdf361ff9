"""New passwords for those who have lost theirs: a code by mail, to the school's official address alone."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from api.callers import open_to_all
from api.encoding import Answer, Sent, body
from api.heavy_work import one_of_few
from api.routing import Routes
from api.services import Services
from domain.application import resets
from domain.letters import RESET_LASTS
from domain.resets import NoMailServer

routes = Routes("password resets")


class ResetRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A request for a new password. It names no address: the school's official one gets the mail.

    Attributes:
        login_key: The school's login key, 550 characters; spaces and line breaks do not count.
        username: The account's username.
    """

    login_key: Annotated[str, msgspec.Meta(max_length=2000)]
    username: Annotated[str, msgspec.Meta(max_length=1000)]


class ResetRequested(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of every request.

    Attributes:
        good_for: For how many seconds a code would be good, if one is on its way.
    """

    good_for: int


class Redemption(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new password, with the code that came by mail.

    Attributes:
        login_key: The school's login key, 550 characters; spaces and line breaks do not count.
        username: The account's username.
        code: The code, 43 characters.
        password: The new password.
    """

    login_key: Annotated[str, msgspec.Meta(max_length=2000)]
    username: Annotated[str, msgspec.Meta(max_length=1000)]
    code: Annotated[str, msgspec.Meta(max_length=1000)]
    password: Annotated[str, msgspec.Meta(max_length=4000)]


@routes.post("/v1/password-resets", status_code=202)
async def request_password_reset(
    services: Annotated[Services, open_to_all()],
    sent: Annotated[Sent[ResetRequest], body(ResetRequest, is_command=False)],
    request: Request,
) -> Answer[ResetRequested]:
    """Have a code for a new password mailed to the school's official address.

    The answer is the same, and comes as soon, whether there is such an account or not. A code is good for 30
    minutes, once, and replaces the one before. An account is given three of them in an hour. This takes no
    `Idempotency-Key`.
    """
    if services.mailer is None:
        raise NoMailServer(
            "This service sends no mail: ask an administrator of your school for a new password"
        )
    given = sent.value
    await one_of_few(request, resets.ask, services.schools, services.mailer, given.login_key, given.username)
    return Answer(ResetRequested(good_for=int(RESET_LASTS.total_seconds())), HTTPStatus.ACCEPTED)


@routes.post("/v1/password-resets/redeem", status_code=204)
async def redeem_password_reset(
    services: Annotated[Services, open_to_all()],
    sent: Annotated[Sent[Redemption], body(Redemption, is_command=False)],
    request: Request,
) -> Response:
    """Set a new password with the code that came by mail, and end every session of the account.

    A code that is wrong, used, replaced or too old is refused, without saying which. A password that cannot
    be used leaves it as it is. This takes no `Idempotency-Key`: a code works once by itself.
    """
    given = sent.value
    await one_of_few(
        request,
        resets.redeem,
        services.schools,
        services.sessions,
        given.login_key,
        given.username,
        given.code,
        given.password,
    )
    return Response(status_code=HTTPStatus.NO_CONTENT)
