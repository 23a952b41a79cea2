"""The networks that a server has: kept side by side, one of them promoted, switched in one step.

    <folder>/current.json              which one is served, and which were before it
    <folder>/digitre-e9116abe/         a version: digitre.tflite, its card digitre.json, digitre.keras

A version's name holds the hash of its LiteRT file, so that what is served can always be proved. All
that is ever changed is `current.json`, which is replaced whole; a version is renamed into place when
it is whole. Where nothing was promoted, the shipped network is served.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from digitre import config, files
from digitre.recognition.classifier import Classifier, shipped_model

FILES = ("digitre.tflite", "digitre.json", "digitre.keras")  # the last two may be missing
_NAME = re.compile(r"digitre-[0-9a-f]{8}")


LARGEST = 64 * 1024 * 1024  # bytes of a network that is fetched


def _download(url: str) -> bytes:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            content = answer.read(LARGEST + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"{url} cannot be fetched: {error.code} {error.reason}") from None
    except http.client.HTTPException as error:
        raise OSError(f"{url} cannot be fetched: {type(error).__name__}") from None
    if len(content) > LARGEST:
        raise ValueError(f"{url} is larger than any network")
    return content


class Registry:
    """The networks in a folder, which is made when the first one is added.

    Args:
        folder: where they are.
        default_url: the address of the network to serve where none is promoted, as `fetch` takes it;
            the shipped one without it.
    """

    def __init__(self, folder: Path, default_url: str | None = None) -> None:
        self.folder = folder
        self.default_url = default_url

    def names(self) -> list[str]:
        """The versions that are here, the oldest first."""
        found = [
            path.parent
            for path in self.folder.glob("*/digitre.tflite")
            if _NAME.fullmatch(path.parent.name)
        ]
        return [path.name for path in sorted(found, key=lambda each: each.stat().st_mtime_ns)]

    def path(self, name: str) -> Path:
        """A version's LiteRT file. Raises ValueError where there is no such version."""
        if _NAME.fullmatch(name):
            file = self.folder / name / "digitre.tflite"
            if file.is_file():
                return file
            if name == Classifier().model:
                return shipped_model()
        raise ValueError(f"there is no network {name} in {self.folder}")

    def card(self, name: str) -> dict[str, Any]:
        """A version's card, or an empty one."""
        return Classifier(self.path(name)).card() or {}

    def promoted(self) -> list[str]:
        """The versions that were promoted and not taken back, the one that is served last."""
        file = self.folder / "current.json"
        try:
            names = json.loads(file.read_text())["promoted"]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (ValueError, KeyError, TypeError):
            raise ValueError(f"{file} is no list of promoted networks") from None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{file} is no list of promoted networks")
        return names

    def current(self) -> Path:
        """The LiteRT file to serve; fetched, where it is to be and was not.

        Raises:
            ValueError: where the promoted one is not here, or what `fetch` has against the other.
            OSError: where it cannot be fetched.
        """
        return self._one(self.promoted())

    def _one(self, promoted: list[str]) -> Path:
        if promoted:
            return self.path(promoted[-1])
        return self.path(self.fetch(self.default_url)) if self.default_url else shipped_model()

    def add(self, source: Path) -> str:
        """Keep a trained network: the `FILES` in a folder. Returns the version's name."""
        name = Classifier(source / "digitre.tflite").model
        self.folder.mkdir(parents=True, exist_ok=True)
        # Whole or not at all; two that add the same one both end with it there.
        whole = Path(tempfile.mkdtemp(prefix="new-", dir=self.folder))
        target = self.folder / name
        try:
            whole.chmod(0o755)
            for file in FILES:
                if (source / file).is_file():
                    shutil.copyfile(source / file, whole / file)
            try:
                os.rename(whole, target)
            except OSError:
                if not target.is_dir():
                    raise
                for newer in whole.iterdir():  # the same network, its card perhaps newer
                    os.replace(newer, target / newer.name)
        finally:
            shutil.rmtree(whole, ignore_errors=True)
        return name

    def fetch(self, address: str) -> str:
        """Keep a network from elsewhere; nothing is asked where it is here already.

        Args:
            address: http or https, with the file's hash: https://example.org/d.tflite#sha256=3f0c...
                Its card is taken from beside it (d.json) where there is one.

        Returns:
            The version's name.

        Raises:
            ValueError: for an address without a hash, or a file that is another, or no network.
            OSError: where it cannot be fetched.
        """
        url, _, wanted = address.partition("#sha256=")
        if not re.fullmatch("[0-9a-f]{64}", wanted) or not url.startswith(("http://", "https://")):
            raise ValueError(f"{address} is no http(s) address that ends with #sha256=<64 digits>")
        name = f"digitre-{wanted[:8]}"
        here = self.folder / name / "digitre.tflite"
        if here.is_file() and hashlib.sha256(here.read_bytes()).hexdigest() == wanted:
            return name
        content = _download(url)
        found = hashlib.sha256(content).hexdigest()
        if found != wanted:
            raise ValueError(f"{url} is another file: its SHA-256 is {found}")
        with tempfile.TemporaryDirectory() as place:
            (Path(place) / "digitre.tflite").write_bytes(content)
            Classifier(Path(place) / "digitre.tflite")  # raises where it is no network
            with suppress(OSError):
                card = _download(re.sub(r"\.tflite$", "", url) + ".json")
                (Path(place) / "digitre.json").write_bytes(card)
            return self.add(Path(place))

    def promote(self, name: str) -> None:
        """Serve a version from the next start or reload on.

        Raises:
            ValueError: where it is not here, or its file is not what its name says.
        """
        network = Classifier(self.path(name))
        if network.model != name:
            raise ValueError(f"{network.path} is not {name}: its hash says {network.model}")
        network.runner()  # a network that LiteRT cannot load is never promoted
        if network.path == shipped_model():
            self.add(network.path.parent)  # the next installation may ship another one
        with self._changing() as promoted:
            if not promoted or promoted[-1] != name:
                promoted.append(name)

    def rollback(self) -> str:
        """Serve what was served before; returns its name. Raises ValueError where nothing was."""
        with self._changing() as promoted:
            if not promoted:
                raise ValueError("nothing was promoted: the shipped network is served")
            promoted.pop()
            found = self._one(promoted)  # raises, and changes nothing, where it cannot be had
        return Classifier(found).model

    @contextmanager
    def _changing(self) -> Iterator[list[str]]:
        """The promoted versions to change, one process at a time; written when all went well."""
        with files.locked(self.folder):
            promoted = self.promoted()
            yield promoted
            files.write_json(self.folder / "current.json", {"promoted": promoted})


COPIED = "DIGITRE_COPIED"  # where gunicorn's master put the network, for its workers


def from_settings(settings: config.Settings) -> Registry:
    """The networks of this server."""
    return Registry(config.models_folder(settings), settings["MODEL_URL"])


def network_file(settings: config.Settings) -> Path:
    """The LiteRT file to serve: DIGITRE_MODEL, or the promoted network, or the bundled one.

    Raises:
        ValueError, OSError: as `Registry.current` does.
    """
    return Path(settings["MODEL"] or from_settings(settings).current())


def served_file(settings: config.Settings) -> Path:
    """The LiteRT file that this process reads with: the copy that gunicorn's master made
    (`digitre.serving.preload`), or `network_file`. Raises ValueError, OSError."""
    return Path(os.environ.get(COPIED) or network_file(settings))
