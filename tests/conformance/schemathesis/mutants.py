"""Mutants of the simulator: one bug each, and the check or test that detects it.

`python -m tests.conformance.schemathesis` runs Schemathesis and all of tests/simulator on each mutant.
"""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    """One bug.

    Attributes:
        bug: What the simulator does wrong, as a verb phrase.
        file: The file, from `contentgroove_mock/simulator`.
        right: The code there, which occurs once.
        wrong: The code that replaces it.
        caught_by: A check of Schemathesis, or a test of `tests/simulator`.
    """

    bug: str
    file: str
    right: str
    wrong: str
    caught_by: str


CAUGHT_BY_SCHEMATHESIS = (
    Mutant(
        "returns 201 for a creation",
        "web/api.py",
        "else json_response(body)",
        "else json_response(body, 201 if request.method == 'POST' else 200)",
        "status_code_conformance",
    ),
    Mutant(
        "omits a field",
        "core/serializers.py",
        '        "external_id": media.external_id,\n',
        "",
        "response_schema_conformance",
    ),
    Mutant(
        "writes no as a word",
        "core/serializers.py",
        '"has_fetch_error": media.stage == "failed"',
        '"has_fetch_error": "yes" if media.stage == "failed" else "no"',
        "response_schema_conformance",
    ),
    Mutant(
        "returns a field that the contract does not have",
        "core/serializers.py",
        '"active": True',
        '"enabled": True, "active": True',
        "response_schema_conformance",
    ),
    Mutant(
        "writes times without a zone",
        "core/serializers.py",
        '.replace("+00:00", "Z")',
        '.replace("+00:00", "")',
        "response_schema_conformance",
    ),
    Mutant(
        "has an internal error for an unknown sort",
        "core/listing.py",
        "    if attribute not in sorts:\n",
        "    if attribute == '':\n",
        "not_a_server_error",
    ),
    Mutant(
        "has an internal error for a deleted item",
        "core/calls.py",
        "if record is None or record.account != call.account.id:",
        "if record.account != call.account.id:",
        "not_a_server_error",
    ),
    Mutant(
        "accepts a name that is not a string",
        "core/inputs.py",
        '        self._add_problem_of(name, "invalid", predicate)\n        return None\n',
        "        return str(value)\n",
        "negative_data_rejection",
    ),
    Mutant(
        "creates a subscription without a URL",
        "core/service.py",
        'fields.web_address("url", required=True)',
        'fields.web_address("url") or "https://receiver.example/hook"',
        "negative_data_rejection",
    ),
    Mutant(
        "deletes nothing",
        "core/service.py",
        "        del self.state.subscriptions[subscription.id]\n",
        "",
        "use_after_free",
    ),
    Mutant(
        "does not store what it created",
        "core/service.py",
        "        self.state.subscriptions[subscription.id] = subscription\n",
        "",
        "ensure_resource_availability",
    ),
    Mutant(
        "declares its JSON as text",
        "web/responses.py",
        'headers, "application/json")',
        'headers, "text/plain")',
        "content_type_conformance",
    ),
    Mutant(
        "accepts any key",
        "web/api.py",
        "if not key or not service.keys.accepts(account_id(key)):",
        "if not key:",
        "ignored_auth",
    ),
    Mutant(
        "writes errors in another form",
        "core/errors.py",
        '[{"detail": None, "source": None, "status": "404", "title": "Not Found"}]',
        '[{"message": "Not Found"}]',
        "response_schema_conformance",
    ),
    Mutant(
        "returns 404 for a wrong method",
        "core/errors.py",
        "ErrorResponse(405, errors",
        "ErrorResponse(404, errors",
        "unsupported_method",
    ),
    Mutant(
        "does not list the allowed methods",
        "core/errors.py",
        '{"Allow": ", ".join(allowed)}',
        "{}",
        "unsupported_method",
    ),
    Mutant(
        "names a field of webhooks wrongly",
        "core/serializers.py",
        'data["transcription"] = {"data": link}',
        'data["transcript"] = {"data": link}',
        "webhook",
    ),
    Mutant(
        "writes a webhook's times as numbers",
        "core/serializers.py",
        "attributes[name] = _numeric_string(attributes[name])",
        "attributes[name] = [attributes[name]]",
        "webhook",
    ),
)

