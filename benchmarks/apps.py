"""Applications to compare Digitre with: they answer the same request in the usual ways.

Each is a WSGI application for gunicorn: `gunicorn benchmarks.apps:nothing`. Only the one that
gunicorn names is made, because some import TensorFlow.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask, jsonify, request

KERAS_FILE = Path(__file__).resolve().parent.parent / "models" / "digitre.keras"


def _app(answer: Callable[[], Any]) -> Flask:
    app = Flask("benchmark")
    app.add_url_rule("/_get_digit", view_func=answer, methods=["POST"])
    app.add_url_rule("/healthz", "healthz", lambda: "ok")
    return app


def _nothing() -> Flask:
    """A view that does nothing."""
    return _app(lambda: jsonify(result="3"))


def _decode() -> Flask:
    """A view that only decodes the picture, with Pillow."""
    from PIL import Image

    def answer():
        url = request.get_json()[0]["digit"]
        picture = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))
        picture.load()
        return jsonify(result="3", size=picture.size)

    return _app(answer)


def _keras(call: Callable[[Any], Callable]) -> Flask:
    """Digitre's preprocessing, then Keras for the network."""
    import keras

    from digitre.recognition.preprocessing import preprocess

    network = keras.models.load_model(KERAS_FILE, compile=False)
    run = call(network)

    def answer():
        url = request.get_json()[0]["digit"]
        logits = run(preprocess(url))
        return jsonify(result=str(int(logits[0].argmax())))

    return _app(answer)


def _keras_predict() -> Flask:
    return _keras(lambda network: lambda pixels: network.predict(pixels, verbose=0))


def _tf_function() -> Flask:
    import tensorflow as tf

    def call(network):
        compiled = tf.function(
            lambda pixels: network(pixels, training=False),
            input_signature=[tf.TensorSpec((1, 28, 28, 1), tf.float32)],
        )
        return lambda pixels: compiled(pixels).numpy()

    return _keras(call)


def __getattr__(name: str) -> Flask:
    makers = {
        "nothing": _nothing,
        "decode": _decode,
        "keras_predict": _keras_predict,
        "tf_function": _tf_function,
    }
    if name not in makers:
        raise AttributeError(name)
    return makers[name]()
