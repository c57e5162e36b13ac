"""Runs Schemathesis on a simulator in this process: every phase, every check, one worker, a fixed seed."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import schemathesis
from jsonschema_rs import ValidationError
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.conformance.schemathesis.document import document
from tests.simulator.driver import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from contentgroove_mock import ManualClock, Policy, Simulator
    from schemathesis.engine.recorder import ScenarioRecorder
    from schemathesis.specs.openapi.schemas import OpenApiSchema
    from starlette.types import ASGIApp, Receive, Scope, Send

KEY = "canary-key-of-schemathesis"
WAYS: dict[str, dict[str, str]] = {
    "BearerHeader": {"bearer": KEY},
    "ApiKeyHeader": {"api_key": KEY},
    "ApiKeyQuery": {"api_key": KEY},
}
WEBHOOK = "webhook"
"""The check of webhooks against the contract; Schemathesis itself only checks responses."""
# max_response_time is excluded: it would measure the machine, not the simulator.
CHECKED = {*CHECKS.get_all_names(), WEBHOOK} - {"max_response_time"}
_BASE_URL = "http://simulator.example/api/v1"
_FILMS = 3
_STEPS = 12
_LIMIT = 10.0

# All checks are on. These are the only responses allowed beyond Schemathesis's own lists, each for data that fits
# the schema: which values a filter takes depends on its attribute and matcher, and what a clip or media refers to
# must exist, be finished and be long enough. A schema cannot express that.
_REJECTED_FOR_ITS_MEANING = {
    "400": ["getMedias", "getClips", "getWebhookSubscriptions"],
    "422": ["createMedia", "createClip", "updateClipById"],
}
# Lists ignore a sort order that does not exist; what they reject is tested in tests/simulator/test_lists.py.
_OF_LISTS = ["2xx", "400", "401", "404", "429"]
# Random numbers and names hardly ever make a clip that lies within a video of 6 seconds.
_LIKELY: dict[str, list[str | float]] = {
    "name": ["Mine"],
    "start_time": [0, 0.5, 1],
    "end_time": [2, 4.5, 6],
}


class Mock(Protocol):
    """The package `contentgroove_mock`, or a mutant of it."""

    Simulator: type[Simulator]
    ManualClock: type[ManualClock]
    Policy: type[Policy]


@dataclass
class Findings:
    """The actions and results of a run.

    Attributes:
        responses: How often each operation returned each status.
        checks: How often each check passed.
        phases: How many requests each phase sent.
        ways: How requests with the status 200 or 204 were authenticated: the headers and parameters.
        failures: For each check that failed, how to reproduce it.
    """

    responses: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    checks: Counter[str] = field(default_factory=Counter[str])
    phases: Counter[str] = field(default_factory=Counter[str])
    ways: set[frozenset[str]] = field(default_factory=set[frozenset[str]])
    failures: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def add_scenario(self, phase: str, recorder: ScenarioRecorder) -> None:
        """Add requests that belong together."""
        self.phases[phase] += len(recorder.interactions)
        for case_id, interaction in recorder.interactions.items():
            if interaction.response is not None:
                operation_id = recorder.cases[case_id].value.operation.definition.raw["operationId"]
                self.responses[operation_id, interaction.response.status_code] += 1
        deleted = _clips_deleted_with_their_medias(recorder)
        for case_id, checks in recorder.checks.items():
            requested = recorder.interactions[case_id].request.uri if case_id in recorder.interactions else ""
            for check in checks:
                if check.failure_info is None:
                    self.checks[check.name] += 1
                elif check.name != "ensure_resource_availability" or not requested.partition("?")[0].endswith(deleted):
                    self.fail(check.name, f"{check.failure_info.failure.message}\n{check.failure_info.code_sample}")

    def fail(self, check: str, evidence: str) -> None:
        """Add a failure."""
        self.failures.setdefault(check, []).append(evidence)


def _clips_deleted_with_their_medias(recorder: ScenarioRecorder) -> tuple[str, ...]:
    """Return the ends of the URLs of clips that a chain deleted with their media, which Schemathesis takes for lost."""
    clips: dict[str, list[str]] = {}
    deleted: list[str] = []
    for interaction in recorder.interactions.values():
        request, response = interaction.request, interaction.response
        path = request.uri.partition("?")[0]
        if response is None or response.status_code not in {200, 204}:
            continue
        if request.method == "POST" and path.endswith("/clips"):
            sent = json.loads(request.body or b"{}")["data"]["attributes"]
            clips.setdefault(sent["media_id"], []).append(json.loads(response.content)["data"]["id"])
        elif request.method == "DELETE" and "/medias/" in path:
            deleted += clips.get(path.rpartition("/")[2], [])
    return tuple(f"/clips/{clip}" for clip in deleted)


@dataclass(frozen=True)
class Effort:
    """How many requests Schemathesis sends.

    Attributes:
        single: Whether to send single requests: the contract's examples, what covers its schemas, and random ones.
        examples: How many random requests for each operation.
        chains: How many chains of requests, each made from the responses to those before it.
    """

    single: bool = True
    examples: int = 10
    chains: int = 25


def fuzz(mock: Mock, way: str, effort: Effort, *, seed: int, until: Collection[str] = ()) -> Findings:
    """Run Schemathesis on a simulator that processes medias immediately.

    Args:
        mock: The package of the simulator.
        way: A name of `WAYS`: how requests are authenticated.
        effort: How many requests it sends.
        seed: The same seed results in the same requests.
        until: Checks that end the run when they fail.

    Raises:
        RuntimeError: Schemathesis itself failed.
    """
    findings = Findings()
    receiver = httpx.AsyncClient(transport=httpx.MockTransport(_receiver(findings)))
    simulator = mock.Simulator(
        clock=mock.ManualClock(),
        policy=mock.Policy(queue_seconds=0, processing_seconds=0, clip_seconds=0),
        seed=seed,
        api_keys=[KEY],
        webhook_client=receiver,
        allow_remote_webhooks=True,
    )
    films = asyncio.run(_prepare(simulator))
    schema = schemathesis.openapi.from_dict(document(), config=_settings(way, seed, effort, films))
    schema.app = _without_internal_errors(simulator)
    try:
        _follow(schema, findings, until)
    finally:
        _close(simulator)
    findings.ways = {
        frozenset({"authorization", "x-api-key"} & set(record.headers))
        | ({"api_key"} & {name for name, _ in record.query})
        for record in simulator.requests
        if record.status in {200, 204}
    }
    return findings


def _without_internal_errors(simulator: Simulator) -> ASGIApp:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        # An internal error is a 500 and is also raised for the server's log; a client only receives the 500.
        with contextlib.suppress(Exception):
            await simulator(scope, receive, send)

    return app


def _follow(schema: OpenApiSchema, findings: Findings, until: Collection[str]) -> None:
    stream = from_schema(schema).execute()
    for event in stream:
        match event:
            case events.FatalError():
                raise RuntimeError("Schemathesis failed") from event.exception
            case events.NonFatalError():
                raise RuntimeError(f"Schemathesis failed at {event.label}") from event.value
            case events.ScenarioFinished():
                findings.add_scenario(event.phase.value, event.recorder)
            case _:
                pass
        if not findings.failures.keys().isdisjoint(until):
            stream.stop()


def _receiver(findings: Findings) -> Callable[[httpx.Request], httpx.Response]:
    contract = Contract()

    def respond(request: httpx.Request) -> httpx.Response:
        try:
            contract.check_component("webhook_event", json.loads(request.content))
        except ValidationError as error:
            findings.fail(WEBHOOK, str(error))
        else:
            findings.checks[WEBHOOK] += 1
        return httpx.Response(200)

    return respond


async def _prepare(simulator: Simulator) -> list[str]:
    """Create medias to make clips from and a subscription, and return the medias' ids."""
    transport = httpx.ASGITransport(app=simulator)
    async with httpx.AsyncClient(transport=transport, base_url=_BASE_URL, headers={"X-API-KEY": KEY}) as client:

        async def create(path: str, url: str) -> str:
            attributes = {"source_url" if path == "/medias" else "url": url}
            response = await client.post(path, json={"data": {"attributes": attributes}})
            identifier: str = response.json()["data"]["id"]
            return identifier

        await create("/webhook_subscriptions", "https://receiver.example/hook")
        films = [await create("/medias", "https://films.example/one.mp4") for _ in range(_FILMS)]
    await simulator.aclose()
    simulator.clear_requests()
    return films


