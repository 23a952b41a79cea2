"""The same network and preprocessing in FastAPI, uvicorn and ONNX Runtime: what many would build today.

`uvicorn benchmarks.fastapi_onnx:app`. Needs `pip install '.[bench]'`, which nothing else here needs.
"""

from __future__ import annotations

import keras
import numpy as np
import onnxruntime
from fastapi import FastAPI
from pydantic import BaseModel

from benchmarks.apps import KERAS_FILE
from benchmarks.onnx_runtime import as_onnx
from digitre.recognition.preprocessing import preprocess

app = FastAPI()
_options = onnxruntime.SessionOptions()
_options.intra_op_num_threads = _options.inter_op_num_threads = 1
_session = onnxruntime.InferenceSession(
    as_onnx(keras.models.load_model(KERAS_FILE, compile=False)),
    _options,
    providers=["CPUExecutionProvider"],
)


class Drawing(BaseModel):
    """What the page sends, in a list."""

    digit: str


@app.post("/_get_digit")
async def get_digit(drawings: list[Drawing]) -> dict[str, str | list[float]]:
    """Read a drawing."""
    (row,) = _session.run(None, {"drawing": preprocess(drawings[0].digit).astype(np.float32)})[0]
    return {"result": str(int(row[:10].argmax())), "probabilities": row[:10].tolist()}
