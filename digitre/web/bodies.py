"""The body of a request: unpacked, and taken apart if it is an upload."""

from __future__ import annotations

import gc
import json
import re
import zlib
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    State,
)

# Of an upload: each part and each header costs time, however small it is.
MAX_PARTS = 1000
MAX_HEADERS = 256 * 1024  # bytes, of all parts together
_CHUNK = 64 * 1024  # bytes

# The window sizes of zlib to try. Clients that say deflate send it with zlib's header or without.
_WINDOWS = {"gzip": (31,), "x-gzip": (31,), "deflate": (15, -15)}
_UNREADABLE = ("br", "compress", "x-compress", "dcb", "dcz", "zstd")
_GZIP = b"\x1f\x8b"

# An upload begins with its boundary, so it is recognised without a Content-Type, too.
_UPLOAD = re.compile(rb"\s*--([^\r\n]{1,200})\r?\nContent-[A-Za-z-]+:", re.IGNORECASE)

# Text in two bytes per character begins with a byte order mark, or every other byte is zero.
_WIDE = re.compile(rb"(?P<le>\xff\xfe|(?:[\t\n\r -~]\0){2})|\xfe\xff|(?:\0[\t\n\r -~]){2}")


MAX_VALUES = 100_000  # in JSON; a picture is one value, or 784 grey ones


class RequestError(ValueError):
    """A request without a picture, or with another fault. `code` is one of `errors.KINDS`; the
    message says what to send instead.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Part(NamedTuple):
    """A part of an upload."""

    name: str  # of its field; empty if it has none
    is_file: bool  # whether it has a file name
    content: bytes


def body_of(request: Request) -> bytes:
    """The whole body of a request, unpacked if its Content-Encoding is gzip or deflate.

    Raises:
        RequestEntityTooLarge: if it is over the limit, packed or unpacked.
        RequestError: `unsupported_encoding`; or `bad_request` if it cannot be unpacked.
    """
    # Read it before anything parses it as a form: that would consume it.
    body = request.get_data(cache=False)
    limit = request.max_content_length
    if len(body) == limit and request.content_length is None:
        raise RequestEntityTooLarge  # a chunked body that Werkzeug silently truncated at the limit
    coding = request.headers.get("Content-Encoding", "").strip().lower()
    return _unpacked(body, coding, limit) if coding else body


def _unpacked(body: bytes, coding: str, limit: int | None) -> bytes:
    """A packed body, unpacked to at most `limit` bytes."""
    if coding in _UNREADABLE or "," in coding:
        raise RequestError(
            "unsupported_encoding", "Send the body as it is, or with one Content-Encoding: gzip."
        )
    # Not packed at all, whatever it says: clients send "gzip" or even "utf-8" by mistake.
    if coding not in _WINDOWS or ("gzip" in coding and not body.startswith(_GZIP)):
        return body
    for window in _WINDOWS[coding]:
        unpacker = zlib.decompressobj(window)
        try:
            content = unpacker.decompress(body, 0 if limit is None else limit + 1)
        except zlib.error:
            continue
        if limit is not None and len(content) > limit:
            raise RequestEntityTooLarge
        if unpacker.eof and not unpacker.unused_data:
            return content
    if coding == "deflate":
        return body
    raise RequestError("bad_request", "The body is damaged: it does not unpack as gzip.")


def as_text(body: bytes) -> str:
    """A body as text: UTF-8, or UTF-16 as PowerShell and .NET write it. Raises UnicodeDecodeError."""
    wide = _WIDE.match(body)
    if wide is None:
        return body.decode("utf-8-sig")
    if b"\0" not in body[:8]:  # curl -d @file drops the zeros, but not the byte order mark
        return body[2:].decode()
    return body.decode("utf-16-le" if wide["le"] else "utf-16-be").removeprefix("\ufeff")


def is_json(text: str) -> bool:
    """Whether a text begins as an object, a list or a string of JSON does."""
    return text.lstrip()[:1] in ("{", "[", '"')


def check_values(text: str | bytes, most: int = MAX_VALUES) -> None:
    """Raise RequestError, `too_many`, if JSON may have more values than this: each takes time and memory."""
    if (text.count(",") if isinstance(text, str) else text.count(b",")) > most:
        raise RequestError("too_many", f"The JSON has over {most:,} values: send fewer.")


def load_json(text: str | bytes) -> Any:
    """What `json.loads` returns, in a fraction of the time. Raises ValueError and RecursionError as that does.

    orjson refuses what is not strictly JSON, such as NaN; Python then decides. Python would also search millions of
    short lists for garbage again and again while it makes them.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        try:
            return orjson.loads(text)
        except ValueError:
            return json.loads(text)
    finally:
        if was_enabled:
            gc.enable()


def boundary_of(body: bytes, request: Request | None) -> bytes | None:
    """The boundary of an upload; empty if the request says that it is an upload, and it is none;
    None if it does not.
    """
    if found := _UPLOAD.match(body):
        return found[1].rstrip()
    if request is None or request.mimetype != "multipart/form-data":
        return None
    return request.mimetype_params.get("boundary", "").encode("latin-1", "replace")


def parts_of(body: bytes, boundary: bytes) -> Iterator[Part]:
    """The parts of an upload.

    Werkzeug's request decodes each part without a file name as text, which destroys a picture; and it
    writes large files to a disk, which may be full.

    Raises:
        ValueError: if the body is not a valid upload, or cut off.
        RequestEntityTooLarge: if it has too many parts.
    """
    name, is_file, content = "", False, bytearray()
    for event in _events(body, boundary):
        if isinstance(event, Field | File):
            name, is_file, content = event.name or "", isinstance(event, File), bytearray()
        elif isinstance(event, Data):
            content += event.data
            if not event.more_data:
                yield Part(name, is_file, bytes(content))


def _events(body: bytes, boundary: bytes) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary, max_parts=MAX_PARTS)
    headers = 0  # bytes
    for start in range(0, len(body) + _CHUNK, _CHUNK):
        decoder.receive_data(body[start : start + _CHUNK] or None)
        left = len(decoder.buffer)
        while not isinstance(event := decoder.next_event(), NeedData | Epilogue):
            if isinstance(event, Field | File):
                headers += left - len(decoder.buffer)
            yield event
            left = len(decoder.buffer)
        if headers + (left if decoder.state is State.PART else 0) > MAX_HEADERS:
            raise ValueError("the headers are too long")
