"""Compare ONNX Runtime with LiteRT: `python -m benchmarks.onnx_runtime`, some ten seconds.

Needs `pip install onnx onnxruntime`, which nothing else here needs. Both read the same pictures, one
at a time, on one core, and every answer is compared.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from digitre import Classifier

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, PICTURES = 5, 500


def as_onnx(network: keras.Sequential) -> bytes:
    """The network as an ONNX file: (1, 28, 28, 1) float32 to (1, 11) probabilities."""
    from onnx import TensorProto, checker, helper, numpy_helper

    nodes, weights = [], []
    last = "drawing"

    def add(kind: str, *arrays: np.ndarray, **attributes) -> None:
        nonlocal last
        names = [f"{kind}-{len(weights) + index}" for index in range(len(arrays))]
        weights.extend(map(numpy_helper.from_array, arrays, names))
        result = f"result-{len(nodes)}"
        nodes.append(helper.make_node(kind, [last, *names], [result], **attributes))
        last = result

    add("Transpose", perm=[0, 3, 1, 2])  # Keras has the channels last, ONNX first
    for layer in network.layers:
        arrays = layer.get_weights()
        match type(layer).__name__:
            case "Conv2D":
                add("Conv", np.ascontiguousarray(arrays[0].transpose(3, 2, 0, 1)))
            case "BatchNormalization":
                add("BatchNormalization", *arrays, epsilon=layer.epsilon)
            case "ReLU":
                add("Relu")
            case "MaxPooling2D":
                add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            case "Flatten":
                add("Transpose", perm=[0, 2, 3, 1])
                add("Flatten")
            case "Dense":
                add("Gemm", *arrays)
            case "Dropout" | "InputLayer":
                pass
            case other:
                raise ValueError(f"a layer of the kind {other} is not supported here")
    add("Softmax")
    graph = helper.make_graph(
        nodes,
        "digitre",
        [helper.make_tensor_value_info("drawing", TensorProto.FLOAT, [1, 28, 28, 1])],
        [helper.make_tensor_value_info(last, TensorProto.FLOAT, [1, 11])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return model.SerializeToString()


def measure(
    ways: dict[str, Callable[[np.ndarray], np.ndarray]], batch: np.ndarray
) -> tuple[dict[str, list[float]], float]:
    """Time each way on the same pictures, in turn.

    Args:
        ways: functions from (1, 28, 28, 1) float32 to (1, 11) probabilities, by name.
        batch: (n, 1, 28, 28, 1) float32.

    Returns:
        The median time per picture in each round, in microseconds, by name; and the largest
        difference between the ways' probabilities.
    """
    times: dict[str, list[float]] = {name: [] for name in ways}
    difference = 0.0
    for _ in range(ROUNDS):
        answers = []
        for name, run in ways.items():
            seconds, rows = [], []
            for picture in batch:
                start = time.perf_counter()
                row = run(picture)
                seconds.append(time.perf_counter() - start)
                rows.append(row.copy())
            times[name].append(statistics.median(seconds) * 1e6)
            answers.append(np.array(rows))
        difference = max(difference, float(np.ptp(answers, axis=0).max()))
    return times, difference


def main() -> int:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    network = keras.models.load_model(ROOT / "models" / "digitre.keras", compile=False)
    session = onnxruntime.InferenceSession(
        as_onnx(network), options, providers=["CPUExecutionProvider"]
    )
    classifier = Classifier()
    seven = classifier.preprocess((ROOT / "docs" / "seven.png").read_bytes())
    random = np.random.default_rng(1)
    pictures = np.clip(seven + random.normal(0, 0.1, (PICTURES, 28, 28, 1)), 0, 1)
    ways: dict[str, Callable[[np.ndarray], np.ndarray]] = {
        "LiteRT": classifier.runner(),
        "ONNX Runtime": lambda picture: session.run(None, {"drawing": picture})[0],
    }
    times, difference = measure(ways, pictures.astype(np.float32)[:, None])
    for name, row in times.items():
        print(f"{name:14} {statistics.median(row):6.0f} µs ({min(row):.0f} to {max(row):.0f})")
    ratio = statistics.median(
        a / b for a, b in zip(times["ONNX Runtime"], times["LiteRT"], strict=True)
    )
    print(f"ONNX Runtime over LiteRT {ratio:.2f}, probabilities within {difference:.1e}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
