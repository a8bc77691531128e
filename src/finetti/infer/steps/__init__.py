"""Step methods under PyMC's names."""

from finetti.infer.steps import arraystep, compound, hmc, metropolis, proposals, slicer
from finetti.infer.steps.arraystep import (
    ArrayStep,
    ArrayStepShared,
    RaveledVars,
    metrop_select,
)
from finetti.infer.steps.compound import BlockedStep, Competence, CompoundStep
from finetti.infer.steps.gibbs import (
    BinaryGibbsMetropolis,
    BinaryMetropolis,
    CategoricalGibbsMetropolis,
    ElemwiseCategorical,
)
from finetti.infer.steps.hmc import NUTS, HamiltonianMC
from finetti.infer.steps.metropolis import DEMetropolis, DEMetropolisZ, Metropolis
from finetti.infer.steps.proposals import (
    CauchyProposal,
    LaplaceProposal,
    MultivariateNormalProposal,
    NormalProposal,
    PoissonProposal,
    UniformProposal,
)
from finetti.infer.steps.slicer import Slice

# in PyMC's order: where several suit a variable equally well, the first is taken
STEP_METHODS: list[type[BlockedStep]] = [
    NUTS, HamiltonianMC, Metropolis, BinaryMetropolis, BinaryGibbsMetropolis, Slice,
    CategoricalGibbsMetropolis,
]  # fmt: skip

__all__ = [
    "NUTS", "STEP_METHODS", "ArrayStep", "ArrayStepShared", "BinaryGibbsMetropolis",
    "BinaryMetropolis", "BlockedStep", "CategoricalGibbsMetropolis", "CauchyProposal", "Competence",
    "CompoundStep", "DEMetropolis", "DEMetropolisZ", "ElemwiseCategorical", "HamiltonianMC",
    "LaplaceProposal", "Metropolis", "MultivariateNormalProposal", "NormalProposal",
    "PoissonProposal", "RaveledVars", "Slice", "UniformProposal", "arraystep", "compound", "hmc",
    "metrop_select", "metropolis", "proposals", "slicer",
]  # fmt: skip
