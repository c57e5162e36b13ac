"""One request to the API, and what the operations on every kind of record share: finding one, and their documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from contentgroove_mock.simulator.core import listing
from contentgroove_mock.simulator.core.errors import not_found

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping

    from contentgroove_mock.simulator.core.listing import ListQuery, Query
    from contentgroove_mock.simulator.core.records import Account

Json: TypeAlias = dict[str, Any]


class Call(NamedTuple):
    """One authenticated request to the API.

    Attributes:
        origin: Scheme, host and port at which the simulator was reached.
        path: The path, percent-encoded, for the links in the response.
        query: Names and values, decoded, in order.
        identifier: The id in the path; empty if there is none.
    """

    account: Account
    now: dt.datetime
    origin: str
    path: str
    query: Query = ()
    identifier: str = ""
    content: bytes = b""
    content_type: str | None = None

    @property
    def url(self) -> str:
        """The request's URL without its query."""
        return self.origin + self.path


# (assumed: unknown-media-404, foreign-id-404)
def find_owned(records: Mapping[str, Any], call: Call, identifier: str | None = None) -> Any:  # any record
    """Return the record with an id, by default that in the path.

    Raises:
        ErrorResponse: 404, because the account owns no such record.
    """
    record = records.get(call.identifier if identifier is None else identifier)
    if record is None or record.account != call.account.id:
        raise not_found()
    return record


def document(resource: Json, call: Call) -> Json:
    """Return the body of a response with one resource."""
    return {"data": resource, "links": {"self": call.url}}


def list_document(records: Mapping[str, Any], query: ListQuery, call: Call, to_resource: Callable[[Any], Json]) -> Json:
    """Return the body of a response with one page of the account's records.

    Args:
        records: The records of all accounts, in their order.
        query: The filters, the order and the page.
        call: The request.
        to_resource: Writes a record as a resource.
    """

    def attributes(record: Any) -> Json:
        # Lists of clips are also filtered by media_id, which is not among their attributes.
        written: Json = to_resource(record)["attributes"]
        return written | {"id": record.id, "media_id": getattr(record, "media_id", None)}

    own = [record for record in records.values() if record.account == call.account.id]
    items, last = query.select(own, attributes)
    return {
        "data": [to_resource(item) for item in items],
        "links": listing.links(call.url, call.query, query.number, last),
    }
