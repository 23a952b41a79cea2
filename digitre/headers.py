"""The headers of every answer: what a browser may do with it."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def register(app: Flask) -> None:
    """Add the headers to every answer, errors among them."""
    app.after_request(_add)


def _add(response: Response) -> Response:
    response.headers.extend(HEADERS)  # no view has any of them
    origins = current_app.config["CORS_ORIGINS"]
    if origins:
        _open(response, origins)
    return response


def _open(response: Response, origins: list[str]) -> None:
    """Let pages of these origins read the answer (Fetch standard, "CORS protocol")."""
    origin = request.headers.get("Origin")
    response.vary.add("Origin")
    if origin and ("*" in origins or origin in origins):
        # No credentials are ever allowed: there are none.
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow))
            response.headers["Access-Control-Allow-Headers"] = "Content-Type"
            response.headers["Access-Control-Max-Age"] = "86400"
