"""The documentation as the service shows it: for programs and for people. Nothing is fetched from elsewhere."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import Any

from aiohttp import web
from jinja2 import Environment
from markupsafe import Markup, escape

from msgbot.web.openapi import document
from msgbot.web.routing import JSON, Call, Media, Route

NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


async def openapi(call: Call) -> web.StreamResponse:
    """The OpenAPI document."""
    body, _ = _documents()
    return web.Response(body=body, content_type=JSON)


async def page(call: Call) -> web.StreamResponse:
    """The same as a page."""
    _, text = _documents()
    return web.Response(text=text, content_type="text/html", headers={"Content-Security-Policy": NO_SCRIPTS})


@lru_cache(maxsize=1)
def _documents() -> tuple[bytes, str]:
    from msgbot.web.routes import ROUTES  # the list names the handlers above

    made = document(ROUTES)
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"shape": shape_name, "code": code}
    source = files("msgbot.web").joinpath("docs.html").read_text("utf-8")
    return json.dumps(made, ensure_ascii=False).encode(), environment.from_string(source).render(document=made)


def code(text: str) -> Markup:
    """`text` with what stands between backticks as code."""
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704 - escaped just before


def shape_name(schema: dict[str, Any]) -> str:
    """A schema in a word: `MessageIn`, `list of string`, `integer, 1 to 200`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(dict.fromkeys(shape_name(each) for each in choices))
    if "const" in schema:
        return f'"{schema["const"]}"'
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {shape_name(schema.get('items', {}))}"
    word = str(schema.get("format") or schema.get("type") or "anything")
    if "minimum" in schema and "maximum" in schema:
        word += f", {schema['minimum']} to {schema['maximum']}"
    return word


ROUTES = (
    Route(
        method="GET",
        path="/openapi.json",
        handler=openapi,
        tag="Operation",
        says="This documentation for programs.",
        answers={200: Media("application/json", "An OpenAPI 3.1 document.")},
    ),
    Route(
        method="GET",
        path="/docs",
        handler=page,
        tag="Operation",
        says="This documentation for people.",
        answers={200: Media("text/html", "A page.")},
    ),
)
