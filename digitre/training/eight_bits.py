"""Weights in eight bits for the network that is served."""

from __future__ import annotations


def convert(content: bytes) -> bytes:
    """A LiteRT network with the weights of its full connections in eight bits, a scale per output.

    They hold nine tenths of the weights. LiteRT brings their inputs to eight bits while it runs. The
    convolutions stay as they are: without instructions for eight bits they would take longer.

    Args:
        content: a LiteRT file with weights in 32 bits.

    Raises:
        ImportError: if ai-edge-quantizer is not installed.
    """
    from ai_edge_quantizer import qtyping, quantizer

    made = quantizer.Quantizer(bytearray(content))
    made.add_dynamic_config(".*", qtyping.TFLOperationName.FULLY_CONNECTED, num_bits=8)
    return bytes(made.quantize().quantized_model)
