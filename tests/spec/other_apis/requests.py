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
    for name in ("example", "default", "const"):
        if name in found:
            return found[name]
    if found.get("enum"):
        return found["enum"][0]
    if depth > MAX_DEPTH:
        return None
    for name in ("oneOf", "anyOf"):
        if as_list(found.get(name)):
            return value_of(document, found[name][0], depth + 1)
    if as_list(found.get("allOf")):
        merged: Json = {}
        for part in found["allOf"]:
            value = value_of(document, part, depth + 1)
            if not isinstance(value, dict):
                return value
            merged |= value
        return merged
    declared = found.get("type", "object" if "properties" in found else "string")
    kind = declared[0] if isinstance(declared, list) and declared else declared
    match kind:
        case "object":
            properties = as_object(found.get("properties"))
            return {
                name: value_of(document, properties.get(name, {}), depth + 1)
                for name in as_list(found.get("required"))
                if isinstance(name, str) and as_object(properties.get(name)).get("readOnly") is not True
            }
        case "array":
            count = max(1, int(found.get("minItems") or 1))
            return [value_of(document, found.get("items", {}), depth + 1) for _ in range(min(count, 5))]
        case "integer" | "number":
            return found.get("minimum", min(1, found.get("maximum", 1)))
        case "boolean":
            return True
        case _:
            text = FORMATS.get(str(found.get("format")), "a")
            return text.ljust(min(int(found.get("minLength") or 0), 1000), "a")


def request_of(operation: Operation) -> Request:
    """Make a request to an operation, with the parameters and the body that it requires, and its credentials."""
    document = operation.document
    path, query, headers, cookies = operation.path.partition("#")[0].partition("?")[0], [], dict[str, str](), []
    for parameter in operation.parameters:
        if parameter["in"] != "path" and not parameter.get("required"):
            continue
        media = next(iter(as_object(parameter.get("content")).values()), {})
        value = parameter.get("example", value_of(document, as_object(media).get("schema", parameter.get("schema"))))
        text = json.dumps(value) if media else _text(value)
        match parameter["in"]:
            case "path":
                path = path.replace(f"{{{parameter['name']}}}", quote(text or "a", safe=""))
            case "query":
                query.append((parameter["name"], text))
            case "header":
                headers[parameter["name"]] = text.encode("ascii", "replace").decode().replace("\n", " ").strip() or "a"
            case _:
                cookies.append(f"{parameter['name']}={quote(text)}")
    for scheme in _schemes(operation):
        match scheme:
            case {"type": "apiKey", "in": "query", "name": str(name)}:
                query.append((name, "key"))
            case {"type": "apiKey", "in": "cookie", "name": str(name)}:
                cookies.append(f"{name}=key")
            case {"type": "apiKey", "name": str(name)}:
                headers[name] = "key"
            case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
                headers["Authorization"] = "Basic YTpi"
            case {"type": "http", "scheme": str(kind)}:
                headers["Authorization"] = f"{kind.capitalize()} key"
            case _:
                headers["Authorization"] = "Bearer key"
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    content = b""
    body = operation.body
    declared = [*as_object(body.get("content"))]
    if declared:
        chosen = next((name for name in declared if "json" in name), declared[0])
        media = as_object(body["content"][chosen])
        value = media.get("example", value_of(document, media.get("schema", {})))
        if "json" in chosen or "*" in chosen:
            content = json.dumps(value).encode()
            headers["Content-Type"] = "application/json" if "*" in chosen else chosen
        elif "urlencoded" in chosen:
            content = urlencode({name: _text(item) for name, item in as_object(value).items()}).encode()
            headers["Content-Type"] = chosen
        elif "multipart" in chosen:
            parts = [
                f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{_text(item)}\r\n'
                for name, item in as_object(value).items()
            ]
            content = ("".join(parts) + "--b--\r\n").encode()
            headers["Content-Type"] = "multipart/form-data; boundary=b"
        else:
            content = b"a"
            headers["Content-Type"] = chosen
    target = f"{path}?{urlencode(query)}" if query else path
    return Request(operation.method, quote(target, safe="/?&=%:@!$'()*+,;~{}"), headers, content)


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
