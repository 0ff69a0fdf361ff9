"""The API's own description (OpenAPI 3.1), made from what the routes declare and from nothing else.

Guards say who may call, bodies and queries which types come in, return types what goes out; all of them are
checked by mypy or at run time, so the description cannot say something else.
"""

from __future__ import annotations

import inspect
from http import HTTPStatus
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from fastapi.routing import APIRoute

from api.callers import LOGIN_KEY_HEADER, Guard, OpenToAll, OperatorOnly, SignedIn
from api.conditions import IfMatch
from api.encoding import POSITION_HEADER, REPLAYED_HEADER, Answer, Body, NoBody, Query, RawBody
from api.health import installed_version
from api.middleware import REQUEST_ID
from api.problems import MEDIA_TYPE
from api.routing import dependencies, guard_of
from domain.errors import Finding
from domain.vault.login_key import LENGTH

SECURITY_SCHEMES = {
    "session": {
        "type": "http",
        "scheme": "bearer",
        "description": "The token of a session, from `POST /v1/sessions`.",
    },
    "operator": {"type": "http", "scheme": "bearer", "description": "The token of the service's operator."},
}


ID, NAME = {"type": "string", "format": "uuid"}, {"type": "string"}
"""What stands in paths."""


class Problem(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What is wrong (RFC 9457); some kinds say more, such as both versions of a version conflict."""

    type: str
    title: str
    status: int
    detail: str
    instance: str | None = None
    findings: list[Finding] | None = None


def describe(routes: list[APIRoute], title: str) -> dict[str, Any]:
    """The description of these routes."""
    types = _types(routes)
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(map(_key, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method in sorted(route.methods or ()):
            paths.setdefault(route.path_format, {})[method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": installed_version()},
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SECURITY_SCHEMES},
    }


def _key(described: Any) -> str:
    return repr(described)


def _types(routes: list[APIRoute]) -> list[Any]:
    """Every type that a route takes or gives."""
    found: dict[str, Any] = {_key(Problem): Problem}
    for route in routes:
        taken = [call.body_type for call in dependencies(route) if isinstance(call, Body)]
        given = answer_of(route)
        for described in [*taken, *([] if given is None else [given])]:
            found[_key(described)] = described
    return list(found.values())


def answer_of(route: APIRoute) -> Any:
    """The type that a route answers with, from its return annotation; nothing, if it has no body."""
    annotation = get_type_hints(route.endpoint)["return"]
    for part in (annotation, *get_args(annotation)):
        origin = get_origin(part)
        if isinstance(origin, type) and issubclass(origin, Answer):
            return get_args(part)[0]
    return None


def _operation(route: APIRoute, schema_of: dict[str, Any]) -> dict[str, Any]:
    calls = dependencies(route)
    guard = guard_of(route)
    summary, _, more = (inspect.getdoc(route.endpoint) or "").partition("\n\n")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": " ".join(summary.split()).rstrip("."),
        "tags": list(route.tags),
        "security": _security(guard),
        "parameters": _parameters(route, guard, calls),
        "responses": _responses(route, schema_of, _problems(route, guard, calls)),
    }
    if more:
        operation["description"] = " ".join(more.split())
    if isinstance(guard, SignedIn) and guard.permission:
        operation["x-permission"] = guard.permission.value
    for call in calls:
        if isinstance(call, Body):
            schema = schema_of[_key(call.body_type)]
            operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
        elif isinstance(call, RawBody) and not isinstance(call, NoBody):
            content = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}
            operation["requestBody"] = {"required": True, "content": content}
    return operation


def _security(guard: Guard | None) -> list[dict[str, list[str]]]:
    match guard:
        case OpenToAll():
            return []
        case OperatorOnly():
            return [{"operator": []}]
        case SignedIn(operator=True):
            return [{"session": []}, {"operator": []}]
        case _:
            return [{"session": []}]


def _parameters(route: APIRoute, guard: Guard | None, calls: list[Any]) -> list[dict[str, Any]]:
    types = get_type_hints(route.endpoint)
    parameters = [
        _parameter("path", name, NAME if types.get(name) is str else ID, required=True)
        for name in route.param_convertors
    ]
    for call in calls:
        if isinstance(call, Query):
            schema = _inlined(call.query_type)
            parameters += [
                _parameter("query", name, each, required=name in schema["required"])
                for name, each in schema["properties"].items()
            ]
        if isinstance(call, Body | RawBody) and call.is_command:
            key = {"type": "string", "minLength": 1, "maxLength": 255}
            parameters.append(_parameter("header", "Idempotency-Key", key))
        if isinstance(call, IfMatch):
            parameters.append(_parameter("header", "If-Match", {"type": "string"}, required=True))
    if isinstance(guard, SignedIn) and guard.operator:
        parameters.append(_parameter("header", LOGIN_KEY_HEADER, {"type": "string", "minLength": LENGTH}))
    if 304 in route.responses:
        parameters.append(_parameter("header", "If-None-Match", {"type": "string"}))
    return parameters


def _inlined(query_type: type[Any]) -> dict[str, Any]:
    """The schema of a query; the enumerations in it, the only types that are not plain, with it."""
    schema: dict[str, Any] = msgspec.json.schema(query_type)
    definitions = schema["$defs"]

    def inline(part: Any) -> Any:
        if isinstance(part, dict):
            if "$ref" in part:
                return inline(definitions[part["$ref"].rpartition("/")[2]])
            return {key: inline(value) for key, value in part.items()}
        return [inline(value) for value in part] if isinstance(part, list) else part

    inlined: dict[str, Any] = inline({"$ref": schema["$ref"]})
    return inlined


def _parameter(place: str, name: str, schema: dict[str, Any], *, required: bool = False) -> dict[str, Any]:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _problems(route: APIRoute, guard: Guard | None, calls: list[Any]) -> set[int]:
    """The problems that a route can answer with."""
    found = {500, 503} | {int(code) for code in route.responses if int(code) >= HTTPStatus.BAD_REQUEST}
    if not isinstance(guard, OpenToAll):
        found |= {401, 403}
    if route.param_convertors or (isinstance(guard, SignedIn) and guard.operator):
        found |= {404, 422}
    if any(isinstance(call, Query) for call in calls):
        found |= {422}
    if any(isinstance(call, Body | RawBody) for call in calls):
        found |= {413, 422}
    if is_command(calls):
        found |= {409}
    elif isinstance(guard, OpenToAll) and 422 in found:
        found |= {401, 429}  # what is sent is what somebody signs in with
    if any(isinstance(call, Body) for call in calls):
        found |= {400}
    if any(isinstance(call, IfMatch) for call in calls):
        found |= {412, 428}
    return found


def is_command(calls: list[Any]) -> bool:
    """Whether a route with these dependencies changes something, once for each `Idempotency-Key`."""
    return any(isinstance(call, Body | RawBody) and call.is_command for call in calls)


def _responses(route: APIRoute, schema_of: dict[str, Any], problems: set[int]) -> dict[str, Any]:
    headers = {REQUEST_ID: {"schema": {"type": "string", "format": "uuid"}}}
    shows = {
        POSITION_HEADER: {"schema": {"type": "integer"}},
        REPLAYED_HEADER: {"schema": {"const": "true"}},
    }
    given = answer_of(route)
    content = {"application/json": {"schema": schema_of[_key(given)]}} if given is not None else None
    status = route.status_code or 200
    described = {status: {"description": HTTPStatus(status).phrase}, **route.responses}
    responses: dict[str, Any] = {}
    for code, said in described.items():
        response = {**said, "headers": headers | (shows if is_command(dependencies(route)) else {})}
        if content and int(code) < 300:
            response["content"] = content | said.get("content", {})
        responses[str(code)] = response
    for code in sorted(problems):
        responses[str(code)] = {
            "description": HTTPStatus(code).phrase,
            "headers": headers,
            "content": {MEDIA_TYPE: {"schema": schema_of[_key(Problem)]}},
        }
    return responses
