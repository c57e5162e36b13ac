"""The rules of the comparison: what can change, and what that means for who sends the value and for who receives it.

A relaxation does not break what is sent, and a narrowing does not break what is received, with these exceptions:

- What an app sends must still be read: a removed property or parameter breaks although requests with it may pass.
- What an app reads must still come: a removed property breaks although the rest of the value is still valid.
- An app ignores members, headers, events and operations that it does not know, so that these may be added.

Each row has an example pair in `tests/spec/diff/corpus/rules`, which its test compares in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass

from .changes import Direction, Rating


@dataclass(frozen=True, slots=True)
class Verdict:
    """A rating and the reason for it, in one sentence."""

    rating: Rating
    reason: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of change.

    Attributes:
        id: Its name in reports.
        word: The field of OpenAPI or the keyword of JSON Schema that changed.
        text: The change in one sentence; `{name}`, `{old}`, `{new}` and `{change}` are replaced.
        sent: The consequence if an app sends the value.
        received: The consequence if an app receives it.
        newly_required: Whether only apps are affected that omit it.
    """

    id: str
    word: str
    text: str
    sent: Verdict
    received: Verdict
    newly_required: bool = False

    def verdict(self, direction: Direction | None) -> Verdict:
        """Return the consequence in a direction; without one, that for who sends."""
        return self.received if direction is Direction.RECEIVED else self.sent


def _breaks(reason: str) -> Verdict:
    return Verdict(Rating.BREAKING, reason)


def _safe(reason: str) -> Verdict:
    return Verdict(Rating.SAFE, reason)


def _text(reason: str) -> Verdict:
    return Verdict(Rating.DOCUMENTATION, reason)


_ACCEPTED = _safe("What an app sends today is accepted as before.")
_REJECTED = _breaks("Values that are sent today may be rejected.")
_IGNORED = _breaks("A value that an app sends there is ignored or rejected.")
_DIFFERS = _breaks("The value that is sent is read differently.")
_MISSING = _breaks("Requests without it are rejected.")
_NO_LONGER_SEEN = _breaks("Calls as they are sent today may be rejected.")
_FEWER = _safe("What an app reads today still comes, or less of it.")
_OTHERS = _breaks("Other values than before may come.")
_GONE = _breaks("Apps that read it find nothing.")
_MAY_BE_MISSING = _breaks("Apps that read it may find nothing.")
_ALWAYS = _safe("It is always present now.")
_UNKNOWN = _safe("Apps ignore what they do not know.")
_READ_DIFFERENTLY = _breaks("The value that comes must be read differently.")
_SPECIFIED = _safe("The document specifies what it left open.")
_SAME_VALID = _safe("A discriminator changes no valid value (OpenAPI 3.1.1, 4.8.25); the schemas demand the property.")
_ANYTHING = _breaks("Any value may come now.")
_HINT = _text("No standard defines it, so it restricts nothing.")
_NO_EFFECT = _text("It has no effect on values of this type.")
_NEVER_OMITTED = _text("The value is required and never omitted.")
_IMPLIED = _text("Where no type is named, null is valid as well.")
_NEVER_SENT = _text("It is never sent.")
_EXAMPLE = _text("Examples are not binding.")
_NAME = _safe("It is never sent; generated functions are named after it.")
_STILL = _safe("It still works; its replacement should be used soon.")
_WORKS = _safe("It works as before.")
_NO_CALL = _safe("No app calls it yet.")
_ENDS = _breaks("It ends earlier than announced.")
_OTHER_SERVER = _breaks("Calls to it may fail.")
_OLD_URL = _breaks("Calls to the old URL get an error.")
_REMAIN = _safe("The others remain.")
_UNUSED = _safe("No operation uses it.")
_FIRST_SERVER = _safe("All servers remain; generated clients start with a different one.")
_SAME_URLS = _text("The URLs on the wire are the same; corrections that name path keys no longer match.")
_REWRITTEN = _text("Collections of documents rewrite them.")


def _narrowing(id_: str, word: str, text: str) -> Rule:
    return Rule(id_, word, text, _REJECTED, _FEWER)


def _widening(id_: str, word: str, text: str) -> Rule:
    return Rule(id_, word, text, _ACCEPTED, _OTHERS)


def _replacement(id_: str, word: str, text: str) -> Rule:
    return Rule(id_, word, text, _REJECTED, _OTHERS)


