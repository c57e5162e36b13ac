"""Reading documents: both languages alike, and a clear error for everything else."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from contentgroove._openapi.documents import MAX_BYTES, MAX_DEPTH, DocumentError, Limits, check_version, parse
from contentgroove._openapi.yaml_loading import Loader, TooManyMergedError

GOOD: dict[str, Any] = {"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {}}


def test_json_and_yaml_read_the_same() -> None:
    """Both languages yield the document, with keys as strings and YAML's dates and yes as they are written."""
    text = 'openapi: "3.0.3"\ninfo: {title: T, version: "1", x-day: 2024-01-01, x-on: on}\npaths: {}\nx-200: {200: a}\n'
    document = parse(text, "it")
    assert document["info"] == {"title": "T", "version": "1", "x-day": "2024-01-01", "x-on": "on"}
    assert document["x-200"] == {"200": "a"}
    assert parse(json.dumps(GOOD), "it") == GOOD
    assert parse(json.dumps(GOOD).encode(), "it") == GOOD
    assert parse(b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "it") == GOOD


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-10-15T13:51:02.558Z", "2025-10-15T13:51:02.558Z"),
        ("2025-10-15", "2025-10-15"),
        ("yes", "yes"),
        ("on", "on"),
        ("1_000", "1_000"),
        ("12:30:45", "12:30:45"),
        ("0o17", 15),
        ("017", 17),
        ("true", True),
        ("null", None),
        ("1e3", 1000.0),
        ("'7'", "7"),
    ],
)
def test_yaml_is_read_by_version_1_2(text: str, value: object) -> None:
    """Dates, `yes`, underscores and sexagesimals are strings (YAML 1.2.2, 10.3: the core schema)."""
    assert parse(f"a: {text}\n".encode(), "test") == {"a": value}


@pytest.mark.parametrize("key", ["200", "on", "no", "null", "~", "1.0", "2025-10-15", "<<"])
def test_keys_are_strings(key: str) -> None:
    """A key is its text, however it looks (OpenAPI Specification 3.0.4, "Format": the Failsafe schema)."""
    assert parse(f"a:\n  {key}: 1\n", "test") == {"a": {key: 1}}


BOMB = "a: &a [1,1,1,1,1,1,1,1,1]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        (b"", "is empty"),
        ("just words", "is a str, not an object"),
        ("[1]", "is a list, not an object"),
        (b"[1, 2]", "not an object"),
        ("{", "is not valid JSON"),
        (b'{"openapi": "3.0.1", "info": {', "is truncated"),
        (b"a: [1, 2", "is truncated"),
        ("a: [", "is not valid YAML"),
        (b'{"a": 1, "a": 2}', "'a' occurs twice"),
        (b"a: 1\nb: 2\na: 3\n", "'a' occurs twice"),
        (b"a: {1: x, '1': y}\n", "'1' occurs twice"),
        ("? [a]\n: 1", "a key is not a scalar"),
        (b"a: 1\n? [b]\n: 2\n", "a key is not a scalar"),
        (b"a: 1\n---\na: 1\n", "single document"),
        ("!!python/object/apply:os.system [ls]", "is not valid YAML"),
        (b"a: !!python/object/apply:os.system [true]\n", "is not valid YAML"),
        (b"a: !!binary aGk=\n", "is not valid YAML"),
        (b"a: !!bool maybe\n", "is not valid YAML"),
        ("<!DOCTYPE html><html></html>", "HTML"),
        (b"<!DOCTYPE html><html>Sign in</html>", "HTML"),
        (b"  <html></html>", "HTML"),
        (b"\xff\xfe\x00", "not UTF-8"),
        ('{"a": NaN}', "a value that JSON does not support"),
        (b"a: .nan\n", "a value that JSON does not support"),
        (b'{"a": 1e999}', "a value that JSON does not support"),
        ('{"a": "\\ud800"}', "a value that JSON does not support"),
        (f'{{"a": {"9" * 5000}}}', "is not valid JSON"),
        (" " * (MAX_BYTES + 1), "larger than"),
        ("é" * (MAX_BYTES // 2 + 1), "larger than"),
        (b"x" * (MAX_BYTES + 1), "larger than"),
        ("[" * 100_000, "levels"),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "levels"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "levels"),
        ("- " * 100_000, "levels"),
        (b"a: " + b"[" * 100_000, "100 levels"),
        (b"a:\n " + b"- " * 100_000, "100 levels"),
        (b"a: &a [*a]\n", "levels"),
        (BOMB.encode(), "values or"),
    ],
)
def test_invalid_documents_are_a_clear_error(content: bytes | str, message: str) -> None:
    """Anything that is not a JSON or YAML object of bounded size is an error that names the source and the reason."""
    with pytest.raises(DocumentError, match=message) as caught:
        parse(content, "the-source")
    assert "the-source" in caught.value.message
    assert len(caught.value.message) < 1000


