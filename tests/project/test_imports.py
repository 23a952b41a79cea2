"""Which way imports run, and what a process that serves loads."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest
from conftest import ROOT

# Each wing, and the wings that it may import. `digitre` itself has the version and lazy names.
WINGS: dict[str, set[str]] = {
    "digitre": set(),
    "files": set(),
    "config": set(),
    "recognition": {"files"},
    "registry": {"files", "config", "recognition"},
    "drawings": {"files", "config", "recognition"},
    "bulk": {"recognition"},
    "web": {"files", "config", "recognition", "registry", "drawings"},
    "serving": {"files", "config", "recognition", "registry", "drawings", "web"},
    "training": {"files", "config", "recognition", "registry", "drawings"},
}
WINGS["cli"] = set(WINGS) - {"cli"}
WINGS["__main__"] = {"cli"}

TRAINS = {"tensorflow", "keras", "jax", "sklearn"}
WEB = {"flask", "werkzeug", "gunicorn"}
DATABASE = {"sqlalchemy", "alembic"}
# What a wing may not import from elsewhere.
BANNED: dict[str, set[str]] = {
    "files": TRAINS | WEB | DATABASE,
    "recognition": TRAINS | WEB | DATABASE,
    "registry": TRAINS | WEB | DATABASE,
    "drawings": TRAINS | WEB,
    "bulk": TRAINS | WEB | DATABASE,
    "web": TRAINS,
    "serving": TRAINS,
    "training": WEB,
}

Modules = dict[str, ast.Module]


def package(folder: Path) -> Modules:
    """Every module of the package, by its full name."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        parts = [folder.name, *file.relative_to(folder).with_suffix("").parts]
        if parts[-1] == "__init__":
            parts.pop()
        found[".".join(parts)] = ast.parse(file.read_text())
    return found


def imports(tree: ast.AST) -> Iterator[str]:
    """What a module imports, in functions as well; not what only a type checker imports."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from (name for each in node.orelse for name in imports(each))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


def edges(modules: Modules) -> dict[str, set[str]]:
    """Each module, and the modules of the package that run when it is imported."""
    graph: dict[str, set[str]] = {}
    for name, tree in modules.items():
        graph[name] = set()
        for imported in imports(tree):
            # `from package import name` imports a module, or a name that a module has.
            module = imported if imported in modules else imported.rpartition(".")[0]
            if module not in modules:
                continue
            packages = [module[:at] for at, letter in enumerate(module) if letter == "."]
            above = {each for each in packages if not f"{name}.".startswith(f"{each}.")}
            graph[name] |= {module} | above
    return graph


def wing(module: str) -> str:
    """`digitre.web.views` is in the wing `web`."""
    return module.split(".")[1] if "." in module else module


def problems(modules: Modules) -> list[str]:
    """What is wrong with the way that imports run."""
    found = []
    graph = edges(modules)
    for name, imported in graph.items():
        for other in sorted(imported):
            here, there = wing(name), wing(other)
            if here != there and there != "digitre" and there not in WINGS[here]:
                found.append(f"{name} imports {other}: {here} may not import {there}")
    for name, tree in modules.items():
        tops = {imported.split(".")[0] for imported in imports(tree)}
        found += [f"{name} imports {top}" for top in sorted(tops & BANNED.get(wing(name), set()))]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append("a circle: " + " -> ".join(error.args[1]))
    return found


def test_imports_run_one_way() -> None:
    """No circle, imports in functions counted; each wing imports only those below it."""
    modules = package(ROOT / "digitre")
    assert {wing(name) for name in modules} <= WINGS.keys(), "a wing without a rule"
    assert not problems(modules)


@pytest.mark.parametrize(
    ("planted", "source", "said"),
    [
        ("digitre.files", "def f():\n    from digitre import config", "may not import config"),
        ("digitre.recognition.ink", "import flask", "imports flask"),
        ("digitre.web.headers", "from digitre.training import fit", "may not import training"),
        ("digitre.web.errors", "def f():\n    from digitre.web import views", "a circle"),
        ("digitre.recognition.decoding", "from digitre.recognition import classifier", "a circle"),
    ],
)
def test_a_planted_import_is_found(planted: str, source: str, said: str) -> None:
    """The rule sees a circle, a wrong direction and a heavy library, in a function too."""
    modules = package(ROOT / "digitre")
    modules[planted].body += ast.parse(source).body
    assert any(said in problem for problem in problems(modules)), problems(modules)


def test_serving_loads_no_tensorflow() -> None:
    """A fresh process that imports `wsgi` and reads a drawing has no TensorFlow and no Keras."""
    code = (
        "import sys, numpy, wsgi\n"
        "picture = numpy.zeros((50, 50), 'uint8'); picture[10:40, 24:27] = 255\n"
        "assert wsgi.app.extensions['digitre'].classifier.read(picture).prediction == '1'\n"
        "banned = {'tensorflow', 'keras', 'sklearn', 'matplotlib', 'sqlalchemy', 'alembic'}\n"
        "sys.exit(' '.join((banned | {'digitre.training'}) & set(sys.modules)) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
