"""Checks of prepared uploads, of the store that takes their files, and of what becomes of an `upload_id`."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from contentgroove._core.secret import Secret

from .checks import Finding, NotTriedError, Probe, attribute, check, described, is_refusal, judge
from .creations import UNREACHABLE
from .exchanges import Exchange, member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .creations import Upload

_OK = 200
_FORBIDDEN = 403
_WEEK = 604_800
_SIGNATURE = re.compile(r"signature=[^&]+", re.IGNORECASE)
_CONTENT = b"A few bytes of no media."


def _query(upload: Upload) -> dict[str, str]:
    return {name.lower(): value for name, value in parse_qsl(urlsplit(upload.url.reveal()).query)}


def _first(probe: Probe) -> Upload:
    upload = probe.created.upload
    return probe.created.prepare() if upload is None else upload


@check("upload-each-new")
def upload_each_new(probe: Probe) -> Finding:
    """Prepare two uploads."""
    one, other = probe.created.prepare(), probe.created.prepare()
    holds = one.upload_id != other.upload_id and one.url != other.url
    seen = "Two calls returned two uploads." if holds else "Two calls returned the same upload_id or URL."
    return judge(holds, seen, one.prepared, other.prepared)


@check("upload-url-s3")
def upload_url_s3(probe: Probe) -> Finding:
    """Read the parameters of an upload's URL."""
    upload = _first(probe)
    names = {"x-amz-algorithm", "x-amz-date", "x-amz-expires", "x-amz-signature"}
    holds = names <= _query(upload).keys()
    return judge(holds, f"The URL {'has' if holds else 'lacks'} the parameters of AWS.", upload.prepared)


@check("upload-url-week")
def upload_url_week(probe: Probe) -> Finding:
    """Read how long an upload's URL is valid."""
    upload = _first(probe)
    seconds = _query(upload).get("x-amz-expires")
    if seconds is None:
        raise NotTriedError("The URL does not say how long it is valid.")
    return judge(seconds == str(_WEEK), f"X-Amz-Expires is {seconds[:20]}.", upload.prepared)


@check("put-without-type")
def put_without_type(probe: Probe) -> Finding:
    """Look at the PUT of the run's file, first sent without a Content-Type."""
    refusal = probe.created.put_refusal
    stored = refusal or probe.created.require(probe.created.upload and probe.created.upload.stored)
    return judge(refusal is None, f"A PUT without Content-Type returned {stored.status}.", stored)


@check("put-empty-response")
def put_empty_response(probe: Probe) -> Finding:
    """Look at the response to the PUT of the run's file."""
    stored = probe.created.require(probe.created.upload and probe.created.upload.stored)
    holds = stored.status == _OK and not stored.content
    return judge(holds, f"The store returned {stored.status} with {len(stored.content)} bytes.", stored)


def _put_refused(probe: Probe, content: bytes | Iterator[bytes], headers: dict[str, str]) -> Exchange:
    """PUT a file in a way that may be refused; raises a `NotTriedError` if the URL then takes no plain PUT either."""
    upload = probe.created.prepare()
    exchange = probe.caller.put_file(upload.url, content, headers)
    if not exchange.succeeded and not probe.created.put(upload.url, _CONTENT).succeeded:
        raise NotTriedError("The store refuses a plain PUT as well, so the reason is another.")
    return exchange


@check("put-type-taken")
def put_type_taken(probe: Probe) -> Finding:
    """PUT a file with a Content-Type."""
    if probe.created.put_refusal is not None:
        raise NotTriedError("The store takes a file only with a Content-Type.")
    exchange = _put_refused(probe, _CONTENT, {"Content-Type": "text/plain"})
    return judge(exchange.succeeded, f"A PUT with a Content-Type returned {exchange.status}.", exchange)


@check("put-header-refused")
def put_header_refused(probe: Probe) -> Finding:
    """PUT a file with a header of AWS, and with its right Content-MD5."""
    digest = base64.b64encode(hashlib.md5(_CONTENT, usedforsecurity=False).digest()).decode()
    named = _put_refused(probe, _CONTENT, {"x-amz-meta-check": "contentgroove"})
    hashed = _put_refused(probe, _CONTENT, {"Content-MD5": digest})
    holds = named.status == hashed.status == _FORBIDDEN
    return judge(holds, f"PUTs with these headers returned {named.status} and {hashed.status}.", named, hashed)


@check("put-other-method-refused")
def put_other_method_refused(probe: Probe) -> Finding:
    """GET the URL of a stored file."""
    exchange = probe.caller.get_file(probe.created.send(_CONTENT).url)
    return judge(exchange.status == _FORBIDDEN, f"A GET of an upload's URL returned {exchange.status}.", exchange)


@check("put-repeat-overwrites")
def put_repeat_overwrites(probe: Probe) -> Finding:
    """PUT a second file to the URL of one that no media uses."""
    upload = probe.created.send(_CONTENT)
    again = probe.created.put(upload.url, _CONTENT)
    return judge(again.succeeded, f"A second PUT to the same URL returned {again.status}.", again)


