"""`contentgroove webhooks list|show|create|subscribe|delete`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.schemas import check

if TYPE_CHECKING:
    from tests.cli.conftest import CommandLine


def test_the_life_of_a_subscription(cli: CommandLine) -> None:
    """Subscribed with a token that is shown once, listed without it, shown, deleted."""
    made = cli("webhooks", "subscribe", "https://example.com/hook", "--event", "media.processing_finished", "--json")
    check("Subscribed", made.document)
    id_, token = made.document["id"], made.document["token"]
    assert made.document["url"] == f"https://example.com/hook?token={token}"
    assert made.document["subscribed_events"] == ["media.processing_finished"]

    listed = cli("webhooks", "list")
    assert listed.out == f"{id_}\tactive\tmedia.processing_finished\thttps://example.com/hook?token=[redacted]\n"
    check("Subscription", cli("webhooks", "list", "--json").lines[0])
    shown = cli("webhooks", "show", id_)
    assert f"id\t{id_}\n" in shown.out
    assert token not in shown.out
    check("Subscription", cli("webhooks", "show", id_, "--json").document)

    assert cli("webhooks", "delete", id_).code == 2, "there is no terminal"
    assert cli("webhooks", "delete", id_, "--yes", "--json").lines == [{"id": id_, "deleted": True}]
    assert cli("webhooks", "show", id_).code == 4
    assert cli("webhooks", "list").out == ""


def test_each_subscription_has_its_own_token(cli: CommandLine) -> None:
    """It has its own line; `create` has none."""
    tokens = set[str]()
    for _ in range(2):
        fields = dict(line.split("\t") for line in cli("webhooks", "subscribe", "https://a.test/").out.splitlines())
        assert fields["url"] == "https://a.test/?token=[redacted]"
        tokens.add(fields["token"])
    assert len(tokens) == 2
    assert "token" not in cli("webhooks", "create", "https://a.test/").out


def test_a_url_that_would_disclose_the_token_is_not_subscribed(cli: CommandLine) -> None:
    """Over plain http to another machine, or twice."""
    assert cli("webhooks", "subscribe", "http://example.com/hook").code == 2
    assert cli("webhooks", "subscribe", "https://example.com/hook?token=mine").code == 2
    assert cli("webhooks", "list").out == ""
