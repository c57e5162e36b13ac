"""The sections of the page: what each shows now, and a digest of it, by which a change is noticed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from contentgroove_mock.inspector import views
from contentgroove_mock.inspector.control_views import controls_view
from contentgroove_mock.inspector.exchange_views import exchange_rows
from contentgroove_mock.simulator.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contentgroove_mock.inspector.exchanges import ExchangeLog
    from contentgroove_mock.simulator.context import SimulatorContext
    from contentgroove_mock.simulator.core.service import Service
    from contentgroove_mock.simulator.core.snapshots import Snapshot

Values: TypeAlias = dict[str, Any]
"""What a template shows, by name."""


class Sections:
    """Reads what the sections show; that changes nothing."""

    def __init__(self, context: SimulatorContext, log: ExchangeLog, saved: Mapping[str, Snapshot]) -> None:
        self._context = context
        self._log = log
        self._readers: dict[str, Callable[[Service, Mapping[str, str]], Values]] = {
            "violations": lambda _service, _query: {"violations": log.violation_count},
            "overview": self._overview,
            "coverage": self._coverage,
            "medias": lambda service, _query: {
                "medias": views.media_rows(service.state),
                "media_count": len(service.state.medias),
            },
            "subscriptions": lambda service, _query: {"subscriptions": views.subscription_rows(service.state)},
            "deliveries": lambda service, _query: {
                "deliveries": views.delivery_rows(service.state),
                "delivery_count": len(service.state.deliveries),
            },
            "requests": self._requests,
            "controls": lambda service, _query: {"controls": controls_view(service, saved)},
        }

    def __contains__(self, section: str) -> bool:
        return section in self._readers

    def values(self, section: str, query: Mapping[str, str] | None = None) -> Values:
        """Return what a section shows; the query of the request may filter it."""
        with self._context.service_to_read() as service:
            return self._readers[section](service, query or {})

    def all_values(self) -> Values:
        """Return what all sections show."""
        return {name: value for section in self._readers for name, value in self.values(section).items()}

    def digests(self) -> dict[str, str]:
        """Return a digest of what each section shows without a filter."""
        digests: dict[str, str] = {}
        for section in self._readers:
            values = self.values(section)
            if section == "medias":
                values["details"] = self._media_details()
            if isinstance(self._context.clock, SystemClock):
                # It always runs; that alone must not make pages load anything again.
                values.pop("now", None)
            digests[section] = hashlib.blake2s(msgspec.json.encode(values), digest_size=6).hexdigest()
        return digests

    def _media_details(self) -> bytes:
        """Return what the details of the listed medias show, which their rows do not."""
        with self._context.service_to_read() as service:
            medias = views.newest(service.state.medias)
            return msgspec.json.encode(
                [medias, [service.state.clips.view.get(name) for item in medias for name in item.clip_ids]]
            )

    def _overview(self, service: Service, query: Mapping[str, str]) -> Values:
        del query
        return {
            "overview": views.overview(service, len(self._log)),
            "now": views.moment(self._context.clock.now()),
        }

    def _coverage(self, service: Service, query: Mapping[str, str]) -> Values:
        del query
        return {"coverage": views.coverage(self._log.covered(views.delivered_events(service.state)))}

    def _requests(self, service: Service, query: Mapping[str, str]) -> Values:
        del service
        text, violations_only = query.get("text", ""), "violations" in query
        return {
            "requests": exchange_rows(self._log.newest_first(), text, violations_only=violations_only),
            "request_count": len(self._log),
            "is_filtered": bool(text) or violations_only,
        }
