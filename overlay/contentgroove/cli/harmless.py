"""Text of others, made harmless for a terminal.

Names and texts come from the service, files and callers: none of them may move the cursor, change colours, forge
lines or turn the reading direction of what is printed.
"""

from __future__ import annotations

import re

# C0 and C1 control characters (ANSI escapes begin with one), line and paragraph separators, the controls of
# bidirectional text (Unicode Standard Annex 9), the byte order mark, and halves of surrogate pairs.
_CONTROLS = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_SPACES = re.compile(r"[\t\n\v\f\r\u2028\u2029]+")
# JSON texts have none of these below 0x20: their encoder escapes them.
_IN_JSON = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def single_line(text: str) -> str:
    """Give text in one line: line breaks and tabs become spaces, other controls visible numbers."""
    return _CONTROL.sub(_escape_control, _SPACES.sub(" ", text))


def multi_line(text: str) -> str:
    """Give text with its line breaks and tabs; other controls become visible."""
    return _CONTROL.sub(lambda found: found[0] if found[0] in "\t\n" else _escape_control(found), text)


def safe_json(text: str) -> str:
    """Give a JSON text that means the same and holds no control character of a terminal."""
    return _IN_JSON.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _escape_control(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - what two hex digits hold