def _kebab(word: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in word)


# A row is read in one or two lines.
# fmt: off
_BOUND_ROWS = tuple(
    row
    for bound in ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "minProperties",
                  "maxProperties", "minContains", "maxContains")
    for row in (_widening(f"{_kebab(bound)}-relaxed", bound, f"`{bound}` {{change}}: more values are valid."),
                _narrowing(f"{_kebab(bound)}-tightened", bound, f"`{bound}` {{change}}: fewer values are valid."))
)
_SCHEMA_ROWS = (
    Rule("schema-specified", "schema", "A schema was added.",
         _breaks("The document allowed any value; now some may be rejected."), _SPECIFIED),
    Rule("schema-specified-as-exemplified", "schema", "A schema was added.",
         _safe("The document specifies what it left open, and its own examples match."), _SPECIFIED),
    Rule("schema-unspecified", "schema", "The schema was removed.", _ACCEPTED, _ANYTHING),
    Rule("schema-forbidden", "schema", "No value is valid any longer.", _IGNORED, _GONE),
    Rule("schema-permitted", "schema", "Values became valid where none was.", _ACCEPTED, _UNKNOWN),
    _narrowing("type-narrowed", "type", "The type was narrowed from {old} to {new}."),
    _widening("type-widened", "type", "The type was widened from {old} to {new}."),
    Rule("type-changed", "type", "The type changed from {old} to {new}.", _REJECTED,
         _breaks("Code that expects the old type fails.")),
    Rule("null-permitted", "nullable", "The value may be null.", _ACCEPTED, _breaks("A null may come now.")),
    Rule("null-forbidden", "nullable", "The value may no longer be null.",
         _breaks("Requests with null are rejected."), _safe("A null no longer comes.")),
    Rule("enum-values-added", "enum", "`enum` has the new value {name}.", _ACCEPTED,
         _breaks("An app may receive a value that it does not know.")),
    Rule("enum-values-removed", "enum", "`enum` lost the value {name}.",
         _breaks("Requests with the old value are rejected."), _safe("A value no longer comes.")),
    _narrowing("enum-added", "enum", "The values were restricted to {new}."),
    _widening("enum-removed", "enum", "The values are no longer restricted to {old}."),
    _widening("format-removed", "format", "The format {old} was removed."),
    _narrowing("format-added", "format", "The format {new} was added."),
    _widening("format-widened", "format", "The format was widened from {old} to {new}."),
    _narrowing("format-narrowed", "format", "The format was narrowed from {old} to {new}."),
    _replacement("format-changed", "format", "The format changed from {old} to {new}."),
    *_BOUND_ROWS,
    _widening("multiple-of-relaxed", "multipleOf", "`multipleOf` {change}: more values are valid."),
    _narrowing("multiple-of-tightened", "multipleOf", "`multipleOf` {change}: fewer values are valid."),
    _replacement("multiple-of-changed", "multipleOf", "`multipleOf` {change}."),
    _narrowing("pattern-added", "pattern", "The pattern {new} was added."),
    _widening("pattern-removed", "pattern", "The pattern {old} was removed."),
    _replacement("pattern-changed", "pattern", "The pattern changed from {old} to {new}."),
    _narrowing("unique-items-added", "uniqueItems", "The items must be unique now."),
    _widening("unique-items-removed", "uniqueItems", "The items need no longer be unique."),
    _narrowing("other-items-forbidden", "items", "Items after those that `prefixItems` names are no longer valid."),
    _widening("other-items-permitted", "items", "Items after those that `prefixItems` names are valid now."),
    _narrowing("contains-added", "contains", "`contains` was added: an item must match it."),
    _widening("contains-removed", "contains", "`contains` was removed."),
    Rule("content-encoding-changed", "contentEncoding", "`{name}` {change}.", _DIFFERS, _READ_DIFFERENTLY),
    Rule("format-hint-changed", "format", "The format {change}.", _HINT, _HINT),
    Rule("keyword-without-effect", "schema", "`{name}` {change}.", _NO_EFFECT, _NO_EFFECT),
    Rule("type-generalized-in-text", "type", "The type was generalized from {old} to {new}.",
         _safe("In a URL or header, every value is a text."), _OTHERS),
    Rule("type-specialized-in-text", "type", "The type was specialized from {old} to {new}.",
         _REJECTED, _safe("In a URL or header, every value is a text.")),
    _narrowing("content-schema-added", "contentSchema", "The content of the text got a schema."),
    _widening("content-schema-removed", "contentSchema", "The content of the text lost its schema."),
    Rule("null-implied", "type", "The types name null in one of the documents.", _IMPLIED, _IMPLIED),
    Rule("default-without-effect", "default", "The default {change}.", _NEVER_OMITTED, _NEVER_OMITTED),
    Rule("default-added", "default", "The default {new} was added.", _SPECIFIED, _SPECIFIED),
    Rule("default-changed", "default", "The default changed from {old} to {new}.",
         _breaks("A call that omits it behaves differently."), _safe("The default is for values that are omitted.")),
    Rule("default-removed", "default", "The default {old} was removed.",
         _breaks("A call that omits it may behave differently."),
         _safe("The default is for values that are omitted.")),
    _widening("branch-added", "oneOf/anyOf", "The branch {name} was added."),
    Rule("branch-removed", "oneOf/anyOf", "The branch {name} was removed.", _REJECTED, _FEWER),
    _narrowing("union-added", "oneOf/anyOf", "`{name}` was added."),
    _widening("union-removed", "oneOf/anyOf", "`{name}` was removed."),
    _narrowing("any-of-became-one-of", "oneOf/anyOf", "`anyOf` became `oneOf`."),
    Rule("one-of-became-ambiguous", "oneOf", "{name} accepts what another branch of `oneOf` accepts.",
         _breaks("Values that match several branches are rejected."), _FEWER),
    _widening("one-of-became-any-of", "oneOf/anyOf", "`oneOf` became `anyOf`."),
    Rule("discriminator-added", "discriminator", "The discriminator {new} was added.", _SAME_VALID,
         _SAME_VALID),
    Rule("discriminator-removed", "discriminator", "The discriminator {old} was removed.", _SAME_VALID,
         _SAME_VALID),
    Rule("discriminator-property-changed", "discriminator", "The discriminator changed from {old} to {new}.",
         _REJECTED, _breaks("Code that decides by it fails.")),
    Rule("discriminator-value-added", "discriminator", "The discriminator's value {name} was added.", _ACCEPTED,
         _breaks("An app may receive a value that it does not know.")),
    Rule("discriminator-value-removed", "discriminator", "The discriminator's value {name} was removed.", _REJECTED,
         _FEWER),
    Rule("discriminator-value-changed", "discriminator",
         "The discriminator's value {name} means {new}, no longer {old}.", _REJECTED, _OTHERS),
    _narrowing("not-added", "not", "`not` was added."),
    _widening("not-removed", "not", "`not` was removed."),
    _narrowing("condition-added", "if/then/else", "A condition was added."),
    _widening("condition-removed", "if/then/else", "A condition was removed."),
    _replacement("condition-changed", "if/then/else", "The condition of `if` changed."),
)

