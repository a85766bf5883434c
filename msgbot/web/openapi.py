"""The OpenAPI document, made from the list of routes and the shapes of what goes in and comes out: so it cannot say anything else
than the service does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from msgbot.channels.signatures import HEADERS
from msgbot.domain.events import EventType
from msgbot.web.problems import CONTENT_TYPE as PROBLEM
from msgbot.web.problems import ProblemData
from msgbot.web.routing import ACCOUNT_HEADER, JSON, PATTERNS, Media, Route

_ETAG = {"type": "string", "pattern": '^(\\*|(W/)?"[0-9]{1,9}")$'}
_REFS = "#/components/schemas/{model}"
_INTRODUCTION = (
    "Everything msgbot does, over HTTP. Send a token (`Authorization: Bearer msgbot_...`); make one with `msgbot token create`. "
    f"A token that may use several seller accounts says which in the header `{ACCOUNT_HEADER}`. Errors are problem documents "
    "(RFC 9457): `type` is for programs, `detail` says what is wrong and what to do, `errors` names the fields. Whatever changes "
    "something takes an `Idempotency-Key`: sent again within 24 hours with the same key, a request gets the answer of the first "
    "time, or 409 `outcome_unknown` where the service broke off in it and it must not be done twice. Lists are paged: hand "
    "`next_cursor` back as `cursor`."
)
_PATH_SCHEMAS = {
    "order_id": {"type": "string", "pattern": "^[0-9]{3}-[0-9]{7}-[0-9]{7}$", "example": "114-0000001-0000001"},
    "reply_id": {"type": "string", "pattern": f"^{PATTERNS['reply_id']}$"},
    "account": {"type": "string", "pattern": "^[A-Za-z0-9_.-]{1,64}$"},
}
_PROBLEMS = {
    400: "The request cannot be read.",
    401: "The token is missing or not valid.",
    403: "The token does not allow this.",
    404: "There is no such thing on file in this account.",
    408: "The body came too slowly.",
    409: "It does not fit what is on file.",
    412: "Somebody changed it since: look at it again.",
    413: "Too large.",
    415: "Not a form that is taken here.",
    422: "Something in it is wrong; `errors` says what.",
    429: "Too many requests.",
    503: "The database cannot be used right now, or Amazon does not answer where it is asked. Nothing was changed; try again.",
}


def document(routes: Iterable[Route]) -> dict[str, Any]:
    """The document for these routes."""
    routes = list(routes)
    shapes = [shape for route in routes for shape in _shapes(route)]
    shapes.append(ProblemData)
    schemas, definitions = _schemas(shapes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "msgbot", "version": version("msgbot"), "description": _INTRODUCTION},
        "tags": [{"name": tag} for tag in dict.fromkeys(route.tag for route in routes)],
        "paths": paths,
        "webhooks": {event.value: {"post": _event(event)} for event in EventType},
        "components": {
            "schemas": definitions,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "A token of `msgbot token create`."}},
        },
    }


def _event(event: EventType) -> dict[str, Any]:
    """What a receiver gets when this happens."""
    text = {"type": "string"}
    data = {"type": "object", "properties": {"account": text}, "required": ["account"]}
    properties = {"type": {"const": event.value}, "timestamp": {**text, "format": "date-time"}, "data": data}
    schema = {"type": "object", "properties": properties, "required": list(properties)}
    return {
        "operationId": f"event_{event.value.replace('.', '_')}",
        "summary": event.meaning,
        "parameters": [{"name": name, "in": "header", "required": True, "schema": text} for name in HEADERS],
        "requestBody": {"required": True, "content": {JSON: {"schema": schema}}},
        "responses": {"2XX": {"description": "Taken. Anything else is tried again; 410 turns the webhook off."}},
    }


def _shapes(route: Route) -> Iterable[Any]:
    if route.body is not None:
        yield route.body
    for given in route.answers.values():
        yield from (shape for shape in _each(given) if shape is not None and not isinstance(shape, Media))


def _each(given: Any) -> tuple[Any, ...]:
    return given if isinstance(given, tuple) else (given,)


def _schemas(shapes: list[Any]) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    """The schema of each shape by its identity, and the definitions that they point to."""
    unique = {id(shape): shape for shape in shapes}
    adapters: list[tuple[int, Literal["validation", "serialization"], TypeAdapter[Any]]]
    adapters = [(key, "validation", TypeAdapter(shape)) for key, shape in unique.items()]
    made, definitions = TypeAdapter.json_schemas(adapters, ref_template=_REFS)
    schemas = {key: made[key, "validation"] for key in unique}
    return schemas, _plain(definitions.get("$defs", {}))


def _plain(value: Any) -> Any:
    """Without the titles that the library makes of every field name: they say nothing."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items() if not (key == "title" and isinstance(each, str))}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return value


