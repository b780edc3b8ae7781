"""Endpoints: every route of the server, from its own description of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIWebSocketRoute

from open_speech_server.app import create_api
from open_speech_server.settings.settings import load_settings

from ._markdown import code, document, inline, prose, table

METHODS = ("get", "post", "put", "patch", "delete")


def page() -> str:
    """The page endpoints.md."""
    api = create_api(load_settings())
    schema = api.openapi()
    described = {
        (method.upper(), path)
        for path, operations in schema["paths"].items()
        for method in operations
    }
    others = sorted(
        {(path, ", ".join(sorted(methods))) for methods, path in routes(api.routes)
         if methods != {"*"} and not any((method, path) in described for method in methods)}
    )  # fmt: skip
    return document(
        "# Endpoints",
        "A running server shows the same at `/docs`, and as OpenAPI at `/openapi.json`.",
        *(
            _operation(method, path, operations[method], schema)
            for path, operations in schema["paths"].items()
            for method in METHODS
            if method in operations
        ),
        "## WebSockets",
        "What they send and take: [Transcribe and speak live](../how-to/live.md).",
        table(["Path", "For"], [[code(path), inline(about)] for path, about in _sockets(api)]),
        "## Pages" if others else "",
        table(["Path", "Methods"], [[code(path), methods] for path, methods in others])
        if others
        else "",
    )


def _sockets(api: FastAPI) -> list[tuple[str, str]]:
    """Path and purpose of every WebSocket."""
    found = []
    for route in api.routes:
        inner = getattr(getattr(route, "original_router", None), "routes", [route])
        found += [
            (each.path, (each.endpoint.__doc__ or "").strip().splitlines()[0])
            for each in inner
            if isinstance(each, APIWebSocketRoute)
        ]
    return sorted(found)


def routes(found: Iterable[Any], prefix: str = "") -> Iterator[tuple[frozenset[str], str]]:
    """Methods and path of every route, those of routers in routers too."""
    for route in found:
        path = getattr(route, "path", None)
        inner = getattr(route, "original_router", None)
        if inner is not None:
            context = getattr(route, "include_context", None)
            yield from routes(inner.routes, prefix + getattr(context, "prefix", ""))
        elif path is not None:
            yield frozenset(getattr(route, "methods", None) or {"*"}), prefix + path


def _operation(
    method: str, path: str, operation: Mapping[str, Any], schema: Mapping[str, Any]
) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    return document(
        f"## {method.upper()} {path}",
        f"{operation.get('summary', '').rstrip('.')}.",
        prose(operation.get("description", "")),
        _parameters(operation.get("parameters", [])),
        *(_fields(kind, content.get("schema", {}), schema) for kind, content in body.items()),
        _answers(operation.get("responses", {})),
    )


def _parameters(parameters: list[Mapping[str, Any]]) -> str:
    if not parameters:
        return ""
    rows = [
        [code(each["name"]), each["in"], _type(each.get("schema", {})),
         "required" if each.get("required") else _default(each.get("schema", {})),
         inline(each.get("description", ""))]
        for each in parameters
    ]  # fmt: skip
    return table(["Parameter", "In", "Type", "Default", "Meaning"], rows)


def _fields(kind: str, found: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    found = _resolve(found, schema)
    required = found.get("required", [])
    rows = [
        [code(name), _type(field), "required" if name in required else _default(field),
         inline(field.get("description", ""))]
        for name, field in found.get("properties", {}).items()
    ]  # fmt: skip
    head = f"Body, `{kind}`:"
    return document(head, table(["Field", "Type", "Default", "Meaning"], rows)) if rows else ""


def _answers(responses: Mapping[str, Mapping[str, Any]]) -> str:
    """What is answered; FastAPI's own 422 is left out, since the server answers 400 instead."""
    lines = [
        f"- {status}: {answer.get('description', '')}"
        + (
            f" ({kinds})"
            if (kinds := ", ".join(f"`{k}`" for k in answer.get("content", {})))
            else ""
        )
        for status, answer in responses.items()
        if "HTTPValidationError" not in str(answer)
    ]
    return document("Answers:", "\n".join(lines)) if lines else ""


def _resolve(found: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    name = str(found.get("$ref", "")).rpartition("/")[2]
    target: Mapping[str, Any] = schema["components"]["schemas"][name] if name else found
    return target


def _type(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field:
        kinds = [_type(each) for each in field["anyOf"] if each.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}))}"
    if field.get("format") == "binary" or "contentMediaType" in field:
        return "file"
    return str(field.get("type", "any"))


def _default(field: Mapping[str, Any]) -> str:
    return code(str(field["default"])) if field.get("default") is not None else ""
