"""Amazon's own models of its interfaces, as judges: what msgbot sends and what the fake answers is held against them.

The models are not part of this repository: they lie in the folder `spapi` of the folder that MSGBOT_SHARED names, or of `../shared`
beside the repository. A test that cannot find them fails. Objects are closed: a field that the model does not know is a fault,
though Swagger lets it pass, because a misspelt field would otherwise never be noticed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

from msgbot.fake_amazon import FakeAmazon

REPOSITORY = Path(__file__).resolve().parents[1]
METHODS = ("get", "post", "put", "patch", "delete")


def models_folder() -> Path:
    """The folder with the models. Raises AssertionError that says where they were looked for."""
    # A relative one counts from the repository: tests run in folders of their own.
    folder = (REPOSITORY / os.environ.get("MSGBOT_SHARED", "../shared") / "spapi").resolve()
    assert folder.is_dir(), f"Amazon's models are not at {folder}: set MSGBOT_SHARED to the folder that holds spapi/"
    return folder


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a model: `model` is the file's name without `.json`, `template` the path as the model writes it."""

    model: str
    id: str
    method: str
    template: str
    path: re.Pattern[str]
    description: Mapping[str, Any] = field(repr=False)


@cache
def read_model(model: str) -> dict[str, Any]:
    """The model in the file `model` (without `.json`; may be in a folder), as it stands there."""
    read: dict[str, Any] = json.loads((models_folder() / f"{model}.json").read_bytes())
    return read


@cache
def operations() -> tuple[Operation, ...]:
    """Every operation of every Swagger model."""
    return tuple(
        Operation(file.stem, description["operationId"], method, template, _pattern(template), description)
        for file in sorted(models_folder().glob("*.json"))
        for template, methods in read_model(file.stem).get("paths", {}).items()
        for method, description in methods.items()
        if method in METHODS
    )


def operation_of(method: str, path: str) -> Operation:
    """The operation that serves `path` (concrete, without query). Raises LookupError when no model has it."""
    for operation in operations():
        if operation.method == method.lower() and operation.path.fullmatch(path):
            return operation
    raise LookupError(f"no model has {method} {path}")


def schema_of(model: str, definition: str) -> jsonschema_rs.Draft4Validator:
    """What checks a value against a definition of `model`."""
    return _validator(model, json.dumps({"$ref": f"#/definitions/{definition}"}))


def check_request(model: str, operation_id: str, query: Mapping[str, list[str]], body: object = None) -> list[str]:
    """The faults of a request's query and JSON body (None: there is none); empty when the model allows it."""
    operation = _operation(model, operation_id)
    parameters = {each["name"]: each for each in operation.description.get("parameters", [])}
    known = {name: each for name, each in parameters.items() if each["in"] == "query"}
    faults = [f"query {name}: unknown parameter" for name in query if name not in known]
    for name, parameter in known.items():
        if name in query:
            faults += [f"query {name}: {fault}" for fault in _parameter_faults(parameter, query[name])]
        elif parameter.get("required"):
            faults.append(f"query {name}: missing")
    content = next((each for each in parameters.values() if each["in"] == "body"), None)
    if content is None:
        return faults if body is None else [*faults, "body: there must be none"]
    if body is None:
        return [*faults, "body: missing"] if content.get("required") else faults
    return faults + _faults("body", _validator(model, json.dumps(content["schema"])), body)


def check_answer(model: str, operation_id: str, status: int, body: object = None) -> list[str]:
    """The faults of an answer; empty when the model gives `body` (parsed JSON, None: empty) for `status`."""
    responses = _operation(model, operation_id).description["responses"]
    if str(status) not in responses:
        return [f"answer: status {status} is not in the model"]
    schema = responses[str(status)].get("schema")
    if schema is None:
        return [] if body in (None, {}) else [f"answer {status}: there must be no body"]
    return _faults(f"answer {status}", _validator(model, json.dumps(schema)), body)


def check_exchange(method: str, path: str, query: Mapping[str, list[str]], body: object, status: int, answer: object) -> list[str]:
    """The faults of a call and its answer by the concrete path. A request is only judged when it was done (2xx)."""
    try:
        operation = operation_of(method, path)
    except LookupError as missing:
        return [str(missing)]
    faults = check_answer(operation.model, operation.id, status, answer)
    if status < 300:
        faults += check_request(operation.model, operation.id, query, body)
    return [f"{operation.id}: {fault}" for fault in faults]


