"""The coverage of the contract by a test run: in the terminal, and as JSON, JUnit and one page."""

from __future__ import annotations

import json
import math
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest
from contentgroove_mock.contract import CheckedRequest, CheckedResponse, Checker
from contentgroove_mock.coverage.collected import MODELS, CoverageData, OperationUsage, fields_of
from contentgroove_mock.coverage.matrix import matrix
from contentgroove_mock.coverage.page import html_report
from contentgroove_mock.coverage.reports import json_report, junit_report
from contentgroove_spec.coverage import Coverage, Usage, read_coverage
from msgspec import structs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Run = Callable[..., pytest.RunResult]

APP = """
import httpx
import pytest
from contentgroove import NotFoundError
from contentgroove.webhooks import MemoryInbox, WebhookReceiver
from contentgroove_mock import Fault

receiver = WebhookReceiver(MemoryInbox())

@receiver.on("media.processing_finished")
def handle(event):
    assert event.media.source_file_duration

@pytest.fixture
def contentgroove_options():
    client = httpx.AsyncClient(transport=httpx.ASGITransport(receiver.asgi))
    return {"webhook_client": client, "allow_remote_webhooks": True}

def test_main(contentgroove_client):
    contentgroove_client.webhook_subscriptions.create(url="https://app.example/hook")
    media = contentgroove_client.medias.create(source_url="https://films.example/one.mp4", name="One")
    assert contentgroove_client.medias.wait(media).name == "One"
    receiver.process_pending()

def test_missing(contentgroove_client, contentgroove_simulator):
    contentgroove_simulator.add_fault(Fault(kind="status", operation="getMediaById", status=500))
    with pytest.raises(NotFoundError):
        contentgroove_client.medias.get("nothing")
    for media in contentgroove_client.medias.list(page_size=5, filter={"name_eq": "x"}):
        assert media.clip_ids
"""

REPORTS = Path(__file__).with_name("reports")
"""The exchanges of a small contract, and reports of them that an earlier version wrote."""


def recorded_usage(checker: Checker) -> CoverageData:
    """Return the data that the stored reports were written from."""
    collected = CoverageData()
    for exchange in json.loads((REPORTS / "exchanges.json").read_text(encoding="utf-8")):
        body = json.dumps(exchange["sent"]).encode() if "sent" in exchange else b""
        headers = {"x-api-key": "k"} | ({"content-type": "application/json"} if body else {})
        request = CheckedRequest(exchange["method"], exchange["target"], headers, body)
        content = json.dumps(exchange["received"]).encode()
        response = CheckedResponse(exchange["status"], {"content-type": "application/json"}, content)
        found = [
            structs.replace(violation, call="test_app.py::test_films, at app.py:7")
            for violation in checker.check_exchange(request, response)
        ]
        collected.add_exchange(checker.operation_of(request.method, request.target), request, response, found)
    for _ in range(2):
        collected.add_delivery("media.finished")
    collected.add_faults({("status", "listMedias"): 2})
    collected.reads |= {"Media.name", "Media.is_finished"}
    return collected


def test_the_formats_of_reports_stay() -> None:
    """The JSON and JUnit reports are byte for byte those of an earlier version."""
    checker = Checker(json.loads((REPORTS / "contract.json").read_text(encoding="utf-8")))
    coverage = matrix(recorded_usage(checker), checker)
    assert json_report(coverage).encode() == (REPORTS / "coverage.json").read_bytes()
    assert junit_report(coverage).encode() == (REPORTS / "coverage.xml").read_bytes()


