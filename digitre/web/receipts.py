"""Receipts for saved drawings: anyone who has the receipt of a drawing can delete it.

The same secret decides which new writers are held out for evaluation.

A receipt is an HMAC of the drawing's id and writer, signed with a secret of this server. So it is
not stored anywhere, and saving the same drawing again returns the same receipt.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from flask import current_app

from digitre import config
from digitre.drawings.drawing import HOLDOUT
from digitre.web.state import state


def sign(id: str, writer: str) -> str:
    """The receipt for a drawing: 64 hexadecimal digits. Raises OSError if there is no secret."""
    return hmac.new(_secret(), f"{id}\0{writer}".encode(), hashlib.sha256).hexdigest()


def is_valid(receipt: str, id: str, writer: str) -> bool:
    """Whether this is the receipt for a drawing. Raises OSError if there is no secret."""
    # A client can send lone surrogates, which UTF-8 does not have.
    return hmac.compare_digest(sign(id, writer).encode(), receipt.encode("utf-8", "replace"))


def is_held_out(writer: str) -> bool:
    """Whether the drawings of a new writer are for evaluation only: one writer in ten.

    The secret decides, so no one can choose a name to be measured on. Raises OSError if there is no
    secret.
    """
    digest = hmac.new(_secret(), f"held out\0{writer}".encode(), hashlib.sha256).digest()
    return bool(writer) and int.from_bytes(digest[:8], "big") % HOLDOUT == 0


def _secret() -> bytes:
    """The key for signing: DIGITRE_SECRET, or the instance folder's file, made at first use."""
    if current_app.config["SECRET"]:
        return current_app.config["SECRET"].encode()
    known = state()
    if known.secret is None:
        file = config.instance_folder(current_app.config) / "secret"
        if not file.exists():
            _make_secret(file)
        with suppress(PermissionError):  # someone else's: as they like it
            file.chmod(0o600)
        secret = file.read_bytes()
        if not secret:  # an empty key would let anyone sign
            raise OSError(f"{file} is empty: remove it")
        known.secret = secret
    return known.secret


def _make_secret(file: Path) -> None:
    """Write a new secret whole or not at all. If several workers do so at once, the first one wins.

    `files.replacing` would let the last one win, after another worker has signed with the first.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, new = tempfile.mkstemp(prefix="secret.", dir=file.parent)
    try:
        with open(handle, "w") as secret:
            secret.write(secrets.token_hex(32))
            secret.flush()
            os.fsync(handle)
        with suppress(FileExistsError):
            os.link(new, file)
    finally:
        os.unlink(new)
