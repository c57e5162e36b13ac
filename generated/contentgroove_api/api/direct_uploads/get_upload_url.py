from __future__ import annotations

from typing import TYPE_CHECKING

from ...types import Request, Response, decode_body

if TYPE_CHECKING:
    from ...client import Client
    from ...models.direct_upload_document import DirectUploadDocument
    from ...models.errors import Errors
    from ...models.too_many_requests_errors import TooManyRequestsErrors
    from ...models.unauthorized_errors import UnauthorizedErrors


def build_request() -> Request:
    """prepare presigned upload url

    Creates an upload each time it is called, so it is no pure read. Then PUT the file to `upload_url`:
    exact Content-Length, no Content-Type, no API key; 200 without a body means stored. At most 5 GB a
    file.
    """
    return Request(
        method="GET",
        path="/direct_uploads",
    )


def parse_response(
    status_code: int, content: bytes
) -> DirectUploadDocument | UnauthorizedErrors | TooManyRequestsErrors | Errors | None:
    """Decode a response's body by its status.

    Returns:
        The decoded body, None for a status that the document does not name or that has no body.

    Raises:
        UnexpectedBody: The body does not fit the document.
    """
    if status_code == 200:
        from ...models.direct_upload_document import DirectUploadDocument

        return decode_body(status_code, content, DirectUploadDocument)
    if status_code == 401:
        from ...models.unauthorized_errors import UnauthorizedErrors

        return decode_body(status_code, content, UnauthorizedErrors)
    if status_code == 429:
        from ...models.too_many_requests_errors import TooManyRequestsErrors

        return decode_body(status_code, content, TooManyRequestsErrors)
    if status_code == 500:
        from ...models.errors import Errors

        return decode_body(status_code, content, Errors)
    return None


def sync_detailed(
    *,
    client: Client,
) -> Response[DirectUploadDocument | UnauthorizedErrors | TooManyRequestsErrors | Errors | None]:
    """Send what `build_request` makes, and return the complete response."""
    response = client.send(build_request())
    return Response(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        parsed=parse_response(response.status_code, response.content),
    )


async def asyncio_detailed(
    *,
    client: Client,
) -> Response[DirectUploadDocument | UnauthorizedErrors | TooManyRequestsErrors | Errors | None]:
    """Send what `build_request` makes without blocking the event loop, and return the complete response."""
    response = await client.asend(build_request())
    return Response(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        parsed=parse_response(response.status_code, response.content),
    )