def test_reports_of_earlier_versions_are_read() -> None:
    """`contentgroove spec diff --coverage` reads from them what the application uses."""
    assert read_coverage(REPORTS / "coverage.json") == Coverage(
        operations={
            ("get", "/v1/medias"): Usage(
                "listMedias",
                frozenset({"200", "503"}),
                frozenset({"limit", "page[size]"}),
                frozenset(),
                frozenset({"/data/*/attributes/name", "/data/*/attributes/is_processing"}),
            ),
            ("post", "/v1/medias"): Usage(
                "createMedia",
                frozenset({"200"}),
                frozenset(),
                frozenset({"/name", "/tags/*"}),
                frozenset({"/attributes/name", "/attributes/is_processing"}),
            ),
        },
        webhooks={
            "media.finished": Usage(
                "media.finished", read=frozenset({"/payload/attributes/name", "/payload/attributes/is_processing"})
            )
        },
    )


@pytest.mark.process
@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n", "2")], ids=["alone", "xdist"])
def test_the_reports_of_a_run(pytester: pytest.Pytester, run: Run, workers: tuple[str, ...]) -> None:
    """Numbers of a small run, known by hand; the same with several workers."""
    result = run(APP, "--contentgroove-coverage=out/seen.json", "--contentgroove-coverage=seen.xml", *workers)
    result.assert_outcomes(passed=2)
    seen: dict[str, Any] = json.loads((pytester.path / "out" / "seen.json").read_text(encoding="utf-8"))
    assert seen["version"] == 1
    assert seen["contract"] == Checker().digest
    assert set(seen["operations"]) == {"createWebhookSubscription", "createMedia", "getMediaById", "getMedias"}
    media = seen["operations"]["getMediaById"]
    assert (media["method"], media["path"]) == ("GET", "/api/v1/medias/{id}")
    assert set(media["statuses"]) == {"200", "404", "500"}
    assert media["statuses"]["404"] == {"calls": 1}
    assert media["statuses"]["500"] == {"calls": 1}
    # The SDK's wait reads is_processing of the wire's own structs; the application reads these of the models.
    assert {"/data/attributes/name", "/data/attributes/source_file_duration"} <= set(media["response_fields"])
    assert "/data/attributes/source_url" not in media["response_fields"]
    assert seen["operations"]["createMedia"]["request_fields"] == [
        "/data/attributes/name",
        "/data/attributes/source_url",
    ]
    listed = seen["operations"]["getMedias"]
    assert listed["query"] == ["filter[name_eq]", "page[number]", "page[size]"] or listed["query"] == [
        "filter[name_eq]",
        "page[size]",
    ]
    assert "/data/*/attributes/name" in listed["response_fields"]
    hook = seen["webhooks"]["media.processing_finished"]
    assert hook["deliveries"] == 1
    assert "/payload/data/attributes/source_file_duration" in hook["fields"]
    assert seen["faults"] == {"status getMediaById": 1}
    assert seen["violations"] == []
    assert seen["covered"] == 7
    checker = Checker()
    statuses = sum(len(operation.statuses) for operation in checker.operations.values())
    assert seen["total"] == statuses + len(checker.event_schemas)
    assert "createMedia 402" in seen["missing"]
    assert "createMedia 200" not in seen["missing"]

    suite = ET.parse(pytester.path / "seen.xml").getroot()  # noqa: S314 - written by this test
    cases = {(case.get("classname"), case.get("name")): case for case in suite}
    assert len(cases) == int(suite.get("tests", "0")) == seen["total"]
    assert cases["getMediaById", "404"].find("skipped") is None
    assert cases["createMedia", "402"].find("skipped") is not None
    assert int(suite.get("skipped", "0")) == seen["total"] - 7
    result.stdout.fnmatch_lines(["webhook media.processing_finished: 1 delivered", "7 of * seen: *", "*seen.xml"])


@pytest.mark.process
def test_too_little_fails_the_run(run: Run) -> None:
    """--contentgroove-fail-under turns green tests into a failed run, and states why; enough coverage passes."""
    result = run(APP, "--contentgroove-fail-under=50")
    result.assert_outcomes(passed=2)
    assert result.ret == 1
    result.stdout.fnmatch_lines(["Contract coverage of ?.* % is less than the required 50 %"])
    assert run(APP, "--contentgroove-fail-under=1").ret == 0


