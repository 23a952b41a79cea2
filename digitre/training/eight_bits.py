"""Weights in eight bits for the network that is served, and in sixteen where eight are slower."""

from __future__ import annotations


def convert(content: bytes) -> bytes:
    """A LiteRT network with the weights of its full connections in eight bits, a scale per output.

    They hold nine tenths of the weights. LiteRT brings their inputs to eight bits while it runs. On
    processors without instructions for that, convolutions would take longer. Theirs are in half
    precision (float16), which LiteRT brings to 32 bits once, when it loads the file.

    Args:
        content: a LiteRT file with weights in 32 bits.

    Raises:
        ImportError: if ai-edge-quantizer is not installed.
    """
    from ai_edge_quantizer import algorithm_manager, qtyping, quantizer

    made = quantizer.Quantizer(bytearray(content))
    made.add_dynamic_config(".*", qtyping.TFLOperationName.FULLY_CONNECTED, num_bits=8)
    half = qtyping.TensorQuantizationConfig(num_bits=16, dtype=qtyping.TensorDataType.FLOAT)
    made.update_quantization_recipe(
        ".*",
        qtyping.TFLOperationName.CONV_2D,
        qtyping.OpQuantizationConfig(weight_tensor_config=half),
        algorithm_manager.AlgorithmName.FLOAT_CASTING,
    )
    return bytes(made.quantize().quantized_model)
