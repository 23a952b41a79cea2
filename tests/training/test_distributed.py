"""Training with several processes: together they make the network that one process would make."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, free_port

TRAIN = """
import sys
from pathlib import Path
import numpy as np
from digitre.training import fit
from digitre.training.distributed import Cluster

if __name__ == "__main__":
    address, processes, index, folder = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    cluster = Cluster(address, processes, index)
    cluster.join()
    settings = fit.Settings(share=0.01, epochs=2)
    network, history = fit.train(settings, Path(folder) / str(index), cluster=cluster)
    np.savez(Path(folder) / f"{index}.npz", *network.get_weights())
    print(len(history), history[-1]["accuracy"])
"""


def trained(folder: Path, processes: int) -> list[list[np.ndarray]]:
    """The weights of each process at the end of a training with this many processes."""
    folder.mkdir()
    script = folder / "train.py"
    script.write_text(TRAIN)
    address = f"127.0.0.1:{free_port()}"
    environment = os.environ | {
        "KERAS_BACKEND": "jax",
        "JAX_PLATFORMS": "cpu",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": str(ROOT),
    }
    running = [
        subprocess.Popen(
            [sys.executable, str(script), address, str(processes), str(index), str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index in range(processes)
    ]
    for process in running:
        output, _ = process.communicate(timeout=800)
        assert process.returncode == 0, output
    weights = []
    for index in range(processes):
        with np.load(folder / f"{index}.npz") as arrays:
            weights.append([arrays[name] for name in arrays.files])
    return weights


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_two_processes_make_the_same_network(real_data, tmp_path: Path) -> None:
    """Both processes have the same weights, and within noise those of a process alone."""
    pytest.importorskip("jax")
    ((alone),) = trained(tmp_path / "one", 1)
    first, second = trained(tmp_path / "two", 2)
    for mine, theirs in zip(first, second, strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    for mine, theirs in zip(first, alone, strict=True):
        # Batches are summed in another order, and dropout differs.
        assert np.corrcoef(mine.ravel(), theirs.ravel())[0, 1] > 0.9


def test_another_backend_is_an_error() -> None:
    """Several processes on TensorFlow are an error of one line, and nothing hangs."""
    command = [sys.executable, "train.py", "--cluster", "127.0.0.1:1", "2", "0", "--share", "0.01"]
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "KERAS_BACKEND=jax" in done.stderr
    assert "Traceback" not in done.stderr
