"""What a process loads, and which way imports run."""

from __future__ import annotations

import ast
import subprocess
import sys

import pytest
from conftest import ROOT


def test_serving_loads_no_tensorflow() -> None:
    """A fresh process that imports `wsgi` and reads a drawing has no TensorFlow and no Keras."""
    code = (
        "import sys, numpy, wsgi\n"
        "picture = numpy.zeros((50, 50), 'uint8'); picture[10:40, 24:27] = 255\n"
        "assert wsgi.app.extensions['digitre'].read(picture).prediction == '1'\n"
        "wanted = {'tensorflow', 'keras', 'sklearn', 'matplotlib', 'sqlalchemy', 'alembic'} | {'digitre.training'}\n"
        "sys.exit(' '.join(wanted & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def imported(path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


# Each module may import those before it, and none after it.
ORDER = [
    "recognition.decoding",
    "recognition.ink",
    "recognition.photo",
    "recognition.preprocessing",
    "recognition.classifier",
    "registry",
    "config",
    "places",
    "web.requests",
    "web.errors",
    "web.monitoring",
    "web.saving",
    "web.views",
]


@pytest.mark.parametrize("module", ORDER)
def test_imports_run_one_way(module: str) -> None:
    """Decoding, preprocessing, classifier, views: none knows a later one, nor the training."""
    names = imported(ROOT / "digitre" / f"{module.replace('.', '/')}.py")
    later = {f"digitre.{name}" for name in ORDER[ORDER.index(module) + 1 :]}
    if module == "recognition.ink":
        later.discard("digitre.recognition.photo")  # read at need, for photos alone
    assert not names & later
    assert not any(name.startswith(("digitre.training", "tensorflow", "keras")) for name in names)