_OBJECT_ROWS = (
    Rule("property-added", "properties", "Property `{name}` was added.", _ACCEPTED, _UNKNOWN),
    Rule("required-property-added", "properties, required", "The required property `{name}` was added.", _MISSING,
         _UNKNOWN, newly_required=True),
    Rule("property-removed", "properties", "Property `{name}` was removed.", _IGNORED, _GONE),
    Rule("property-became-required", "required", "`{name}` became required.", _MISSING, _ALWAYS, newly_required=True),
    Rule("property-no-longer-required", "required", "`{name}` is no longer required.", _ACCEPTED, _MAY_BE_MISSING),
    Rule("property-became-read-only", "readOnly", "`{name}` became read-only.", _IGNORED,
         _safe("It comes as before.")),
    Rule("property-no-longer-read-only", "readOnly", "`{name}` is no longer read-only.", _ACCEPTED,
         _safe("It comes as before.")),
    Rule("property-became-write-only", "writeOnly", "`{name}` became write-only.", _ACCEPTED, _GONE),
    Rule("property-no-longer-write-only", "writeOnly", "`{name}` is no longer write-only.", _ACCEPTED, _UNKNOWN),
    Rule("additional-properties-forbidden", "additionalProperties", "Other properties are no longer valid.",
         _REJECTED, _FEWER),
    Rule("additional-properties-permitted", "additionalProperties", "Other properties are valid now.", _ACCEPTED,
         _UNKNOWN),
    _narrowing("additional-properties-specified", "additionalProperties", "Other properties got a schema."),
    _widening("additional-properties-unspecified", "additionalProperties", "Other properties lost their schema."),
    Rule("map-values-removed", "additionalProperties", "The map's entries are no longer valid.", _IGNORED, _GONE),
    _narrowing("unevaluated-properties-forbidden", "unevaluatedProperties",
               "Unevaluated properties are no longer valid."),
    Rule("unevaluated-properties-permitted", "unevaluatedProperties", "Unevaluated properties are valid now.",
         _ACCEPTED, _UNKNOWN),
    _narrowing("unevaluated-items-forbidden", "unevaluatedItems", "Unevaluated items are no longer valid."),
    _widening("unevaluated-items-permitted", "unevaluatedItems", "Unevaluated items are valid now."),
    _narrowing("pattern-property-added", "patternProperties", "Properties that match {name} got a schema."),
    Rule("pattern-property-permitted", "patternProperties", "Properties that match {name} are valid now.", _ACCEPTED,
         _UNKNOWN),
    _widening("pattern-property-removed", "patternProperties", "Properties that match {name} lost their schema."),
    Rule("pattern-property-forbidden", "patternProperties", "Properties that match {name} are no longer valid.",
         _IGNORED, _GONE),
    _narrowing("property-names-added", "propertyNames", "The names of properties were restricted."),
    _widening("property-names-removed", "propertyNames", "The names of properties are no longer restricted."),
    _narrowing("dependent-required-added", "dependentRequired", "{name} became required if {new} is present."),
    _widening("dependent-required-removed", "dependentRequired", "{name} is no longer required if {old} is present."),
    _narrowing("dependent-schema-added", "dependentSchemas", "A schema applies if {name} is present."),
    _widening("dependent-schema-removed", "dependentSchemas", "No schema applies any longer if {name} is present."),
)

