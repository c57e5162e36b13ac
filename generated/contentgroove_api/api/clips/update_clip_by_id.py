from __future__ import annotations

from typing import TYPE_CHECKING

from ...types import Request, Response, decode_body, encode_body, path_segment

if TYPE_CHECKING:
    from ...client import Client
    from ...models.clip_document import ClipDocument
    from ...models.errors import Errors
    from ...models.not_found_errors import NotFoundErrors
    from ...models.too_many_requests_errors import TooManyRequestsErrors
    from ...models.unauthorized_errors import UnauthorizedErrors
    from ...models.update_clip_request import UpdateClipRequest


def build_request(
    id: str,
    *,
    body: UpdateClipRequest,
) -> Request:
    """update clip

    Args:
        id: id
        body: body
    """
    headers: dict[str, str] = {}
    headers["Content-Type"] = "application/json"
    content = encode_body(body)
    return Request(
        method="PUT",
        path="/clips/{id}".format(
            id=path_segment("id", id),
        ),
        headers=headers,
        content=content,
    )


def parse_response(
    status_code: int, content: bytes
) -> ClipDocument | Errors | UnauthorizedErrors | NotFoundErrors | TooManyRequestsErrors | None:
    """Decode a response's body by its status.

    Returns:
        The decoded body, None for a status that the document does not name or that has no body.

    Raises:
        UnexpectedBody: The body does not fit the document.
    """
    if status_code == 200:
        from ...models.clip_document import ClipDocument

        return decode_body(status_code, content, ClipDocument)
    if status_code == 400:
        from ...models.errors import Errors

        return decode_body(status_code, content, Errors)
    if status_code == 401:
        from ...models.unauthorized_errors import UnauthorizedErrors

        return decode_body(status_code, content, UnauthorizedErrors)
    if status_code == 404:
        from ...models.not_found_errors import NotFoundErrors

        return decode_body(status_code, content, NotFoundErrors)
    if status_code == 422:
        from ...models.errors import Errors

        return decode_body(status_code, content, Errors)
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
    body: UpdateClipRequest,
) -> Response[ClipDocument | Errors | UnauthorizedErrors | NotFoundErrors | TooManyRequestsErrors | None]:
    """Send what `build_request` makes, and return the complete response."""
    response = client.send(
        build_request(
            id,
            body=body,
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
    body: UpdateClipRequest,
) -> Response[ClipDocument | Errors | UnauthorizedErrors | NotFoundErrors | TooManyRequestsErrors | None]:
    """Send what `build_request` makes without blocking the event loop, and return the complete response."""
    response = await client.asend(
        build_request(
            id,
            body=body,
        )
    )
    return Response(
        status_code=response.status_code,
        headers=response.headers,
        content=response.content,
        parsed=parse_response(response.status_code, response.content),
    )
