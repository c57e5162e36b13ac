"""Filters against a real PostgreSQL, with the SQL that ransack and Arel write for them."""

from __future__ import annotations

import itertools
import random
import re
from typing import TYPE_CHECKING

import psycopg
import pytest
from contentgroove_mock.simulator.core.filtering import parse_filter

from tests.webhooks.postgres_server import postgres_server

if TYPE_CHECKING:
    from collections.abc import Generator

pytestmark = pytest.mark.process

CHANCE = random.Random(20)  # noqa: S311 - repeatable texts
TEXTS = [
    "a",
    "A",
    "ab",
    "b.a",
    "%",
    "_",
    "50%",
    "a_b",
    "A\\b",
    "\\%",
    "a\nb",
    *("".join(CHANCE.choices("aAb%_.\\", k=5)) for _ in range(40)),
]
NAMES = [None, "", *TEXTS]
LIKE = {"cont": "%{}%", "i_cont": "%{}%", "start": "{}%", "end": "%{}"}
COMPARED = {"eq": "=", "not_eq": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}


@pytest.fixture(scope="module")
def connection() -> Generator[psycopg.Connection]:
    """Connect to a server with a table of names."""
    with postgres_server() as conninfo, psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute('CREATE TABLE medias (name text COLLATE "C")')
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO medias VALUES (%s)", [(name,) for name in NAMES])
        yield connection


def condition(matcher: str, value: str) -> tuple[str, str]:
    """Return the condition that ransack's lib/ransack/constants.rb and Arel's PostgreSQL visitor make of a value."""
    positive = "matches" if matcher == "does_not_match" else re.sub(r"^not_(?!eq)", "", matcher)
    if positive in COMPARED:
        return f"name {COMPARED[positive]} %s", value
    operator = "ILIKE" if positive == matcher else "NOT ILIKE"
    escaped = re.sub(r"([\\%_.])", r"\\\1", value)
    return f"name {operator} %s", LIKE[positive].format(escaped) if positive in LIKE else value


def by_postgres(connection: psycopg.Connection, where: str, *values: str) -> list[str | None]:
    """Return the names that a condition finds."""
    return [name for (name,) in connection.execute(f"SELECT name FROM medias WHERE {where}".encode(), values)]  # noqa: S608 - fixed texts


def by_simulator(name: str, *values: str) -> list[str | None]:
    """Return the names that a filter finds."""
    found = parse_filter(name, values, {"name": "text"})
    assert found is not None
    return [name for name in NAMES if found({"name": name})]


MATCHERS = [*COMPARED, "matches", "does_not_match", *LIKE, *(f"not_{name}" for name in LIKE)]


@pytest.mark.parametrize("matcher", MATCHERS)
def test_single_values(connection: psycopg.Connection, matcher: str) -> None:
    """Each matcher finds what PostgreSQL finds: by case, wildcards and null."""
    for value in TEXTS:
        if matcher in {"matches", "does_not_match"} and re.search(r"(?<!\\)(\\\\)*\\$", value):
            # PostgreSQL refuses a pattern that ends with a single backslash.
            continue
        where, operand = condition(matcher, value)
        assert by_simulator(f"name_{matcher}", value) == by_postgres(connection, where, operand), value


@pytest.mark.parametrize("matcher", MATCHERS)
@pytest.mark.parametrize(("suffix", "joint"), [("any", " OR "), ("all", " AND ")])
def test_several_values(connection: psycopg.Connection, matcher: str, suffix: str, joint: str) -> None:
    """`_any` and `_all` combine the conditions of single values."""
    for pair in itertools.pairwise(TEXTS[:10]):
        where, operands = zip(*(condition(matcher, value) for value in pair), strict=True)
        if not any(value.endswith("\\") for value in operands):
            found = by_simulator(f"name_{matcher}_{suffix}", *pair)
            assert found == by_postgres(connection, joint.join(where), *operands), pair


def test_lists_and_states(connection: psycopg.Connection) -> None:
    """Null is in no list, and neither in the others; only null and an empty text are blank."""
    assert by_simulator("name_in", "a", "%") == by_postgres(connection, "name IN (%s, %s)", "a", "%")
    assert by_simulator("name_not_in", "a", "%") == by_postgres(connection, "name NOT IN (%s, %s)", "a", "%")
    for matcher, where in {
        "present": "name IS NOT NULL AND name != ''",
        "blank": "name IS NULL OR name = ''",
        "null": "name IS NULL",
        "not_null": "name IS NOT NULL",
    }.items():
        assert by_simulator(f"name_{matcher}", "true") == by_postgres(connection, where)
        assert by_simulator(f"name_{matcher}", "0") == by_postgres(connection, f"NOT ({where})")
