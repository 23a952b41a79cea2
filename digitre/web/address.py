"""The address that a request comes from, as far as it can be believed."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import Any

from flask import Flask


def client_address(environ: Mapping[str, Any], app: Flask) -> str:
    """The client's IP address; of an IPv6 address the /64, which one client has as a whole.

    nginx adds the address that it sees to the end of X-Forwarded-For. That is believed only if the
    request comes through a Unix socket, from this machine, or from DIGITRE_TRUSTED_PROXIES: anyone
    else could have written the header. "" if there is no address at all.
    """
    peer = environ.get("REMOTE_ADDR") or ""
    if peer and not _is_proxy(peer, app):
        return _network(peer)
    last = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    return _network(last) or _network(peer)


def _is_proxy(peer: str, app: Flask) -> bool:
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    networks = app.config["TRUSTED_PROXIES"] or []
    return address.is_loopback or any(address in ipaddress.ip_network(each) for each in networks)


def _network(text: str) -> str:
    """An address as text, an IPv6 address without its last 64 bits, or "" if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ""
    if address.version == 4:
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), 64), strict=False))
