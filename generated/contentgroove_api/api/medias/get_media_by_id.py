from __future__ import annotations

from typing import TYPE_CHECKING

from ...types import Request, Response, decode_body, path_segment

if TYPE_CHECKING:
    from ...client import Client
    from ...models.errors import Errors
    from ...models.media_document import MediaDocument
    from ...models.not_found_errors import NotFoundErrors
    from ...models.too_many_requests_errors import TooManyRequestsErrors
    from ...models.unauthorized_errors import UnauthorizedErrors


def build_request(
    id: str,
) -> Request:
    """show media

    Args:
        id: id
    """
    return Request(
        method="GET",
        path="/medias/{id}".format(
            id=path_segment("id", id),
        ),
    )


def parse_response(
    status_code: int, content: bytes
) -> MediaDocument | UnauthorizedErrors | NotFoundErrors | TooManyRequestsErrors | Errors | None:
    """Decode a response's body by its status.

    Returns:
        The decoded body, None for a status that the document does not name or that has no body.

    Raises:
        UnexpectedBody: The body does not fit the document.
    """
    if status_code == 200:
        from ...models.media_document import MediaDocument

        return decode_body(status_code, content, MediaDocument)
    if status_code == 401:
        from ...models.unauthorized_errors import UnauthorizedErrors

        return decode_body(status_code, content, UnauthorizedErrors)
    if status_code == 404:
        from ...models.not_found_errors import NotFoundErrors

        return decode_body(status_code, content, NotFoundErrors)
    if status_code == 429:
        from ...models.too_many_requests_errors import TooManyRequestsErrors

        return decode_body(status_code, content, TooManyRequestsErrors)
    if status_code == 500:
        from ...models.errors import Errors

        return decode_body(status_code, content, Errors)
    return None


def sync_detailed(
    id: str,
    *,
    client: Client,
) -> Response[MediaDocument | UnauthorizedErrors | NotFoundErrors | TooManyRequestsErrors | Errors | None]:
    """Send what `build_request` makes, and return the complete response."""
    response = client.send(
        build_request(
            id,
        )
    )
    return Response(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        parsed=parse_response(response.status_code, response.content),
    )


async def asyncio_detailed(
    id: str,
    *,
    client: Client,
) -> Response[MediaDocument | UnauthorizedErrors | NotFoundErrors | TooManyRequestsErrors | Errors | None]:
    """Send what `build_request` makes without blocking the event loop, and return the complete response."""
    response = await client.asend(
        build_request(
            id,
        )
    )
    return Response(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        parsed=parse_response(response.status_code, response.content),
    )
