"""Controls of what the service has: medias, clips, subscriptions, the log of requests, and the speed of processing."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Unpack

from contentgroove_mock.simulator.control.base import Controls, find
from contentgroove_mock.simulator.core import lifecycle
from contentgroove_mock.simulator.core.policies import Policy, PolicyChanges  # noqa: TC001  # read by the control interface
from contentgroove_mock.simulator.web.control import control_route

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from contentgroove_mock.simulator.context import RequestRecord
    from contentgroove_mock.simulator.control.base import Record
    from contentgroove_mock.simulator.core.records import Clip, Media, State, Subscription


class ResourceControls(Controls):
    """Medias, clips, subscriptions and requests of all accounts; records are copies."""

    @property
    @control_route("GET", "/medias")
    def medias(self) -> list[Media]:
        """All medias, oldest first."""
        return self._copies(lambda state: state.medias)

    @control_route("GET", "/medias/{id}")
    def media(self, media_id: str) -> Media:
        """Return a media.

        Raises:
            LookupError: There is no such media.
        """
        return self._copy(lambda state: state.medias, media_id, "media")

    @property
    @control_route("GET", "/clips")
    def clips(self) -> list[Clip]:
        """All clips, oldest first."""
        return self._copies(lambda state: state.clips)

    @control_route("GET", "/clips/{id}")
    def clip(self, clip_id: str) -> Clip:
        """Return a clip.

        Raises:
            LookupError: There is no such clip.
        """
        return self._copy(lambda state: state.clips, clip_id, "clip")

    @property
    @control_route("GET", "/webhook_subscriptions")
    def webhook_subscriptions(self) -> list[Subscription]:
        """All webhook subscriptions, oldest first."""
        return self._copies(lambda state: state.subscriptions)

    @control_route("GET", "/webhook_subscriptions/{id}")
    def webhook_subscription(self, subscription_id: str) -> Subscription:
        """Return a webhook subscription.

        Raises:
            LookupError: There is no such subscription.
        """
        return self._copy(lambda state: state.subscriptions, subscription_id, "webhook subscription")

    @control_route("POST", "/medias/{id}/finish")
    def finish_media(self, media_id: str) -> None:
        """Finish a media's processing now.

        Raises:
            LookupError: There is no such media.
        """
        with self._context.locked_service() as service:
            media = find(service.state.medias, media_id, "media")
            if media.id in service.state.unsettled:
                now = self._context.clock.now()
                lifecycle.end_media(service.state, media, service.ids, service.faults, now)
        self._catch_up()

    @control_route("POST", "/medias/{id}/fail")
    def fail_media(self, media_id: str) -> None:
        """End a media's processing now, with a fetch error.

        Raises:
            LookupError: There is no such media.
        """
        with self._context.locked_service() as service:
            lifecycle.fail_media(service.state, find(service.state.medias, media_id, "media"))

    @control_route("POST", "/medias/{id}/hold")
    def hold_media(self, media_id: str) -> None:
        """Keep a media in processing until `finish_media` or `fail_media`.

        Raises:
            LookupError: There is no such media.
            ValueError: Its processing has ended.
        """
        with self._context.locked_service() as service:
            service.catch_up(self._context.clock.now())
            media = find(service.state.medias, media_id, "media")
            if media.id not in service.state.unsettled:
                raise ValueError(f"The media {media_id} has {media.stage} already: hold it while it is processed")
            lifecycle.hold_media(service.state, media)

    @property
    @control_route("GET", "/policy")
    def policy(self) -> Policy:
        """The speed of processing, sizes and waits; a new policy applies to what is created from then on."""
        with self._context.locked_service() as service:
            return service.policy

    @policy.setter
    @control_route("PUT", "/policy")
    def policy(self, policy: Policy) -> None:
        """Replace all numbers of the policy; those that are left out get their defaults."""
        with self._context.locked_service() as service:
            service.policy = policy

    @control_route("PATCH", "/policy")
    def change_policy(self, **changes: Unpack[PolicyChanges]) -> None:
        """Change some numbers of the policy, such as `processing_seconds`.

        Raises:
            ValueError: One of them is impossible, or there is no number with that name.
        """
        with self._context.locked_service() as service:
            service.policy = service.policy.changed(**changes)

    @property
    @control_route("GET", "/requests")
    def requests(self) -> list[RequestRecord]:
        """The last 10,000 requests, oldest first, without credentials."""
        return list(self._context.requests)

    @control_route("DELETE", "/requests")
    def clear_requests(self) -> None:
        """Empty the request log."""
        self._context.clear_requests()

    def _copies(self, select: Callable[[State], Mapping[str, Record]]) -> list[Record]:
        with self._context.locked_service() as service:
            service.catch_up(self._context.clock.now())
            return copy.deepcopy(list(select(service.state).values()))

    def _copy(self, select: Callable[[State], Mapping[str, Record]], identifier: str, kind: str) -> Record:
        with self._context.locked_service() as service:
            service.catch_up(self._context.clock.now())
            return copy.deepcopy(find(select(service.state), identifier, kind))
