"""Three validators check one corpus with the verdicts of verdicts.md; no validator can become silent unnoticed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

import httpx
import pytest
from contentgroove_mock import Prism
from contentgroove_mock.contract import Rule
from contentgroove_mock.contract.rules import BehaviourRule

from tests.conformance.oracles.judging import NOT_SENT, PASSES, ByChecker, ByOpenapiCore, ByPrism, document_for_all
from tests.conformance.oracles.reading import Exchange, read_corpus
from tests.prism.conftest import NO_CERTIFICATES, SECONDS
from tests.prism.upstream import Canned, Upstream

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

EXCHANGES = read_corpus()
THEMES = sorted({exchange.theme for exchange in EXCHANGES})
# What each validator must see, whatever is in the table: one of each kind that it is good at.
PRISM_SEES = {
    "unknown-path",
    "unknown-method",
    "created",
    "teapot",
    "html-response",
    "untyped-response",
    "text-request",
    "untyped-request",
    "unknown-sort",
    "page-zero",
    "page-in-words",
    "word-for-a-path-number",
    "required-parameter-left-out",
    "promised-header-left-out",
    "word-for-a-header-number",
    "no-key",
    "basic",
    "bearer-of-nothing",
    "empty-x-api-key",
    "empty-key-in-the-query",
    "no-id",
    "no-id-in-a-list",
    "empty-response-object",
    "no-message",
    "no-name-sent",
    "number-for-a-string",
    "word-for-a-number",
    "string-sent-for-a-number",
    "wrong-kind",
    "null-for-a-name",
    "null-for-a-relationship",
    "null-sent",
    "word-for-a-time",
    "uri-with-spaces",
    "uri-with-prose",
    "negative-time-sent",
    "two-sources",
    "no-source",
    "empty-errors",
    "no-body-of-a-200",
    "no-body-sent",
    "body-of-a-deletion",
    "malformed-response",
    "webhook-of-another-event",
    "webhook-without-id",
    "webhook-with-a-user-included",
    "webhook-with-a-word-for-a-time",
    "webhook-as-text",
}
OPENAPI_CORE_SEES = PRISM_SEES - {
    "empty-x-api-key",
    "empty-key-in-the-query",
    "uri-with-spaces",
    "uri-with-prose",
    "body-of-a-deletion",
} | {
    "json-api-response",
    "empty-sort",
    "page-key-unknown",
    "malformed-request",
    "bytes-that-are-no-utf-8",
    "webhook-malformed",
}


class Row(NamedTuple):
    """A row of the table."""

    exchange: str
    checker: str
    prism: str
    openapi_core: str
    why: str


def read_table() -> dict[str, Row]:
    """Read the rows of verdicts.md."""
    rows: dict[str, Row] = {}
    for line in Path(__file__).with_name("verdicts.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| ") and cells[0] != "exchange":
            assert cells[0] not in rows
            rows[cells[0]] = Row(*cells)
    return rows


TABLE = read_table()


def sees(verdict: str) -> bool:
    """Return whether a verdict names a violation."""
    return verdict not in {PASSES, NOT_SENT}


@pytest.fixture(scope="module")
def by_checker() -> ByChecker:
    return ByChecker()


@pytest.fixture(scope="module")
def by_openapi_core() -> ByOpenapiCore:
    return ByOpenapiCore()


@pytest.fixture(scope="module")
def by_prism(tmp_path_factory: pytest.TempPathFactory) -> Generator[ByPrism]:
    contract = tmp_path_factory.mktemp("contract") / "contract.json"
    contract.write_text(json.dumps(document_for_all()), encoding="utf-8")
    with (
        Upstream(Canned(204, {}, b"")) as upstream,
        Prism.proxy(contract, upstream.base_url) as prism,
        httpx.Client(timeout=SECONDS, verify=NO_CERTIFICATES, trust_env=False) as http,
    ):
        yield ByPrism(http, prism.base_url, upstream)


def test_the_table_has_each_exchange_once() -> None:
    """Each exchange has a verdict, and each verdict has an exchange."""
    names = [exchange.name for exchange in EXCHANGES]
    assert sorted(names) == sorted(TABLE)


def differences(judge: Callable[[Exchange], str], theme: str, column: str) -> list[str]:
    """Return where a validator's verdict differs from the table."""
    found: list[str] = []
    for exchange in EXCHANGES:
        expected = getattr(TABLE[exchange.name], column)
        if exchange.theme == theme and (verdict := judge(exchange)) != expected:
            found.append(f"{exchange.name}: the verdict is {verdict!r}, the table has {expected!r}")
    return found


@pytest.mark.parametrize("theme", THEMES)
def test_the_checker(by_checker: ByChecker, theme: str) -> None:
    """The contract checker's verdicts are those of the table."""
    assert differences(by_checker.judge, theme, "checker") == []


@pytest.mark.process
@pytest.mark.parametrize("theme", THEMES)
def test_prism(by_prism: ByPrism, theme: str) -> None:
    """Prism's verdicts are those of the table."""
    assert differences(by_prism.judge, theme, "prism") == []


@pytest.mark.parametrize("theme", THEMES)
def test_openapi_core(by_openapi_core: ByOpenapiCore, theme: str) -> None:
    """openapi-core's verdicts are those of the table."""
    assert differences(by_openapi_core.judge, theme, "openapi_core") == []


def test_differences_are_explained() -> None:
    """If one validator sees a violation and another does not, and only then, the table states why."""
    wrong = [
        row.exchange
        for row in TABLE.values()
        if bool(row.why) != (len({sees(row.checker), sees(row.prism), sees(row.openapi_core)}) > 1)
    ]
    assert wrong == []


def test_no_validator_becomes_silent() -> None:
    """The table must not be changed so that a validator sees less than this."""
    assert {row.exchange for row in TABLE.values() if sees(row.prism)} >= PRISM_SEES
    assert {row.exchange for row in TABLE.values() if sees(row.openapi_core)} >= OPENAPI_CORE_SEES
    bad = {exchange.name for exchange in EXCHANGES if not exchange.good}
    assert {row.exchange for row in TABLE.values() if sees(row.checker)} == bad


def test_every_rule_is_seeded() -> None:
    """Each rule of the checker is violated by some exchange, and each theme has exchanges that violate none."""
    broken = {part.split()[0] for row in TABLE.values() if sees(row.checker) for part in row.checker.split("; ")}
    # What Prism alone sees is in the table's other column, and behaviour takes more than one exchange.
    assert broken == set(get_args(Rule)) - {"prism", *get_args(BehaviourRule)}
    themes = {(exchange.theme, exchange.good) for exchange in EXCHANGES if exchange.theme != "exchanges"}
    assert themes == {(theme, good) for theme, _ in themes for good in (True, False)}
