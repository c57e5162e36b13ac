"""Requests as the document means them: paths, queries, headers and cookies in every style."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from contentgroove._openapi.documents import parse
from contentgroove.tools.argument_checks import check_arguments, compile_schema
from contentgroove.tools.compilation import compile_document
from contentgroove.tools.requests import PreparedRequest, build_request
from contentgroove.tools.results import ToolError

if TYPE_CHECKING:
    from contentgroove.tools.operations import Operation


def compiled(operation: dict[str, Any], path: str = "/a", **document: Any) -> Operation:
    """Compile an operation from its document."""
    content = {"openapi": "3.0.3", "info": {"title": "T"}, "paths": {path: {"post": operation}}, **document}
    made = compile_document(parse(json.dumps(content), "it"), "", closed=False)
    assert made.left_out == []
    return made.operations[0]


def sent(operation: Operation, arguments: dict[str, Any]) -> PreparedRequest:
    """Check arguments and build the request, as a call does."""
    check_arguments(compile_schema(operation.input_schema, "it"), arguments, "it")
    return build_request(operation, arguments)


def parameter(location: str, name: str = "c", **declaration: Any) -> dict[str, Any]:
    """Declare a parameter."""
    declared = {"name": name, "in": location, "schema": {}, **declaration}
    return declared | {"required": True} if location == "path" else declared


def query(value: Any, **declaration: Any) -> str:
    """Write a parameter `c` of the query."""
    return sent(compiled({"parameters": [parameter("query", **declaration)]}), {"c": value}).query


def path(value: Any, **declaration: Any) -> str:
    """Write a parameter `c` of the path."""
    return sent(compiled({"parameters": [parameter("path", **declaration)]}, "/x/{c}"), {"c": value}).path[3:]


LIST = ["blue", "a,b &"]
OBJECT = {"R": 100, "G": "x y"}


# The values are those of the OpenAPI Specification 3.1.1, "Style Examples", with characters to be encoded.
@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("form", True, "a b", "c=a%20b"),
        ("form", True, True, "c=true"),
        ("form", True, "", "c="),
        ("form", True, LIST, "c=blue&c=a%2Cb%20%26"),
        ("form", False, LIST, "c=blue,a%2Cb%20%26"),
        ("form", True, OBJECT, "R=100&G=x%20y"),
        ("form", False, OBJECT, "c=R,100,G,x%20y"),
        ("spaceDelimited", False, ["blue", "a,b&"], "c=blue%20a%2Cb%26"),
        ("spaceDelimited", True, LIST, "c=blue&c=a%2Cb%20%26"),
        ("spaceDelimited", False, {"R": 100, "G": "xy"}, "c=R%20100%20G%20xy"),
        ("pipeDelimited", False, LIST, "c=blue%7Ca%2Cb%20%26"),
        ("pipeDelimited", True, LIST, "c=blue&c=a%2Cb%20%26"),
        ("pipeDelimited", False, OBJECT, "c=R%7C100%7CG%7Cx%20y"),
        ("deepObject", True, {"number": 1, "size": 5}, "c[number]=1&c[size]=5"),
        ("deepObject", True, {"in": ["a", "b"]}, "c[in][]=a&c[in][]=b"),
        ("deepObject", True, {"a": {"b": {"d": 1}}}, "c[a][b][d]=1"),
        ("deepObject", True, {"a": [{"x": 1, "y": 2}, {"x": 3}]}, "c[a][0][x]=1&c[a][0][y]=2&c[a][1][x]=3"),
        ("deepObject", True, ["a", "b"], "c[]=a&c[]=b"),
        ("deepObject", False, {"a": 1}, "c[a]=1"),
    ],
)
def test_query(style: str, explode: bool, value: Any, written: str) -> None:  # noqa: FBT001 - a case
    """Each style writes values as the specification requires, not as Python does."""
    assert query(value, style=style, explode=explode) == written


@pytest.mark.parametrize(
    ("style", "written"),
    [("form", "c=1&c=2"), ("spaceDelimited", "c=1%202"), ("pipeDelimited", "c=1%7C2"), ("deepObject", "c[]=1&c[]=2")],
)
def test_styles_without_explode(style: str, written: str) -> None:
    """Only the style form explodes by default ("Parameter Object")."""
    assert query([1, 2], style=style) == written


@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("simple", False, "a/b", "a%2Fb"),
        ("simple", False, LIST, "blue,a%2Cb%20%26"),
        ("simple", True, LIST, "blue,a%2Cb%20%26"),
        ("simple", False, OBJECT, "R,100,G,x%20y"),
        ("simple", True, OBJECT, "R=100,G=x%20y"),
        ("label", False, "x", ".x"),
        ("label", False, LIST, ".blue,a%2Cb%20%26"),
        ("label", True, LIST, ".blue.a%2Cb%20%26"),
        ("label", False, OBJECT, ".R,100,G,x%20y"),
        ("label", True, OBJECT, ".R=100.G=x%20y"),
        ("matrix", False, "x", ";c=x"),
        ("matrix", False, "", ";c"),
        ("matrix", False, LIST, ";c=blue,a%2Cb%20%26"),
        ("matrix", True, LIST, ";c=blue;c=a%2Cb%20%26"),
        ("matrix", False, OBJECT, ";c=R,100,G,x%20y"),
        ("matrix", True, OBJECT, ";R=100;G=x%20y"),
        ("simple", False, "größe/..", "gr%C3%B6%C3%9Fe%2F.."),
        ("simple", False, "%2e", "%252e"),
    ],
)
def test_path(style: str, explode: bool, value: Any, written: str) -> None:  # noqa: FBT001 - a case
    """Each style writes values as the specification requires, and no value ends its segment."""
    assert path(value, style=style, explode=explode) == written


@pytest.mark.parametrize(
    ("location", "style", "explode", "value", "named"),
    [
        ("query", "spaceDelimited", False, ["a b"], "a space"),
        ("query", "spaceDelimited", False, {"a b": 1}, "a space"),
        ("query", "pipeDelimited", False, ["x", "a|b"], "'|'"),
        ("query", "deepObject", True, {"a]": 1}, "']'"),
        ("query", "deepObject", True, {"a[": {"b": 1}}, "'['"),
        ("path", "label", True, ["a.b"], "'.'"),
        ("path", "label", True, {"a": 1.5}, "'.'"),
        ("header", "simple", False, ["a,b"], "','"),
        ("header", "simple", False, {"a": "x,y"}, "','"),
        ("header", "simple", True, {"a=b": 1}, "'='"),
    ],
)
def test_delimiters_that_cannot_be_encoded(location: str, style: str, explode: bool, value: Any, named: str) -> None:  # noqa: FBT001 - a case
    """A value that would be read as several is refused (OpenAPI 3.1.1, "Appendix E")."""
    declared = parameter(location, style=style, explode=explode)
    operation = compiled({"parameters": [declared]}, "/x/{c}" if location == "path" else "/x")
    with pytest.raises(ToolError, match=re.escape(f"a part of c contains {named}, which separates parts there")):
        sent(operation, {"c": value})


@pytest.mark.parametrize(
    ("location", "style", "explode", "value", "written"),
    [
        ("path", "label", True, "a.b", ".a.b"),
        ("path", "label", False, ["a.b", "c"], ".a.b,c"),
        ("path", "matrix", True, {"a;b": "x=y"}, ";a%3Bb=x%3Dy"),
        ("query", "pipeDelimited", True, ["a|b"], "c=a%7Cb"),
        ("query", "form", False, ["a,b", "c"], "c=a%2Cb,c"),
    ],
)
def test_delimiters_that_are_none(location: str, style: str, explode: bool, value: Any, written: str) -> None:  # noqa: FBT001 - a case
    """What separates parts in other styles, or is encoded, can be sent."""
    write = path if location == "path" else query
    assert write(value, style=style, explode=explode) == written


def test_reserved_delimiters() -> None:
    """A comma that belongs to a value is encoded, although reserved characters may stay as they are."""
    assert query(["a,b", "c/d"], explode=False, allowReserved=True) == "c=a%2Cb,c/d"
    assert query("a,b", allowReserved=True) == "c=a,b"


@pytest.mark.parametrize("value", ["", ".", "..", None, [], {}, [None], [""]])
@pytest.mark.parametrize("style", ["simple", "label"])
def test_paths_lead_nowhere_else(style: str, value: Any) -> None:
    """A value that would turn the path into another one is refused, in both styles that could."""
    if (style, value) == ("label", ".."):
        assert path(value, style=style) == "..."
        return
    with pytest.raises(ToolError, match="another endpoint"):
        path(value, style=style)


def test_parameters_that_make_one_segment() -> None:
    """Two values cannot make a segment of dots either."""
    operation = compiled({"parameters": [parameter("path", "a"), parameter("path", "b")]}, "/x/{a}{b}/y")
    assert sent(operation, {"a": ".", "b": "gz"}).path == "/x/.gz/y"
    with pytest.raises(ToolError, match="another endpoint"):
        sent(compiled({"parameters": [parameter("path", "a")]}, "/x/.{a}"), {"a": "."})


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (True, "true"), (False, "false"), (0, "0"), (-1.5, "-1.5"), (3.0, "3"), (0.1, "0.1"),
        (1e22, "10000000000000000000000"), (1.5e-7, "0.00000015"), (10**30, "1" + "0" * 30),
        ("2025-10-15", "2025-10-15"), ("2025-10-15T13:51:02+02:00", "2025-10-15T13%3A51%3A02%2B02%3A00"),
        ("null", "null"), ("~a-b_c.d", "~a-b_c.d"),
    ],
)  # fmt: skip
def test_scalars(value: Any, written: str) -> None:
    """Numbers have no exponents, which many servers do not read, and booleans are those of JSON."""
    assert query(value) == f"c={written}"
    assert path(value) == written


@pytest.mark.parametrize(
    ("value", "style", "written"),
    [
        (None, "form", ""),
        ([], "form", ""),
        ({}, "deepObject", ""),
        ([None, 1, None], "form", "c=1"),
        ({"a": None, "b": 2}, "form", "b=2"),
        ({"a": None, "b": {"x": None, "y": 2}}, "deepObject", "c[b][y]=2"),
    ],
)
def test_what_is_null_is_left_out(value: Any, style: str, written: str) -> None:
    """In arrays and objects, too: RFC 6570 calls it undefined."""
    assert query(value, style=style) == written


def test_empty_values_that_must_be_sent() -> None:
    """An empty array is sent if the document allows or demands it; `allowEmptyValue` also takes an empty text."""
    assert query([], allowEmptyValue=True, schema={"type": "array"}) == "c="
    assert query([], required=True, schema={"type": "array"}) == "c="
    assert query("", allowEmptyValue=True, schema={"type": "integer"}) == "c="
    with pytest.raises(ToolError, match="not valid"):
        query("x", allowEmptyValue=True, schema={"type": "integer"})


def test_nested_values_without_a_style() -> None:
    """Servers that accept them in other styles than deepObject read JSON."""
    assert query([{"a": 1}, [2]]) == "c=%7B%22a%22%3A1%7D&c=%5B2%5D"
    assert query({"a": {"b": 1}}) == "a=%7B%22b%22%3A1%7D"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("https://a.b/c?d=e,f;g@h!$'()*", "c=https://a.b/c?d=e,f;g@h!$'()*"),
        ("a%2Fb 100%", "c=a%2Fb%20100%25"),
        ("a&b#c[d]+e", "c=a%26b%23c%5Bd%5D%2Be"),
        (["a/b", "c"], "c=a/b&c=c"),
    ],
)
def test_reserved_characters(value: Any, written: str) -> None:
    """They stay if the document says so, except where they would end the value or the query."""
    assert query(value, allowReserved=True) == written
    assert query("a/b", allowReserved=False) == "c=a%2Fb"


def test_parameters_with_content() -> None:
    """They are JSON, wherever they are; in a header it is ASCII."""
    content: dict[str, Any] = {"application/json": {"schema": {}}}
    declared = [
        {"name": name, "in": location, "content": content, "required": True}
        for name, location in (("p", "path"), ("q", "query"), ("X-H", "header"), ("k", "cookie"))
    ]
    value = {"a": [1, "é"]}
    call = sent(compiled({"parameters": declared}, "/{p}"), {"p": value, "q": None, "X-H": value, "k": value})
    written = "%7B%22a%22%3A%5B1%2C%22%C3%A9%22%5D%7D"
    assert (call.path, call.query) == (f"/{written}", "q=null")
    assert call.headers["X-H"] == '{"a":[1,"\\u00e9"]}'
    assert call.headers["Cookie"] == f"k={written}"


def test_names_are_encoded() -> None:
    """Brackets stay, which servers know best as they are."""
    declared = [parameter("query", name) for name in ("filter[a b]", "$top", "é")]
    call = sent(compiled({"parameters": declared}), {"filter_a_b_": 1, "_top": 2, "_": 3})
    assert call.query == "filter[a%20b]=1&%24top=2&%C3%A9=3"


@pytest.mark.parametrize(
    ("written", "path", "query"),
    [
        ("/#X-Target=A", "/", ""),
        ("/a?kind={kind}", "/a", ""),
        ("/a?action=list&b=c d", "/a", "action=list&b=c%20d"),
        ("/a?q=fixed", "/a", "q=1"),
        ("/a{?q,page}", "/a", "q=1"),
        ("/größe/a b%20c", "/gr%C3%B6%C3%9Fe/a%20b%20c", ""),
    ],
)
def test_paths_that_hold_more(written: str, path: str, query: str) -> None:
    """A fragment that tells operations apart is not sent; a constant query is; other characters are encoded."""
    operation = compiled({"parameters": [parameter("query", "q")]}, written)
    call = sent(operation, {"q": 1} if query == "q=1" else {})
    assert (call.path, call.query) == (path, query)


def test_parameters_of_the_path_in_its_query() -> None:
    """What a document writes into the path as a query is sent in the query, and what is nowhere is not asked for."""
    declared = [parameter("path", name) for name in ("id", "page", "none")]
    operation = compiled({"parameters": declared}, "/a/{id}?p%5B%5D={page}&b=1")
    call = sent(operation, {"id": 1, "p__": "x&y"})
    assert (call.path, sorted(call.query.split("&"))) == ("/a/1", ["b=1", "p[]=x%26y"])
    with pytest.raises(ToolError, match="p__: is required"):
        sent(operation, {"id": 1})


def test_headers_and_cookies() -> None:
    """Headers take lists with commas, cookies are one header, and line breaks are refused."""
    declared = [
        parameter("header", "X-C"),
        parameter("header", "X-O", explode=True),
        parameter("cookie", "d"),
        parameter("cookie", "e", explode=False),
        parameter("cookie", "f"),
        parameter("header", "Cookie"),
    ]
    operation = compiled({"parameters": declared})
    arguments = {"X-C": ["blue", "a b &"], "X-O": OBJECT, "d": "a b", "e": [1, 2], "f": [3, 4], "Cookie": "g=5"}
    call = sent(operation, arguments)
    assert call.headers == {
        "Accept": "*/*",
        "X-C": "blue,a b &",
        "X-O": "R=100,G=x y",
        "Cookie": "d=a%20b; e=1,2; f=3; f=4; g=5",
    }
    for value in ("a\r\nX-Evil: 1", "ü"):
        with pytest.raises(ToolError, match="cannot be in a header"):
            sent(operation, {"X-C": value})


@pytest.mark.parametrize(
    "name",
    ["Accept", "content-type", "AUTHORIZATION", "Host", "Content-Length", "Transfer-Encoding", "Accept-Encoding"],
)
def test_headers_that_are_not_parameters(name: str) -> None:
    """Other parts of a document describe them, or the client sets them, so that they are not arguments."""
    operation = compiled({"parameters": [parameter("header", name, required=True)]})
    assert operation.input_schema["properties"] == {}
    assert operation.input_schema["required"] == []


@pytest.mark.parametrize(
    ("responses", "accept"),
    [
        ({}, "*/*"),
        ({"204": {"description": ""}}, "*/*"),
        ({"200": {"content": {"application/json": {}}}}, "application/json, */*;q=0.1"),
        (
            {
                "200": {"content": {"text/csv": {}, "application/hal+json": {}}},
                "4XX": {"content": {"application/problem+json": {}}},
            },
            "application/hal+json, text/csv;q=0.9, application/problem+json;q=0.5, */*;q=0.1",
        ),
        (
            {"200": {"content": {"image/png": {}}}, "default": {"content": {"application/json": {}}}},
            "image/png;q=0.9, application/json;q=0.5, */*;q=0.1",
        ),
        ({"default": {"content": {"application/json; charset=utf-8": {}}}}, "application/json, */*;q=0.1"),
        ({"200": {"content": {"json": {}, "a/b\r\nX: y": {}}}}, "*/*"),
        ({"200": {"content": {"*/*": {}}}}, "*/*;q=0.9"),
        ({"200": {"$ref": "#/nowhere"}}, "*/*"),
        (
            {"200": {"content": {"application/json;odata=verbose": {}}}, "201": {"$ref": "#/components/responses/R"}},
            "application/json;odata=verbose, text/plain;q=0.9, */*;q=0.1",
        ),
    ],
)  # fmt: skip
def test_accept(responses: Any, accept: str) -> None:
    """JSON of a success first, then its other types, then those of errors, then anything."""
    components: dict[str, Any] = {"responses": {"R": {"content": {"text/plain": {}}}}}
    assert sent(compiled({"responses": responses}, components=components), {}).headers == {"Accept": accept}


def test_requests_show_nothing() -> None:
    """Any part of a request can hold a credential."""
    operation = compiled({"parameters": [parameter("query"), parameter("header", "X-Key")]})
    call = sent(operation, {"c": "s3cret", "X-Key": "s3cret"})
    assert "s3cret" not in repr(call)
    assert call.url("https://example.com/v1/") == "https://example.com/v1/a?c=s3cret"
