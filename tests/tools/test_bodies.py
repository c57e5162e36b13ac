"""Bodies of requests: JSON, text, bytes and forms, each as its document describes it."""

from __future__ import annotations

import base64
import email
import email.policy
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest
from contentgroove.tools.argument_checks import check_arguments, compile_schema
from contentgroove.tools.requests import build_request
from contentgroove.tools.results import ToolError

from tests.tools.test_requests import compiled, sent

if TYPE_CHECKING:
    from email.message import MIMEPart

    from contentgroove.tools.operations import Operation
    from contentgroove.tools.requests import PreparedRequest

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BINARY = {"type": "string", "format": "binary"}
FILES = {"a.png": PNG, "folder/b.csv": b"a,b\n1,2\n"}


def body(media_type: str, schema: Any = None, version: str = "3.0.3", **entry: Any) -> Operation:
    """Compile an operation with a body of a media type."""
    content = {media_type: entry if schema is None else {"schema": schema, **entry}}
    return compiled({"requestBody": {"content": content}}, openapi=version)


def with_files(operation: Operation, value: Any, **further: Any) -> PreparedRequest:
    """Check arguments and build a request whose body may have files."""
    arguments = {"body": value, **further}
    check_arguments(compile_schema(operation.input_schema, "it"), arguments, "it")
    return build_request(operation, arguments, read_file=FILES.__getitem__)


def parts(call: PreparedRequest) -> list[MIMEPart]:
    """Read a multipart body with Python's own parser."""
    assert call.content is not None
    head = f"Content-Type: {call.headers['Content-Type']}\r\n\r\n".encode()
    message = email.message_from_bytes(head + call.content, policy=email.policy.HTTP)
    assert message.is_multipart()
    return list(message.iter_parts())


def described(part: MIMEPart) -> tuple[str | None, str | None, str, Any]:
    """Return a part's name, file name, media type and bytes, without decoding them."""
    name = part.get_param("name", header="content-disposition")
    kind = part.get("content-type")
    payload = part.get_payload(decode=False)
    content = part.get_payload(decode=True) if part.get("content-transfer-encoding") is None else payload
    return name, part.get_filename(), str(kind) if kind else "", content  # type: ignore[return-value]  # a str here