_OPERATION_ROWS = (
    Rule("operation-added", "paths", "The operation was added.", _NO_CALL, _NO_CALL),
    Rule("operation-removed", "paths", "The operation was removed.", _breaks("Apps that call it get an error."),
         _breaks("It is no longer sent.")),
    Rule("operation-path-changed", "servers", "The path on the wire changed from {old} to {new}.",
         _OLD_URL, _OLD_URL),
    Rule("operation-id-changed", "operationId", "The operationId {change}.", _NAME, _NAME),
    Rule("operation-id-added", "operationId", "The operationId was added.", _NAME, _NAME),
    Rule("operation-id-removed", "operationId", "The operationId was removed.", _NAME, _NAME),
    Rule("path-parameter-renamed", "paths", "The path's parameters were renamed; it was {old}.",
         _text("The names in braces are never sent."), _text("The names in braces are never sent.")),
    Rule("deprecation-added", "deprecated", "It was deprecated.", _STILL, _STILL),
    Rule("deprecation-removed", "deprecated", "It is no longer deprecated.", _WORKS, _WORKS),
    Rule("sunset-set", "x-sunset", "The date of its end {change}.", _STILL, _STILL),
    Rule("sunset-earlier", "x-sunset", "The date of its end {change}.", _ENDS, _ENDS),
    Rule("sunset-removed", "x-sunset", "The date of its end {old} was removed.", _WORKS, _WORKS),
    Rule("webhook-added", "webhooks, callbacks", "The webhook was added.",
         _safe("Apps ignore events that they do not know."), _safe("Apps ignore events that they do not know.")),
    Rule("webhook-removed", "webhooks, callbacks", "The webhook was removed.", _breaks("It is no longer sent."),
         _breaks("It is no longer sent.")),
    Rule("webhook-url-changed", "callbacks", "The webhook is sent to {new}, no longer to {old}.",
         _breaks("It no longer goes to the URL that the app subscribed."),
         _breaks("It no longer goes to the URL that the app subscribed.")),
)

