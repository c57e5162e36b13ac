"""Direct uploads: where a file is sent before its media is created."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contentgroove._core import direct_uploads
from contentgroove._io.calls import AsyncRawResource, RawResource

from .raw import araw, raw

if TYPE_CHECKING:
    from contentgroove._io.calls import AsyncResource, Resource
    from contentgroove.models import DirectUpload


class DirectUploads:
    """Calls on direct uploads; `client.medias.upload` does all of it."""

    def __init__(self, calls: Resource) -> None:
        self._calls = calls

    @property
    def with_raw_response(self) -> RawDirectUploads:
        """The same call, giving a `RawResponse`."""
        calls = RawResource(self._calls.session)
        return RawDirectUploads(DirectUploads(calls))

    def prepare(self) -> DirectUpload:
        """Prepare an upload: gives a URL to PUT one file to, and the id that `medias.create` takes then."""
        return self._calls.call(direct_uploads.prepare_upload())


class AsyncDirectUploads:
    """As `DirectUploads`, awaited."""

    def __init__(self, calls: AsyncResource) -> None:
        self._calls = calls

    @property
    def with_raw_response(self) -> AsyncRawDirectUploads:
        """The same call, giving a `RawResponse`."""
        calls = AsyncRawResource(self._calls.session)
        return AsyncRawDirectUploads(AsyncDirectUploads(calls))

    async def prepare(self) -> DirectUpload:
        """As `DirectUploads.prepare`."""
        return await self._calls.call(direct_uploads.prepare_upload())


class RawDirectUploads:
    """The call on direct uploads that gives a `RawResponse`."""

    def __init__(self, uploads: DirectUploads) -> None:
        self.prepare = raw(uploads.prepare)


class AsyncRawDirectUploads:
    """The call on direct uploads that gives a `RawResponse`, awaited."""

    def __init__(self, uploads: AsyncDirectUploads) -> None:
        self.prepare = araw(uploads.prepare)
