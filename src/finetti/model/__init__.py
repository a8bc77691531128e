"""Models: named random variables, data, dims, and the log density they stand for."""

from finetti.ir.tensor import METHODS
from finetti.model.context import modelcontext
from finetti.model.data import Data, DataTensor, set_data
from finetti.model.forward import draw
from finetti.model.methods import eval_tensor
from finetti.model.model import Model, UnknownVariable
from finetti.model.variables import UNSET, Deterministic, Potential, VarList

METHODS["eval"] = eval_tensor

__all__ = ["UNSET", "Data", "DataTensor", "Deterministic", "Model", "Potential", "UnknownVariable",
           "VarList", "draw", "modelcontext", "set_data"]  # fmt: skip
