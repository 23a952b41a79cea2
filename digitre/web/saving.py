"""Saving a drawing with what it is: only when somebody says so, and only what is said here.

Stored are the drawing's pixels, encoded anew, its strokes, the label, what the network said, the time
and a random name that the page made up for its browser. No address, no cookie, no name of a person.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import os
import re
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, request
from PIL import Image

from digitre import config
from digitre.recognition import preprocessing
from digitre.recognition.classifier import NO_DIGIT
from digitre.web import errors, monitoring
from digitre.web.requests import RequestError, body_of
from digitre.web.state import state, state_of

if TYPE_CHECKING:
    from digitre.drawings.collection import Drawings

blueprint = Blueprint("saving", __name__)

SIDE = 400  # pixels of the longer side of what is stored, at most
MAX_STROKES, MAX_POINTS = 200, 20_000
LARGEST = 1e9  # of a coordinate, and of a time in milliseconds
_WRITER = re.compile(r"[A-Za-z0-9_-]{1,64}")
RETRY = {"Retry-After": "30"}
UNAVAILABLE = "the drawings' database cannot be used: %s"


def register(app: Flask) -> None:
    """Add the routes, where saving is on."""
    if app.config["SAVING"]:
        app.register_blueprint(blueprint)
        state_of(app).checks["database"] = can_save


@blueprint.post("/_save_drawing")
def save_drawing() -> Response | tuple[Response, int]:
    """Store a drawing: 201 when it is on the disk, 200 when it was already."""
    from digitre.drawings import collection

    if _from_elsewhere():
        return _refused("cross_site", "Only this server's own pages, and scripts, may save here.")
    sent = _json()
    label = _label(sent.get("label"))
    strokes = _strokes(sent.get("strokes"))
    writer = _writer(sent.get("writer"))
    digit = sent.get("digit")
    if not isinstance(digit, str) or not digit.strip():
        raise RequestError("no_picture", 'No drawing in the JSON: send "digit" as a data URL.')
    ink = preprocessing.decode(digit)
    reader = state().classifier
    reading = reader.decide(preprocessing.shape_ink(ink).reshape(1, 28, 28, 1))
    if reading.reason == "blank":
        raise RequestError("blank_drawing", "There is nothing in the drawing to be saved.")
    pixels = _encoded(ink)
    id = collection.identity(writer, label, pixels)
    row = {
        "id": id,
        "label": label,
        "writer": writer,
        "pixels": pixels,
        "strokes": strokes,
        "size": len(pixels) + len(json.dumps(strokes)),
        "read_as": int(np.argmax(reading.probabilities)),
        "confidence": reading.confidence,
        "not_a_digit": reading.not_a_digit,
        "model": reading.model,
    }
    settings = current_app.config
    limits = collection.Limits(
        settings["SAVES_A_DAY"], settings["MAX_DRAWINGS"], settings["MAX_DRAWINGS_BYTES"]
    )
    try:
        receipt = _receipt(id, writer)
        new = _collection().save(row, limits)
    except collection.TooManyError:
        return _refused("too_many_drawings", "That is enough for today: save more tomorrow.")
    except collection.FullError:
        return _refused("storage_full", "No more drawings can be stored here.")
    except (collection.UnavailableError, OSError) as error:
        return _unavailable(error, "Drawings cannot be saved just now: try later.")
    if new:
        monitoring.count_saved()
    return jsonify(id=id, receipt=receipt), 201 if new else 200


@blueprint.delete("/_save_drawing/<id>")
def delete_drawing(id: str) -> Response | tuple[str, int]:
    """Remove a drawing for good, for whoever has its receipt."""
    from digitre.drawings import collection

    if _from_elsewhere():
        return _refused("cross_site", "Only this server's own pages, and scripts, may delete here.")
    receipt = _json().get("receipt")
    gone = errors.answer("not_found", "There is no such drawing, or the receipt is another's.")
    if not isinstance(receipt, str) or not re.fullmatch("[0-9a-f]{32}", id):
        return gone
    try:
        found = _collection().find(id)
        if found is None or not hmac.compare_digest(
            _receipt(id, found["writer"]).encode(), receipt.encode("utf-8", "replace")
        ):
            return gone
        return ("", 204) if _collection().delete(id) else gone
    except (collection.UnavailableError, OSError) as error:
        return _unavailable(error, "Drawings cannot be deleted just now: try later.")


def can_save() -> bool:
    """Whether the database answers."""
    from digitre.drawings import collection

    try:
        _collection().check()
    except (collection.UnavailableError, OSError) as error:
        current_app.logger.warning(UNAVAILABLE, error)
        return False
    return True


def _from_elsewhere() -> bool:
    """Whether a browser says that a page of another origin asks, which nobody has allowed.

    Such a request needs no leave if it looks like a form's, so the answer's headers are too late.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site == "same-origin" or not origin:
        return site == "cross-site"
    allowed: list[str] = current_app.config["CORS_ORIGINS"] or []
    if "*" in allowed or origin in allowed:
        return False
    try:  # by the name alone: a server before this one may listen at another port
        return urlsplit(origin).hostname != urlsplit(f"//{request.host}").hostname
    except ValueError:
        return True


