"""Record with the simulator, through Prism's proxy or directly; the contract's examples provide what it lacks."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from contentgroove_mock import Fault, ManualClock, Policy, Simulator, serve
from contentgroove_mock.recording.examples import examples
from contentgroove_mock.recording.journey import journey, sent_texts
from contentgroove_mock.recording.recorder import Recorder, send_sample
from contentgroove_mock.recording.recordings import RecordedResponse, Recording, RecordingError, Request
from contentgroove_mock.recording.scrubbing import Scrubber

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from contextlib import AbstractContextManager

    from contentgroove_mock.recording.contract import PackagedContract
    from contentgroove_mock.recording.journey import WaitUntilProcessed
    from contentgroove_mock.recording.recordings import Origin

_SIMULATED_TIMEOUT = 20.0


class SimulatedTarget:
    """The simulator, on a clock that only moves to finish processing."""

    origin: Origin = "simulator"
    key = "recording"
    simulated = True

    def __init__(self, simulator: Simulator, client: httpx.Client, direct_client: httpx.Client) -> None:
        self._simulator = simulator
        self.client = client
        self.direct_client = direct_client

    def provoke_status(self, status: int) -> AbstractContextManager[object] | None:
        """Return a context that sets a limit or a fault while it is entered."""
        if status == 402:  # noqa: PLR2004 - a status
            return self._quota()
        if status == 429:  # noqa: PLR2004 - as above
            return self._rate_limit()
        return self._add_fault(status) if status >= 500 else contextlib.nullcontext()  # noqa: PLR2004 - as above

    def finish(self, step: WaitUntilProcessed, is_finished: Callable[[], bool]) -> None:
        """Move the clock forward."""
        self._simulator.advance(60)
        if not is_finished():
            raise RecordingError(f"The simulator did not finish {step.resource} within a minute of its clock.")

    def send_file(self, url: str) -> None:
        """Send the sample video."""
        send_sample(url, trust_env=False)

    @contextlib.contextmanager
    def _quota(self) -> Generator[None]:
        self._simulator.set_quota(medias=0, clips=0)
        yield
        self._simulator.set_quota()

    @contextlib.contextmanager
    def _rate_limit(self) -> Generator[None]:
        self._simulator.set_rate_limit(0)
        yield
        self._simulator.set_rate_limit(None)

    @contextlib.contextmanager
    def _add_fault(self, status: int) -> Generator[None]:
        self._simulator.add_fault(Fault(kind="status", status=status))
        yield
        self._simulator.clear_faults()


def record(contract: PackagedContract, *, through_prism: bool) -> list[Recording]:
    """Record every documented response and every webhook with the simulator, and the examples of every success.

    Two runs return the same recordings.

    Args:
        contract: The contract to record.
        through_prism: Whether to call the simulator through Prism's proxy, which checks requests and responses; it
            needs the extra `prism`.

    Raises:
        RecordingError: Something documented is available neither from the simulator nor from an example.
        contentgroove_mock.npm.NpmError: Prism did not start.
    """
    delivered: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        delivered.append(request)
        return httpx.Response(200)

    simulator = Simulator(
        clock=ManualClock(),
        policy=Policy(),
        api_keys={SimulatedTarget.key},
        webhook_client=httpx.AsyncClient(transport=httpx.MockTransport(receive)),
        allow_remote_webhooks=True,
    )
    with (
        serve(simulator) as server,
        _recorded_url(contract, server.base_url, through_prism=through_prism) as base_url,
        httpx.Client(base_url=base_url, timeout=_SIMULATED_TIMEOUT, trust_env=False) as client,
        httpx.Client(base_url=server.base_url, timeout=_SIMULATED_TIMEOUT, trust_env=False) as direct_client,
    ):
        scrubber = Scrubber(server.base_url, secrets=[SimulatedTarget.key], sent=sent_texts(), keep_words=True)
        target = SimulatedTarget(simulator, client, direct_client)
        result = Recorder(target, contract, scrubber).walk(journey(contract))
    if result.not_deleted:
        raise RecordingError(f"The simulator did not delete everything: {'; '.join(result.not_deleted)}")
    if result.skipped:
        sentences = [f"{', '.join(names)}: {reason}" for reason, names in result.skipped.items()]
        raise RecordingError(
            "The simulator does not return everything that recording/journey.py expects. Change one of them. "
            f"{'; '.join(sentences)}"
        )
    # The first media was uploaded, the second one fetched; the third one fails, so it has no webhook.
    recordings = [
        *result.recordings,
        *(
            _delivery_recording(contract, request, scrubber, variant)
            for request, variant in zip(delivered, (None, "url"), strict=True)
        ),
    ]
    recordings += examples(contract, {(recording.operation, recording.status) for recording in recordings})
    missing = contract.response_specs() - {(recording.operation, recording.status) for recording in recordings}
    if missing:
        names = ", ".join(f"{operation}-{status}" for operation, status in sorted(missing))
        raise RecordingError(
            f"The contract documents {names}, but nothing provides it. Add an example to the contract, or a step to "
            "recording/journey.py that the simulator responds to with it."
        )
    return recordings


@contextlib.contextmanager
def _recorded_url(contract: PackagedContract, upstream: str, *, through_prism: bool) -> Generator[str]:
    if not through_prism:
        yield upstream
        return
    # Imported here, because everything else works without the extra `prism`.
    import tempfile

    from contentgroove_mock.prism import Prism

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "contract.json")
        path.write_text(json.dumps(contract.document), encoding="utf-8", newline="\n")
        with Prism.proxy(path, upstream) as prism:
            yield prism.base_url


def _delivery_recording(
    contract: PackagedContract, request: httpx.Request, scrubber: Scrubber, variant: str | None
) -> Recording:
    """Record a webhook."""
    body = json.loads(request.content)
    event: str = body["event"]
    sent = Request(
        method=request.method,
        path=request.url.path,
        headers={"content-type": request.headers["content-type"]},
        body=body,
    )
    # Here the service's texts are in the request; a scrubber treats both sides alike.
    cleaned, response = scrubber.scrub(sent, RecordedResponse())
    return Recording(
        operation=event,
        status=200,
        variant=variant,
        origin="simulator",
        contract=contract.parts(event, 200),
        request=cleaned,
        response=response,
    )