def _settings(way: str, seed: int, effort: Effort, films: list[str]) -> SchemathesisConfig:
    likely = {**_LIKELY, "media_id": films}
    settings: dict[str, Any] = {
        "seed": seed,
        "workers": 1,
        "base-url": _BASE_URL,
        "continue-on-failure": True,
        "auth": {"openapi": {way: WAYS[way]}},
        "checks": {"enabled": True},
        "generation": {
            "database": "none",
            "no-shrink": True,
            # A random credential would be a parameter without a link, which turns ensure_resource_availability
            # off. ignored_auth generates its own.
            "with-security-parameters": False,
        },
        "phases": {
            "examples": {"enabled": effort.single},
            "coverage": {"enabled": effort.single},
            "fuzzing": {"enabled": effort.single, "generation": {"max-examples": effort.examples}},
            # A chain ends at the first error response, so only the other phases send bad requests.
            "stateful": {
                "enabled": effort.chains > 0,
                "max-steps": _STEPS,
                "generation": {"max-examples": max(1, effort.chains), "mode": "positive"},
            },
        },
        "operations": [
            {
                "include-operation-id": operation_ids,
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": ["2xx", "404", status]},
                    **({"negative_data_rejection": {"expected-statuses": _OF_LISTS}} if status == "400" else {}),
                },
            }
            for status, operation_ids in _REJECTED_FOR_ITS_MEANING.items()
        ],
        "dictionaries": {name: {"values": values} for name, values in likely.items()},
        "parameters": {f"body.data.attributes.{name}": {"dictionary": name, "probability": 0.8} for name in likely},
    }
    return SchemathesisConfig.from_dict(settings)


def _close(simulator: Simulator) -> None:
    # Schemathesis runs the application in its own event loop and does not close it.
    loop = simulator._context.sender.loop
    if loop is not None:
        asyncio.run_coroutine_threadsafe(simulator.aclose(), loop).result(_LIMIT)
