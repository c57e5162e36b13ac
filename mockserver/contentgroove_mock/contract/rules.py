"""The rules of the contract checker: what each says, and what it rests on.

A violation names its rule. The rules of `Checker` are about one exchange; those of `Behaviour` follow a run. Some rest
on an entry of the ledger of assumptions and on nothing else: the service may break them and be right, and their
violations say so.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import Struct

_PathRule: TypeAlias = Literal["unknown-path", "unknown-method", "path-parameter"]
_QueryRule: TypeAlias = Literal["unknown-parameter", "missing-parameter", "parameter-value", "unknown-key"]
_FilterRule: TypeAlias = Literal["filter-value", "empty-filter"]
_HeadRule: TypeAlias = Literal[
    "auth", "several-credentials", "unknown-status", "media-type", "missing-header", "header-value", "retry-after"
]
_BodyRule: TypeAlias = Literal["missing-body", "unexpected-body", "json", "duplicate-key"]
_SchemaRule: TypeAlias = Literal["missing-field", "undeclared-field", "type", "enum", "format", "schema"]
ValueRule: TypeAlias = Literal["empty-id", "relationship-type", "web-address", "negative-number", "subscribed-event"]
"""Rules that a JSON Schema of the API's conventions expresses."""
_DocumentRule: TypeAlias = Literal[
    "time-order", "empty-update", "error-status", "repeated-resource", "unlinked-resource",
    "link", "link-origin", "link-page",
]  # fmt: skip
BehaviourRule: TypeAlias = Literal[
    "other-id", "sent-value", "updated-value", "deleted", "filter-ignored", "blank-filter", "sort-ignored",
    "page-size-ignored", "query-lost", "repeated-over-pages", "repeated-id",
]  # fmt: skip
"""Rules that follow a run."""
Rule: TypeAlias = Literal[
    _PathRule, _QueryRule, _FilterRule, _HeadRule, _BodyRule, _SchemaRule, ValueRule, _DocumentRule, BehaviourRule,
    "unknown-event", "webhook-response", "prism",
]  # fmt: skip


class RuleEntry(Struct, frozen=True):
    """A rule.

    Attributes:
        name: Its name, which violations have.
        statement: What it demands.
        source: What it rests on: the document itself ("contract"), a section of JSON:API 1.0 or of an RFC, or nothing
            but the ledger ("ledger").
        assumptions: The entries of the ledger of assumptions that it needs.
    """

    name: Rule
    statement: str
    source: str
    assumptions: tuple[str, ...] = ()