_MESSAGE_ROWS = (
    Rule("parameter-became-list", "schema", "The parameter became a list of {new}.",
         _safe("A single value is written as before."), _breaks("Several values may come now.")),
    Rule("parameter-added", "parameters", "The parameter was added.", _ACCEPTED, _UNKNOWN),
    Rule("required-parameter-added", "parameters", "The required parameter was added.",
         _breaks("Calls without it are rejected."), _UNKNOWN, newly_required=True),
    Rule("parameter-removed", "parameters", "The parameter was removed.",
         _breaks("A value that is sent there is ignored or rejected."), _GONE),
    Rule("parameter-became-required", "required", "The parameter became required.",
         _breaks("Calls without it are rejected."), _ALWAYS, newly_required=True),
    Rule("parameter-no-longer-required", "required", "The parameter is no longer required.", _ACCEPTED,
         _MAY_BE_MISSING),
    Rule("parameter-serialization-changed", "style, explode, content", "`{name}` {change}.", _DIFFERS,
         _READ_DIFFERENTLY),
    Rule("reserved-characters-permitted", "allowReserved", "Reserved characters need no longer be encoded.",
         _ACCEPTED, _READ_DIFFERENTLY),
    Rule("reserved-characters-forbidden", "allowReserved", "Reserved characters must be encoded now.", _DIFFERS,
         _FEWER),
    _widening("empty-value-permitted", "allowEmptyValue", "The parameter may be empty."),
    _narrowing("empty-value-forbidden", "allowEmptyValue", "The parameter may no longer be empty."),
    Rule("request-body-added", "requestBody", "A request body was added.", _ACCEPTED, _UNKNOWN),
    Rule("required-request-body-added", "requestBody", "A required request body was added.",
         _breaks("Calls without a body are rejected."), _UNKNOWN),
    Rule("request-body-removed", "requestBody", "The request body was removed.",
         _breaks("A body that is sent is ignored or rejected."), _GONE),
    Rule("request-body-became-required", "required", "The request body became required.",
         _breaks("Calls without a body are rejected."), _ALWAYS),
    Rule("request-body-no-longer-required", "required", "The request body is no longer required.", _ACCEPTED,
         _MAY_BE_MISSING),
    Rule("media-type-added", "content", "The media type `{name}` was added.", _ACCEPTED,
         _safe("Apps that request the others get them.")),
    Rule("media-type-removed", "content", "The media type `{name}` was removed.",
         _breaks("Apps that send this media type fail."), _breaks("Apps that expect this media type fail.")),
    Rule("media-type-widened", "content", "The media type was widened from `{old}` to `{new}`.", _ACCEPTED,
         _breaks("Other media types may come.")),
    Rule("media-type-narrowed", "content", "The media type was narrowed from `{old}` to `{new}`.", _REJECTED, _FEWER),
    Rule("content-removed", "content", "The body was removed.",
         _breaks("A body that is sent is ignored or rejected."), _breaks("There is no longer a body to read.")),
    Rule("content-added", "content", "A body was added.", _ACCEPTED, _SPECIFIED),
    _widening("encoding-widened", "encoding", "The media types of `{name}` were widened from {old} to {new}."),
    _narrowing("encoding-narrowed", "encoding", "The media types of `{name}` were narrowed from {old} to {new}."),
    Rule("encoding-changed", "encoding", "The encoding of `{name}` {change}.", _DIFFERS, _READ_DIFFERENTLY),
    Rule("success-response-added", "responses", "The response {name} was added.", _safe("The others still count."),
         _safe("A client takes any 2xx for a success (RFC 9110, 15.3).")),
    Rule("success-response-removed", "responses", "The response {name} was removed.",
         _breaks("An app that sends it fails."), _breaks("Apps do not expect the response that comes instead.")),
    Rule("success-response-widened", "responses", "The response {old} became {new}.", _ACCEPTED,
         _safe("A client takes any 2xx for a success (RFC 9110, 15.3).")),
    Rule("success-response-narrowed", "responses", "The response {old} became {new}.",
         _breaks("An app that sends another status of the range fails."), _FEWER),
    Rule("error-response-added", "responses", "The response {name} was added.", _ACCEPTED,
         _safe("Any call may fail; now the error is documented.")),
    Rule("error-response-removed", "responses", "The response {name} was removed.",
         _safe("The service treats any other status as an error."),
         _safe("Code that handles it is not reached, or is reached as before.")),
    Rule("response-header-added", "headers", "The header `{name}` was added.", _ACCEPTED, _UNKNOWN),
    Rule("required-response-header-added", "headers", "The required header `{name}` was added.",
         _breaks("Responses without it are rejected."), _UNKNOWN, newly_required=True),
    Rule("response-header-removed", "headers", "The header `{name}` was removed.",
         _breaks("A value that is sent there is ignored."), _GONE),
    Rule("response-header-became-required", "required", "The header `{name}` became required.",
         _breaks("Responses without it are rejected."), _ALWAYS, newly_required=True),
    Rule("response-header-no-longer-required", "required", "The header `{name}` is no longer required.", _ACCEPTED,
         _MAY_BE_MISSING),
)

