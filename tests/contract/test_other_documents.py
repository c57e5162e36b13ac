"""The contract checker takes any OpenAPI document: styles, media types, security schemes, servers, paths, schemas."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest
from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Checker, Violation

OK: dict[str, Any] = {"200": {"description": "Done"}}
NUMBERS = {"type": "array", "items": {"type": "integer"}}
POINT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}


def document(paths: dict[str, Any], **others: Any) -> dict[str, Any]:
    """A document with nothing but what a test needs."""
    return {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": paths, **others}


def get(target: str, headers: dict[str, str] | None = None) -> CheckedRequest:
    return CheckedRequest("GET", target, headers or {}, b"")


def post(content: bytes, media_type: str | None, target: str = "/a") -> CheckedRequest:
    return CheckedRequest("POST", target, {} if media_type is None else {"content-type": media_type}, content)


def seen(violations: list[Violation]) -> list[tuple[str, str]]:
    return [(violation.rule, violation.location) for violation in violations]


def with_parameter(where: str, schema: dict[str, Any], **others: Any) -> Checker:
    """A checker of `/a` or `/a/{p}` with one parameter `p`."""
    parameter = {"name": "p", "in": where, "required": where == "path", "schema": schema, **others}
    path = "/a/{p}" if where == "path" else "/a"
    return Checker(document({path: {"get": {"parameters": [parameter], "responses": OK}}}))


STYLES: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    # Where it is, its schema, its style, what is right, what is wrong; the table of the OpenAPI Specification.
    ("query", NUMBERS, {}, "p=1&p=2", "p=1&p=b"),
    ("query", NUMBERS, {"explode": False}, "p=1,2", "p=1,b"),
    ("query", NUMBERS, {"style": "spaceDelimited", "explode": False}, "p=1%202", "p=1,2"),
    ("query", NUMBERS, {"style": "pipeDelimited", "explode": False}, "p=1|2", "p=1|b"),
    ("query", POINT, {}, "x=1&y=2", "x=1&y=b"),
    ("query", POINT, {"explode": False}, "p=x,1,y,2", "p=x,1,y,b"),
    ("query", POINT, {"style": "deepObject"}, "p[x]=1&p[y]=2", "p[x]=b"),
    ("query", {"properties": {"of": POINT}}, {"style": "deepObject"}, "p[of][x]=1", "p[of][x]=b"),
    ("query", NUMBERS, {"style": "deepObject"}, "p[]=1&p[]=2", "p[]=b"),
    ("query", {"type": "integer"}, {"allowEmptyValue": True}, "p=", "p=b"),
    ("query", {"oneOf": [{"type": "integer"}, {"type": "string", "enum": ["all"]}]}, {}, "p=all", "p=none"),
    ("query", {"type": "number", "nullable": True}, {}, "p=1.5", "p=b"),
    ("query", {}, {"content": {"application/json": {"schema": NUMBERS}}}, "p=[1,2]", 'p=["b"]'),
    ("path", NUMBERS, {}, "1,2", "1,b"),
    ("path", NUMBERS, {"style": "label", "explode": True}, ".1.2", ".1.b"),
    ("path", NUMBERS, {"style": "label"}, ".1,2", ".1,b"),
    ("path", NUMBERS, {"style": "matrix"}, ";p=1,2", ";p=1,b"),
    ("path", NUMBERS, {"style": "matrix", "explode": True}, ";p=1;p=2", ";p=1;p=b"),
    ("path", POINT, {"explode": True}, "x=1,y=2", "x=1,y=b"),
    ("path", POINT, {}, "x,1,y,2", "x,1,y,b"),
    ("header", NUMBERS, {}, "1, 2", "1, b"),
    ("header", {"type": "boolean"}, {}, "true", "yes"),
    ("cookie", {"type": "integer"}, {}, "p=1", "p=b"),
]


@pytest.mark.parametrize(("where", "schema", "style", "right", "wrong"), STYLES)
def test_styles_of_parameters(
    where: str, schema: dict[str, Any], style: dict[str, Any], right: str, wrong: str
) -> None:
    """Each style is read as it is defined."""
    checker = with_parameter(where, schema, **style)

    def check(text: str) -> list[Violation]:
        match where:
            case "query":
                return checker.check_exchange(get(f"/a?{text}"), None)
            case "path":
                return checker.check_exchange(get(f"/a/{text}"), None)
            case "header":
                return checker.check_exchange(get("/a", {"p": text}), None)
            case _:
                return checker.check_exchange(get("/a", {"cookie": text}), None)

    assert check(right) == []
    assert len(check(wrong)) == 1


def test_parameters_that_are_missing() -> None:
    """A required header and cookie are; `Accept`, `Content-Type` and `Authorization` are described elsewhere."""
    parameters = [
        {"name": name, "in": where, "required": True, "schema": {"type": "string"}}
        for name, where in (("X-Tenant", "header"), ("session", "cookie"), ("Accept", "header"))
    ]
    checker = Checker(document({"/a": {"get": {"parameters": parameters, "responses": OK}}}))
    assert seen(checker.check_exchange(get("/a"), None)) == [
        ("missing-header", "request.headers.x-tenant"),
        ("missing-parameter", "request.cookies.session"),
    ]


BASIC = base64.b64encode(b"name:word").decode()
SCHEMES: list[tuple[dict[str, str], str, dict[str, str]]] = [
    # The scheme, the query and the headers of a request that has the credential.
    ({"type": "apiKey", "in": "header", "name": "X-Key"}, "", {"x-key": "canary"}),
    ({"type": "apiKey", "in": "query", "name": "key"}, "?key=canary", {}),
    ({"type": "apiKey", "in": "cookie", "name": "sid"}, "", {"cookie": "sid=canary"}),
    ({"type": "http", "scheme": "Basic"}, "", {"authorization": f"Basic {BASIC}"}),
    ({"type": "http", "scheme": "bearer"}, "", {"authorization": "bearer canary"}),
    ({"type": "oauth2"}, "", {"authorization": "Bearer canary"}),
    ({"type": "openIdConnect"}, "", {"authorization": "Bearer canary"}),
]


@pytest.mark.parametrize(("scheme", "query", "headers"), SCHEMES, ids=lambda value: str(value)[:40])
def test_security_schemes(scheme: dict[str, str], query: str, headers: dict[str, str]) -> None:
    """A credential is where its scheme says, and the key in a query is not an unknown parameter."""
    paths = {"/a": {"get": {"responses": OK, "security": [{"s": []}]}}}
    checker = Checker(document(paths, components={"securitySchemes": {"s": scheme}}))
    assert checker.check_exchange(get(f"/a{query}", headers), None) == []
    assert seen(checker.check_exchange(get("/a"), None)) == [("auth", "request.auth")]
    if scheme["type"] == "http":
        assert seen(checker.check_exchange(get("/a", {"authorization": "Digest canary"}), None)) == [
            ("auth", "request.auth")
        ]


def test_alternatives_of_security() -> None:
    """One of several is enough; an empty one makes it optional; one that cannot be read is reported, not demanded."""
    schemes = {"a": {"type": "http", "scheme": "bearer"}, "b": {"type": "apiKey", "in": "header", "name": "k"}}

    def checker(*security: dict[str, Any]) -> Checker:
        paths = {"/a": {"get": {"responses": OK, "security": [*security]}}}
        return Checker(document(paths, components={"securitySchemes": schemes}))

    assert checker({"a": []}, {"b": []}).check_exchange(get("/a", {"k": "canary"}), None) == []
    assert checker({"a": [], "b": []}).check_exchange(get("/a", {"k": "canary"}), None) != []
    assert checker({"a": []}, {}).check_exchange(get("/a"), None) == []
    unknown = checker({"c": []})
    assert unknown.check_exchange(get("/a"), None) == []
    assert unknown.problems == ("GET /a: the security scheme 'c' cannot be read; it is not checked",)


BODIES: list[tuple[str, dict[str, Any], str, bytes, bytes]] = [
    # The declared type, its schema, the type that was sent, what is right, what is wrong.
    ("application/json", POINT, "application/json; charset=UTF-8", b'{"x": 1}', b'{"x": "b"}'),
    ("application/vnd.api+json", POINT, "application/vnd.api+json", b'{"x": 1}', b'{"x": "b"}'),
    ("application/*", POINT, "application/json", b'{"x": 1}', b'{"x": "b"}'),
    ("*/*", POINT, "text/json", b'{"x": 1}', b'{"x": "b"}'),
    ("application/x-www-form-urlencoded", POINT, "application/x-www-form-urlencoded", b"x=1", b"x=b"),
    ("application/x-www-form-urlencoded", NUMBERS, "application/x-www-form-urlencoded; charset=utf-8", b"", b"x=1"),
    ("text/plain", {"type": "integer"}, "text/plain", b"12", b"twelve"),
]


@pytest.mark.parametrize(("declared", "schema", "sent", "right", "wrong"), BODIES)
def test_bodies(declared: str, schema: dict[str, Any], sent: str, right: bytes, wrong: bytes) -> None:
    """Bodies are checked by what they are, and against the closest of the declared types."""
    body = {"content": {declared: {"schema": schema}, "image/png": {}}}
    checker = Checker(document({"/a": {"post": {"requestBody": body, "responses": OK}}}))
    assert checker.check_exchange(post(right, sent), None) == []
    assert checker.check_exchange(post(wrong, sent), None) != []
    assert checker.check_exchange(post(b"\x89PNG", "image/png"), None) == []
    if "*" not in declared:
        assert seen(checker.check_exchange(post(b"1", "application/other"), None)) == [
            ("media-type", "request.headers.content-type")
        ]


def test_forms() -> None:
    """Lists, objects in brackets, and the encoding that a document gives a property."""
    schema = {
        "type": "object",
        "required": ["ids"],
        "properties": {"ids": NUMBERS, "at": POINT, "days": NUMBERS, "open": {"type": "boolean"}},
    }
    media = {"schema": schema, "encoding": {"days": {"style": "form", "explode": False}}}
    body = {"content": {"application/x-www-form-urlencoded": media}}
    checker = Checker(document({"/a": {"post": {"requestBody": body, "responses": OK}}}))

    def check(text: bytes) -> list[tuple[str, str]]:
        return sorted(seen(checker.check_exchange(post(text, "application/x-www-form-urlencoded"), None)))

    assert check(b"ids=1&ids=2&at%5Bx%5D=3&days=4,5&open=true") == []
    assert check(b"ids=1&ids=b&at[x]=c&days=4,d&open=yes&other=1") == [
        ("type", "request.body#/at/x"),
        ("type", "request.body#/days/1"),
        ("type", "request.body#/ids/1"),
        ("type", "request.body#/open"),
        ("undeclared-field", "request.body#/other"),
    ]
    assert check(b"open=true") == [("missing-field", "request.body#/ids")]


def test_multipart() -> None:
    """Files, texts, lists and JSON in parts."""
    schema = {
        "type": "object",
        "required": ["file"],
        "properties": {
            "file": {"type": "string", "format": "binary"},
            "ids": NUMBERS,
            "at": POINT,
            "count": {"type": "integer"},
        },
    }
    body = {"content": {"multipart/form-data": {"schema": schema}}}
    checker = Checker(document({"/a": {"post": {"requestBody": body, "responses": OK}}}))

    def check(data: dict[str, Any], files: dict[str, Any]) -> list[tuple[str, str]]:
        made = httpx.Request("POST", "https://t.example/a", data=data, files=files)
        made.read()
        return sorted(seen(checker.check_request(made)))

    file = ("film.mp4", b"\x00\xff\r\n--", "video/mp4")
    assert check({"ids": ["1", "2"], "count": "3", "at": '{"x": 1}'}, {"file": file}) == []
    assert check({"ids": ["1", "b"], "count": "c"}, {"film": file}) == [
        ("missing-field", "request.body#/file"),
        ("type", "request.body#/count"),
        ("type", "request.body#/ids/1"),
        ("undeclared-field", "request.body#/film"),
    ]
    assert check({"at": "{"}, {"file": file}) == [("json", "request.body#/at")]
    assert seen(checker.check_exchange(post(b"x", "multipart/form-data; boundary=b"), None)) == [
        ("schema", "request.body")
    ]


def test_responses_of_ranges() -> None:
    """A status is looked up by itself, then by its range, then `default`."""

    def with_body(kind: str) -> dict[str, Any]:
        return {"description": "", "content": {"application/json": {"schema": {"enum": [kind]}}}}

    responses = {
        "200": with_body("ok"),
        "4XX": with_body("client"),
        "404": with_body("missing"),
        "default": with_body("other"),
    }
    checker = Checker(document({"/a": {"get": {"responses": responses}, "head": {"responses": responses}}}))
    json_type = {"content-type": "application/json"}
    for status, kind in ((200, "ok"), (400, "client"), (404, "missing"), (500, "other"), (201, "other")):
        right = CheckedResponse(status, json_type, json.dumps(kind).encode())
        assert checker.check_exchange(get("/a"), right) == []
        wrong = CheckedResponse(status, json_type, b'"none of them"')
        assert seen(checker.check_exchange(get("/a"), wrong)) == [("enum", "response.body#")]
    head = CheckedRequest("HEAD", "/a", {}, b"")
    assert checker.check_exchange(head, CheckedResponse(200, json_type, b"")) == []


SERVERS: list[tuple[list[Any], list[str], list[str]]] = [
    # The servers, paths that lead to the operation `/a`, and paths that do not.
    ([], ["/a"], ["/v1/a"]),
    ([{"url": "/"}], ["/a"], ["//a"]),
    ([{"url": "/v1/"}], ["/v1/a"], ["/a", "/v1x/a"]),
    ([{"url": "v1"}], ["v1/a"], ["/a"]),
    ([{"url": "https://t.example/v1"}, {"url": "https://s.example"}], ["/v1/a", "/a"], ["/v2/a"]),
    (
        [
            {
                "url": "https://{r}.example/{v}",
                "variables": {"r": {"default": "eu"}, "v": {"default": "1", "enum": ["1", "2"]}},
            }
        ],
        ["/1/a", "/2/a"],
        ["/3/a", "/a"],
    ),
    (
        [{"url": "{scheme}://t.example/{tenant}", "variables": {"scheme": {"default": "https"}}}],
        ["/x/a", "/y/a"],
        ["/a"],
    ),
    ([{"url": "https://t.example/logo.svg"}], ["/a"], ["/logo.svg/a"]),
]


@pytest.mark.parametrize(("servers", "right", "wrong"), SERVERS, ids=[str(case[0])[:50] for case in SERVERS])
def test_servers(servers: list[Any], right: list[str], wrong: list[str]) -> None:
    """Each server has a base path; a variable stands for any of its values."""
    checker = Checker(document({"/a": {"get": {"responses": OK}}}, servers=servers))
    assert [path for path in right if checker.operation_of("GET", path) is None] == []
    assert [path for path in wrong if checker.operation_of("GET", path) is not None] == []


def test_servers_of_an_operation() -> None:
    """An operation's own servers replace the document's, and so do those of a path."""
    paths = {
        "/a": {"servers": [{"url": "/path"}], "get": {"responses": OK}},
        "/b": {"get": {"servers": [{"url": "/own"}], "responses": OK}},
    }
    checker = Checker(document(paths, servers=[{"url": "/v1"}]))
    found = {path for path in ("/v1/a", "/path/a", "/v1/b", "/own/b") if checker.operation_of("GET", path)}
    assert found == {"/path/a", "/own/b"}


@pytest.mark.parametrize(
    ("target", "operation"),
    [
        ("/a/me", "me"),
        ("/a/you", "id"),
        ("/a/%6De", "me"),
        ("/a/1.json", "json"),
        ("/a/1...2", "range"),
        ("/a/x/y", "last"),
        ("/a/b/y", "first"),
        ("/a/b:run", "run"),
        ("/a/b%3Arun", "run"),
        ("/é", "accent"),
        ("/%C3%A9", "accent"),
        ("/a/", None),
        ("/a/b/c/d", None),
    ],
)
def test_paths_that_overlap(target: str, operation: str | None) -> None:
    """The path without parameters comes first, then the one whose first different segment is fixed."""
    templates = {
        "/a/{id}": "id", "/a/me": "me", "/a/{id}.json": "json", "/a/{from}...{to}": "range", "/a/{x}/y": "last",
        "/a/b/{y}": "first", "/a/{id}:run": "run", "/é": "accent",
    }  # fmt: skip
    paths = {path: {"get": {"operationId": name, "responses": OK}} for path, name in templates.items()}
    found = Checker(document(paths)).operation_of("GET", target)
    assert (found and found.name) == operation


def test_methods_of_equal_templates() -> None:
    """Two templates that differ only in the name of a parameter are one path."""
    paths = {"/a/{id}": {"get": {"responses": OK}}, "/a/{name}": {"put": {"responses": OK}}}
    checker = Checker(document(paths))
    assert checker.operation_of("GET", "/a/1") is not None
    assert checker.operation_of("PUT", "/a/1") is not None


def test_operations_of_one_path() -> None:
    """Some documents tell operations apart by a fragment; the one whose parameters match is meant."""

    def action(name: str) -> dict[str, Any]:
        header = {"name": "X-Action", "in": "header", "required": True, "schema": {"type": "string", "enum": [name]}}
        return {"post": {"operationId": name, "parameters": [header], "responses": OK}}

    checker = Checker(document({"/#X-Action=Start": action("Start"), "/#X-Action=Stop": action("Stop")}))
    request = CheckedRequest("POST", "/", {"x-action": "Stop"}, b"")
    found = checker.locate(request)
    assert found is not None
    assert found[0].name == "Stop"
    assert checker.check_exchange(request, None) == []


def check_value(
    schemas: dict[str, Any], schema: Any, value: Any, *, side: str = "response", version: str = "3.0.3"
) -> Any:
    """Return rules and pointers of the violations of a value that a request or a response has."""
    media = {"content": {"application/json": {"schema": schema}}}
    operation = {"requestBody": media, "responses": {"200": {"description": "", **media}}}
    made = {**document({"/a": {"post": operation}}, components={"schemas": schemas}), "openapi": version}
    checker = Checker(made)
    content, headers = json.dumps(value).encode(), {"content-type": "application/json"}
    request = (
        CheckedRequest("POST", "/a", headers, content) if side == "request" else CheckedRequest("POST", "/a", {}, b"")
    )
    response = CheckedResponse(200, headers, content) if side == "response" else None
    found = checker.check_exchange(request, response)
    return [(item.rule, item.location.partition("#")[2]) for item in found], checker.problems


def test_directions() -> None:
    """What is read-only is neither required nor allowed in a request; what is write-only, in a response."""
    properties = {
        "id": {"type": "string", "readOnly": True},
        "name": {"type": "string"},
        "secret": {"type": "string", "writeOnly": True},
    }
    schemas = {
        "Base": {"type": "object", "properties": properties, "required": ["id", "name", "secret"]},
        "More": {"allOf": [{"$ref": "#/components/schemas/Base"}, {"type": "object", "required": ["id"]}]},
    }
    for name in schemas:
        schema = {"$ref": f"#/components/schemas/{name}"}
        assert check_value(schemas, schema, {"name": "n", "secret": "s"}, side="request")[0] == []
        assert check_value(schemas, schema, {"id": "i", "name": "n"})[0] == []
        for side, value, pointer in (("request", {"id": "i", "name": "n", "secret": "s"}, "/id"),
                                     ("response", {"id": "i", "name": "n", "secret": "s"}, "/secret")):  # fmt: skip
            assert check_value(schemas, schema, value, side=side)[0] == [("undeclared-field", pointer)]
        assert check_value(schemas, schema, {"name": "n"})[0] == [("missing-field", "/id")]


PET = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string"}},
    "discriminator": {"propertyName": "kind", "mapping": {"kitty": "#/components/schemas/Cat"}},
}
PETS = {
    "Pet": PET,
    **{
        name: {"allOf": [{"$ref": "#/components/schemas/Pet"}, {"properties": {member: {"type": "integer"}}}]}
        for name, member in (("Dog", "bark"), ("Cat", "purr"))
    },
}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"kind": "Dog", "bark": 1}, []),
        ({"kind": "kitty", "purr": 1}, []),
        ({"kind": "Dog", "purr": 1}, [("undeclared-field", "/purr")]),
        ({"kind": "kitty", "purr": "b"}, [("type", "/purr")]),
        ({"kind": "Bird", "sing": 1}, []),
        ({"bark": 1}, [("missing-field", "/kind")]),
    ],
)
@pytest.mark.parametrize("keyword", ["", "oneOf", "anyOf"])
def test_discriminators(keyword: str, value: dict[str, Any], expected: list[Any]) -> None:
    """The value chooses the schema: of those that extend one, or of those that a composition lists."""
    reference = {"$ref": "#/components/schemas/Pet"}
    branches = [{"$ref": "#/components/schemas/Dog"}, {"$ref": "#/components/schemas/Cat"}]
    schema = {keyword: branches, "discriminator": PET["discriminator"]} if keyword else reference
    if keyword and "kind" in value and value["kind"] == "Bird":
        # No branch has that name, and none of them allows the member.
        expected = [("undeclared-field", "/sing")]
    assert check_value(PETS, schema, value)[0] == expected


NUMBER: dict[str, Any] = {"type": "integer"}
SHARED = "#/components/schemas/"
REFERENCES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("a property of a schema", {"A": {"properties": {"n": NUMBER}}}, {"$ref": f"{SHARED}A/properties/n"}),
    ("a name in another script", {"Größe«n»": NUMBER}, {"$ref": f"{SHARED}Gr%C3%B6%C3%9Fe%C2%ABn%C2%BB"}),
    ("a name with a slash", {"a/b": NUMBER}, {"$ref": f"{SHARED}a~1b"}),
    ("a schema of a path", {}, {"$ref": "#/paths/~1n/get/responses/200/content/application~1json/schema"}),
]


@pytest.mark.parametrize(("schemas", "schema"), [case[1:] for case in REFERENCES], ids=[case[0] for case in REFERENCES])
def test_references(schemas: dict[str, Any], schema: dict[str, Any]) -> None:
    """A reference can name any part of the document."""
    media = {"application/json": {"schema": {"type": "integer"}}}
    other = {"get": {"responses": {"200": {"description": "", "content": media}}}}
    mine = {"get": {"responses": {"200": {"description": "", "content": {"application/json": {"schema": schema}}}}}}
    checker = Checker(document({"/a": mine, "/n": other}, components={"schemas": schemas}))
    headers = {"content-type": "application/json"}
    assert checker.problems == ()
    assert checker.check_exchange(get("/a"), CheckedResponse(200, headers, b"1")) == []
    assert seen(checker.check_exchange(get("/a"), CheckedResponse(200, headers, b'"b"'))) == [
        ("type", "response.body#")
    ]


def test_schemas_that_contain_themselves() -> None:
    """By way of members, and by way of nothing else."""
    tree = {
        "Tree": {
            "type": "object",
            "properties": {"below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}},
        }
    }
    reference = {"$ref": "#/components/schemas/Tree"}
    assert check_value(tree, reference, {"below": [{"below": []}]})[0] == []
    assert check_value(tree, reference, {"below": [{"below": [1]}]})[0] == [("type", "/below/0/below/0")]
    loop = {"A": {"$ref": "#/components/schemas/B"}, "B": {"allOf": [{"$ref": "#/components/schemas/A"}]}}
    assert check_value(loop, {"$ref": "#/components/schemas/A"}, 1)[0] == []


@pytest.mark.parametrize(
    ("schema", "right", "wrong"),
    [
        ({"type": ["integer", "null"]}, None, "b"),
        ({"const": 1}, 1, 2),
        ({"$ref": "#/components/schemas/N", "maximum": 5}, 3, 6),
        ({"$ref": "#number"}, 1, "b"),
        ({"$dynamicRef": "#number"}, 1, "b"),
        ({"prefixItems": [{"type": "integer"}]}, [1], ["b"]),
        ({"exclusiveMinimum": 0}, 1, 0),
        (False, None, 1),
    ],
    ids=str,
)
def test_schemas_of_3_1(schema: Any, right: Any, wrong: Any) -> None:
    """OpenAPI 3.1's schemas are JSON Schema."""
    schemas = {"N": {"type": "integer", "$anchor": "number"}}
    if schema is not False:
        assert check_value(schemas, schema, right, version="3.1.0") == ([], ())
    assert check_value(schemas, schema, wrong, version="3.1.0")[0] != []


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({"type": "file"}, "'file' is not a value of this keyword"),
        ({"type": "string", "pattern": "["}, "'[' is not a value of this keyword"),
        ({"properties": {"n": {"type": "integer", "required": True}}}, "True is not a value of this keyword"),
        ({"$ref": "#/components/schemas/Nowhere"}, "names nothing"),
        ({"$ref": "other.yaml#/A"}, "names another document"),
        ({"allOf": "nothing"}, "it has another form than JSON Schema's"),
        ("integer", "it is 'integer', not a schema"),
    ],
    ids=str,
)
def test_mistakes_in_schemas(schema: Any, problem: str) -> None:
    """A mistake is reported with its location, and the rest of the document is checked."""
    found, problems = check_value({}, {"type": "object", "properties": {"bad": schema, "good": {"type": "integer"}}}, {
        "good": "b",
    })  # fmt: skip
    assert found == [("type", "/good")]
    assert len(problems) == 2, "once for the request, and once for the response"
    assert all(problem in text and "/properties/bad" in text for text in problems)


