"""The 15 operations of the API: each changes the state and returns a response body."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import urlsplit

from contentgroove_mock.simulator.core import accounts, listing, serializers, uploads
from contentgroove_mock.simulator.core.calls import document, find_owned, list_document
from contentgroove_mock.simulator.core.faults import Faults
from contentgroove_mock.simulator.core.inputs import read_body
from contentgroove_mock.simulator.core.lifecycle import catch_up
from contentgroove_mock.simulator.core.policies import time_after
from contentgroove_mock.simulator.core.records import SAMPLE, Account, Clip, Ids, Media, State, Subscription

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping
    from random import Random

    from contentgroove_mock.contract.matchers import Kind
    from contentgroove_mock.simulator.core.calls import Call
    from contentgroove_mock.simulator.core.inputs import Fields
    from contentgroove_mock.simulator.core.policies import Policy
    from contentgroove_mock.simulator.core.records import SourceFile, Upload

Json: TypeAlias = dict[str, Any]


class Service:
    """The service's state and its operations.

    The methods do no I/O, and the caller must not run two of them at the same time.

    Attributes:
        policy: The current numbers; a change applies to what is created afterwards.
        limits: The current limits, which may be changed.
        keys: The API keys that are accepted.
        faults: The faults that have not happened yet.
        latency: How many seconds later each response is sent.
        needs_origin: Whether medias were added without a request, so that the next one tells where the service is.
        discarded: Paths of stored files that are no longer used; the caller deletes them.
    """

    def __init__(
        self, policy: Policy, random: Random, state: State | None = None, keys: accounts.Keys | None = None
    ) -> None:
        self.ids = Ids(random)
        self.policy = policy
        self.state = state = state or State(secret=self.ids.secret())
        self.limits = accounts.Limits()
        self.keys = keys or accounts.Keys()
        self.faults = Faults()
        self.latency = 0.0
        self.needs_origin = any(not media.origin for media in self.state.medias.values())
        self.discarded: list[str] = []
        media_sorts = ("created_at", "original_created_at", "name")
        medias, clips, subscriptions = state.medias.view, state.clips.view, state.subscriptions.view
        self._operations: dict[str, Callable[[Call], Json | None]] = {
            "getMedias": partial(self._list, medias, listing.MEDIA_ATTRIBUTES, media_sorts),
            "createMedia": self._create_media,
            "getMediaById": partial(self._get, medias),
            "updateMediaById": self._update_media,
            "deleteMediaById": self._delete_media,
            "getClips": partial(self._list, clips, listing.CLIP_ATTRIBUTES, ("created_at", "name")),
            "createClip": self._create_clip,
            "getClipById": partial(self._get, clips),
            "updateClipById": self._update_clip,
            "deleteClipById": self._delete_clip,
            "getWebhookSubscriptions": partial(
                self._list, subscriptions, listing.SUBSCRIPTION_ATTRIBUTES, ("created_at",)
            ),
            "createWebhookSubscription": self._create_subscription,
            "getWebhookSubscriptionById": partial(self._get, subscriptions),
            "deleteWebhookSubscriptionById": self._delete_subscription,
            "getUploadUrl": self._prepare_upload,
        }

    def account(self, key: str) -> Account:
        """Return the account of an API key; an unknown key creates one."""
        identifier = accounts.account_id(key)
        return self.state.accounts.setdefault(identifier, Account(id=identifier))

    def catch_up(self, now: dt.datetime) -> None:
        """Bring every media and clip up to date."""
        catch_up(self.state, self.ids, self.faults, now)

    def replace_state(self, state: State) -> None:
        """Have the records of another state, and discard the files that it does not refer to."""
        kept = state.stored_files()
        self.discarded = [path for path in {*self.discarded, *self.state.stored_files()} if path not in kept]
        self.state.become(state)
        self.needs_origin = any(not media.origin for media in self.state.medias.values())

    def handle(self, operation: str, call: Call) -> Json | None:
        """Perform one request.

        Args:
            operation: The operationId.
            call: The request.

        Returns:
            The body of a response with status 200; None means 204.

        Raises:
            ErrorResponse: The response is an error.
        """
        if self.needs_origin:
            self._set_origin(call.origin)
        self.catch_up(call.now)
        accounts.count_request(call.account, self.limits.rate_limit_of(call.account.id), call.now)
        return self._operations[operation](call)

    def _set_origin(self, origin: str) -> None:
        for media in self.state.medias.values():
            media.origin = media.origin or origin
        self.needs_origin = False

    def _list(self, records: Mapping[str, Any], kinds: Mapping[str, Kind], sorts: tuple[str, ...], call: Call) -> Json:
        # (assumed: subscriptions-paged, list-has-new-media)
        query = listing.read_query(call.query, kinds, sorts, self.policy)
        return list_document(records, query, call, partial(self._resource, call=call, in_list=True))

    def _get(self, records: Mapping[str, Any], call: Call) -> Json:
        return self._single(find_owned(records, call), call)

    def _single(self, record: Media | Clip | Subscription, call: Call) -> Json:
        return document(self._resource(record, call), call)

    def _resource(self, record: Media | Clip | Subscription, call: Call, *, in_list: bool = False) -> Json:
        if isinstance(record, Media):
            return serializers.media_resource(record, call.origin, with_transcription=not in_list)
        if isinstance(record, Clip):
            return serializers.clip_resource(record, self.state.medias.view[record.media_id], call.origin)
        sent = (item for item in self.state.deliveries.view.values() if item.subscription_id == record.id)
        return serializers.subscription_resource(record, sent)

    # (assumed: create-returns-200, data-type-optional, media-name-optional, media-name-empty, one-source,
    # description-verbatim, description-long, media-name-twice, source-url-http)
    def _create_media(self, call: Call) -> Json:
        fields = read_body(call.content, call.content_type)
        name, description = fields.text("name"), fields.text("description")
        source_url = fields.web_address("source_url")
        upload_id = fields.text("upload_id")
        if ("source_url" in fields) == ("upload_id" in fields):
            fields.add_problem("", "invalid", "Exactly one of source_url and upload_id must be present")
        upload = self._stored_upload(call.account, upload_id, fields) if upload_id is not None else None
        fields.check()
        accounts.count_creation(call.account, "medias", self.limits.quota_of(call.account.id), call.now)
        starts_at = time_after(call.now, self.policy.queue_seconds)
        media = Media(
            id=self.ids.uuid(),
            account=call.account.id,
            origin=call.origin,
            name=name or "",
            description=description,
            source_url=source_url,
            path=upload.path if upload else None,
            file=upload.file if upload else self._fetched(source_url or ""),
            created_at=call.now,
            starts_at=starts_at,
            finishes_at=time_after(starts_at, self.policy.processing_seconds),
        )
        if upload:
            upload.used = True
        self.state.medias[media.id] = media
        self.state.unsettled[media.id] = media.starts_at
        return self._single(media, call)

    # (assumed: put-is-partial)
    def _update_media(self, call: Call) -> Json:
        media = find_owned(self.state.medias, call)
        fields = read_body(call.content, call.content_type)
        name, description = fields.text("name"), fields.text("description")
        fields.check()
        media.name = media.name if name is None else name
        media.description = media.description if description is None else description
        return self._single(media, call)

    # (assumed: media-deletes-clips, deleted-is-gone, delete-again-404, delete-returns-204, delete-while-processing)
    def _delete_media(self, call: Call) -> None:
        media = find_owned(self.state.medias, call)
        del self.state.medias[media.id]
        self.state.unsettled.pop(media.id, None)
        for clip_id in media.clip_ids:
            del self.state.clips[clip_id]
            self.state.unsettled.pop(clip_id, None)
        if media.path is not None:
            self.discarded.append(media.path)

    # (assumed: clip-needs-finished-media, clip-of-unknown-media-404, clip-of-media, clip-name-needed)
    def _create_clip(self, call: Call) -> Json:
        fields = read_body(call.content, call.content_type)
        name = fields.text("name", required=True)
        media_id = fields.text("media_id", required=True)
        start, end = fields.seconds("start_time", required=True), fields.seconds("end_time", required=True)
        media = None if media_id is None else find_owned(self.state.medias, call, media_id)
        _check_span(fields, media, start, end)
        fields.check()
        accounts.count_creation(call.account, "clips", self.limits.quota_of(call.account.id), call.now)
        clip = Clip(
            id=self.ids.uuid(),
            account=call.account.id,
            media_id=media_id or "",
            name=name or "",
            start_time=start or 0,
            end_time=end or 0,
            created_at=call.now,
            processing_started_at=call.now,
            starts_at=call.now,
            finishes_at=call.now,
        )
        self._process(clip, call.now)
        self.state.clips[clip.id] = clip
        self.state.medias[clip.media_id].clip_ids.append(clip.id)
        return self._single(clip, call)

    # (assumed: clip-update-reprocesses)
    def _update_clip(self, call: Call) -> Json:
        clip = find_owned(self.state.clips, call)
        fields = read_body(call.content, call.content_type)
        name = fields.text("name", required="name" in fields)
        start, end = fields.seconds("start_time"), fields.seconds("end_time")
        start = clip.start_time if start is None else start
        end = clip.end_time if end is None else end
        _check_span(fields, self.state.medias[clip.media_id], start, end)
        fields.check()
        clip.name = name or clip.name
        if (start, end) != (clip.start_time, clip.end_time):
            clip.start_time, clip.end_time = start, end
            self._process(clip, call.now)
        return self._single(clip, call)

    # (assumed: clip-leaves-media)
    def _delete_clip(self, call: Call) -> None:
        clip = find_owned(self.state.clips, call)
        del self.state.clips[clip.id]
        self.state.medias[clip.media_id].clip_ids.remove(clip.id)
        self.state.unsettled.pop(clip.id, None)

    # (assumed: subscription-of-all-events, subscription-url-verbatim, subscription-url-twice,
    # subscription-events-unchecked)
    def _create_subscription(self, call: Call) -> Json:
        fields = read_body(call.content, call.content_type)
        url = fields.web_address("url", required=True)
        events = fields.texts("subscribed_events")
        fields.check()
        subscription = Subscription(
            id=self.ids.uuid(),
            account=call.account.id,
            url=url or "",
            events=["*"] if events is None else events,
            created_at=call.now,
        )
        self.state.subscriptions[subscription.id] = subscription
        return self._single(subscription, call)

    # (assumed: subscription-deleted-silent)
    def _delete_subscription(self, call: Call) -> None:
        subscription = find_owned(self.state.subscriptions, call)
        del self.state.subscriptions[subscription.id]
        for identifier in [item.id for item in self.state.deliveries.view.values() if item.next_at or item.held]:
            delivery = self.state.deliveries[identifier]
            if delivery.subscription_id == subscription.id:
                delivery.next_at, delivery.held = None, False

    def _prepare_upload(self, call: Call) -> Json:
        upload = uploads.prepare(self.state, call.account.id, self.ids, self.policy, call.now)
        return serializers.upload_document(upload, uploads.signed_url(self.state, upload, call.origin, self.policy))

    def _process(self, clip: Clip, now: dt.datetime) -> None:
        clip.stage = "queued"
        clip.processing_started_at = now
        clip.starts_at = time_after(now, self.policy.queue_seconds)
        clip.finishes_at = time_after(clip.starts_at, self.policy.clip_seconds)
        self.state.unsettled[clip.id] = clip.starts_at

    def _fetched(self, source_url: str) -> SourceFile | None:
        host = (urlsplit(source_url).hostname or "").rstrip(".")
        unreachable = host in self.policy.unreachable_hosts or host.rpartition(".")[2] == "invalid"
        return None if unreachable else SAMPLE

    # (assumed: upload-id-once, upload-id-unknown-refused, upload-id-without-file-refused)
    def _stored_upload(self, account: Account, upload_id: str, fields: Fields) -> Upload | None:
        own = (item for item in self.state.uploads.view.values() if item.account == account.id)
        found = next((item.id for item in own if item.upload_id == upload_id), None)
        upload = None if found is None else self.state.uploads[found]
        if upload is None:
            fields.add_problem("upload_id", "invalid", "Upload is not known")
        elif upload.path is None:
            fields.add_problem("upload_id", "invalid", "Upload has no file yet: PUT it to the upload_url first")
        elif upload.used:
            fields.add_problem("upload_id", "taken", "Upload has already been used for a media")
        else:
            return upload
        return None


# (assumed: clip-end-after-start, clip-within-media, clip-times-not-negative)
def _check_span(fields: Fields, media: Media | None, start: float | None, end: float | None) -> None:
    if media is None or start is None or end is None:
        return
    if media.stage != "finished" or media.file is None:
        fields.add_problem("media_id", "invalid", "Media has not finished processing")
    elif end <= start:
        fields.add_problem("end_time", "greater_than", "End time must be greater than start time")
    elif end > media.file.duration:
        message = f"End time must be within the media's {media.file.duration:g} seconds"
        fields.add_problem("end_time", "less_than_or_equal_to", message)
