"""Every check proves its entry: it is confirmed with the simulator, and refuted where that entry alone is wrong.

With each wrong entry, only those about the same requests are checked; `python -m tests.verification` checks all.
"""

from __future__ import annotations

import pytest

from tests.verification.proxy import plain
from tests.verification.service import CHECKABLE, LEDGER, MANY, READING, served, verdicts
from tests.verification.turned import RULES, SPEECH, WEBHOOKS, akin

pytestmark = pytest.mark.slow

WRITING = [identifier for identifier in CHECKABLE if identifier not in READING]


def test_the_simulator_confirms_every_entry() -> None:
    """Everything that a client can check is confirmed, and nothing is left behind."""
    with served(subscriptions=MANY) as service:
        before = service.counts()
        results = service.run(LEDGER, service.writing())
        assert service.counts() == before
    assert {identifier: results[identifier].seen for identifier in verdicts(results, "refuted")} == {}
    assert verdicts(results, "confirmed") == CHECKABLE
    assert {identifier: results[identifier].seen for identifier in verdicts(results, "not tried")} == {
        identifier: entry.untried for identifier, entry in LEDGER.items() if entry.check == "none"
    }
    assert service.left == []


def test_reading_sends_nothing_that_creates() -> None:
    """Without --writes, only GET requests are sent, and none of an upload's URL, which creates an upload."""
    with served(subscriptions=MANY) as service:
        service.simulator.clear_requests()
        results = service.run(LEDGER)
        requests = service.simulator.requests
    assert verdicts(results, "confirmed") == READING
    assert {record.method for record in requests} == {"GET"}
    assert "getUploadUrl" not in {record.operation for record in requests}
    assert results["key-query"].seen == "It costs a media: pass --writes."
    assert results["webhook-envelope"].seen == "It needs a subscription: pass --writes and --callback-url."


def test_every_entry_is_turned_round() -> None:
    """Each entry with a check has a service in which it is wrong."""
    assert sorted([*RULES, *WEBHOOKS]) == sorted(CHECKABLE)


@pytest.mark.parametrize("identifier", READING)
def test_one_wrong_entry_of_those_that_are_read(identifier: str) -> None:
    """Exactly that entry is refuted; others about the same requests are confirmed, or not tried if they build on it."""
    with served(RULES[identifier], subscriptions=MANY if "page-" in identifier else 6) as service:
        results = service.run(akin(identifier) & {*READING})
    assert verdicts(results, "refuted") == [identifier], results[identifier].seen
    assert results[identifier].exchanges


@pytest.mark.parametrize("identifier", WRITING)
def test_one_wrong_entry_of_those_that_need_a_media(identifier: str) -> None:
    """Exactly that entry is refuted, and what was created is deleted."""
    with served(RULES.get(identifier, plain), WEBHOOKS.get(identifier), subscriptions=None) as service:
        results = service.run(akin(identifier) & {*WRITING}, service.writing(speech=identifier in SPEECH))
        assert service.counts() == (0, 0, 0)
    assert verdicts(results, "refuted") == [identifier], results[identifier].seen
    assert results[identifier].exchanges


def test_an_empty_account_proves_nothing() -> None:
    """What lacks data is not tried, with the reason, and never confirmed."""
    with served(subscriptions=None) as service:
        results = service.run(READING)
    assert verdicts(results, "refuted") == []
    assert set(verdicts(results, "confirmed")) == {
        "content-type-json",
        "date-header",
        "error-401",
        "error-404",
        "filter-unknown-refused",
        "filter-value-refused",
        "key-bare",
        "key-bearer",
        "key-header",
        "key-missing",
        "links-current",
        "links-next-null",
    }
    assert results["ids-uuid"].seen == "The account has no medias, clips or webhook subscriptions."
