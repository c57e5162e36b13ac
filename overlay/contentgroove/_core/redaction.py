"""Remove credentials from logs, errors and reprs."""

from __future__ import annotations

import re

REDACTED = "[redacted]"

# Compiled by `re` on first use, and cached there: compiling takes longer than importing the whole package.
# Upload URLs of Amazon S3, Google Cloud Storage (x-goog-) and Azure Blob Storage (sig) are credentials.
_NAMES = r"(?:api_key|x-(?:amz|goog)-[a-z0-9-]+|token|signature|sig|awsaccesskeyid|googleaccessid)"
_CREDENTIAL_PARAMETER = (
    # In a URL; in JSON, whose writers may escape the ampersand; in a URL that is itself a parameter of another.
    rf"(?i)((?:[?&;]|\\u0026){_NAMES}=)(?:(?!\\u0026)[^&#\s'\"])*",
    rf"(?i)((?:%3f|%26){_NAMES}%3d)(?:(?!%26)[^&#\s'\"])*",
)
_USER_INFO = r"(?<=://)[^/@\s]+@"
_SECRET_HEADERS = frozenset({"authorization", "x-api-key", "cookie", "set-cookie", "proxy-authorization"})


def redact_url(url: str) -> str:
    """Replace the values of credential parameters and of user information in a URL, or in text with URLs."""
    redacted = re.sub(_USER_INFO, f"{REDACTED}@", url)
    for parameter in _CREDENTIAL_PARAMETER:
        redacted = re.sub(parameter, rf"\g<1>{REDACTED}", redacted)
    return redacted


def redact_headers(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Replace the values of headers that carry credentials, and credentials in the URLs of others."""
    return [(name, REDACTED if name.lower() in _SECRET_HEADERS else redact_url(value)) for name, value in headers]


def echoed_key_pattern(key: str) -> str:
    """Return a pattern for an API key as a server may echo it: plain, escaped in JSON, or in a URL."""
    return "(?i)" + "".join(
        char if char.isalnum() else rf"(?:\\?{re.escape(char)}|\\u00{ord(char):02x}|%{ord(char):02x})" for char in key
    )