def test_a_free_form_object() -> None:
    """An object without properties can have any."""
    assert check_value({}, {"type": "object"}, {"any": 1})[0] == []
    assert check_value({}, {"type": "object", "properties": {}}, {"any": 1})[0] == [("undeclared-field", "/any")]


def test_webhooks_of_any_api() -> None:
    """A webhook is named by the caller: which member names the event is a convention of one API."""
    body = {"content": {"application/json": {"schema": POINT}}}
    made = document({}, webhooks={"moved": {"post": {"requestBody": body, "responses": OK}}})
    checker = Checker({**made, "openapi": "3.1.0"})
    assert list(checker.event_schemas) == ["moved"]
    assert checker.check_webhook(b'{"x": 1}', event="moved") == []
    assert seen(checker.check_webhook(b'{"x": "b"}', event="moved")) == [("type", "webhook.body#/x")]
    assert seen(checker.check_webhook(b'{"event": "moved"}')) == [("unknown-event", "webhook.body")]


@pytest.mark.parametrize(
    ("responses", "accepted", "refused"),
    [
        ({"200": {}, "202": {}}, [200, 202], [201, 500, None]),
        ({"2XX": {}}, [200, 204], [302, None]),
        ({"default": {}}, [200, 500], [None]),
        ({}, [200, 500, None], []),
    ],
)
def test_the_receivers_of_webhooks(
    responses: dict[str, Any], accepted: list[int | None], refused: list[int | None]
) -> None:
    """A receiver responds as the document says, by status, range or default; a document may say nothing."""
    described = {status: {"description": "Fine"} for status in responses}
    made = document({}, webhooks={"moved": {"post": {"responses": described}}})
    checker = Checker({**made, "openapi": "3.1.0"})
    for status in accepted:
        assert checker.check_delivery(b"", {}, status, event="moved") == []
    for status in refused:
        violations = checker.check_delivery(b"", {}, status, event="moved")
        assert seen(violations) == [("webhook-response", "webhook.response.status")]


def test_no_convention_of_another_api() -> None:
    """The header by which a simulator marks faults excuses nothing for another document."""
    checker = Checker(document({"/a": {"get": {"responses": OK}}}))
    marked = CheckedResponse(503, {"x-contentgroove-fault": "status"}, b"")
    assert seen(checker.check_exchange(get("/a"), marked)) == [("unknown-status", "response.status")]


def test_one_bad_operation() -> None:
    """It is reported, and the others are checked."""
    paths = {"/a": {"get": {"responses": OK}, "post": "nothing"}, "/b": {"$ref": "#/nowhere"}, "/c": 3}
    checker = Checker(document(paths))
    assert list(checker.operations) == ["GET /a"]
    assert [problem.partition(":")[0] for problem in checker.problems] == ["POST /a", "/b", "/c"]
