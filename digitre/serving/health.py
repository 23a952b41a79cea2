"""Ask a server on this machine whether it works: `python -m digitre.serving.health --help`.

deploy/install.sh asks at the end of an installation; a container's engine asks every few seconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import ssl
import sys
import time
from contextlib import suppress
from urllib.parse import urlsplit

REDIRECTS = (301, 302, 307, 308)


def ask(url: str, host: str) -> None:
    """Ask once. A redirect to TLS is followed to the same machine, unless TLS ends elsewhere.

    Args:
        url: an address of this machine, such as http://127.0.0.1:8000/readyz.
        host: the host name to ask for.

    Raises:
        OSError, http.client.HTTPException: if there is no answer.
        ValueError: for an error as the answer, with its status and its message.
    """
    status, location, body = _get(url, host)
    if status in REDIRECTS:
        target = urlsplit(location)
        if target.scheme == "https" and not url.startswith("https:"):
            here = f"{urlsplit(url).hostname}:{target.port or 443}"
            with suppress(ConnectionRefusedError):
                ask(f"https://{here}{urlsplit(url).path}", host)
    elif status != 200:
        try:
            message = json.loads(body)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            message = http.client.responses.get(status, "")
        raise ValueError(f"{status} {message}")


def _get(url: str, host: str) -> tuple[int, str, bytes]:
    """The status, the Location header (or ""), and the body of the answer."""
    parts = urlsplit(url)
    tls = parts.scheme == "https"
    port = parts.port or (443 if tls else 80)
    connection = http.client.HTTPConnection(parts.hostname or "", port, timeout=5)
    try:
        connection.connect()
        if tls:
            # The question is whether the server answers, not whether its certificate is valid.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
        connection.request("GET", parts.path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location", ""), answer.read()
    finally:
        connection.close()


def main() -> int:
    """Exit status 0 if the server works, otherwise 1 and the reason on standard error."""
    parser = argparse.ArgumentParser(prog="digitre.serving.health", description=__doc__)
    parser.add_argument("url", help="such as http://127.0.0.1:8000/readyz")
    parser.add_argument("--host", default="localhost", help="host name to ask for [localhost]")
    parser.add_argument("--wait", type=float, default=0, help="seconds to keep trying [0]")
    options = parser.parse_args()
    end = time.monotonic() + options.wait
    while True:
        try:
            ask(options.url, options.host)
            return 0
        except (OSError, http.client.HTTPException, ValueError) as error:
            if time.monotonic() >= end:
                print(f"{options.url} for {options.host}: {error}", file=sys.stderr)
                return 1
        time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