@asynccontextmanager
async def judged(fake: FakeAmazon) -> AsyncIterator[FakeAmazon]:
    """`fake` running until the block ends; fails then if a request that it did, or an answer, was not as the models say."""
    # Here, not in the fake's answer, where a missing folder would look like a fault of Amazon's.
    models_folder()
    faults: list[str] = []
    fake.on_exchange(lambda *exchange: faults.extend(check_exchange(*exchange)))
    async with fake.running():
        yield fake
    assert not faults, "\n".join(faults)


def check_notification(name: str, value: object) -> list[str]:
    """The faults of a notification, by the name of its schema (`OrderChangeNotification`)."""
    return _faults(name, _document(f"notifications/{name}"), value)


def check_performance_report(value: object) -> list[str]:
    """The faults of a `GET_V2_SELLER_PERFORMANCE_REPORT` document (domain.md section 1)."""
    return _faults("report", _document("accountHealthReport-2020-11-18"), value)


def sandbox_examples() -> Iterator[tuple[Operation, int, dict[str, Any], object]]:
    """The examples that the models carry for Amazon's sandbox: operation, status, request parameters, answer."""
    for operation in operations():
        for status, response in operation.description["responses"].items():
            for example in response.get("x-amzn-api-sandbox", {}).get("static", []):
                values = {name: each["value"] for name, each in example.get("request", {}).get("parameters", {}).items()}
                yield operation, int(status), values, example.get("response")


def _operation(model: str, operation_id: str) -> Operation:
    for operation in operations():
        if (operation.model, operation.id) == (model, operation_id):
            return operation
    raise LookupError(f"{model} has no operation {operation_id}")


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template)))


@cache
def _validator(model: str, schema: str) -> jsonschema_rs.Draft4Validator:
    definitions = {name: _closed(each, read_model(model)) for name, each in read_model(model)["definitions"].items()}
    root = {"allOf": [_closed(json.loads(schema), read_model(model))], "definitions": definitions}
    return jsonschema_rs.Draft4Validator(root, validate_formats=True)


@cache
def _document(model: str) -> jsonschema_rs.Draft7Validator:
    whole = read_model(model)
    root = {
        **_closed(whole, whole),
        "definitions": {name: _closed(each, whole) for name, each in whole.get("definitions", {}).items()},
    }
    return jsonschema_rs.Draft7Validator(root, validate_formats=True)


def _faults(place: str, validator: Any, value: object) -> list[str]:
    return [
        f"{place}{''.join(f'[{step!r}]' for step in each.instance_path)}: {each.message}" for each in validator.iter_errors(value)
    ]


def _closed(schema: Any, model: Mapping[str, Any]) -> Any:
    """`schema` with every object closed. An `allOf` becomes one object, as closing would set its parts against each other; `$id`s
    go, because those of the notifications are no addresses."""
    if "allOf" in schema:
        parts = [_closed(_resolved(part, model), model) for part in schema["allOf"]]
        return {
            "type": "object",
            "properties": {name: each for part in parts for name, each in part.get("properties", {}).items()},
            "required": [name for part in parts for name in part.get("required", [])],
            "additionalProperties": False,
        }
    closed = {key: value for key, value in schema.items() if key not in {"$id", "$schema", "definitions", "examples", "example"}}
    if "properties" in schema:
        closed["properties"] = {name: _closed(each, model) for name, each in schema["properties"].items()}
        closed.setdefault("additionalProperties", False)
    if isinstance(schema.get("items"), dict):
        closed["items"] = _closed(schema["items"], model)
    if not closed.get("required", True):
        del closed["required"]
    if schema.get("type") == "file":
        del closed["type"]
    return closed


def _resolved(schema: Mapping[str, Any], model: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return model["definitions"][reference.rpartition("/")[2]] if reference else schema


def _parameter_faults(parameter: Mapping[str, Any], values: list[str]) -> list[str]:
    if len(values) > 1 and parameter.get("collectionFormat") != "multi":
        return ["given more than once (lists are written with commas)"]
    kept = ("type", "format", "enum", "items", "minItems", "maxItems", "minimum", "maximum", "minLength", "maxLength", "pattern")
    schema = {key: parameter[key] for key in kept if key in parameter}
    if parameter["type"] == "array":
        texts = values if parameter.get("collectionFormat") == "multi" else values[0].split(",")
        value: object = [_typed(parameter["items"].get("type", "string"), text) for text in texts]
        if "" in texts:
            return ["an entry of the list is empty"]
    else:
        value = _typed(parameter["type"], values[0])
    return _faults("value", jsonschema_rs.Draft4Validator(schema, validate_formats=True), value)


def _typed(kind: str, text: str) -> object:
    """`text` as a value of the JSON type, or as it stands where it is none: then the schema says so."""
    if kind == "integer" and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text
