"""The API's description of itself is whole: nothing that a route does is left for the reader to guess."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
from fastapi import FastAPI

from api.app import Api, routes_of
from tests.api.conftest import Served


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def gaps(app: FastAPI) -> list[str]:
    """What the description leaves out."""
    description = app.openapi()
    found = []
    described = {(path, method) for path, method, _ in operations(description)}
    for route in routes_of(app):
        found += [
            f"{method} {route.path} is missing"
            for method in route.methods or ()
            if (route.path_format, method.lower()) not in described
        ]
    for path, method, operation in operations(description):
        place = f"{method} {path}"
        if not operation["summary"] or operation["summary"].endswith("."):
            found.append(f"{place} has no summary")
        if "security" not in operation:
            found.append(f"{place} does not say who may")
        if method in {"patch", "put"} and "requestBody" not in operation:
            found.append(f"{place} does not say what it takes")
        for status, response in operation["responses"].items():
            has_body = status not in {"204", "304"}
            if has_body and not all("schema" in each for each in response.get("content", {"": {}}).values()):
                found.append(f"{place} does not say what {status} holds")
            if int(status) >= 400 and list(response["content"]) != ["application/problem+json"]:
                found.append(f"{place} answers {status} with something else than a problem")
        named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
        if named != {part.strip("{}") for part in path.split("/") if part.startswith("{")}:
            found.append(f"{place} does not name its path's parameters")
    return found


def test_every_route_is_described_whole(served: Served) -> None:
    assert gaps(served.app) == []


def test_a_route_that_says_nothing_is_found() -> None:
    app = Api()

    @app.get("/v1/silent", response_model=None)
    def silent() -> None: ...

    assert "get /v1/silent has no summary" in gaps(app)


def test_operations_have_names_of_their_own(served: Served) -> None:
    names = [operation["operationId"] for _, _, operation in operations(served.app.openapi())]
    assert len(set(names)) == len(names) == len(routes_of(served.app))


def test_every_reference_leads_somewhere(served: Served) -> None:
    description = served.app.openapi()
    schemas = description["components"]["schemas"]
    references = [
        part.split('"')[0] for part in json.dumps(description).split('"$ref": "#/components/schemas/')[1:]
    ]
    assert references
    assert set(references) <= set(schemas)


def test_only_these_are_open_to_all(served: Served) -> None:
    unguarded = {
        (method, path)
        for path, method, operation in operations(served.app.openapi())
        if not operation["security"]
    }
    assert unguarded == {
        ("post", "/v1/sessions"),
        ("post", "/v1/password-resets"),
        ("post", "/v1/password-resets/redeem"),
        ("get", "/v1/health"),
        ("get", "/v1/openapi.json"),
    }


NO_COMMANDS = {
    "/v1/sessions": "a token is told once",
    "/v1/password-resets": "a newer code replaces the one before",
    "/v1/password-resets/redeem": "a code works once by itself",
    "/v1/login-keys": "a login key is told once",
    "/v1/login-keys/{key_id}/revoke": "what is revoked stays so, however often it is asked for",
    "/v1/permissions/{permission_id}/releases": "each answer is a release of its own",
    "/v1/imports/mapping": "it changes nothing",
    "/v1/pupils/search": "it changes nothing",
    "/v1/pupils/{pupil_id}/erasure": "it changes nothing",
}
"""What is posted without an `Idempotency-Key`, and why."""


def test_commands_take_a_key_and_changes_to_pupils_a_version(served: Served) -> None:
    for path, method, operation in operations(served.app.openapi()):
        headers = {
            each["name"]: each["required"] for each in operation["parameters"] if each["in"] == "header"
        }
        command = method in {"post", "put", "patch"} and path not in NO_COMMANDS
        assert ("Idempotency-Key" in headers) == command
        if command:
            answer = next(each for status, each in operation["responses"].items() if status.startswith("2"))
            assert "Target-Tracker-Position" in answer["headers"]
        replaces = method == "put" and path.endswith("/{observation_id}")
        changes = path.endswith(("/leave", "/return")) or method == "patch" or replaces
        assert headers.get("If-Match", False) == changes


def test_queries_take_a_position_to_wait_for(served: Served) -> None:
    for path, method, operation in operations(served.app.openapi()):
        names = {each["name"] for each in operation["parameters"] if each["in"] == "query"}
        if method == "get" and operation["security"]:
            assert "min_position" in names, path


def test_the_description_is_served(nobody: httpx.Client, served: Served) -> None:
    answer = nobody.get("/v1/openapi.json")
    assert answer.status_code == 200
    assert answer.json() == json.loads(json.dumps(served.app.openapi()))


def test_no_pages_that_load_scripts_from_elsewhere(nobody: httpx.Client) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert nobody.get(path).status_code == 404
