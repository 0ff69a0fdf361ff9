"""The application: every route, with what surrounds them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from api import (
    assessment_points,
    assessments,
    attendance,
    benchmarks,
    bundles,
    codes,
    comparison,
    erasures,
    exports,
    health,
    history,
    imports,
    login_keys,
    logins,
    notes,
    observations,
    password_resets,
    permissions,
    progress,
    pupils,
    schemes,
    schools,
    sessions,
    staff,
    statements,
    targets,
    usage,
)
from api.description import describe
from api.heavy_work import limiter
from api.middleware import BodyLimit, Surroundings
from api.problems import HANDLERS
from api.services import Services
from domain.files.photographs import LARGEST as LARGEST_PHOTOGRAPH

TITLE = "Target Tracker"

RESOURCES = (
    schools,
    login_keys,
    sessions,
    staff,
    password_resets,
    imports,
    exports,
    permissions,
    pupils,
    notes,
    erasures,
    assessments,
    progress,
    attendance,
    schemes,
    assessment_points,
    targets,
    statements,
    observations,
    bundles,
    history,
    logins,
    usage,
    benchmarks,
    comparison,
    codes,
    health,
)


class Api(FastAPI):
    """A FastAPI application whose description is made from its routes' own declarations."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = describe(routes_of(self), self.title)
        return self.openapi_schema


def create_app(services: Services) -> FastAPI:
    """Makes the application.

    Args:
        services: What it works with.
    """
    app = Api(
        title=TITLE,
        # The description is a route like any other; the pages around it would load scripts from elsewhere.
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers=HANDLERS,
        # Spans and logs of the framework hold query strings and the messages of exceptions.
        telemetry={
            "tracing": False,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
        },
    )
    app.state.services = services
    app.state.heavy_work = limiter()
    app.state.developing = limiter()
    for resource in RESOURCES:
        app.router.routes.extend(resource.routes.routes)
    limits = dict(imports.LARGEST_BODIES)
    app.add_middleware(BodyLimit, limits=limits | {observations.PHOTOGRAPHS: LARGEST_PHOTOGRAPH})
    app.add_middleware(Surroundings)
    return app


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Every route of an application."""
    return [route for route in app.routes if isinstance(route, APIRoute)]
