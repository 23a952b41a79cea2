"""Where gunicorn listens, and with how many workers: checked, so that a wrong value is one line.

gunicorn.conf.py imports this before anything that needs NumPy, so it needs the standard library only.
"""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from typing import NoReturn

# The names of this machine that no other machine can give itself. Any page can give 127.0.0.1 a name of its
# own, and read what a server there answers, if that answers for all names.
LOCAL_HOSTS = "localhost,127.0.0.1,[::1]"

PORT = 8000  # gunicorn's, for an address without one
_OTHER = re.compile(r"unix:.+|fd://\d+")
_TCP = re.compile(r"(?:tcp://)?(\[[^\]]*\]|[^:/\[\]\s]*)(?::(.*))?", re.DOTALL)


def address() -> str:
    """DIGITRE_BIND, or 127.0.0.1 at PORT. Raises ValueError, which names the variable."""
    if bind := os.environ.get("DIGITRE_BIND"):
        return check(bind, "DIGITRE_BIND")
    return f"127.0.0.1:{_whole('PORT', os.environ.get('PORT') or PORT, 0, 65535)}"


def check(address: str, name: str) -> str:
    """The same address, or several with commas, if gunicorn can listen on it.

    Args:
        address: host:port, host, unix:path or fd://number.
        name: of the variable or option, for the message.

    Raises:
        ValueError: if it is something else, or the port is not from 0 to 65535.
    """
    for each in address.split(","):
        if _OTHER.fullmatch(each.strip()):
            continue
        parts = _TCP.fullmatch(each.strip())
        if not parts:
            raise ValueError(f"{name} must be host:port or unix:path")
        if parts[2] is not None:
            _whole(f"The port of {name}", parts[2], 0, 65535)
    return address


def split(address: str) -> tuple[str, int | None]:
    """The host (in brackets if it is IPv6) and the port of the first address that `check` returned.

    If it is not TCP, there is no port.
    """
    first = address.split(",")[0].strip()
    parts = None if _OTHER.fullmatch(first) else _TCP.fullmatch(first)
    if parts is None:
        return "127.0.0.1", None
    return parts[1], int(parts[2] or PORT)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches an address that `check` returned, by TCP: as a browser does."""
    hosts = [_TCP.fullmatch(each.strip()) for each in address.split(",")]
    return all(parts is not None and _is_local(parts[1].strip("[]")) for parts in hosts)


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def workers() -> int:
    """WEB_CONCURRENCY, or the number of cores. Raises ValueError, which names the variable."""
    return _whole("WEB_CONCURRENCY", os.environ.get("WEB_CONCURRENCY") or os.cpu_count() or 1, 1)


def _whole(name: str, value: str | int, low: int, high: int | None = None) -> int:
    # Not int() alone: it takes "1_000" and a number of 5,000 digits, too.
    if re.fullmatch(r"[0-9]{1,9}", str(value)):
        number = int(value)
        if number >= low and (high is None or number <= high):
            return number
    limits = f"of at least {low}" if high is None else f"from {low} to {high}"
    raise ValueError(f"{name} must be a whole number {limits}")


def stop(error: Exception) -> NoReturn:
    """End with one line that says why, and with exit status 2."""
    print(f"digitre: {error}", file=sys.stderr, flush=True)
    raise SystemExit(2)


def main() -> None:
    """Say in one line what is wrong, if anything is, and end with 2. Run this before gunicorn, which reads
    WEB_CONCURRENCY before its configuration, and ends with a traceback if it is not a number.
    """
    try:
        address()
        workers()
    except ValueError as error:
        stop(error)


if __name__ == "__main__":
    main()