def test_honest_aliases_are_read() -> None:
    """An alias stands for the value that it names."""
    text = "openapi: 3.0.0\ninfo: {title: &t T}\nx: *t\npaths: {}\n"
    assert parse(text, "it")["x"] == "T"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"swagger": "2.0"}, "Swagger 2.0"),
        ({"openapi": "2.0"}, r"not an OpenAPI 3.x document \(openapi: '2.0'\)"),
        ({"openapi": 3}, "not an OpenAPI 3.x document"),
        ({}, "not an OpenAPI 3.x document"),
    ],
)
def test_other_versions_are_refused(document: dict[str, Any], message: str) -> None:
    """Swagger 2.0, OpenAPI of another major version, and documents without a version are told apart."""
    with pytest.raises(DocumentError, match=message):
        check_version(document, "it")
    check_version(GOOD, "it")


MERGED = """
base: &base {a: 1, b: 2}
other: &other {b: 3, c: 4}
one: {<<: *base, b: 5}
before: {b: 5, <<: *base}
list:
  <<: [*base, *other, {d: 6}]
nested: {<<: {<<: *base, e: 7}}
quoted: {"<<": *base}
scalar: {<<: 1}
mixed: {<<: [*base, 1]}
deep: {<<: *base, more: {<<: *other}}
"""


def test_merge_keys() -> None:
    """A mapping's own members win, then those that are merged first; a quoted key or another value is as it is."""
    document = parse(MERGED, "it")
    base = {"a": 1, "b": 2}
    assert document["one"] == document["before"] == {"a": 1, "b": 5}
    assert document["list"] == {"a": 1, "b": 2, "c": 4, "d": 6}
    assert document["nested"] == {"a": 1, "b": 2, "e": 7}
    assert document["quoted"] == {"<<": base}
    assert document["scalar"] == {"<<": 1}
    assert document["mixed"] == {"<<": [base, 1]}
    assert document["deep"] == {**base, "more": {"b": 3, "c": 4}}
    assert document["base"] == base


MERGE_BOMB = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{{', '.join(f'k{n}{m}: *a{n - 1}' for m in range(9))}, <<: *a{n - 1}}}\n" for n in range(1, 30)
)
WIDE_BOMB = f"a: &a {{{', '.join(f'k{n}: 1' for n in range(2000))}}}\nb:\n" + "- {<<: *a}\n" * 2000


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MERGE_BOMB, "values or"),
        (WIDE_BOMB, "values or"),
        ("a: &a {<<: *a}", "leads in a circle"),
        ("a: &a {b: &b {<<: *a}, c: {<<: *b}}", "levels|circle|recursive"),
        ("a: {<<: {[1]: 2}}", "not a scalar"),
    ],
)
def test_merge_keys_are_limited(text: str, message: str) -> None:
    """A few lines of them could stand for billions of members."""
    with pytest.raises(DocumentError, match=message):
        parse(text, "it", Limits(nodes=50_000))


def test_merging_ends_at_its_limit() -> None:
    """It is counted while it is done, not afterwards, when time and memory would be gone."""
    text = "a: &a {x: 1, y: 2}\nb: [{<<: *a}, {<<: *a}]\n"
    for limit in (6, 5):
        loader = type("Limited", (Loader,), {"max_merged": limit})
        if limit == 6:
            assert yaml.load(text, Loader=loader)["b"] == [{"x": 1, "y": 2}] * 2  # noqa: S506 - derived from a safe loader
        else:
            with pytest.raises(TooManyMergedError):
                yaml.load(text, Loader=loader)  # noqa: S506 - derived from a safe loader


def test_limits_can_be_chosen() -> None:
    """A file that a user names may be larger than what comes over the network."""
    text = json.dumps({"a": [0] * 10})
    assert parse(text, "it", Limits(bytes=len(text), nodes=12))["a"] == [0] * 10
    for limits in (Limits(bytes=len(text) - 1), Limits(nodes=11)):
        with pytest.raises(DocumentError, match=r"larger than|values or"):
            parse(text, "it", limits)
