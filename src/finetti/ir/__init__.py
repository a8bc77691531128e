"""The graph of tensors: the only meaning a model has."""

from finetti.ir.node import Node, rebuild, topological
from finetti.ir.opdef import OPS, OpDef, attrs_of
from finetti.ir.tensor import Tensor
from finetti.ir.types import BOOL, FLOAT, INT, Size, TensorType

__all__ = ["BOOL", "FLOAT", "INT", "OPS", "Node", "OpDef", "Size", "Tensor", "TensorType",
           "attrs_of", "rebuild", "topological"]  # fmt: skip
