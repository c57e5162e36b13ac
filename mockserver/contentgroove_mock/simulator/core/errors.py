"""The service's error responses, each in the form that the published document has for its status.

400, 405, 422 and 500 are documented without a body, or not at all: they have JSON:API's form (assumed: error-400,
method-405, error-422, error-500). The others have the form of the examples (assumed: error-401, error-404).
"""

from __future__ import annotations

from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]


class ErrorResponse(Exception):  # noqa: N818  # a response, not a programming error
    """An error response, raised to end a request early."""

    def __init__(self, status: int, errors: list[Json], headers: dict[str, str] | None = None) -> None:
        super().__init__(status, errors)
        self.status = status
        self.body: Json = {"errors": errors}
        self.headers = headers or {}


def bad_request(detail: str) -> ErrorResponse:
    """400: the request cannot be understood."""
    return ErrorResponse(400, [{"status": "400", "title": "Bad Request", "detail": detail}])


def unauthorized() -> ErrorResponse:
    """401: the key is missing or not accepted."""
    return ErrorResponse(401, [{"message": "You need to sign in or sign up before continuing."}])


def payment_required(kind: str) -> ErrorResponse:
    """402: the account's quota of `medias` or `clips` is used up. Its body contains "422", as documented."""
    error = {
        "code": "exceeded_quota_count",
        "detail": f"You have exceeded the monthly quota for number of {kind}. Please visit the "
        "Settings / Quota Usage page to see your usage and manage your account.",
        "source": {"pointer": ""},
        "status": "422",
        "title": "Unprocessable Entity",
    }
    return ErrorResponse(402, [error])


def not_found() -> ErrorResponse:
    """404: the account owns nothing with this id."""
    return ErrorResponse(404, [{"detail": None, "source": None, "status": "404", "title": "Not Found"}])


def method_not_allowed(allowed: list[str]) -> ErrorResponse:
    """405: the path does not have this method."""
    errors = [{"status": "405", "title": "Method Not Allowed", "detail": f"Use {' or '.join(allowed)}."}]
    return ErrorResponse(405, errors, {"Allow": ", ".join(allowed)})


def unprocessable(problems: list[tuple[str, str, str]]) -> ErrorResponse:
    """422: values are wrong: for each a JSON pointer, a code such as `blank`, and a sentence."""
    common = {"status": "422", "title": "Unprocessable Entity"}
    errors = [
        {**common, "detail": sentence, "code": code, "source": {"pointer": pointer}}
        for pointer, code, sentence in problems
    ]
    return ErrorResponse(422, errors)


def too_many_requests(retry_after: int) -> ErrorResponse:
    """429: the window's requests are used up, for that many seconds (assumed: retry-after)."""
    detail = "You have exceeded the maximum number of requests in the current window. Please try again later."
    errors = [{"detail": detail, "status": "429", "title": "Too Many Requests"}]
    return ErrorResponse(429, errors, {"Retry-After": str(retry_after)})


def server_error(status: int, detail: str | None = None) -> ErrorResponse:
    """5xx, or another status that has no form of its own."""
    title = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}.get(status, "Error")
    return ErrorResponse(status, [{"status": str(status), "title": title} | ({"detail": detail} if detail else {})])


def of_status(status: int) -> ErrorResponse:
    """Return a response with any status, for a fault: in its documented form, if it has one."""
    match status:
        case 401:
            return unauthorized()
        case 402:
            return payment_required("medias")
        case 404:
            return not_found()
        case 429:
            error = too_many_requests(1)
            # Whether there is a Retry-After is the fault's to say.
            return ErrorResponse(error.status, error.body["errors"])
        case _:
            return server_error(status)
