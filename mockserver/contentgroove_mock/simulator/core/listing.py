"""Lists: order, pages and the links between pages.

Unknown parameters and sort orders are ignored, because a client in use sends some (assumed: parameter-unknown-ignored,
page-unknown-ignored, sort-unknown-ignored); with `Policy.refuses_undocumented` they are refused.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from urllib.parse import quote

from contentgroove_mock.simulator.core.errors import bad_request
from contentgroove_mock.simulator.core.filtering import Condition, read_filters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from contentgroove_mock.contract.matchers import Kind
    from contentgroove_mock.simulator.core.policies import Policy

Query: TypeAlias = "Sequence[tuple[str, str]]"

_CREDENTIAL = "api_key"


def _attributes(**names: str) -> dict[str, Kind]:
    kinds: tuple[Kind, ...] = ("text", "number", "boolean", "time")
    return {name: kind for kind in kinds for name in names[kind].split()}


MEDIA_ATTRIBUTES = _attributes(
    text="id description external_id name source_file_content_type source_file_preview_image_url source_url",
    number="source_file_duration source_file_height source_file_width",
    boolean="has_fetch_error is_processing",
    time="created_at original_created_at processing_started_at source_created_at",
)
CLIP_ATTRIBUTES = _attributes(
    text="id media_id external_id media_file_content_type media_file_preview_image_url media_file_url name text",
    number="end_char end_time media_file_duration media_file_height media_file_width rank start_char start_time",
    boolean="is_processing",
    time="created_at processing_started_at",
)
SUBSCRIPTION_ATTRIBUTES = _attributes(
    text="id subscribed_events url", number="", boolean="active", time="created_at updated_at"
)


class ListQuery(NamedTuple):
    """The parsed query of a list request.

    Attributes:
        sort: The attribute to sort by; None means the order of creation.
        number: The page's number, from 1.
        size: How many items a page has.
    """

    conditions: tuple[Condition, ...]
    sort: str | None
    descending: bool
    number: int
    size: int

    def select(self, items: list[Any], attributes: Callable[[Any], Mapping[str, Any]]) -> tuple[list[Any], int]:
        """Filter and sort records by their attributes, and return one page and the number of the last page."""
        selected = items
        if self.conditions:
            selected = [item for item in items if self._accepts(attributes(item))]
        if self.sort is not None:
            sort = self.sort

            def key(item: object) -> tuple[bool, Any]:
                value = attributes(item)[sort]
                return value is None, value

            # (assumed: sort-nulls, sort-order)
            # Nulls come last ascending and first descending, PostgreSQL's order.
            selected = sorted(selected, key=key, reverse=self.descending)
        # (assumed: page-size, page-number, page-beyond-end, order-default)
        begin = (self.number - 1) * self.size
        return selected[begin : begin + self.size], max(1, -(-len(selected) // self.size))

    def _accepts(self, attributes: Mapping[str, Any]) -> bool:
        return all(condition(attributes) for condition in self.conditions)


def read_query(query: Query, kinds: Mapping[str, Kind], sorts: Sequence[str], policy: Policy) -> ListQuery:
    """Parse a list request's decoded query.

    Raises:
        ErrorResponse: 400, because the policy refuses a filter, a sort order, a page or another parameter.
    """
    filters: list[tuple[str, str]] = []
    page = {"page[number]": 1, "page[size]": policy.page_size}
    attribute: str | None = None
    descending = False
    for name, value in query:
        if name == "filter" or name.startswith("filter["):
            filters.append((name, value))
        elif name in page:
            page[name] = _positive(name, value, page[name], policy)
        elif name == "page":
            if policy.refuses_wrong_values:
                raise bad_request("page must be written page[number] or page[size].")
        elif name == "sort":
            attribute, descending = value.removeprefix("-"), value.startswith("-")
            if attribute not in sorts:
                attribute = None
                if policy.refuses_undocumented:
                    raise bad_request(f"sort must be one of {', '.join(sorts)}, or - and one of these, not {value!r}.")
        elif policy.refuses_undocumented and name != _CREDENTIAL:
            raise bad_request(f"The query parameter {name[:40]!r} is not known: leave it out.")
    # (assumed: page-size-capped)
    size = min(page["page[size]"], max(policy.page_size, policy.max_page_size))
    return ListQuery(read_filters(filters, kinds, policy), attribute, descending, page["page[number]"], size)


# (assumed: links-self, links-current, links-next, links-next-null, links-keep-query, links-hide-key)
def links(url: str, query: Query, number: int, last: int) -> dict[str, str | None]:
    """Return the links of a page to itself and to others; a key in the decoded query is not repeated in them."""
    kept = [(name, f"{quote(name, safe='[]')}={quote(value, safe='')}") for name, value in query if name != _CREDENTIAL]
    remaining = "".join(f"{text}&" for name, text in kept if name != "page[number]")

    def page(target: int) -> str:
        return f"{url}?{remaining}page[number]={target}"

    return {
        "self": f"{url}?{'&'.join(text for _, text in kept)}" if kept else url,
        "current": page(number),
        "first": page(1),
        "prev": page(number - 1) if number > 1 else None,
        "next": page(number + 1) if number < last else None,
        "last": page(last),
    }


def _positive(name: str, value: str, default: int, policy: Policy) -> int:
    # (assumed: page-zero, page-not-number)
    # Nine digits are enough for any list, and keep hostile numbers small.
    if re.fullmatch(r"0*[1-9][0-9]{0,8}", value, re.ASCII):
        return int(value)
    if policy.refuses_wrong_values:
        raise bad_request(f"{name} must be a whole number of at least 1, not {value[:40]!r}.")
    return default
