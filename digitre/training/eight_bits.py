"""Weights in eight bits for the network that is served, and in sixteen where eight are slower."""

from __future__ import annotations

import re
from typing import Any


def convert(content: bytes) -> bytes:
    """A LiteRT network with weights in eight bits, a scale per output, but for its first convolution.

    LiteRT brings the inputs of such a layer to eight bits while it runs. A convolution over one channel
    has few weights for each input, so that this costs more time than it saves: its weights are in half
    precision (float16), which LiteRT brings to 32 bits once, when it loads the file. Each scale is the one
    with the least squared error (OCTAV; Sakr et al. 2022), which may clip the largest weights.

    Args:
        content: a LiteRT file with weights in 32 bits.

    Raises:
        ImportError: if ai-edge-quantizer is not installed.
    """
    from ai_edge_quantizer import algorithm_manager, qtyping, quantizer

    convolution = qtyping.TFLOperationName.CONV_2D
    made = quantizer.Quantizer(bytearray(content))
    for kind in (qtyping.TFLOperationName.FULLY_CONNECTED, convolution):
        made.add_dynamic_config(
            ".*", kind, num_bits=8, algorithm_key=algorithm_manager.AlgorithmName.OCTAV
        )
    half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    for name in _over_one_channel(content):
        made.update_quantization_recipe(
            re.escape(name),
            convolution,
            qtyping.OpQuantizationConfig(weight_tensor_config=half),
            algorithm_manager.AlgorithmName.FLOAT_CASTING,
        )
    return bytes(made.quantize().quantized_model)


def _over_one_channel(content: bytes) -> list[str]:
    """The names of what the convolutions over one channel give, by which the quantizer knows them."""
    from ai_edge_litert import schema_py_generated as schema

    network: Any = schema.Model.GetRootAs(content)
    graph = network.Subgraphs(0)
    operators = (graph.Operators(k) for k in range(graph.OperatorsLength()))
    return [
        graph.Tensors(each.Outputs(0)).Name().decode()
        for each in operators
        if network.OperatorCodes(each.OpcodeIndex()).BuiltinCode() == schema.BuiltinOperator.CONV_2D
        and graph.Tensors(each.Inputs(0)).Shape(3) == 1
    ]
