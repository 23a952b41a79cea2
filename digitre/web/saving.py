"""Save a labelled drawing, only when the user asks for it, and delete it again.

What is stored: the re-encoded pixels, the strokes, the label, what the network read, the time, and a
random name that the page chose for its browser. No address, no cookie, no name of a person. How many
drawings an address saves today is counted under a hash: see `digitre.drawings.quotas`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np
from flask import Blueprint, Flask, Response, current_app, jsonify, request
from PIL import Image

from digitre import config
from digitre.drawings.drawing import Drawing, Filter
from digitre.recognition import preprocessing
from digitre.recognition.classifier import NO_DIGIT
from digitre.recognition.decoding import to_image
from digitre.web import errors, monitoring, receipts
from digitre.web.address import client_address
from digitre.web.bodies import RequestError, body_of
from digitre.web.state import state, state_of
from digitre.web.strokes import check_strokes

if TYPE_CHECKING:
    from digitre.drawings.collection import Drawings

blueprint = Blueprint("saving", __name__)

SIDE = 400  # the longer side of a stored picture has at most this many pixels
_WRITER = re.compile(r"[A-Za-z0-9_-]{1,64}")
RETRY = {"Retry-After": "30"}  # seconds
UNAVAILABLE = "Cannot open the drawings database: %s"


def register(app: Flask) -> None:
    """Add the routes, if saving is on."""
    if app.config["SAVING"]:
        app.register_blueprint(blueprint)
        state_of(app).checks["database"] = why_not_saving


@blueprint.post("/_save_drawing")
def save_drawing() -> Response | tuple[Response, int]:
    """Store a drawing: 201 once it is on the disk, 200 if it was there already."""
    from digitre.drawings import collection  # SQLAlchemy: only a process that saves loads it

    if _is_cross_site():
        return _error("cross_site", "Only this server's own pages, and scripts, can save drawings.")
    drawing = _drawing_in(_json())
    settings = current_app.config
    limits = collection.Limits(
        settings["SAVES_A_DAY"],
        settings["MAX_DRAWINGS"],
        settings["MAX_DRAWINGS_BYTES"],
        settings["SAVES_A_DAY_PER_ADDRESS"],
    )
    try:
        drawing = replace(drawing, held_out=receipts.is_held_out(drawing.writer))
        receipt = receipts.sign(drawing.id, drawing.writer)
        is_new = _collection().save(drawing, limits, client_address(request.environ, current_app))
    except collection.ShareError:
        return _error("too_many_drawings", "Too many of your drawings are waiting for a review.")
    except collection.TooManyError:
        return _error("too_many_drawings", "You have saved enough for today. Save more tomorrow.")
    except collection.FullError:
        return _error("storage_full", "This server cannot store any more drawings.")
    except (collection.UnavailableError, OSError) as error:
        return _unavailable(error, "Drawings cannot be saved right now. Try again later.")
    if is_new:
        monitoring.count_saved()
    return jsonify(id=drawing.id, receipt=receipt), 201 if is_new else 200


@blueprint.delete("/_save_drawing/<id>")
def delete_drawing(id: str) -> Response | tuple[str, int]:
    """Delete a drawing for good: 204, if the receipt in the body is this drawing's."""
    from digitre.drawings import collection

    if _is_cross_site():
        return _error(
            "cross_site", "Only this server's own pages, and scripts, can delete drawings."
        )
    receipt = _json().get("receipt")
    not_found = errors.error_response(
        "not_found", "There is no such drawing, or the receipt is for another drawing."
    )
    if not isinstance(receipt, str) or not re.fullmatch("[0-9a-f]{32}", id):
        return not_found
    try:
        drawing = _collection().find(id)
        if drawing is None or not receipts.is_valid(receipt, id, drawing.writer):
            return not_found
        return ("", 204) if _collection().delete(Filter(ids=[id])) else not_found
    except (collection.UnavailableError, OSError) as error:
        return _unavailable(error, "Drawings cannot be deleted right now. Try again later.")


