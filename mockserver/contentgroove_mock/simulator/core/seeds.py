"""Seed data: what a simulator has at its start, as a person writes it down.

Only what matters need be written: the rest is what the service would have made, such as a finished media's
transcription and suggested clips.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from urllib.parse import urlsplit

from contentgroove_api import Times
from msgspec import Meta, Struct, field

from contentgroove_mock.simulator.core import accounts, lifecycle
from contentgroove_mock.simulator.core.accounts import Quota, RateLimit  # noqa: TC001  # msgspec reads the fields' types at run time
from contentgroove_mock.simulator.core.policies import time_after
from contentgroove_mock.simulator.core.records import (
    SAMPLE,
    Account,
    Clip,
    Media,
    SourceFile,
    Stage,
    State,
    Subscription,
    Transcription,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from contentgroove_mock.simulator.core.accounts import Limits
    from contentgroove_mock.simulator.core.records import Ids
    from contentgroove_mock.simulator.core.service import Service

_ID = re.compile(r"[A-Za-z0-9._~-]{1,100}")
_AwareTime = Annotated[Times.datetime, Meta(tz=True)]
_Seed = TypeVar("_Seed", "SeedMedia", "SeedClip", "SeedSubscription", "SeedTranscription")


class SeedAccount(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An account.

    Attributes:
        key: Its API key, which is accepted from then on.
        name: A name, by which the rest of the data may refer to it.
        quota: Its own quota.
        rate_limit: Its own limit of requests.
    """

    key: str
    name: str | None = None
    quota: Quota | None = None
    rate_limit: RateLimit | None = None

    def __repr__(self) -> str:
        return f"SeedAccount(name={self.name!r})"


class SeedTranscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The words of a media; by default those that the simulator makes up for its duration."""

    text: str
    id: str | None = None


class SeedClip(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finished clip, with its times in seconds.

    Attributes:
        text: Its words; by default those that the simulator makes up for these times.
        rank: The rank of a suggested clip; None for one that a user made.
    """

    name: str
    start_time: float
    end_time: float
    id: str | None = None
    text: str | None = None
    rank: int | None = None
    created_at: _AwareTime | None = None


