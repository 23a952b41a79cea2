"""The review page: a contact sheet of saved drawings, judged by keyboard, on this machine alone.

It is an application of its own, which the public one knows nothing of. It listens on 127.0.0.1, and
whoever opens it needs the token that was printed in the terminal: good for one opening, after which
a cookie that no script can read stands for it.
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

from digitre.drawings.collection import STATUSES, Drawings, UnavailableError, Wanted, named, said
from digitre.recognition.classifier import NO_DIGIT, percent
from digitre.web import errors, headers

COOKIE = "digitre_review"


def serve(
    collection: Drawings, port: int, wanted: Wanted, limit: int
) -> tuple[BaseWSGIServer, str]:
    """A server on 127.0.0.1 that is ready to `serve_forever`, and the address to open once."""
    token = secrets.token_urlsafe(24)
    app = create_app(collection, wanted, limit, token)
    server = make_server("127.0.0.1", port, app, request_handler=_Quiet)
    return server, f"http://127.0.0.1:{server.server_port}/?token={token}"


class _Quiet(WSGIRequestHandler):
    """The terminal is for the address: no line for each request."""

    def log_request(self, *_: object) -> None:
        pass


def create_app(collection: Drawings, wanted: Wanted, limit: int, token: str) -> Flask:
    """The page and what it asks for.

    Args:
        collection: the drawings to judge.
        wanted, limit: which, and how many at a time.
        token: opens the page once.
    """
    app = Flask(__name__)
    # A page of another site that reaches 127.0.0.1 by a name of its own is turned away.
    app.config["TRUSTED_HOSTS"] = ["127.0.0.1", "localhost"]
    app.config["CORS_ORIGINS"] = None
    headers.register(app)
    errors.register(app)
    session = secrets.token_urlsafe(24)
    unused = [token]

    @app.before_request
    def only_with_the_cookie() -> Any:
        if request.endpoint == "static" or request.routing_exception is not None:
            return None  # the latter is raised next: another host, or no such address
        given = request.args.get("token", "")
        if unused and hmac.compare_digest(given.encode(), unused[0].encode()):
            unused.clear()
            response = make_response(redirect(url_for("sheet")))
            response.set_cookie(COOKIE, session, httponly=True, samesite="Strict")
            return response
        cookie = request.cookies.get(COOKIE, "")
        if not hmac.compare_digest(cookie.encode(), session.encode()):
            return errors.answer(
                "forbidden", "Open the address that the terminal shows; it opens once."
            )
        return None

    @app.get("/")
    def sheet() -> str:
        rows = [_shown(row) for row in collection.for_review(wanted, limit)]
        return render_template("review.html", drawings=rows, wanted=wanted.status)

    @app.post("/judge")
    def judge() -> Response | tuple[Response, int]:
        sent = request.get_json(silent=True)
        sent = sent if isinstance(sent, dict) else {}
        id, status, label = sent.get("id"), sent.get("status"), sent.get("label")
        labels = {named(each): each for each in range(NO_DIGIT + 1)}
        if not isinstance(id, str) or status not in STATUSES or label not in labels:
            return errors.answer("bad_judgement", "Send an id, a status and a label.")
        if not collection.judge(Wanted([id]), status, labels[label]):
            return errors.answer("not_found", "There is no such drawing any more.")
        return jsonify(id=id, status=status, label=label)

    @app.errorhandler(UnavailableError)
    def unavailable(_: UnavailableError) -> Response:
        return errors.answer("storage_unavailable", "The database cannot be used just now.")

    return app


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": row["id"],
        "image": "data:image/png;base64," + base64.b64encode(row["pixels"]).decode(),
        "label": named(row["label"]),
        "status": row["status"],
        "said": named(said(row)),
        "surely": percent(max(row["confidence"], row["not_a_digit"])),
        "agreeing": row["agreeing"],
        "writer": row["writer"],
        "day": row["made"].date().isoformat(),
    }