@pytest.mark.parametrize(
    ("media_type", "schema", "value", "content"),
    [
        ("application/json", {}, {"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
        ("application/vnd.api+json", {}, None, "null"),
        ("application/json; charset=utf-8", {}, "x", '"x"'),
        ("application/json", {"type": "string", "format": "byte"}, "aGk=", '"aGk="'),
        ("text/csv", {"type": "string"}, "a,b", "a,b"),
        ("text/csv", None, "é", "é"),
        ("text/plain", {"type": "integer"}, 7, "7"),
        ("application/xml", {"type": "object"}, "<a/>", "<a/>"),
        ("application/x-ndjson", {"type": "object"}, "{}\n{}", "{}\n{}"),
        ("application/x-custom", {"type": "string"}, "x", "x"),
    ],
)
def test_texts(media_type: str, schema: Any, value: Any, content: str) -> None:
    """JSON and text are written in UTF-8, with the document's own Content-Type; base64 in JSON stays text."""
    call = sent(body(media_type, schema), {"body": value})
    assert call.content == content.encode()
    assert call.headers["Content-Type"] == media_type


def test_other_charsets() -> None:
    """Text is in the charset of its media type, or not sent."""
    operation = body("text/plain; charset=iso-8859-1", {"type": "string"})
    assert sent(operation, {"body": "é"}).content == b"\xe9"
    with pytest.raises(ToolError, match="cannot be written in text/plain; charset=iso-8859-1"):
        sent(operation, {"body": "映"})


@pytest.mark.parametrize(
    ("media_type", "schema", "version"),
    [
        ("application/octet-stream", BINARY, "3.0.3"),
        ("application/octet-stream", None, "3.1.0"),
        ("application/octet-stream", {"type": "string", "contentMediaType": "application/octet-stream"}, "3.1.0"),
        ("image/png", BINARY, "3.0.3"),
        ("image/png", None, "3.1.0"),
        ("application/pdf", {"type": "object"}, "3.0.3"),
        ("application/x-custom", BINARY, "3.0.3"),
    ],
)
def test_bytes(media_type: str, schema: Any, version: str) -> None:
    """Binary bodies are the bytes of base64, a file or a text, never base64."""
    operation = body(media_type, schema, version)
    encoded = base64.b64encode(PNG).decode()
    for value in (encoded, {"base64": encoded}, {"file": "a.png"}, f"data:image/png;base64,{encoded}"):
        call = with_files(operation, value)
        assert call.content == PNG
        assert call.headers["Content-Type"] == media_type
    assert with_files(operation, {"text": "é"}).content == "é".encode()
    assert with_files(operation, encoded.rstrip("=").replace("+", "-").replace("/", "_")).content == PNG
    texts: list[Any] = ["no base64!", {"base64": "a"}, "a"]
    for wrong in texts:
        with pytest.raises(ToolError, match="is not base64"):
            sent(operation, {"body": wrong})
    with pytest.raises(ToolError) as caught:
        sent(operation, {"body": {"file": "a.png"}})
    assert caught.value.code == "not_allowed"
    others: list[Any] = [{"file": "a", "base64": "YQ=="}, {}, {"text": "a", "more": 1}, 7]
    for wrong in others:
        with pytest.raises(ToolError, match="was not called"):
            sent(operation, {"body": wrong})


@pytest.mark.parametrize(
    ("media_type", "value", "content_type"),
    [
        ("image/*", {"file": "a.png"}, "image/png"),
        ("*/*", {"file": "a.png"}, "image/png"),
        ("*/*", {"file": "folder/b.csv"}, "text/csv"),
        ("image/*", {"text": "x"}, "application/octet-stream"),
        ("image/*", {"file": "a.png", "contentType": "image/webp"}, "image/webp"),
    ],
)
def test_ranges_of_media_types(media_type: str, value: Any, content_type: str) -> None:
    """A Content-Type is never a range: it is the caller's, or guessed from the content or the name."""
    assert with_files(body(media_type, BINARY), value).headers["Content-Type"] == content_type


@pytest.mark.parametrize(
    ("schema", "kind"), [({"type": "object"}, "application/json"), ({"type": "string"}, "text/plain")]
)
def test_any_media_type(schema: Any, kind: str) -> None:
    """A body that may be anything is JSON, or text if it is a string."""
    value: Any = {"a": 1} if kind == "application/json" else "x"
    call = sent(body("*/*", schema), {"body": value})
    assert call.headers["Content-Type"] == kind
    assert call.content == (b'{"a":1}' if kind == "application/json" else b"x")


def test_text_files() -> None:
    """A text that is a file in its document can be a text, too, and is not taken for base64."""
    operation = body("text/csv", BINARY)
    assert with_files(operation, "abcd").content == b"abcd"
    assert with_files(operation, {"file": "folder/b.csv"}).content == b"a,b\n1,2\n"
    assert with_files(operation, {"base64": "YQ=="}).content == b"a"
    assert with_files(operation, "abcd").headers["Content-Type"] == "text/csv"


FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("encoding", "value", "pairs"),
    [
        ({}, {"a": "x y&=+é", "b": True, "n": 1e22}, [("a", "x y&=+é"), ("b", "true"), ("n", "1" + "0" * 22)]),
        ({}, {"a": [1, True, None], "b": None}, [("a", "1"), ("a", "true")]),
        ({}, {"a": {"x": [1]}}, [("a", '{"x":[1]}')]),
        ({}, {"a": [{"x": 1}, {"x": 2}]}, [("a", '{"x":1}'), ("a", '{"x":2}')]),
        ({"a": {"style": "form", "explode": False}}, {"a": ["x", "y z"]}, [("a", "x,y z")]),
        ({"a": {"explode": True}}, {"a": {"x": 1, "y": "b c"}}, [("x", "1"), ("y", "b c")]),
        ({"a": {"style": "spaceDelimited"}}, {"a": ["x", "y"]}, [("a", "x y")]),
        ({"a": {"style": "pipeDelimited"}}, {"a": ["x", "y"]}, [("a", "x|y")]),
        ({"a": {"style": "deepObject"}}, {"a": {"x": {"y": 1}, "z": [2]}}, [("a[x][y]", "1"), ("a[z][]", "2")]),
        ({"a": {"contentType": "application/json"}}, {"a": 1.5}, [("a", "1.5")]),
        ({"a": {"allowReserved": True}}, {"a": "/x?y&z"}, [("a", "/x?y&z")]),
    ],
)
def test_urlencoded(encoding: Any, value: Any, pairs: list[tuple[str, str]]) -> None:
    """Arrays are repeated and objects are JSON, unless the document gives them a style ("Encoding Object")."""
    call = sent(body(FORM, {"type": "object"}, encoding=encoding), {"body": value})
    assert call.content is not None
    assert parse_qsl(call.content.decode(), keep_blank_values=True) == pairs
    assert call.headers["Content-Type"] == FORM


def test_reserved_characters_of_forms() -> None:
    """They stay as they are only if the document says so."""
    operation = body(FORM, {}, encoding={"a": {"allowReserved": True}})
    assert sent(operation, {"body": {"a": "/x:y", "b": "/x:y z"}}).content == b"a=/x:y&b=%2Fx%3Ay+z"


MULTIPART = {
    "type": "object",
    "properties": {
        "id": {"type": "string"},
        "count": {"type": "integer"},
        "address": {"type": "object"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "stops": {"type": "array", "items": {"type": "object"}},
        "image": BINARY,
        "images": {"type": "array", "items": {"$ref": "#/components/schemas/Image"}},
        "encoded": {"type": "string", "format": "byte"},
    },
}


def test_multipart() -> None:
    """Each type of property has its own media type; arrays are parts of the same name; bytes are files."""
    content = {"multipart/form-data": {"schema": MULTIPART}}
    operation = compiled({"requestBody": {"content": content}}, components={"schemas": {"Image": BINARY}})
    value = {
        "id": "é", "count": 3, "address": {"a": "é"}, "tags": ["x", "y"], "stops": [{"p": 1}, {"p": 2}],
        "image": base64.b64encode(PNG).decode(), "images": [{"file": "a.png"}, {"text": "t", "filename": 'q".txt'}],
        "encoded": "aGk=", "null": None,
    }  # fmt: skip
    assert [described(part) for part in parts(with_files(operation, value))] == [
        ("id", None, "", "é".encode()),
        ("count", None, "", b"3"),
        ("address", None, "application/json", '{"a":"é"}'.encode()),
        ("tags", None, "", b"x"),
        ("tags", None, "", b"y"),
        ("stops", None, "application/json", b'{"p":1}'),
        ("stops", None, "application/json", b'{"p":2}'),
        ("image", "image", "application/octet-stream", PNG),
        ("images", "a.png", "application/octet-stream", PNG),
        ("images", "q%22.txt", "application/octet-stream", b"t"),
        ("encoded", None, "application/octet-stream", "aGk="),
    ]


def test_values_of_multipart_are_checked() -> None:
    """Binary properties take base64 or a file, others what their schema says."""
    operation = body("multipart/form-data", {"required": ["f"], "properties": {"f": BINARY, "n": {"type": "integer"}}})
    (part,) = parts(sent(operation, {"body": {"f": "YQ=="}}))
    assert described(part) == ("f", "f", "application/octet-stream", b"a")
    for wrong in ({}, {"f": 3}, {"f": {"path": "x"}}, {"f": "YQ==", "n": "x"}):
        with pytest.raises(ToolError, match="was not called"):
            sent(operation, {"body": wrong})


@pytest.mark.parametrize(
    ("schema", "content_type", "content", "transfer"),
    [
        ({"type": "string", "contentMediaType": "image/png"}, "image/png", b"hi", None),
        ({"contentMediaType": "application/octet-stream"}, "application/octet-stream", b"hi", None),
        ({}, "application/octet-stream", b"hi", None),
        ({"type": ["string", "null"], "format": "binary"}, "application/octet-stream", b"hi", None),
        ({"type": "string", "contentEncoding": "base64"}, "application/octet-stream", "aGk=", "base64"),
        (
            {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"},
            "image/png", "aGk=", "base64",
        ),
        ({"type": "string"}, "", b"aGk=", None),
        ({"type": "string", "contentMediaType": "text/html"}, "", b"aGk=", None),
    ],
)  # fmt: skip
def test_multipart_of_3_1(schema: Any, content_type: str, content: Any, transfer: str | None) -> None:
    """Without contentEncoding the part is the bytes; with it, the part is the text that encodes them, and says so."""
    operation = body("multipart/form-data", {"type": "object", "properties": {"f": schema}}, "3.1.0")
    (part,) = parts(sent(operation, {"body": {"f": "aGk="}}))
    assert described(part)[2:] == (content_type, content)
    assert part.get("content-transfer-encoding") == transfer


def test_encoding_of_multipart() -> None:
    """The document's media types, headers and styles of parts."""
    schema = {
        "type": "object",
        "properties": {
            "meta": {"type": "object"},
            "text": {"type": "string"},
            "image": BINARY,
            "xml": {"type": "object"},
            "list": {"type": "array", "items": {"type": "string"}},
        },
    }
    headers = {
        "X-Fixed": {"schema": {"type": "string", "enum": ["v1"]}},
        "X-Default": {"$ref": "#/components/headers/D"},
        "X-Mine": {"schema": {"type": "integer"}, "required": True},
        "Content-Type": {"schema": {"type": "string", "enum": ["a/b"]}},
    }
    encoding = {
        "meta": {"contentType": "application/vnd.meta+json; charset=utf-8"},
        "text": {"contentType": "text/markdown"},
        "image": {"contentType": "image/jpeg, image/png", "headers": headers},
        "xml": {"contentType": "application/xml"},
        "list": {"style": "form", "explode": False},
    }
    content = {"multipart/form-data": {"schema": schema, "encoding": encoding}}
    components = {"headers": {"D": {"schema": {"type": "integer", "default": 3}}}}
    operation = compiled({"requestBody": {"content": content}}, components=components)
    value = {"meta": {"a": 1}, "text": "# x", "image": {"file": "a.png"}, "xml": "<a/>", "list": ["x", "y"]}
    call = with_files(operation, value, bodyHeaders={"image": {"X-Mine": 5}})
    found = parts(call)
    assert [described(part) for part in found] == [
        ("meta", None, 'application/vnd.meta+json; charset="utf-8"', b'{"a":1}'),
        ("text", None, "text/markdown", b"# x"),
        ("image", "a.png", "image/png", PNG),
        ("xml", None, "application/xml", b"<a/>"),
        ("list", None, "", b"x,y"),
    ]
    image = found[2]
    assert (image["x-fixed"], image["x-default"], image["x-mine"]) == ("v1", "3", "5")
    refused: list[Any] = [
        {"image": {}},
        {"image": {"X-Mine": "x"}},
        {"text": {}},
        {"image": {"X-Mine": 1, "X-Other": 2}},
    ]
    for wrong in refused:
        with pytest.raises(ToolError, match="was not called"):
            sent(operation, {"body": value, "bodyHeaders": wrong})
    operation = body("multipart/form-data", schema, encoding={"text": {"headers": {"X-A": {"schema": {}}}}})
    with pytest.raises(ToolError, match="cannot be in a header"):
        sent(operation, {"body": {"text": "x"}, "bodyHeaders": {"text": {"X-A": "a\r\nb"}}})


def test_properties_of_composed_forms() -> None:
    """Properties that come from parts, alternatives and references are as good as the form's own."""
    schema = {
        "allOf": [
            {"properties": {"a": {"nullable": True, "allOf": [BINARY]}}},
            {"oneOf": [{"properties": {"b": {"oneOf": [BINARY, {"type": "array", "items": BINARY}]}}}]},
        ]
    }
    found = parts(sent(body("multipart/form-data", schema), {"body": {"a": "aGk=", "b": ["eQ=="]}}))
    assert [described(part)[0::3] for part in found] == [("a", b"hi"), ("b", b"y")]


def test_boundaries() -> None:
    """No value can end its part early, and no name break out of its quotes."""
    call = sent(body("multipart/form-data", {}), {"body": {'a"\r\nb': "x", "c": "\r\n--contentgroove-0--"}})
    assert call.headers["Content-Type"] == "multipart/form-data; boundary=contentgroove-1"
    assert call.content == (
        b'--contentgroove-1\r\nContent-Disposition: form-data; name="a%22%0D%0Ab"\r\n\r\nx\r\n'
        b'--contentgroove-1\r\nContent-Disposition: form-data; name="c"\r\n\r\n\r\n--contentgroove-0--\r\n'
        b"--contentgroove-1--\r\n"
    )


def test_which_media_type_is_used() -> None:
    """Of several, the one whose values a model can write best."""
    schema = {"schema": {"type": "object"}}
    order = ["image/png", "text/csv", "multipart/form-data", FORM, "application/hal+json"]
    chosen: list[str] = []
    while order:
        operation = compiled({"requestBody": {"content": {name: {} if "/" in name[5:6] else schema for name in order}}})
        assert operation.body is not None
        chosen.append(operation.body.media_type)
        order.remove(operation.body.media_type)
    assert chosen == ["application/hal+json", FORM, "multipart/form-data", "text/csv", "image/png"]


def test_without_a_body() -> None:
    """A body that is not passed is not sent, and one that is required must be passed."""
    operation = body("application/json", {})
    assert sent(operation, {}).content is None
    assert "Content-Type" not in sent(operation, {}).headers
    required = compiled({"requestBody": {"required": True, "content": {"application/json": {}}}})
    with pytest.raises(ToolError, match="body: is required"):
        sent(required, {})