@check("put-etag")
def put_etag(probe: Probe) -> Finding:
    """PUT a file and read the ETag."""
    stored = probe.created.require(probe.created.send(_CONTENT).stored)
    expected = f'"{hashlib.md5(_CONTENT, usedforsecurity=False).hexdigest()}"'
    holds = stored.headers.get("etag") == expected
    return judge(holds, f"The ETag is {'the' if holds else 'not the'} MD5 digest of the file.", stored)


@check("store-request-ids")
def store_request_ids(probe: Probe) -> Finding:
    """PUT a file and read the id of the request."""
    stored = probe.created.require(probe.created.send(_CONTENT).stored)
    holds = bool(stored.headers.get("x-amz-request-id"))
    return judge(holds, f"The store's response {'names' if holds else 'does not name'} the request.", stored)


@check("put-chunked-refused")
def put_chunked_refused(probe: Probe) -> Finding:
    """PUT a file without its length."""
    exchange = _put_refused(probe, iter([_CONTENT]), {})
    return judge(not exchange.succeeded, f"A chunked PUT returned {exchange.status}.", exchange)


@check("put-key-refused")
def put_key_refused(probe: Probe) -> Finding:
    """PUT a file with something that looks like a key, but is not the key."""
    exchange = _put_refused(probe, _CONTENT, {"Authorization": "Bearer not-a-key"})
    return judge(not exchange.succeeded, f"A PUT with an Authorization header returned {exchange.status}.", exchange)


def _forged(probe: Probe) -> Exchange:
    text = probe.created.prepare().url
    return probe.caller.put_file(Secret(_with_other_end(text.reveal())), _CONTENT)


def _with_other_end(url: str) -> str:
    """Return a URL with another last character of its signature, or of the whole if it has none."""
    found = _SIGNATURE.search(url)
    end = found.end() if found else len(url)
    return f"{url[: end - 1]}{'1' if url[end - 1] == '0' else '0'}{url[end:]}"


@check("put-signature-checked")
def put_signature_checked(probe: Probe) -> Finding:
    """PUT a file to a URL whose last character is another."""
    exchange = _forged(probe)
    return judge(exchange.status == _FORBIDDEN, f"A PUT to a changed URL returned {exchange.status}.", exchange)


@check("store-errors-xml")
def store_errors_xml(probe: Probe) -> Finding:
    """Read the error of a PUT to a changed URL."""
    exchange = _forged(probe)
    if exchange.succeeded:
        raise NotTriedError("The store accepted a changed URL, so there is no error to read.")
    holds = b"<Error>" in exchange.content and b"<Code>" in exchange.content
    return judge(holds, f"The store's error is {exchange.headers.get('content-type', 'of no type')}.", exchange)


def _create(probe: Probe, **attributes: str) -> Exchange:
    """Create a media with other attributes; that of the run shows that the service creates one if they are right."""
    probe.created.require(probe.created.created)
    return probe.created.create("/medias", probe.created.named() | attributes)


@check("upload-id-once")
def upload_id_once(probe: Probe) -> Finding:
    """Create a second media of an upload."""
    exchange = _create(probe, upload_id=_first(probe).upload_id)
    return judge(is_refusal(exchange), f"{described(exchange)} for a used upload_id.", exchange)


@check("upload-id-unknown-refused")
def upload_id_unknown_refused(probe: Probe) -> Finding:
    """Create a media of an upload that was never prepared."""
    exchange = _create(probe, upload_id="contentgroove-doctor")
    return judge(is_refusal(exchange), f"{described(exchange)} for an unknown upload_id.", exchange)


@check("upload-id-without-file-refused")
def upload_id_without_file_refused(probe: Probe) -> Finding:
    """Create a media of an upload whose file was not sent."""
    exchange = _create(probe, upload_id=probe.created.prepare().upload_id)
    return judge(is_refusal(exchange), f"{described(exchange)} for an upload without a file.", exchange)


@check("one-source")
def one_source(probe: Probe) -> Finding:
    """Create a media without a file, and one with two."""
    neither = _create(probe)
    # With an upload that could be used, so that it is not the upload that is refused.
    both = _create(probe, upload_id=probe.created.send(_CONTENT).upload_id, source_url=UNREACHABLE)
    holds = is_refusal(neither) and is_refusal(both)
    return judge(holds, f"POST /medias returned {neither.status} and {both.status}.", neither, both)


@check("upload-has-no-source-url")
def upload_has_no_source_url(probe: Probe) -> Finding:
    """Read the source_url of the uploaded media."""
    exchange = probe.created.require(probe.created.created)
    found = attribute(exchange.data, "source_url")
    return judge(found is None, f"source_url is {'null' if found is None else 'set'}.", exchange)


@check("upload-has-no-links")
def upload_has_no_links(probe: Probe) -> Finding:
    """Look for links in a prepared upload."""
    exchange = _first(probe).prepared
    found = member(exchange.json, "links")
    return judge(found is None, f"It has {'no' if found is None else 'a member'} links.", exchange)