@pytest.mark.process
@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--contentgroove-coverage=seen.pdf", "*seen.pdf: the suffix must be .json, .xml*.html"),
        ("--contentgroove-fail-under=120", "*120: pass a percentage from 0 to 100"),
    ],
)
def test_wrong_options_are_refused_before_any_test(run: Run, option: str, message: str) -> None:
    """A typing error costs no test run."""
    result = run("def test_x(): pass", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


@pytest.mark.process
def test_a_report_that_cannot_be_written_is_reported(run: Run, pytester: pytest.Pytester) -> None:
    """If the file is a folder, neither the table nor the tests' outcome is lost."""
    (pytester.path / "taken.json").mkdir()
    result = run("def test_x(): pass", "--contentgroove-coverage=taken.json")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["operation *", "Cannot write coverage to taken.json: Is a directory"])


class Page(HTMLParser):
    """Reads a page: what it refers to, and its table's cells."""

    def __init__(self) -> None:
        super().__init__()
        self.references: list[str | None] = []
        self.classes: list[str | None] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        named = dict(attrs)
        self.references += [value for name, value in attrs if name in {"src", "href"}]
        if tag == "td":
            self.classes.append(named.get("class"))
        if tag not in {"meta", "wbr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        assert self.open.pop() == tag


def seen() -> CoverageData:
    """Return possible data of a run with a violation."""
    collected = CoverageData()
    collected.operations["getMedias"] = OperationUsage(statuses={"200": 3, "503": 1}, query={"page[<b>]"})
    collected.violations.append("getMedias: <script>alert(1)</script>\x1b[0m")
    return collected


def test_the_page_stands_alone_and_is_safe() -> None:
    """Nothing is loaded, every tag is closed, and a server's output is text."""
    checker = Checker()
    page = Page()
    text = html_report(matrix(seen(), checker))
    page.feed(text)
    assert page.open == []
    assert page.references == []
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    documented = sum(len(operation.statuses) for operation in checker.operations.values())
    assert page.classes.count("seen") == 1
    assert page.classes.count("unseen") == documented - 1
    assert page.classes.count("wrong") == 1


def test_junit_is_always_valid_xml() -> None:
    """XML cannot contain control characters, and violations are failures."""
    suite = ET.fromstring(junit_report(matrix(seen(), Checker())))  # noqa: S314 - made here
    failures = [case.find("failure") for case in suite if case.get("classname") == "violation"]
    assert len(failures) == int(suite.get("failures", "0")) == 1


def test_all_seen_is_100_percent_and_nothing_less_is() -> None:
    """One missing response is not rounded up."""
    checker = Checker()
    collected = CoverageData()
    for operation in checker.operations.values():
        collected.operations[operation.name] = OperationUsage(statuses=dict.fromkeys(operation.statuses, 1))
    finished, *others = checker.event_schemas
    for name in others:
        collected.add_delivery(name)
    responses = sum(len(operation.statuses) for operation in checker.operations.values()) + len(others)
    assert matrix(collected, checker).percent == math.floor(responses / (responses + 1) * 10_000) / 100
    assert matrix(collected, checker).missing == [f"webhook {finished}"]
    collected.add_delivery(finished)
    assert matrix(collected, checker).percent == 100


def titled(value: Any, title: str) -> Iterator[dict[str, Any]]:
    """Find the properties of the schema with a title, at any depth."""
    if isinstance(value, dict):
        if value.get("title") == title:
            yield value["properties"]
        for member in value.values():
            yield from titled(member, title)


@pytest.mark.parametrize("model", MODELS)
def test_every_attribute_of_a_model_stands_for_fields(model: type[Any]) -> None:
    """Whatever an attribute is called, its read is reported as fields of the contract."""
    (properties,) = titled(Checker().document["components"]["schemas"], model.__name__)
    names = [
        name
        for name, attribute in vars(model).items()
        if isinstance(attribute, property) and name not in {"fields_set", "extra"}
    ]
    assert names
    for name in names:
        assert fields_of(f"{model.__name__}.{name}", properties), name
