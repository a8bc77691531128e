"""``pm.glm``: generalised linear models from formulas, as PyMC3 had them."""

from finetti.dialects.pymc3.glm import families
from finetti.dialects.pymc3.glm.linear import GLM, LinearComponent

__all__ = ["GLM", "LinearComponent", "families"]