_ACCESS_ROWS = (
    Rule("security-added", "security", "Authentication became required: {new}.",
         _breaks("Calls without credentials are rejected."), _SPECIFIED),
    Rule("security-removed", "security", "Authentication is no longer required.", _ACCEPTED, _SPECIFIED),
    Rule("security-alternative-added", "security", "{name} was added as a way to authenticate.", _ACCEPTED,
         _SPECIFIED),
    Rule("security-alternative-removed", "security", "{name} was removed as a way to authenticate.", _NO_LONGER_SEEN,
         _breaks("Deliveries are authenticated otherwise.")),
    Rule("security-alternative-relaxed", "security", "{old} was reduced to {new}.", _ACCEPTED, _SPECIFIED),
    Rule("security-scheme-changed", "securitySchemes", "`{name}` of the security scheme {change}.",
         _breaks("Credentials as they are sent today are not read."), _breaks("Credentials come in another form.")),
    Rule("oauth-flow-added", "flows", "The flow {name} was added.", _ACCEPTED, _SPECIFIED),
    Rule("oauth-flow-removed", "flows", "The flow {name} was removed.", _breaks("Apps that get tokens by it fail."),
         _breaks("Apps that get tokens by it fail.")),
    Rule("oauth-url-changed", "flows", "`{name}` {change}.", _breaks("Apps get their tokens at the old URL."),
         _breaks("Apps get their tokens at the old URL.")),
    Rule("oauth-scope-added", "scopes", "The scope {name} was added.", _ACCEPTED, _SPECIFIED),
    Rule("oauth-scope-removed", "scopes", "The scope {name} was removed.", _breaks("Apps that request it fail."),
         _breaks("Apps that request it fail.")),
    Rule("server-added", "servers", "Server {name} was added.", _REMAIN, _REMAIN),
    Rule("server-removed", "servers", "Server {name} was removed.", _OTHER_SERVER, _OTHER_SERVER),
    Rule("first-server-changed", "servers", "The first server is {new} now.", _FIRST_SERVER, _FIRST_SERVER),
    Rule("base-path-moved", "servers", "The servers' path changed from {old} to {new}, and the path keys with it.",
         _SAME_URLS, _SAME_URLS),
    Rule("server-variable-value-added", "variables", "The variable {name} has the new value {new}.", _REMAIN,
         _REMAIN),
    Rule("server-variable-value-removed", "variables", "The variable {name} lost the value {old}.", _OTHER_SERVER,
         _OTHER_SERVER),
    Rule("server-variable-default-changed", "variables", "The default of the variable {name} {change}.",
         _safe("The old value is still valid."), _safe("The old value is still valid.")),
    Rule("component-added", "components", "The {name} was added.", _UNUSED, _UNUSED),
    Rule("component-removed", "components", "The {name} was removed.", _UNUSED, _UNUSED),
    Rule("component-changed", "components", "The {name} changed.", _UNUSED, _UNUSED),
)

_TEXT_ROWS = (
    Rule("text-added", "description, title, …", "`{name}` was added.", _NEVER_SENT, _NEVER_SENT),
    Rule("text-removed", "description, title, …", "`{name}` was removed.", _NEVER_SENT, _NEVER_SENT),
    Rule("text-changed", "description, title, …", "`{name}` changed.", _NEVER_SENT, _NEVER_SENT),
    Rule("example-added", "example", "`{name}` was added.", _EXAMPLE, _EXAMPLE),
    Rule("example-removed", "example", "`{name}` was removed.", _EXAMPLE, _EXAMPLE),
    Rule("example-changed", "example", "`{name}` changed.", _EXAMPLE, _EXAMPLE),
    Rule("example-timestamps-changed", "example", "Only timestamps in the example changed.", _REWRITTEN, _REWRITTEN),
)
# fmt: on

RULES: dict[str, Rule] = {
    rule.id: rule
    for rule in (*_SCHEMA_ROWS, *_OBJECT_ROWS, *_OPERATION_ROWS, *_MESSAGE_ROWS, *_ACCESS_ROWS, *_TEXT_ROWS)
}
"""All rules by their ids."""
