from __future__ import annotations

from typing import Any

import pytest
from contentgroove.tools.errors import ToolError
from contentgroove.tools.operations import Operation, Parameter
from contentgroove.tools.requests import PreparedRequest, build_request

LIST = ["blue", "a,b &"]
OBJECT = {"R": 100, "G": "x y"}


def sent(arguments: dict[str, Any], *parameters: Parameter, path: str = "/a", body_type: str = "") -> PreparedRequest:
    """Write the call of an operation with these parameters."""
    return build_request(Operation("n", "", "", "", (), "POST", path, parameters, body_type, {}), arguments)


def parameter(location: Any, style: str, *, explode: bool) -> Parameter:
    """Describe a parameter `c`."""
    return Parameter("c", "c", location, style, explode)


# The values are those of the OpenAPI Specification 3.1.1, "Style Examples", with characters to be encoded.
@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("form", True, "a b", "c=a%20b"),
        ("form", True, True, "c=true"),
        ("form", True, LIST, "c=blue&c=a%2Cb%20%26"),
        ("form", False, LIST, "c=blue,a%2Cb%20%26"),
        ("form", True, OBJECT, "R=100&G=x%20y"),
        ("form", False, OBJECT, "c=R,100,G,x%20y"),
        ("spaceDelimited", False, LIST, "c=blue%20a%2Cb%20%26"),
        ("pipeDelimited", False, LIST, "c=blue%7Ca%2Cb%20%26"),
        ("deepObject", True, {"number": 1, "size": 5}, "c[number]=1&c[size]=5"),
        ("deepObject", True, {"in": ["a", "b"]}, "c[in][]=a&c[in][]=b"),
        ("form", True, [], ""),
    ],
)
def test_query(style: str, explode: bool, value: Any, written: str) -> None:  # noqa: FBT001 - a case
    """Each style writes values as the specification says, and never as Python would."""
    assert sent({"c": value}, parameter("query", style, explode=explode)).query == written


@pytest.mark.parametrize(
    ("style", "explode", "value", "written"),
    [
        ("simple", False, "a/b", "/a%2Fb"),
        ("simple", False, LIST, "/blue,a%2Cb%20%26"),
        ("simple", False, OBJECT, "/R,100,G,x%20y"),
        ("simple", True, OBJECT, "/R=100,G=x%20y"),
        ("label", False, "x", "/.x"),
        ("label", True, LIST, "/.blue.a%2Cb%20%26"),
        ("label", True, OBJECT, "/.R=100.G=x%20y"),
        ("matrix", False, "x", "/;c=x"),
        ("matrix", False, LIST, "/;c=blue,a%2Cb%20%26"),
        ("matrix", True, LIST, "/;c=blue;c=a%2Cb%20%26"),
        ("matrix", True, OBJECT, "/;R=100;G=x%20y"),
    ],
)
def test_path(style: str, explode: bool, value: Any, written: str) -> None:  # noqa: FBT001 - a case
    """Each style writes values as the specification says."""
    assert sent({"c": value}, parameter("path", style, explode=explode), path="/{c}").path == written


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_paths_lead_nowhere_else(value: str) -> None:
    """A value that would turn the path into another one is refused."""
    with pytest.raises(ToolError, match="another endpoint"):
        sent({"c": value}, parameter("path", "simple", explode=False), path="/x/{c}")


def test_paths_that_hold_a_query_or_fragment() -> None:
    """What documents add to a path to tell operations apart is not sent."""
    assert sent({}, path="/#X-Target=A").path == "/"
    assert sent({}, path="/a?kind={kind}").path == "/a"


def test_headers_and_cookies() -> None:
    """Headers take lists with commas, cookies are one header, and line breaks are refused."""
    call = sent(
        {"c": LIST, "d": "a b", "e": [1, 2]},
        Parameter("c", "X-C", "header", "simple", explode=False),
        Parameter("d", "d", "cookie", "form", explode=True),
        Parameter("e", "e", "cookie", "form", explode=False),
    )
    assert call.headers == {"X-C": "blue,a,b &", "Cookie": "d=a%20b; e=1,2"}
    for value in ("a\r\nX-Evil: 1", "ü"):
        with pytest.raises(ToolError, match="cannot be in a header"):
            sent({"c": value}, Parameter("c", "X-C", "header", "simple", explode=False))


@pytest.mark.parametrize(
    ("body_type", "body", "content"),
    [
        ("application/json", {"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
        ("application/vnd.api+json", None, "null"),
        ("application/x-www-form-urlencoded", {"a": "x y", "b": [1, True], "c": None}, "a=x+y&b=1&b=true"),
        ("text/csv", "a,b", "a,b"),
    ],
)
def test_bodies(body_type: str, body: Any, content: str) -> None:
    """A body is written as its media type demands, and says so."""
    call = sent({"body": body}, body_type=body_type)
    assert call.content == content.encode()
    assert call.headers == {"Content-Type": body_type}


def test_multipart_bodies() -> None:
    """Fields are parts; no value can end one early, and no name break out of its quotes."""
    call = sent({"body": {'a"b': "x", "c": "--contentgroove-0--"}}, body_type="multipart/form-data")
    assert call.headers == {"Content-Type": "multipart/form-data; boundary=contentgroove-1"}
    assert call.content == (
        b'--contentgroove-1\r\nContent-Disposition: form-data; name="a%22b"\r\n\r\nx\r\n'
        b'--contentgroove-1\r\nContent-Disposition: form-data; name="c"\r\n\r\n--contentgroove-0--\r\n'
        b"--contentgroove-1--\r\n"
    )


def test_bodies_that_cannot_be_written() -> None:
    """A body of an unknown media type must be text; without a body, nothing is sent."""
    with pytest.raises(ToolError, match="must be a string"):
        sent({"body": {"a": 1}}, body_type="application/octet-stream")
    assert sent({}, body_type="application/json").content is None
