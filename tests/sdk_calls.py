"""Each operation of the API as a call of the SDK: written once, for all suites that call every operation."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class SdkMethod(NamedTuple):
    """A method of a client's resource.

    Attributes:
        resource: The client's attribute.
        method: The method; all but `list`, `create` and `prepare` take an id.
        sent: Valid attributes of the request, as keyword arguments; `{medias}` stands for the id of a media.
    """

    resource: str
    method: str
    sent: Mapping[str, Any] = MappingProxyType({})

    @property
    def takes_id(self) -> bool:
        """True if the path names one resource."""
        return self.method not in {"list", "create", "prepare"}

    def attributes(self, ids: Mapping[str, str]) -> dict[str, Any]:
        """Return the attributes of the request; `ids` has those of resources, by the client's attributes."""
        return {name: value.format(**ids) if isinstance(value, str) else value for name, value in self.sent.items()}

    def on(self, client: Any, ids: Mapping[str, str], **options: Any) -> Any:
        """Call it on a sync or async client, with further options for a list."""
        arguments = [ids[self.resource]] if self.takes_id else []
        given = options if self.method == "list" else self.attributes(ids)
        return getattr(getattr(client, self.resource), self.method)(*arguments, **given)


SDK_METHODS: Mapping[str, SdkMethod] = {
    "getMedias": SdkMethod("medias", "list"),
    "createMedia": SdkMethod("medias", "create", {"source_url": "https://films.example/one.mp4"}),
    "getMediaById": SdkMethod("medias", "get"),
    "updateMediaById": SdkMethod("medias", "update", {"name": "New"}),
    "deleteMediaById": SdkMethod("medias", "delete"),
    "getClips": SdkMethod("clips", "list"),
    "createClip": SdkMethod(
        "clips", "create", {"media_id": "{medias}", "name": "Mine", "start_time": 0, "end_time": 2}
    ),
    "getClipById": SdkMethod("clips", "get"),
    "updateClipById": SdkMethod("clips", "update", {"name": "New"}),
    "deleteClipById": SdkMethod("clips", "delete"),
    "getWebhookSubscriptions": SdkMethod("webhook_subscriptions", "list"),
    # Nothing listens on the discard port of this machine.
    "createWebhookSubscription": SdkMethod("webhook_subscriptions", "create", {"url": "http://127.0.0.1:9/hook"}),
    "getWebhookSubscriptionById": SdkMethod("webhook_subscriptions", "get"),
    "deleteWebhookSubscriptionById": SdkMethod("webhook_subscriptions", "delete"),
    "getUploadUrl": SdkMethod("direct_uploads", "prepare"),
}
"""By operationId; what creates something comes before what needs it."""

IDS = {made.resource: "9b9a2e82-5b47-4f59-831d-4c239824b983" for made in SDK_METHODS.values()}
"""An id of each kind, of what does not exist."""

CREATIONS = {operation: made for operation, made in SDK_METHODS.items() if made.method == "create"}
LISTS = {operation: made for operation, made in SDK_METHODS.items() if made.method == "list"}