def _operation(route: Route, schemas: Mapping[int, Any]) -> dict[str, Any]:
    summary, _, description = route.says.partition("\n\n")
    made: dict[str, Any] = {
        "operationId": _identity(route),
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "parameters": [*_path_parameters(route), *_query_parameters(route), *_header_parameters(route)],
        "responses": _responses(route, schemas),
    }
    needs = f"Needs the permission `{route.permission.value}`." if route.permission is not None else ""
    if text := "\n\n".join(filter(None, (description, needs))):
        made["description"] = text
    if route.permission is not None or route.known:
        made["security"] = [{"token": []}]
    if route.body is not None or route.media:
        content: dict[str, Any] = {}
        if route.body is not None:
            content[JSON] = {"schema": _plain(schemas[id(route.body)])}
        for each in route.media:
            content[each.type] = {"schema": {"type": "string", "minLength": 1, "description": each.says}}
        made["requestBody"] = {"required": True, "content": content}
    return made


def _identity(route: Route) -> str:
    words = re.findall(r"[a-z]+", route.path.removeprefix("/v1"))
    return "_".join([route.method.lower(), *words])


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 1}
    return [
        {"name": name, "in": "path", "required": True, "schema": _PATH_SCHEMAS.get(name, schema)}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    _, schema = models_json_schema([(route.query, "validation")], ref_template=_REFS)
    [model] = [each for name, each in schema["$defs"].items() if name == route.query.__name__]
    parameters = []
    for name, field in model["properties"].items():
        shape = _inlined(field, schema["$defs"])
        parameter = {"name": name, "in": "query", "required": name in model.get("required", ()), "schema": _plain(shape)}
        if text := field.get("description"):
            parameter["description"] = text
        parameters.append(parameter)
    return parameters


def _inlined(field: dict[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a parameter by itself. An absent parameter is absent: null is nothing that a query can say."""
    choices = [each for each in field.get("anyOf", ()) if each.get("type") != "null"]
    shape = dict(choices[0] if len(choices) == 1 else field)
    if "$ref" in shape:
        shape = {**definitions[shape["$ref"].rpartition("/")[2]]}
        shape.pop("description", None)
    if shape.get("default", 0) is None:
        del shape["default"]
    shape.pop("description", None)
    return shape


def _header_parameters(route: Route) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = []
    if route.permission is not None and route.account:
        text = "The seller account, where the token may use several; if not given, that of the setting `account`."
        made.append({"name": ACCOUNT_HEADER, "in": "header", "required": False, "description": text, "schema": {"type": "string"}})
    if route.changes:
        text = "Sent again with the same key, the request gets the same answer and nothing happens twice."
        schema = {"type": "string", "pattern": "^[!-~]{1,255}$"}
        made.append({"name": "Idempotency-Key", "in": "header", "required": False, "description": text, "schema": schema})
    if route.etag and route.method != "GET":
        text = "The ETag that was looked at: 412 when somebody changed it since."
        made.append({"name": "If-Match", "in": "header", "required": False, "description": text, "schema": _ETAG})
    return made


def _responses(route: Route, schemas: Mapping[int, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for status, given in route.answers.items():
        content: dict[str, Any] = {}
        description = "Done."
        for shape in _each(given):
            if isinstance(shape, Media):
                content[shape.type.partition(";")[0]] = {"schema": {"type": "string"} if shape.type != JSON else {"type": "object"}}
                description = shape.says if len(_each(given)) == 1 else description
            elif shape is not None:
                content[JSON] = {"schema": _plain(schemas[id(shape)])}
        made[str(status)] = {"description": description, **({"content": content} if content else {})}
        if route.etag:
            made[str(status)]["headers"] = {"ETag": {"schema": {"type": "string"}}}
    for status in _failures(route):
        problem = {PROBLEM: {"schema": {"$ref": _REFS.format(model="ProblemData")}}}
        made[str(status)] = {"description": _PROBLEMS[status], "content": problem}
    return made


def _failures(route: Route) -> list[int]:
    """Which problems a route may answer with."""
    statuses = {503} if route.path not in {"/healthz", "/metrics", "/docs", "/openapi.json"} else set()
    if not route.path.startswith("/v1"):
        return sorted(statuses | {422})
    statuses |= {400, 422}
    if route.permission is not None or route.known:
        statuses |= {401, 429}
    if route.permission is not None:
        statuses |= {403}
        if route.account:
            statuses |= {404}
    if "{" in route.path:
        statuses |= {404}
    if route.body is not None or route.media:
        statuses |= {408, 413, 415}
    if route.changes or route.path.endswith("/file"):
        statuses |= {409}
    if route.etag and route.method != "GET":
        statuses |= {412}
    if route.path.startswith("/v1/incoming"):
        statuses |= {401, 403, 409}
    if route.path == "/v1/sign-in":
        statuses |= {401, 429}
    return sorted(statuses - {200})
