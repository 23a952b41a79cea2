"""The networks that a server has: add, fetch, promote, roll back.

    <folder>/current.json              which versions were promoted; the last one is served
    <folder>/digitre-e9116abe/         a version: digitre.tflite, its card digitre.json, digitre.keras

A version's name holds the hash of its LiteRT file, which is compared at each start and reload. A version
never changes, and gets its name when it is complete. Only `current.json` changes; it is replaced whole. If no
version was promoted, the shipped network is served.
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

from digitre import config, files
from digitre.recognition import packed
from digitre.recognition.card import Card
from digitre.recognition.classifier import Classifier, shipped_model

FILES = ("digitre.tflite", "digitre.json", "digitre.keras")  # the last two may be missing
COPIED = "DIGITRE_COPIED"  # the variable by which gunicorn's master tells its workers their network
LARGEST = 64  # MB, of a network to fetch
_NAME = re.compile(r"digitre-[0-9a-f]{8}")
_ADDRESS = re.compile(r"(https?://[^#]+)#sha256=([0-9a-f]{64})(?:&card=([0-9a-f]{64}))?")


class Registry:
    """The networks in a folder, which is made when the first one is added.

    Args:
        folder: the folder.
        default_url: the address of the network to serve if no version is promoted, in the form that
            `fetch` takes. If None, it is the shipped network.
    """

    def __init__(self, folder: Path, default_url: str | None = None) -> None:
        self.folder = folder
        self.default_url = default_url

    def names(self) -> list[str]:
        """The versions in the folder, the oldest first."""
        folders = [
            path.parent
            for path in self.folder.glob("*/digitre.tflite")
            if _NAME.fullmatch(path.parent.name)
        ]
        return [path.name for path in sorted(folders, key=lambda each: each.stat().st_mtime_ns)]

    def path(self, name: str) -> Path:
        """A version's LiteRT file. Raises ValueError if there is no such version."""
        if _NAME.fullmatch(name):
            file = self.folder / name / "digitre.tflite"
            if file.is_file():
                return file
            if name == Classifier().model:
                return shipped_model()
        raise ValueError(f"there is no network {name} in {self.folder}")

    def network(self, name: str) -> Classifier:
        """A version whose LiteRT file still is what its name says.

        Raises:
            ValueError: if there is no such version, or it is damaged.
        """
        network = Classifier(self.path(name))
        if network.model != name:
            raise ValueError(f"{network.path} is not {name}: by its hash it is {network.model}")
        return network

    def card(self, name: str) -> Card | None:
        """A version's card, or None if it has none. Raises ValueError, as `network` does."""
        return self.network(name).card()

    def promoted(self) -> list[str]:
        """The versions that were promoted and not rolled back; the last one is served.

        Raises:
            ValueError: if `current.json` is damaged.
        """
        file = self.folder / "current.json"
        try:
            names = json.loads(file.read_text("utf-8"))["promoted"]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (ValueError, LookupError, RecursionError, TypeError):
            raise ValueError(f"{file} is not a list of promoted networks") from None
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise ValueError(f"{file} is not a list of promoted networks")
        return names

    def current(self) -> Path:
        """The LiteRT file to serve. The network of `default_url` is fetched at its first use.

        Raises:
            ValueError: if the promoted version is missing or damaged, or as raised by `fetch`.
            OSError: if it cannot be read or fetched.
        """
        return self._last(self.promoted())

    def _last(self, promoted: list[str]) -> Path:
        """The LiteRT file to serve if these versions are the promoted ones."""
        if promoted:
            return self.network(promoted[-1]).path
        return self.path(self.fetch(self.default_url)) if self.default_url else shipped_model()

    def add(self, source: Path) -> str:
        """Copy a trained network into the folder.

        Args:
            source: a folder with the `FILES`.

        Returns:
            The version's name.

        Raises:
            ValueError: if the LiteRT file is not a network.
            OSError: if a file cannot be read or written.
        """
        name = Classifier(source / "digitre.tflite").model
        self.folder.mkdir(parents=True, exist_ok=True)
        # Complete or not at all, also if two processes add the same network at once.
        new = Path(tempfile.mkdtemp(prefix="new-", dir=self.folder))
        target = self.folder / name
        try:
            new.chmod(0o755)
            for file in FILES:
                if (source / file).is_file():
                    shutil.copyfile(source / file, new / file)
            try:
                os.rename(new, target)
            except OSError:
                if not target.is_dir():
                    raise
                for newer in new.iterdir():  # the same network, its card may be newer
                    os.replace(newer, target / newer.name)
        finally:
            shutil.rmtree(new, ignore_errors=True)
        return name

    def fetch(self, address: str) -> str:
        """Download a network into the folder, unless it is there already.

        Args:
            address: http or https, with the file's hash: https://example.org/d.tflite#sha256=3f0c...
                A card (d.json) is downloaded too if its hash follows: #sha256=3f0c...&card=91ab...

        Returns:
            The version's name.

        Raises:
            ValueError: if the address has no hash, or a file has another hash, or is not a network or
                its card. Then nothing is added.
            OSError: if a file cannot be downloaded.
        """
        parts = _ADDRESS.fullmatch(address)
        if not parts:
            raise ValueError(
                f"{address} is not an http(s) address that ends with #sha256= and 64 hex digits"
            )
        url, *digests = parts.groups()
        urls = url, re.sub(r"\.tflite$", "", url) + ".json"
        wanted = [each for each in zip(FILES[:2], urls, digests, strict=True) if each[2]]
        name = f"digitre-{digests[0][:8]}"
        if all(_has(self.folder / name / file, digest) for file, _, digest in wanted):
            return name
        with tempfile.TemporaryDirectory() as temporary:
            source = Path(temporary)
            for file, where, digest in wanted:
                (source / file).write_bytes(_download(where, digest))
            try:
                network = Classifier(source / FILES[0])
            except ValueError:
                raise ValueError(f"{url} is not a LiteRT network") from None
            if digests[1] and not network.card():
                raise ValueError(f"{urls[1]} is not the card of {name}")
            return self.add(source)

    def promote(self, name: str) -> None:
        """Serve a version after the next start or reload.

        Raises:
            ValueError: if the version is missing, damaged, or not a network that LiteRT can load.
        """
        network = self.network(name)
        network.runner()  # never promote a network that LiteRT cannot load
        if network.path == shipped_model():
            self.add(network.path.parent)  # the next installation may ship another one
        self._pack(self.network(name))
        with self._changing() as promoted:
            if not promoted or promoted[-1] != name:
                promoted.append(name)

    def _pack(self, network: Classifier) -> None:
        """Make the file that pages read with; a network of other layers has none, and its server reads for them."""
        target = network.path.with_name(packed.file_name(network.model))
        with suppress(packed.UnknownLayersError):
            packed.write(network.path, network.model, target)

    def rollback(self) -> str:
        """Serve the version that was served before the current one.

        Returns:
            Its name.

        Raises:
            ValueError: if no version was promoted, or as `current` raises.
            OSError: as `current` raises.
        """
        with self._changing() as promoted:
            if not promoted:
                raise ValueError("no network was promoted: the shipped one is served")
            promoted.pop()
            file = self._last(promoted)  # raises, and changes nothing, if it is not available
        return Classifier(file).model

    @contextmanager
    def _changing(self) -> Iterator[list[str]]:
        """The promoted versions, to change. They are written if the block ends without an error."""
        with files.locked(self.folder):
            promoted = self.promoted()
            yield promoted
            files.write_json(self.folder / "current.json", {"promoted": promoted})


def _has(file: Path, digest: str) -> bool:
    """Whether there is this file, with this SHA-256."""
    return file.is_file() and hashlib.sha256(file.read_bytes()).hexdigest() == digest


def _download(url: str, digest: str) -> bytes:
    limit = LARGEST * 1024 * 1024
    try:
        with urllib.request.urlopen(url, timeout=30) as response:
            content = response.read(limit + 1)
    except urllib.error.HTTPError as error:
        error.close()
        raise OSError(f"cannot fetch {url}: {error.code} {error.reason}") from None
    except http.client.HTTPException as error:
        raise OSError(f"cannot fetch {url}: {type(error).__name__}") from None
    if len(content) > limit:
        raise ValueError(f"{url} is larger than {LARGEST} MB, the largest that is fetched")
    actual = hashlib.sha256(content).hexdigest()
    if actual != digest:
        raise ValueError(f"{url} is another file: its SHA-256 is {actual}")
    return content


def from_settings(settings: config.Settings) -> Registry:
    """This server's networks."""
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
