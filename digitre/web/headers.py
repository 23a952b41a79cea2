"""The security headers of every response, and CORS."""

from __future__ import annotations

from flask import Flask, Response, current_app, request

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        "connect-src 'self'; worker-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": (
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# What scripts send besides the picture: jQuery its X-Requested-With, clients of a proxy that asks for
# a password or a token their Authorization.
REQUEST_HEADERS = "Authorization, Content-Type, X-Requested-With"


def register(app: Flask) -> None:
    """Add the headers to every response, errors included; and CORS headers if a setting allows origins."""
    app.after_request(_add_headers)
    if app.config["CORS_ORIGINS"]:
        app.after_request(_allow_origin)


def _add_headers(response: Response) -> Response:
    response.headers.extend(HEADERS)  # no view sets any of these itself
    return response


def _allow_origin(response: Response) -> Response:
    """Let pages of the allowed origins read the response (Fetch standard, "CORS protocol")."""
    origins: list[str] = current_app.config["CORS_ORIGINS"]
    origin = request.headers.get("Origin")
    response.vary.add("Origin")
    if origin and ("*" in origins or origin in origins):
        # Credentials are never allowed: the API uses none.
        response.headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
        if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
            response.headers["Access-Control-Allow-Methods"] = ", ".join(sorted(response.allow))
            response.headers["Access-Control-Allow-Headers"] = REQUEST_HEADERS
            response.headers["Access-Control-Max-Age"] = "86400"
    return response