class SeedMedia(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A media. It needs no file: the sample video stands for it.

    Attributes:
        account: The name, key or id of its account; by default that of the data's only account.
        duration: The length in seconds.
        stage: `queued` and `processing` go on by the simulator's clock; `failed` has a fetch error.
        clips: The clips of a finished media; by default those that the service would suggest.
        created_at: When it was created; by default now.
    """

    id: str | None = None
    account: str | None = None
    name: str = ""
    description: str | None = None
    source_url: str | None = None
    duration: float = SAMPLE.duration
    content_type: str = SAMPLE.content_type
    width: int | None = SAMPLE.width
    height: int | None = SAMPLE.height
    stage: Stage = "finished"
    transcription: SeedTranscription | None = None
    clips: list[SeedClip] | None = None
    created_at: _AwareTime | None = None


class SeedSubscription(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A webhook subscription; `account` is as in `SeedMedia`."""

    url: str
    id: str | None = None
    account: str | None = None
    subscribed_events: list[str] = field(default_factory=lambda: ["*"])
    created_at: _AwareTime | None = None


class SeedData(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a simulator has at its start."""

    accounts: list[SeedAccount] = field(default_factory=list[SeedAccount])
    medias: list[SeedMedia] = field(default_factory=list[SeedMedia])
    webhook_subscriptions: list[SeedSubscription] = field(default_factory=list[SeedSubscription])


def add_seed_data(service: Service, data: SeedData, now: dt.datetime) -> None:
    """Add data to what a service has, or nothing of it if something is wrong.

    Raises:
        ValueError: Something does not fit; the message has a path to it, such as `$.medias[0].clips[1]`.
    """
    _check(data, service.state)
    for index, account in enumerate(data.accounts):
        identifier = service.account(account.key).id
        service.keys.add(identifier)
        if account.name is not None:
            _at(f"$.accounts[{index}].name", accounts.name_account, service.state, identifier, account.name)
        _limit(service.limits, identifier, account)
    owners = _Owners(service, data)
    for index, subscription in enumerate(data.webhook_subscriptions):
        made = Subscription(
            id=subscription.id or service.ids.uuid(),
            account=owners.find(f"$.webhook_subscriptions[{index}]", subscription.account),
            url=subscription.url,
            events=subscription.subscribed_events,
            created_at=subscription.created_at or now,
        )
        service.state.subscriptions[made.id] = made
    for index, media in enumerate(data.medias):
        _add_media(service, media, owners.find(f"$.medias[{index}]", media.account), now)
    service.needs_origin = True


class _Owners:
    """Finds the accounts that seed data refers to."""

    def __init__(self, service: Service, data: SeedData) -> None:
        self._state = service.state
        own = {accounts.account_id(account.key) for account in data.accounts}
        own = own or service.keys.accepted or set(service.state.accounts)
        self._only = next(iter(own)) if len(own) == 1 else None

    def find(self, path: str, reference: str | None) -> str:
        if reference is not None:
            found: str = _at(f"{path}.account", accounts.find_account, self._state, reference)
            return found
        if self._only is None:
            raise ValueError(
                f"{path} needs an account: name one of several, or write one into the data, such as "
                '"accounts": [{"key": "my-test-key"}]'
            )
        self._state.accounts.setdefault(self._only, Account(id=self._only))
        return self._only


def _at(path: str, function: Any, *arguments: object) -> Any:  # returns what the function does
    try:
        return function(*arguments)
    except (LookupError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from None


def _check(data: SeedData, state: State) -> None:
    medias = [(f"$.medias[{index}]", media) for index, media in enumerate(data.medias)]
    clips = [(f"{path}.clips[{index}]", clip) for path, media in medias for index, clip in enumerate(media.clips or ())]
    subscriptions = [
        (f"$.webhook_subscriptions[{index}]", item) for index, item in enumerate(data.webhook_subscriptions)
    ]
    for index, account in enumerate(data.accounts):
        _at(f"$.accounts[{index}].key", accounts.account_of_key, account.key)
    _check_ids(medias, state.medias)
    _check_ids(clips, state.clips)
    _check_ids(subscriptions, state.subscriptions)
    spoken = [(f"{path}.transcription", media.transcription) for path, media in medias if media.transcription]
    _check_ids(spoken, {item.transcription.id for item in state.medias.values() if item.transcription})
    for path, subscription in subscriptions:
        _check_url(f"{path}.url", subscription.url)
    for path, media in medias:
        _check_media(path, media)


def _check_ids(seeds: list[tuple[str, _Seed]], existing: Iterable[str]) -> None:
    counts = Counter([seed.id for _, seed in seeds if seed.id is not None])
    taken = set(existing)
    for path, seed in seeds:
        if seed.id is None:
            continue
        if not _ID.fullmatch(seed.id):
            raise ValueError(f"{path}.id must be 1 to 100 letters, digits, or - . _ ~, not {seed.id!r}")
        if counts[seed.id] > 1 or seed.id in taken:
            raise ValueError(f"{path}.id: {seed.id!r} is the id of another one already")


def _check_media(path: str, media: SeedMedia) -> None:
    if not 0 < media.duration < float("inf"):
        raise ValueError(f"{path}.duration must be more than 0 seconds, not {media.duration:g}")
    if media.source_url is not None:
        _check_url(f"{path}.source_url", media.source_url)
    for name in ("clips", "transcription"):
        if getattr(media, name) and media.stage != "finished":
            raise ValueError(f"{path}.{name} needs the stage finished, not {media.stage}")
    for index, clip in enumerate(media.clips or ()):
        if not 0 <= clip.start_time < clip.end_time <= media.duration:
            raise ValueError(
                f"{path}.clips[{index}] must be within the media's {media.duration:g} seconds, and end after its "
                f"start, not {clip.start_time:g} to {clip.end_time:g}"
            )


def _check_url(path: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError(f"{path} must be an http or https URL")


def _limit(limits: Limits, identifier: str, account: SeedAccount) -> None:
    if account.quota is not None:
        limits.quotas[identifier] = account.quota
    if account.rate_limit is not None:
        limits.rate_limits[identifier] = account.rate_limit


def _add_media(service: Service, seed: SeedMedia, account: str, now: dt.datetime) -> None:
    policy, state, ids = service.policy, service.state, service.ids
    created_at = seed.created_at or now
    starts_at = time_after(now, policy.queue_seconds) if seed.stage == "queued" else now
    media = Media(
        id=seed.id or ids.uuid(),
        account=account,
        origin="",
        name=seed.name,
        description=seed.description,
        source_url=seed.source_url,
        path=None,
        file=SourceFile(content_type=seed.content_type, duration=seed.duration, width=seed.width, height=seed.height),
        created_at=created_at,
        starts_at=starts_at,
        finishes_at=time_after(starts_at, policy.processing_seconds),
        stage="queued",
    )
    state.medias[media.id] = media
    state.unsettled[media.id] = media.starts_at
    if seed.stage == "queued":
        return
    media.external_id = state.next_external_id()
    if seed.stage == "processing":
        media.stage = "processing"
        state.unsettled[media.id] = media.finishes_at
    elif seed.stage == "failed":
        lifecycle.fail_media(state, media)
    else:
        _finish(state, media, seed, ids)


def _finish(state: State, media: Media, seed: SeedMedia, ids: Ids) -> None:
    suggested = lifecycle.finish_media(state, media, seed.duration, ids, media.created_at)
    if seed.transcription is not None:
        media.transcription = Transcription(id=seed.transcription.id or ids.uuid(), text=seed.transcription.text)
    if seed.clips is None:
        return
    for clip in suggested:
        del state.clips[clip.id]
    media.clip_ids.clear()
    for item in seed.clips:
        span = lifecycle.span_between(seed.duration, item.start_time, item.end_time)
        created_at = item.created_at or media.created_at
        clip = Clip(
            id=item.id or ids.uuid(),
            account=media.account,
            media_id=media.id,
            name=item.name,
            start_time=item.start_time,
            end_time=item.end_time,
            created_at=created_at,
            processing_started_at=created_at,
            starts_at=created_at,
            finishes_at=created_at,
            stage="finished",
            external_id=state.next_external_id(),
            rank=item.rank,
            start_char=span.start_char,
            end_char=span.end_char,
            text=span.text if item.text is None else item.text,
        )
        state.clips[clip.id] = clip
        media.clip_ids.append(clip.id)