RULES: tuple[RuleEntry, ...] = (
    RuleEntry("unknown-path", "A request is for a path of the document.", "contract"),
    RuleEntry("unknown-method", "A path has the method; HEAD is possible where GET is, and OPTIONS everywhere.",
              "contract; RFC 9110, 9.3.2 and 9.3.7"),
    RuleEntry("path-parameter", "A parameter of the path matches its schema, and is not a dot segment.",
              "contract; RFC 3986, 6.2.2"),
    RuleEntry("unknown-parameter", "The operation has the parameter of the query.", "contract"),
    RuleEntry("missing-parameter", "A required parameter is there.", "contract"),
    RuleEntry("parameter-value", "A parameter matches its schema, and is given once.", "contract"),
    RuleEntry("unknown-key", "A parameter that is an object has the key.", "contract"),
    RuleEntry("filter-value", "A filter has a value of its attribute's type: one, unless its matcher takes several.",
              "ledger", ("filter-numbers", "filter-booleans", "filter-times", "filter-null")),
    RuleEntry("empty-filter", "A filter whose matcher takes several values has one at least.",
              "ledger", ("filter-in", "filter-any")),
    RuleEntry("auth", "A request has a credential that the operation takes.", "contract"),
    RuleEntry("several-credentials", "A request has one credential.",
              "contract, info.description (Authentication): any of these methods; RFC 6750, 2"),
    RuleEntry("unknown-status", "The status is documented, or one by which HTTP itself responds to a condition.",
              "contract; RFC 9110, 13.1 and 14.2"),
    RuleEntry("media-type", "A body has a documented media type, JSON in UTF-8.", "contract; RFC 8259, 8.1"),
    RuleEntry("missing-header", "A required header is there.", "contract"),
    RuleEntry("header-value", "A documented header matches its schema.", "contract"),
    RuleEntry("retry-after", "Retry-After is a number of seconds or a date.", "RFC 9110, 10.2.3"),
    RuleEntry("missing-body", "There is a body where one is required.", "contract"),
    RuleEntry("unexpected-body", "There is no body where none is documented.", "contract; RFC 9110, 9.3.2 and 15.4.5"),
    RuleEntry("json", "A body of JSON is JSON.", "RFC 8259"),
    RuleEntry("duplicate-key", "The names in an object are different.", "RFC 8259, 4"),
    RuleEntry("missing-field", "A required member is there.", "contract"),
    RuleEntry("undeclared-field", "A member is declared.", "contract"),
    RuleEntry("type", "A value has the declared type.", "contract"),
    RuleEntry("enum", "A value is one of those that are listed.", "contract"),
    RuleEntry("format", "A text has the declared format.", "contract"),
    RuleEntry("schema", "A value matches its schema in all else.", "contract"),
    RuleEntry("empty-id", "An id is not empty.", "contract: an empty one is in no path"),
    RuleEntry("relationship-type", "A relationship names resources of its type.", "contract, examples"),
    RuleEntry("web-address", "What is fetched or called is an http or https URL with a host.",
              "contract, info.description: a webhook is an HTTP POST, and files are fetched from URLs"),
    RuleEntry("negative-number", "Durations, times, sizes, ranks and positions are not negative.", "ledger",
              ("duration-seconds", "size-pixels", "rank-from-0", "clip-chars", "clip-times-not-negative")),
    RuleEntry("subscribed-event", "A subscription is to events that the document has, or to all (*), each once.",
              "contract, callbacks", ("subscription-of-all-events",)),
    RuleEntry("unknown-event", "A webhook is about an event that the document has.", "contract, callbacks"),
    RuleEntry("webhook-response", "A receiver responds to a webhook as the document lets it, and in time.",
              "contract, callbacks", ("webhook-200-only",)),
    RuleEntry("time-order", "What begins does not end before that; a clip ends later than it starts.",
              "ledger", ("clip-end-after-start", "clip-chars")),
    RuleEntry("empty-update", "An update changes something.", "ledger", ("put-is-partial",)),
    RuleEntry("error-status", "The status in an error is that of the response; of several, of the same class.",
              "JSON:API 1.0, Error Objects; where the document's own example has another, that is right as well"),
    RuleEntry("repeated-resource", "A relationship names a resource once, and what is included is there once.",
              "JSON:API 1.0, Compound Documents"),
    RuleEntry("unlinked-resource", "What is included is named by a relationship.", "JSON:API 1.0, Compound Documents"),
    RuleEntry("link", "A link is null, an http or https URL with a host, or a path or query relative to the request.",
              "JSON:API 1.0, Links; RFC 3986, 4.2"),
    RuleEntry("link-origin", "A link leads to the host that was called, or to one of the document's servers.",
              "contract, servers; RFC 6454, 4"),
    RuleEntry("link-page", "A link between pages leads to the same list, next to a later page, prev to an earlier one.",
              "JSON:API 1.0, Pagination", ("links-next", "links-current")),
    RuleEntry("other-id", "A response contains the resource that the path names.", "contract, parameters"),
    RuleEntry("sent-value", "The response to a creation or an update shows what was sent.", "ledger",
              ("put-is-partial", "description-verbatim", "subscription-url-verbatim")),
    RuleEntry("updated-value", "After an update, each response shows what it set.", "ledger", ("put-is-partial",)),
    RuleEntry("deleted", "What was deleted gets 404, is in no list and has no relationships.", "ledger",
              ("deleted-is-gone", "delete-again-404", "media-deletes-clips")),
    RuleEntry("filter-ignored", "Each item of a list satisfies its filters.", "ledger",
              ("filter-eq", "filter-cont", "filter-start", "filter-and", "filter-or", "filter-in", "filter-null")),
    RuleEntry("blank-filter", "No list is returned as if a filter without a value were not there.", "ledger",
              ("filter-blank-dropped",)),
    RuleEntry("sort-ignored", "A list is in the order that was requested.", "JSON:API 1.0, Sorting", ("sort-order",)),
    RuleEntry("page-size-ignored", "A page has no more items than were requested.", "ledger", ("page-size",)),
    RuleEntry("query-lost", "A link to another page keeps the filters, the order and the size of the request.",
              "ledger", ("links-keep-query",)),
    RuleEntry("repeated-over-pages", "An item is on a page once, and without writes on one page of a list.", "ledger",
              ("page-number", "order-default", "list-stable")),
    RuleEntry("repeated-id", "What is created has an id of its own.", "contract: an id names one resource",
              ("upload-each-new",)),
    RuleEntry("prism", "Prism finds nothing.", "contract"),
)  # fmt: skip
"""All rules."""

BY_NAME = {entry.name: entry for entry in RULES}