CAUGHT_BY_TESTS = (
    Mutant(
        "creates a media without a source",
        "core/service.py",
        'if ("source_url" in fields) == ("upload_id" in fields):',
        'if "source_url" in fields and "upload_id" in fields:',
        "test_medias.py::test_wrong_values_are_rejected_and_create_nothing[attributes0-wrong0]",
    ),
    Mutant(
        "has an internal error for a filter's value of the wrong kind",
        "core/filtering.py",
        "value = read_number(text)",
        "value = float(text)",
        "test_lists.py::test_unknown_query_parameters_are_rejected[filter[source_file_duration_gt]=long]",
    ),
    Mutant(
        "ignores unknown filters",
        "core/filtering.py",
        "            if policy.refuses_wrong_values:",
        "            if policy.refuses_wrong_values and name != 'colour_eq':",
        "test_lists.py::test_unknown_query_parameters_are_rejected[filter[colour_eq]=red]",
    ),
    Mutant(
        "ignores the size of a page",
        "core/listing.py",
        "selected[begin : begin + self.size]",
        "selected[begin:]",
        "test_lists.py::test_page_has_25_items_by_default",
    ),
    Mutant(
        "does not link to the next page",
        "core/listing.py",
        "page(number + 1) if number < last else None",
        "None",
        "test_lists.py::test_pages_link_to_each_other",
    ),
    Mutant(
        "sorts in descending order with and without a minus",
        "core/listing.py",
        "reverse=self.descending",
        "reverse=True",
        "test_lists.py::test_sort[/medias-created_at-aBg-]",
    ),
    Mutant(
        "does not count equal as less or equal",
        "../contract/matchers.py",
        '"lteq": operator.le',
        '"lteq": operator.lt',
        "test_lists.py::test_filter[name_lteq=alpha-aB-]",
    ),
    Mutant(
        "lists what other accounts own",
        "core/calls.py",
        "for record in records.values() if record.account == call.account.id]",
        "for record in records.values()]",
        "test_requests.py::test_accounts_see_only_their_own",
    ),
    Mutant(
        "reports a new media as processed",
        "core/serializers.py",
        '"queued": None',
        '"queued": False',
        "test_medias.py::test_new_media_is_as_documented",
    ),
    Mutant(
        "deletes a media and keeps its clips",
        "core/service.py",
        "for clip_id in media.clip_ids:",
        "for clip_id in []:",
        "test_medias.py::test_delete_also_deletes_the_clips",
    ),
    Mutant(
        "creates two medias of one upload",
        "core/service.py",
        "upload.used = True",
        "upload.used = False",
        "test_medias.py::test_upload_makes_one_media_only",
    ),
    Mutant(
        "never counts a quota",
        "core/accounts.py",
        'setattr(account, f"{kind}_made", made + 1)',
        'setattr(account, f"{kind}_made", made)',
        "test_limits.py::test_quota_of_medias_is_402",
    ),
    Mutant(
        "never starts the next window",
        "core/accounts.py",
        "now >= account.window_began + window",
        "now < account.window_began",
        "test_limits.py::test_rate_is_limited_by_window",
    ),
    Mutant(
        "counts any 2xx as delivered",
        "core/deliveries.py",
        "if attempt.status == _DELIVERED:",
        "if attempt.status and attempt.status // 100 == 2:",
        "test_webhooks.py::test_only_200_counts_as_delivered[204]",
    ),
    Mutant(
        "stores uploads that carry a key",
        "core/uploads.py",
        "    _reject_second_credential(request)\n",
        "",
        "test_uploads.py::test_store_rejects_what_s3_rejects[headers1--400-InvalidArgument]",
    ),
    Mutant(
        "logs keys",
        "context.py",
        "_REDACTED if name in _SECRET_HEADERS else value",
        "value",
        "test_requests.py::test_requests_are_logged_without_credentials",
    ),
)
