"""Whether the service works, where it keeps its data, and what its routes are."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Literal

import msgspec
from starlette.requests import Request

from api.callers import open_to_all
from api.encoding import Answer
from api.routing import Routes
from api.services import Services

routes = Routes("service")

PATIENCE = 2.0
"""Seconds to wait for the database."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How the service is.

    Attributes:
        status: `ok`; when it is not, the answer is a problem.
        version: Of the software.
        region: Where the data is kept.
    """

    status: Literal["ok"]
    version: str
    region: str


@routes.get("/v1/health")
def read_health(services: Annotated[Services, open_to_all()]) -> Answer[Health]:
    """Tell whether the service works: 503, if the database cannot be reached."""
    with services.read.connection(PATIENCE) as connection:
        connection.execute("SELECT")
    return Answer(Health(status="ok", version=installed_version(), region=services.region))


@routes.get("/v1/openapi.json")
def read_description(
    services: Annotated[Services, open_to_all()],  # noqa: ARG001 - the guard
    request: Request,
) -> Answer[dict[str, Any]]:
    """Describe this API (OpenAPI 3.1)."""
    return Answer(request.app.openapi())


def installed_version() -> str:
    """The version of the software."""
    try:
        return version("target-tracker")
    except PackageNotFoundError:
        return "0"
