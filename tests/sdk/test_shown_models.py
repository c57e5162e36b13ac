"""What consoles, logs and notebooks show of models: little, on one line, as text, and no credentials."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from contentgroove_mock import factories

from .conftest import media_json, one

if TYPE_CHECKING:
    from collections.abc import Callable

    from contentgroove import Media

    from .conftest import Maker

MAKERS: list[Callable[..., Any]] = [
    factories.media,
    factories.clip,
    factories.transcription,
    factories.webhook_subscription,
    factories.direct_upload,
]
HOSTILE = "<script>alert('x')</script>\n<img src=x onerror=y> &amp; \"q\" \x1b[31m"
SIGNED = "https://s.test/f?X-Amz-Signature=SECRET&token=SECRET"


class Cells(HTMLParser):
    """Collects the tags and the text of the cells of a table."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.rows: list[list[str]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag, which has no attributes but one."""
        self.tags.add(tag)
        assert {name for name, _ in attrs} <= {"colspan"}
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        """Add text to the last cell."""
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data


@pytest.mark.parametrize("make_model", MAKERS)
def test_reprs_are_short(make_model: Callable[..., Any]) -> None:
    """One line, also of long and odd texts, with the id first."""
    assert re.fullmatch(r"\w+\(id='[^']+'.*\)", repr(make_model()))
    assert len(repr(make_model())) < 250
    assert "\n" not in repr(make_model(id="x" * 5000))
    assert len(repr(make_model(id="x" * 5000))) < 350


def test_reprs_of_long_values_are_cut() -> None:
    """Texts, and lists of many; what is cut ends with an ellipsis."""
    for model in (
        factories.media(name="\n" * 1_000_000),
        factories.transcription(text="word " * 1_000_000),
        factories.webhook_subscription(subscribed_events=["media.processing_finished"] * 1000, url=SIGNED + "x" * 5000),
    ):
        assert len(repr(model)) < 350
        assert "…" in repr(model)
        assert "\n" not in repr(model)
        assert "SECRET" not in repr(model)


@pytest.mark.parametrize("change", [{"name": None}, {"name": 5, "is_processing": []}])
def test_reprs_and_tables_of_odd_models(make: Maker, change: dict[str, Any]) -> None:
    """They never raise, and say what is missing."""
    media: Media = make(lambda _request: one(media_json(**change))).medias.get("m-1")
    assert "name=<missing>" in repr(media)
    assert ["name", "<missing>"] in Cells(media._repr_html_()).rows


@pytest.mark.parametrize("make_model", MAKERS)
def test_tables_show_models_as_text(make_model: Callable[..., Any]) -> None:
    """A row for each attribute with a value; the service's texts are not markup."""
    model = make_model(id=HOSTILE, extra={"later": HOSTILE})
    cells = Cells(model._repr_html_())
    assert cells.tags <= {"table", "caption", "thead", "tbody", "tr", "th", "td"}
    assert cells.rows[0] == ["attribute", "value"]
    assert ["id", HOSTILE] in cells.rows
    assert len(model._repr_html_()) < 10_000


def test_tables_show_no_credentials() -> None:
    """Neither of URLs nor of prepared uploads."""
    for model in (
        factories.media(source_url=SIGNED, source_file_preview_image_url=SIGNED, description=f"see {SIGNED}"),
        factories.clip(media_file_url=SIGNED),
        factories.webhook_subscription(url=SIGNED),
        factories.direct_upload(upload_id="SECRET", upload_url=SIGNED),
    ):
        for html in (model._repr_html_(), factories.page([model])._repr_html_()):
            assert "SECRET" not in html


def test_tables_of_pages_are_bounded() -> None:
    """A row for each item, but not for thousands; the number of the others is said."""
    medias = [factories.media(id=f"m-{index}", name=HOSTILE) for index in range(1020)]
    cells = Cells(factories.page(medias)._repr_html_())
    assert cells.rows[0] == ["id", "name", "is_processing"]
    assert cells.rows[1] == ["m-0", HOSTILE, "False"]
    assert cells.rows[-1] == ["… and 1,000 more"]
    assert len(cells.rows) == 22
    assert Cells(factories.page()._repr_html_()).rows == [["id"]]


def test_lists_show_how_to_fetch_them(make: Maker) -> None:
    """Showing one sends nothing."""
    requests: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"data": []})

    listed = make(respond).medias.list()
    assert re.fullmatch(r"<(Async)?Pager: iterate over it, .*>", repr(getattr(listed, "_target", listed)))
    assert requests == []
