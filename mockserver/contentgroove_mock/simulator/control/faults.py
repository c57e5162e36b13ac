"""Controls of what goes wrong on purpose: faults, latency, and webhooks that are lost, doubled, held or sent again."""

from __future__ import annotations

import copy
import math
from typing import TYPE_CHECKING

import msgspec

from contentgroove_mock.simulator.control.base import Controls, find
from contentgroove_mock.simulator.core import deliveries
from contentgroove_mock.simulator.core.deliveries import Order  # noqa: TC001  # read by the control interface
from contentgroove_mock.simulator.core.faults import WEBHOOK, Fault
from contentgroove_mock.simulator.web.control import control_route

if TYPE_CHECKING:
    from contentgroove_mock.simulator.core.faults import Kind, WaitingFault
    from contentgroove_mock.simulator.core.records import Delivery, WebhookHold


class FaultControls(Controls):
    """Faults of requests, and the latency of all."""

    @property
    @control_route("GET", "/faults")
    def faults(self) -> list[WaitingFault]:
        """The faults that have not happened as often as they shall, oldest first."""
        with self._context.locked_service() as service:
            return copy.deepcopy(list(service.faults.waiting.values()))

    @control_route("GET", "/faults/{id}")
    def fault(self, fault_id: str) -> WaitingFault:
        """Return a fault that has not happened as often as it shall.

        Raises:
            LookupError: There is no such fault, or it has happened.
        """
        with self._context.locked_service() as service:
            return copy.copy(find(service.faults.waiting, fault_id, "waiting fault"))

    @control_route("POST", "/faults")
    def add_fault(self, fault: Fault) -> WaitingFault:
        """Add a fault: something that goes wrong on purpose. Its id is in the result."""
        with self._context.locked_service() as service:
            return copy.copy(service.faults.add(fault))

    @control_route("DELETE", "/faults/{id}")
    def remove_fault(self, fault_id: str) -> None:
        """Remove a fault before it happens again.

        Raises:
            LookupError: There is no such fault, or it has happened.
        """
        with self._context.locked_service() as service:
            del service.faults.waiting[find(service.faults.waiting, fault_id, "waiting fault").id]

    @control_route("DELETE", "/faults")
    def clear_faults(self) -> None:
        """Remove all faults that have not happened."""
        with self._context.locked_service() as service:
            service.faults.clear()

    @control_route(
        "GET",
        "/faults/happened",
        lambda happened: [
            {"kind": kind, "operation": name, "count": count} for (kind, name), count in happened.items()
        ],
    )
    def faults_happened(self) -> dict[tuple[Kind, str], int]:
        """Return how many faults have happened, by kind and operation."""
        with self._context.locked_service() as service:
            return dict(service.faults.happened)

    @property
    @control_route("GET", "/latency", lambda seconds: {"seconds": seconds})
    def latency(self) -> float:
        """How many seconds later, on the simulator's clock, the API and the file store send each response."""
        with self._context.locked_service() as service:
            return service.latency

    @latency.setter
    @control_route("PUT", "/latency")
    def latency(self, seconds: float) -> None:
        """Send each response of the API and the file store that many seconds later.

        Raises:
            ValueError: `seconds` is negative or infinite.
        """
        if not 0 <= seconds < math.inf:
            raise ValueError(f"The latency must be at least 0 seconds and not infinite, not {seconds}")
        with self._context.locked_service() as service:
            service.latency = seconds


class DeliveryControls(Controls):
    """Webhooks: what was sent, and what happens to those that come."""

    @property
    @control_route("GET", "/deliveries")
    def deliveries(self) -> list[Delivery]:
        """All webhooks, oldest first, with the attempts to deliver them."""
        with self._context.locked_service() as service:
            return copy.deepcopy(list(service.state.deliveries.view.values()))

    @control_route("GET", "/deliveries/{id}")
    def delivery(self, delivery_id: str) -> Delivery:
        """Return a webhook with the attempts to deliver it.

        Raises:
            LookupError: There is no such delivery.
        """
        with self._context.locked_service() as service:
            return copy.deepcopy(find(service.state.deliveries, delivery_id, "delivery"))

    @control_route("POST", "/deliveries/{id}/redeliver")
    def redeliver(self, delivery_id: str) -> None:
        """Send a webhook again, whatever its state.

        Raises:
            LookupError: There is no such delivery.
        """
        with self._context.locked_service() as service:
            delivery = find(service.state.deliveries, delivery_id, "delivery")
            deliveries.redeliver(delivery, self._context.clock.now())
        self._catch_up()

    @control_route("POST", "/medias/{id}/redeliver")
    def redeliver_media(self, media_id: str) -> None:
        """Send all webhooks about a media again, oldest first.

        Raises:
            LookupError: There are none.
        """
        with self._context.locked_service() as service:
            for delivery in deliveries.of_media(service.state, media_id):
                deliveries.redeliver(delivery, self._context.clock.now())
        self._catch_up()

    @control_route("POST", "/webhooks/drop_next")
    def drop_next_webhook(self, count: int = 1) -> None:
        """Lose the next webhooks, by default one."""
        self._add_fault(Fault(kind="lost", operation=WEBHOOK, count=count))

    @control_route("POST", "/webhooks/double_next")
    def double_next_webhook(self, count: int = 1) -> None:
        """Send each of the next webhooks twice, by default one."""
        self._add_fault(Fault(kind="duplicate", operation=WEBHOOK, count=count))

    @control_route("POST", "/webhooks/reorder_next")
    def reorder_next_webhooks(self, count: int = 2) -> None:
        """Hold the next webhooks until there are that many, and send them last first.

        Raises:
            ValueError: `count` is less than 2.
        """
        with self._context.locked_service() as service:
            deliveries.reorder(service.state, count)

    @property
    @control_route("GET", "/webhooks", msgspec.structs.asdict)
    def webhook_hold(self) -> WebhookHold:
        """Whether webhooks are paused, and which are held until others come."""
        with self._context.locked_service() as service:
            return copy.deepcopy(service.state.webhook_hold)

    @control_route("POST", "/webhooks/pause")
    def pause_webhooks(self) -> None:
        """Send no webhook until `resume_webhooks`."""
        with self._context.locked_service() as service:
            service.state.webhook_hold.paused = True

    @control_route("POST", "/webhooks/resume")
    def resume_webhooks(self, order: Order | list[str] = "as_due") -> None:
        """Send the webhooks that were paused or held.

        Args:
            order: `as_due`, `reversed`, or the ids of deliveries that are sent first, in this order.

        Raises:
            LookupError: There is no such delivery.
            ValueError: A delivery does not wait, so that it has no order.
        """
        with self._context.locked_service() as service:
            deliveries.resume(service.state, self._context.clock.now(), order)
        self._catch_up()

    def _add_fault(self, fault: Fault) -> None:
        with self._context.locked_service() as service:
            service.faults.add(fault)
