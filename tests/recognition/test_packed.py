"""The network as a file for browsers: what is in it, where it is served, and which networks have none."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from click.testing import CliRunner
from conftest import ROOT

from digitre import Classifier, create_app
from digitre.cli import main
from digitre.recognition import packed
from digitre.recognition.preprocessing import preprocess
from digitre.registry import Registry
from digitre.training import eight_bits


def unpacked(content: bytes) -> tuple[dict, list[tuple[np.ndarray, np.ndarray]]]:
    """The header, and the weights and biases of each layer that has some."""
    plain = gzip.decompress(content)
    assert plain[:8] == packed.MAGIC
    start = 12 + int.from_bytes(plain[8:12], "little")
    header = json.loads(plain[12:start])

    def numbers(kind: str, place: int, count: int) -> np.ndarray:
        return np.frombuffer(plain, kind, count, start + place)

    found = []
    for layer in header["layers"]:
        if "of" in layer:
            outputs, size = layer["of"][0], int(np.prod(layer["of"]))
            kind = "i1" if "scales" in layer else "<f4"
            rows = numbers(kind, layer["weights"], size).reshape(outputs, -1).astype(np.float32)
            if "rest" in layer:
                halves = numbers("u1", layer["rest"], -(-size // 2))
                rest = np.stack((halves & 15, halves >> 4), 1).ravel()[:size].astype(np.float32)
                rows = rows + (rest.reshape(outputs, -1) - 8) / 16
            if "scales" in layer:
                rows = rows * numbers("<f4", layer["scales"], outputs)[:, None]
            found.append((rows, numbers("<f4", layer["bias"], outputs)))
    return header, found


def to_steps(values: np.ndarray) -> np.ndarray:
    """Inputs of weights in eight bits, as LiteRT has them: 256 steps, one of them 0."""
    least, largest = min(values.min(), 0), max(values.max(), 0)
    step = (largest - least) / 255
    zero = np.rint(-least / step)
    return (np.clip(np.rint(values / step) + zero, 0, 255) - zero) * step


def run(layers: list[dict], numbers: list, pixels: np.ndarray) -> np.ndarray:
    """The eleven probabilities of (28, 28, 1) pixels, by the packed layers."""
    values, rest = pixels, iter(numbers)
    for layer in layers:
        if layer["kind"] == "pool":
            high, wide, channels = layer["shape"]
            values = values.reshape(high // 2, 2, wide // 2, 2, channels).max((1, 3))
        elif layer["kind"] == "softmax":
            values = np.exp(values - values.max())
            values = values / values.sum()
        else:
            weights, bias = next(rest)
            values = to_steps(values) if layer.get("steps") else values
            if layer["kind"] == "conv":
                side = layer["of"][1]
                seen = np.lib.stride_tricks.sliding_window_view(values, (side, side), (0, 1))
                values = np.moveaxis(seen, 2, -1).reshape(*seen.shape[:2], -1)
            else:
                values = values.reshape(-1)
            values = values @ weights.T + bias
            values = np.maximum(values, 0) if layer["relu"] else values
    return values


def test_the_packed_network_says_what_the_network_says(
    classifier: Classifier, seven: bytes
) -> None:
    """Packed, the network gives the same probabilities to a hundredth, in at most 610 KB."""
    content = packed.pack(classifier.path, classifier.model)
    assert len(content) <= 610_000
    header, numbers = unpacked(content)
    assert header["model"] == classifier.model
    for turns in range(4):
        pixels = np.rot90(preprocess(seven)[0], turns)
        ours = run(header["layers"], numbers, pixels)
        assert np.abs(ours[:10] - classifier.classify(pixels[None])[0]).max() < 0.01
        assert ours[:10].max() > 0.5 or turns


def test_weights_in_eight_bits_are_packed_as_they_are(tmp_path: Path, seven: bytes) -> None:
    """Pages get the very weights and scales of a file in eight bits, and read as the server does."""
    small = ROOT / "models" / "demos" / "mlp-2x128.tflite"
    file = tmp_path / "digitre.tflite"
    file.write_bytes(eight_bits.convert(small.read_bytes()))
    header, numbers = unpacked(packed.pack(file, "digitre-00000000"))
    assert all("scales" in layer for layer in header["layers"] if "of" in layer)
    interpreter = Interpreter(str(file))
    interpreter.allocate_tensors()
    served = [
        interpreter.get_tensor(each["index"]) * each["quantization_parameters"]["scales"][:, None]
        for each in interpreter.get_tensor_details()
        if each["dtype"] == np.int8
    ]
    for weights, _ in numbers:
        assert any(np.array_equal(weights, each) for each in served if each.shape == weights.shape)
    pixels = preprocess(seven)[0]
    ours = run(header["layers"], numbers, pixels)
    assert np.abs(ours - Classifier(file).classify(pixels[None])[0]).max() < 0.001


def test_the_server_gives_pages_its_network(client, classifier: Classifier) -> None:
    """The served network is at an address that holds its hash, kept for good; no other is there."""
    name = packed.file_name(classifier.model)
    response = client.get(f"/network/{name}")
    assert response.status_code == 200
    assert response.data == packed.pack(classifier.path, classifier.model)
    assert "immutable" in response.headers["Cache-Control"]
    for wrong in (
        "digitre-00000000.2.bin",
        name.replace(".2.", ".1."),
        "digitre.tflite",
        name.upper(),
    ):
        assert client.get(f"/network/{wrong}").status_code == 404


def test_a_network_of_other_layers_is_for_the_server_alone() -> None:
    """A network whose layers can't be packed says so, and its server has no file for pages."""
    other = Classifier(ROOT / "models" / "demos" / "digitre-2017.tflite")
    with pytest.raises(packed.UnknownLayersError, match="with a border"):
        packed.pack(other.path, other.model)
    client = create_app({"MODEL": str(other.path)}).test_client()
    assert client.get(f"/network/{packed.file_name(other.model)}").status_code == 404


def test_promoting_makes_the_file_for_pages(tmp_path: Path, classifier: Classifier) -> None:
    """A promoted network has its packed file next to it; the command line writes the same file."""
    registry = Registry(tmp_path / "models")
    registry.promote(classifier.model)
    name = packed.file_name(classifier.model)
    made = tmp_path / "models" / classifier.model / name
    assert made.read_bytes() == packed.pack(classifier.path, classifier.model)
    arguments = ["models", "pack", "--output", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments, env={"DIGITRE_MODELS": str(tmp_path / "models")})
    assert result.exit_code == 0, result.output
    assert (tmp_path / "out" / name).read_bytes() == made.read_bytes()
    assert name in result.output
