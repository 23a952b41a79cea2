"""The review page: saved drawings side by side, reviewed by keyboard, on this machine only.

It is a Flask application of its own, apart from the public one. It listens on 127.0.0.1. The terminal
prints an address with a token, which works once. Then a cookie takes its place that scripts cannot
read.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from typing import Any

from flask import (
    Flask,
    Response,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from digitre.drawings.collection import Drawings, UnavailableError
from digitre.drawings.drawing import STATUSES, Drawing, Filter, label_name
from digitre.recognition.classifier import NO_DIGIT, percent
from digitre.web import errors, headers

COOKIE = "digitre_review"
LABELS = {label_name(label): label for label in range(NO_DIGIT + 1)}


def serve(
    collection: Drawings, port: int, filter: Filter, limit: int
) -> tuple[BaseWSGIServer, str]:
    """A server on 127.0.0.1 that is ready to `serve_forever`, and the address to open once."""
    token = secrets.token_urlsafe(24)
    app = create_app(collection, filter, limit, token)
    # Threads: a browser opens connections ahead and leaves them idle.
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet)
    return server, f"http://127.0.0.1:{server.server_port}/?token={token}"


class _Quiet(WSGIRequestHandler):
    """Print no line for each request: the terminal shows the address."""

    timeout = 30  # seconds that a connection may be silent

    def log_request(self, *_: object) -> None:
        pass


def create_app(collection: Drawings, filter: Filter, limit: int, token: str) -> Flask:
    """Make the application: the page, and the request that it sends for each drawing.

    Args:
        collection: the drawings to review.
        filter: chooses some of them.
        limit: how many of them to show at most.
        token: opens the page, once.
    """
    app = Flask(__name__)
    # Another site can give 127.0.0.1 a name of its own: such a request is refused by its Host.
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    app.config["CORS_ORIGINS"] = None
    headers.register(app)
    errors.register(app)
    _require_token(app, token)

    @app.get("/")
    def sheet() -> str:
        items = [_item(*each) for each in collection.for_review(filter, limit)]
        return render_template("review.html", drawings=items, status=filter.status)

    @app.post("/judge")
    def judge() -> Response:
        body = request.get_json(silent=True)
        body = body if isinstance(body, dict) else {}
        id, status, label = body.get("id"), body.get("status"), body.get("label")
        if not isinstance(id, str) or status not in STATUSES or label not in LABELS:
            return errors.error_response("bad_judgement", "Send an id, a status and a label.")
        if not collection.judge(Filter(ids=[id]), status, LABELS[label]):
            return errors.error_response("not_found", "This drawing has been deleted.")
        return jsonify(id=id, status=status, label=label)

    @app.errorhandler(UnavailableError)
    def unavailable(_: UnavailableError) -> Response:
        return errors.error_response("storage_unavailable", "Cannot open the drawings database.")

    return app


def _require_token(app: Flask, token: str) -> None:
    """Answer 403 to every request that has neither the unused token nor the cookie."""
    session = secrets.token_urlsafe(24)
    unused = [token]

    @app.before_request
    def check() -> Any:
        if request.endpoint == "static" or request.routing_exception is not None:
            return None  # Flask raises the exception next: an unknown host or address
        sent = request.args.get("token", "")
        if hmac.compare_digest(sent.encode(), token.encode()) and _take(unused):
            response = make_response(redirect(url_for("sheet")))
            response.set_cookie(COOKIE, session, httponly=True, samesite="Strict")
            return response
        cookie = request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(cookie.encode(), session.encode()):
            return errors.error_response(
                "forbidden", "Open the address that the terminal shows. It works once."
            )
        return None


def _take(unused: list[str]) -> bool:
    """Use the token up: True for one request only, however many come at once."""
    try:
        unused.pop()
    except IndexError:
        return False
    return True


def _item(drawing: Drawing, agreeing: int) -> dict[str, Any]:
    """What the template shows of a drawing."""
    return {
        "id": drawing.id,
        "image": "data:image/png;base64," + base64.b64encode(drawing.pixels).decode(),
        "label": label_name(drawing.label),
        "status": drawing.status,
        "prediction": label_name(drawing.prediction),
        "percent": percent(drawing.probability),
        "agreeing": agreeing,
        "day": drawing.made.date().isoformat(),
    }
