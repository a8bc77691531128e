"""Drawings of models, under the name of their module in earlier versions."""

from finetti.dialects.numpyro.infer.inspect import (
    generate_graph_specification,
    get_model_relations,
    render_graph,
    render_model,
)

__all__ = [
    "generate_graph_specification", "get_model_relations", "render_graph", "render_model",
]  # fmt: skip