def _refused(code: str, message: str) -> Response:
    response = errors.answer(code, message)
    if response.status_code == 503:
        response.headers.extend(RETRY)
    return response


def _unavailable(error: Exception, message: str) -> Response:
    """Whoever saves is told to try later, and whoever runs the server why."""
    current_app.logger.warning(UNAVAILABLE, error)
    return _refused("storage_unavailable", message)


def _json() -> dict[str, Any]:
    try:
        sent = json.loads(body_of(request))
    except (ValueError, RecursionError):
        raise RequestError("malformed_json", "The body must be a JSON object.") from None
    if not isinstance(sent, dict):
        raise RequestError("malformed_json", "The body must be a JSON object.")
    return sent


def _label(label: Any) -> int:
    text = str(label) if isinstance(label, (int, str)) and not isinstance(label, bool) else ""
    if text == "none":
        return NO_DIGIT
    if re.fullmatch("[0-9]", text):
        return int(text)
    raise RequestError("bad_label", 'Send a label: a digit from 0 to 9, or "none".')


def _strokes(strokes: Any) -> list[list[list[float]]] | None:
    if strokes is None:
        return None
    wrong = RequestError(
        "bad_strokes",
        f"Strokes are lists of [x, y, milliseconds]: at most {MAX_STROKES}, {MAX_POINTS:,} points.",
    )
    if not isinstance(strokes, list) or not 0 < len(strokes) <= MAX_STROKES:
        raise wrong
    if not all(isinstance(stroke, list) and stroke for stroke in strokes):
        raise wrong
    if sum(map(len, strokes)) > MAX_POINTS:
        raise wrong
    return [[_point(point, wrong) for point in stroke] for stroke in strokes]


def _point(point: Any, wrong: RequestError) -> list[float]:
    if not isinstance(point, list) or len(point) != 3:
        raise wrong
    if not all(type(value) in (int, float) and abs(value) <= LARGEST for value in point):
        raise wrong
    x, y, time = point
    if not all(map(math.isfinite, point)):
        raise wrong
    return [round(x, 2), round(y, 2), round(time)]


def _writer(writer: Any) -> str:
    if writer is None:
        return ""
    if not isinstance(writer, str) or not _WRITER.fullmatch(writer):
        raise RequestError(
            "bad_writer", "A writer is 1 to 64 letters, digits, hyphens and underscores."
        )
    return writer


def _encoded(ink: np.ndarray) -> bytes:
    """The ink as a grey PNG, dark on light, of at most `SIDE` pixels a side."""
    picture = Image.fromarray(255 - ink)
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return preprocessing.to_png(np.asarray(picture))


def _collection() -> Drawings:
    """The drawings' database, opened when something is first saved."""
    from digitre.drawings.collection import Drawings

    known = state()
    if known.drawings is None:
        known.drawings = Drawings(config.database_url(current_app.config))
    return known.drawings


def _receipt(id: str, writer: str) -> str:
    return hmac.new(_secret(), f"{id}\0{writer}".encode(), hashlib.sha256).hexdigest()


def _secret() -> bytes:
    """What receipts are signed with: DIGITRE_SECRET, or a file that the first worker makes."""
    if current_app.config["SECRET"]:
        return current_app.config["SECRET"].encode()
    known = state()
    if known.secret is None:
        file = config.instance_folder(current_app.config) / "secret"
        if not file.exists():
            _make_secret(file)
        found = file.read_bytes()
        if not found:  # anybody could sign
            raise OSError(f"{file} is empty: remove it")
        known.secret = found
    return known.secret


def _make_secret(file: Path) -> None:
    """Write it whole or not at all; of several workers that do, one's is kept."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, new = tempfile.mkstemp(prefix="secret.", dir=file.parent)
    try:
        with open(handle, "w") as written:
            written.write(secrets.token_hex(32))
            written.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            os.link(new, file)
    finally:
        os.unlink(new)
