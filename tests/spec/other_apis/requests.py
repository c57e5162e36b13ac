"""Makes requests to the operations of any document: the smallest that its schemas seem to allow."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

from contentgroove._openapi.documents import DocumentError, as_list, as_object
from contentgroove._openapi.pointers import resolve

if TYPE_CHECKING:
    from contentgroove._openapi.documents import Json
    from contentgroove._openapi.operations import Operation

FORMATS = {
    "date-time": "2024-05-06T07:08:09Z",
    "date": "2024-05-06",
    "uuid": "9b9a2e82-5b47-4f59-831d-4c239824b983",
    "email": "a@b.example",
    "uri": "https://a.example/b",
    "url": "https://a.example/b",
    "ipv4": "192.0.2.1",
    "hostname": "a.example",
    "byte": "YQ==",
    "time": "07:08:09Z",
}
MAX_DEPTH = 6


class Request(NamedTuple):
    """A request; `target` is below the base path."""

    method: str
    target: str
    headers: dict[str, str]
    content: bytes


def value_of(document: Json, schema: Any, depth: int = 0) -> Any:
    """Return a value of a schema: its example, or a small one."""
    try:
        found = resolve(document, schema)
    except DocumentError:
        return None
    given = next((found[name] for name in ("example", "default", "const") if name in found), None)
    if given is not None or depth > MAX_DEPTH:
        return given
    if as_list(found.get("enum")):
        return found["enum"][0]
    for name in ("oneOf", "anyOf"):
        if as_list(found.get(name)):
            return value_of(document, found[name][0], depth + 1)
    if as_list(found.get("allOf")):
        values = [value_of(document, part, depth + 1) for part in found["allOf"]]
        objects = [as_object(value) for value in values if isinstance(value, dict)]
        return {name: item for value in objects for name, item in value.items()} if objects else values[0]
    declared = found.get("type", "object" if "properties" in found else "string")
    kind = next(iter(as_list(declared)), declared)
    return _typed(document, found, str(kind), depth)


def _typed(document: Json, schema: Json, kind: str, depth: int) -> Any:
    match kind:
        case "object":
            properties = as_object(schema.get("properties"))
            return {
                name: value_of(document, properties.get(name, {}), depth + 1)
                for name in as_list(schema.get("required"))
                if isinstance(name, str) and as_object(properties.get(name)).get("readOnly") is not True
            }
        case "array":
            count = min(max(1, int(schema.get("minItems") or 1)), 5)
            return [value_of(document, schema.get("items", {}), depth + 1) for _ in range(count)]
        case "integer" | "number":
            return schema.get("minimum", min(1, schema.get("maximum", 1)))
        case "boolean":
            return True
        case _:
            text = FORMATS.get(str(schema.get("format")), "a")
            return text.ljust(min(int(schema.get("minLength") or 0), 1000), "a")


class _Draft:
    """A request that is being made."""

    def __init__(self, operation: Operation) -> None:
        self.path = operation.path.partition("#")[0].partition("?")[0]
        self.query: list[tuple[str, str]] = []
        self.headers: dict[str, str] = {}
        self.cookies: list[str] = []
        self.content = b""

    def add_parameter(self, location: str, name: str, text: str) -> None:
        """Add a parameter."""
        match location:
            case "path":
                self.path = self.path.replace(f"{{{name}}}", quote(text or "a", safe=""))
            case "query":
                self.query.append((name, text))
            case "header":
                self.headers[name] = text.encode("ascii", "replace").decode().replace("\n", " ").strip() or "a"
            case _:
                self.cookies.append(f"{name}={quote(text)}")

    def add_credential(self, scheme: Json) -> None:
        """Add a credential for a security scheme."""
        match scheme:
            case {"type": "apiKey", "in": str(location), "name": str(name)}:
                self.add_parameter(location, name, "key")
            case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
                self.headers["Authorization"] = "Basic YTpi"
            case {"type": "http", "scheme": str(kind)}:
                self.headers["Authorization"] = f"{kind.capitalize()} key"
            case _:
                self.headers["Authorization"] = "Bearer key"

    def set_body(self, media_type: str, value: Any) -> None:
        """Set the body, as its media type demands."""
        self.headers["Content-Type"] = media_type
        if "json" in media_type or "*" in media_type:
            self.headers["Content-Type"] = "application/json" if "*" in media_type else media_type
            self.content = json.dumps(value).encode()
        elif "urlencoded" in media_type:
            self.content = urlencode({name: _text(item) for name, item in as_object(value).items()}).encode()
        elif "multipart" in media_type:
            parts = [
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_text(item)}\r\n'
                for name, item in as_object(value).items()
            ]
            self.headers["Content-Type"] = "multipart/form-data; boundary=b"
            self.content = f"{''.join(parts)}--b--\r\n".encode()
        else:
            self.content = b"a"


def request_of(operation: Operation) -> Request:
    """Make a request to an operation, with the parameters and the body that it requires, and its credentials."""
    document, draft = operation.document, _Draft(operation)
    for parameter in operation.parameters:
        if parameter["in"] == "path" or parameter.get("required"):
            media = as_object(next(iter(as_object(parameter.get("content")).values()), None))
            schema = media.get("schema") if media else parameter.get("schema")
            value = parameter.get("example", value_of(document, schema))
            draft.add_parameter(parameter["in"], parameter["name"], json.dumps(value) if media else _text(value))
    for scheme in _schemes(operation):
        draft.add_credential(scheme)
    if draft.cookies:
        draft.headers["Cookie"] = "; ".join(draft.cookies)
    declared = as_object(operation.body.get("content"))
    if declared:
        chosen = next((name for name in declared if "json" in name), next(iter(declared)))
        media = as_object(declared[chosen])
        draft.set_body(chosen, media.get("example", value_of(document, media.get("schema", {}))))
    target = f"{draft.path}?{urlencode(draft.query)}" if draft.query else draft.path
    return Request(operation.method, quote(target, safe="/?&=%:@!$'()*+,;~{}"), draft.headers, draft.content)


def _schemes(operation: Operation) -> list[Json]:
    """Return the security schemes of the first alternative."""
    alternatives = operation.security
    if not alternatives or {} in alternatives:
        return []
    schemes = as_object(as_object(operation.document.get("components")).get("securitySchemes"))
    return [resolve(operation.document, schemes.get(name)) for name in as_object(alternatives[0])]


def _text(value: Any) -> str:
    match value:
        case bool() | None:
            return json.dumps(value)
        case list():
            return ",".join(map(_text, value))
        case dict():
            return json.dumps(value)
        case _:
            return str(value)
