"""What one request may cost is bounded, whatever picture it brings.

The worst pictures are in tests/costly.py. `pytest -m long tests/web/test_costs.py` searches all of them.
"""

from __future__ import annotations

import base64
import functools
import os
import re
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
from costly import COSTLY, noise, unpacking_memory

from digitre.web import many

# A second, on two cores that do nothing else: the yardstick takes 0.16 s there.
YARDSTICKS = 6
SECOND = 1.0  # an AVIF: the system ends its process after a fixed time, also on a quick machine
MEGABYTES = 300
DEAREST = "/_get_digit?steps=1&explain=1"  # all that a reading may be asked for
# The worst of the search, and those that took minutes before what Pillow looks at was limited.
WORST = (
    "PNG, 16 bits, transparent",
    "PNG, 16 bits, transparent, interlaced",
    "PNG with 990 colour profiles of 1 MB",
    "PNG of 480 by 480, noise",
    "PNG with EXIF of 64,000 tags",
    "JPEG with 120 segments of EXIF",
    "JPEG with 2,000,000 empty segments",
    "JPEG of 1,400 by 1,400, 100 scans",
    "WebP, lossless, transparent",
    "AVIF of noise",
    "TIFF with EXIF of 64,000 tags",
    "TIFF in 10,000 strips",
)


def yardstick() -> float:
    """How long this machine takes now, in seconds, to unpack 128 MB of noise that repeats."""
    packed = zlib.compress(np.resize(noise(4099), 2**26).tobytes(), 1)
    started = time.process_time()
    zlib.decompress(packed)
    zlib.decompress(packed)
    return time.process_time() - started


def processor_time() -> float:
    """Of this process and of those that it started, in seconds."""
    return sum(os.times()[:4])


def megabytes(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{name}:")[2].split()[0]) / 1024


def cost(client, body: bytes, address: str) -> tuple[float, float]:
    """The processor time of a request with all that it may ask for, in seconds, and its memory in MB."""
    before = megabytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # forget the peak
    started = processor_time()
    answer = client.post(address, data=body)
    took = processor_time() - started
    assert answer.status_code in (200, 400, 413), answer.get_data(as_text=True)
    return took, megabytes("VmHWM") - before + unpacking_memory(body)


def check(client, name: str, address: str = DEAREST) -> None:
    check_body(client, name, COSTLY[name](), address)


def check_body(client, name: str, body: bytes, address: str = DEAREST) -> None:
    for last in (False, True):  # once more if another process was in the way
        took, memory = cost(client, body, address)
        assert memory < MEGABYTES, f"{name}: {memory:.0f} MB"
        limit = YARDSTICKS * yardstick()
        if name.startswith("AVIF"):
            limit = max(SECOND, limit)
        if took < limit:
            return
        assert not last, f"{name}: {took:.2f} s, and {limit:.2f} are allowed"


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures with /proc")
@pytest.mark.parametrize("name", WORST)
def test_the_costliest_pictures_are_bounded(client, seven: bytes, name: str) -> None:
    """A request with the worst accepted pictures takes at most a second and 300 MB."""
    client.post(DEAREST, data=seven)  # loads what is loaded once
    check(client, name)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures with /proc")
@pytest.mark.parametrize("address", ["/_get_number", "/_get_number?lines=1&signs=1", "/_compare"])
@pytest.mark.parametrize("name", ["PNG of 480 by 480, noise", "WebP, lossless, transparent"])
def test_other_readings_cost_no_more(client, seven: bytes, name: str, address: str) -> None:
    """Reading a number in the lines of a picture, and comparing networks, are bounded in the same way."""
    assert client.post(address, data=seven).status_code == 200
    check(client, name, address)


def filled(begin: bytes, unit: bytes, end: bytes) -> bytes:
    """A body as large as the limit allows."""
    return begin + unit * ((8 * 2**20 - len(begin) - len(end)) // len(unit)) + end


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="measures with /proc")
@pytest.mark.parametrize(
    "parts",
    [
        (b"[", b"[],", b"[]]"),
        (b'{"image":[', b"[0],", b"[0]]}"),
        (b"img=", b"%41", b""),
        (b"data:image/png;base64,", b"%41", b""),
        (b"data:image/png;base64,", b"A ", b""),
    ],
    ids=lambda parts: (parts[0] + parts[1]).decode(),
)
def test_no_body_without_a_picture_costs_more(client, seven: bytes, parts: tuple) -> None:
    """Text of any kind, as long as the limit allows, costs no more than the worst picture."""
    client.post(DEAREST, data=seven)
    check_body(client, str(parts[1]), filled(*parts))


@pytest.mark.slow
def test_many_pictures_cost_no_more_than_a_large_one(client) -> None:
    """A request with many pictures that are hard to read is given up, and the answer says how many to send."""
    hard = {"b64": base64.b64encode(COSTLY["PNG of 480 by 480, noise"]()).decode()}

    predict = functools.partial(client.post, "/v1/models/digitre:predict")
    assert predict(json={"instances": [hard]}).status_code == 200  # loads what only it needs
    for last in (False, True):  # once more if another process was in the way
        started = time.thread_time()  # without the threads of NumPy, which a worker does not have
        answer = predict(json={"instances": [hard] * 25})
        took = time.thread_time() - started
        assert answer.status_code == 413
        most = re.search(r"send at most (\d+) in a request", answer.get_json()["error"])
        assert most, answer.get_json()
        # It is given up after a second; the picture that is being read then is finished. What one takes is
        # known from this request itself: another moment of a busy machine would tell something else.
        if took < many.LONGEST + 3 * took / int(most[1]):
            break
        assert not last, (took, most[1])
    assert answer.get_json()["code"] == "too_many"
    plain = {"instances": [(noise(28, 28) // 9).tolist()] * 100}
    assert (
        len(client.post("/v1/models/digitre:predict", json=plain).get_json()["predictions"]) == 100
    )


@pytest.mark.long
@pytest.mark.parametrize("name", COSTLY)
def test_no_other_picture_is_worse(client, seven: bytes, name: str) -> None:
    """The same holds for every format, as large and as badly made as the limits allow."""
    client.post(DEAREST, data=seven)
    check(client, name)