def why_not_saving() -> str:
    """Why no drawing can be saved now, for /readyz; empty if one can."""
    from digitre.drawings import collection

    try:
        _collection().database.check_room()
    except OSError as error:
        return f"drawings cannot be saved: {error.strerror}"
    try:
        _collection().check()
    except (collection.UnavailableError, OSError) as error:
        current_app.logger.warning(UNAVAILABLE, error)
        return "it does not answer"
    return ""


def _is_cross_site() -> bool:
    """Whether a page of another origin sends this request, and DIGITRE_CORS_ORIGINS lacks its origin.

    A browser sends a request that looks like a form's without asking first. The CORS headers of the
    answer would come too late.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site == "same-origin" or not origin:
        return site == "cross-site"
    allowed: list[str] = current_app.config["CORS_ORIGINS"] or []
    if "*" in allowed or origin in allowed:
        return False
    try:  # compare names only: a proxy in front may listen on another port
        return urlsplit(origin).hostname != urlsplit(f"//{request.host}").hostname
    except ValueError:
        return True


def _error(code: str, message: str) -> Response:
    response = errors.error_response(code, message)
    if response.status_code == 503:
        response.headers.extend(RETRY)
    return response


def _unavailable(error: Exception, message: str) -> Response:
    """Ask the client to try later. The log tells the operator why."""
    current_app.logger.warning(UNAVAILABLE, error)
    return _error("storage_unavailable", message)


def _drawing_in(body: dict[str, Any]) -> Drawing:
    """The drawing that a request wants to save, read by the network.

    Raises:
        RequestError: for a bad label, bad strokes, a bad writer, or a missing or blank picture.
        PictureError: if the picture cannot be decoded.
    """
    label = _label(body.get("label"))
    strokes = check_strokes(body.get("strokes"))
    writer = _writer(body.get("writer"))
    digit = body.get("digit")
    if not isinstance(digit, str) or not digit.strip():
        raise RequestError("no_picture", 'No drawing in the JSON: send "digit" as a data URL.')
    image = to_image(digit)  # once: it is what costs most
    ink = preprocessing.find_ink(image)
    reading = state().classifier.read_content(image)
    if reading.reason == "blank":
        raise RequestError("blank_drawing", "The drawing is blank, so there is nothing to save.")
    return Drawing.new(label, writer, _png(ink), strokes, reading)


def _json() -> dict[str, Any]:
    request.max_content_length = current_app.config["MAX_SAVED_LENGTH"]
    try:
        body = json.loads(body_of(request))
    except (ValueError, RecursionError):
        raise RequestError("malformed_json", "The body must be a JSON object.") from None
    if not isinstance(body, dict):
        raise RequestError("malformed_json", "The body must be a JSON object.")
    return body


def _label(label: Any) -> int:
    text = str(label) if isinstance(label, (int, str)) and not isinstance(label, bool) else ""
    if text == "none":
        return NO_DIGIT
    if re.fullmatch("[0-9]", text):
        return int(text)
    raise RequestError("bad_label", 'Send a label: a digit from 0 to 9, or "none".')


def _writer(writer: Any) -> str:
    if writer is None:
        return ""
    if not isinstance(writer, str) or not _WRITER.fullmatch(writer):
        raise RequestError(
            "bad_writer", "A writer has 1 to 64 letters, digits, hyphens and underscores."
        )
    return writer


def _png(ink: np.ndarray) -> bytes:
    """Encode ink ((height, width) uint8, bright) as a PNG, dark on white, at most `SIDE` pixels wide
    and high.
    """
    picture = Image.fromarray(255 - ink)
    if max(picture.size) > SIDE:
        picture.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    return preprocessing.to_png(np.asarray(picture))


def _collection() -> Drawings:
    """The saved drawings of this application; their database is opened at first use."""
    from digitre.drawings.collection import Drawings
    from digitre.drawings.database import SMALL

    known = state()
    if known.drawings is None:
        known.drawings = Drawings(config.database_url(current_app.config), most=SMALL)
    return known.drawings
