"""What a model's sites depend on, and drawings of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.infer.initialization import init_to_sample
from finetti.dialects.numpyro.ops.provenance import eval_provenance
from finetti.dialects.numpyro.primitives import Message
from finetti.report.graphviz import Vertex, dot_text, drawing_of

__all__ = [
    "generate_graph_specification", "get_dependencies", "get_model_relations", "render_graph",
    "render_model",
]  # fmt: skip

Model = Callable[..., Any]
_CLONE = "__CLONE"  # the end of the name of a plate's part that stands in another plate


class _Given(handlers.substitute):
    """Gives statements their values, and keeps what deterministic ones would have had."""

    def __init__(self, fn: Model, data: Mapping[str, Any]) -> None:
        self.computed: dict[str, Any] = {}
        super().__init__(fn, data)

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "deterministic":
            self.computed[msg["name"]] = msg["value"]
        super().process_message(msg)


def _name_of(fn: Any) -> str:
    """The name of a distribution without what changes its shape."""
    while isinstance(fn, (dist.Independent, dist.ExpandedDistribution, dist.MaskedDistribution)):
        fn = fn.base_dist
    return type(fn).__name__


def _sites(model: Model, args: Any, kwargs: Any) -> dict[str, Message]:
    """The model's statements in order, with shapes for values; no array is computed."""
    found: dict[str, Message] = {}

    def run() -> dict[str, Any]:
        # a set without a density has no draws, but the strategy has values for it
        seeded = handlers.substitute(handlers.seed(model, 0), substitute_fn=init_to_sample)
        trace = handlers.trace(seeded).get_trace(*args, **kwargs)
        found.clear()
        for name, site in trace.items():
            found[name] = {
                "type": site["type"], "is_observed": bool(site.get("is_observed")),
                "plates": [frame.name for frame in site.get("cond_indep_stack", ())],
                "constraint": site.get("kwargs", {}).get("constraint"),
                "fn": _name_of(site["fn"]) if site["type"] == "sample" else "Deterministic",
            }  # fmt: skip
        return {n: s["value"] for n, s in trace.items() if s["type"] in _VALUED}

    for name, shape in jax.eval_shape(run).items():
        found[name]["value"] = shape
    return found


_VALUED = ("sample", "deterministic", "param")


def _behind(model: Model, args: Any, kwargs: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """Site -> names of the values that its density, or its deterministic value, depends on."""

    def run(**given: Any) -> dict[str, Any]:
        fixed = _Given(model, given)
        trace = handlers.trace(handlers.seed(fixed, 0)).get_trace(*args, **kwargs)
        found = {
            name: site["fn"].log_prob(site["value"])
            for name, site in trace.items()
            if site["type"] == "sample"
        }
        return found | {n: x for n, x in fixed.computed.items() if n in trace}

    return eval_provenance(run, **values)  # type: ignore[no-any-return]


def get_dependencies(
    model: Model, model_args: tuple[Any, ...] | None = None, model_kwargs: Any = None
) -> dict[str, Any]:
    """Which variables depend on which, in the prior and in the posterior.

    Deterministic sites and those of `Delta` are no variables here; what depends on them depends on
    what they depend on.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs : optional
        Its arguments, the data among them.

    Returns
    -------
    dict
        "prior_dependencies": variable -> {latent variable that it depends on: plates}, and
        "posterior_dependencies": latent variable -> {variable: plates}, where all elements in the
        plates depend on all others.
    """
    args, kwargs = model_args or (), model_kwargs or {}
    sites = _sites(model, args, kwargs)
    drawn = {n: s for n, s in sites.items() if s["type"] == "sample" and s["fn"] != "Delta"}
    latent = [name for name, site in drawn.items() if not site["is_observed"]]
    plates = {name: set(site["plates"]) for name, site in drawn.items()}
    behind = _behind(model, args, kwargs, {name: drawn[name]["value"] for name in latent})
    place = {name: i for i, name in enumerate(drawn)}
    prior: dict[str, dict[str, set[str]]] = {
        name: {name: set(), **{
            other: set() for other in latent
            if place[other] < place[name] and other in behind[name]
        }}
        for name in drawn
    }  # fmt: skip
    posterior: dict[str, dict[str, set[str]]] = {name: {} for name in latent}
    for name, parents in prior.items():
        for parent in parents:
            if parent in posterior:
                posterior[parent][name] = set()
    # the parents of a variable depend on each other once it is known
    for name, parents in prior.items():
        known = [parent for parent in parents if parent in posterior]
        for one in known:
            for two in known:
                if place[one] >= place[two]:
                    shared = posterior[two].setdefault(one, set())
                    shared |= plates[one] & plates[two] - plates[name]
    return {"prior_dependencies": prior, "posterior_dependencies": posterior}


def get_model_relations(
    model: Model, model_args: tuple[Any, ...] | None = None, model_kwargs: Any = None
) -> dict[str, Any]:
    """What a drawing of a model is made of.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs : optional
        Its arguments, the data among them.

    Returns
    -------
    dict
        "sample_sample" and "sample_param": site -> the sites and parameters that it depends on;
        "sample_dist": site -> the name of its distribution; "param_constraint"; "plate_sample":
        plate -> its sites; "observed": the observed sites.
    """
    args, kwargs = model_args or (), model_kwargs or {}
    sites = _sites(model, args, kwargs)
    nodes = {n: s for n, s in sites.items() if s["type"] in ("sample", "deterministic")}
    params = {n: s for n, s in sites.items() if s["type"] == "param"}
    values = {n: s["value"] for n, s in {**nodes, **params}.items()}
    behind = _behind(model, args, kwargs, values)
    boxes = {
        plate: {name for name, site in nodes.items() if plate in site["plates"]}
        for plate, site in sites.items()
        if site["type"] == "plate"
    }
    return {
        "sample_sample": {n: [u for u in nodes if u in behind[n] and u != n] for n in nodes},
        "sample_param": {n: [u for u in params if u in behind[n]] for n in nodes},
        "sample_dist": {name: site["fn"] for name, site in nodes.items()},
        "param_constraint": {
            name: "" if site["constraint"] is None else str(site["constraint"])
            for name, site in params.items()
        },
        "plate_sample": {
            plate: [name for name in sites if name in inside]
            for plate, inside in _apart(boxes).items()
        },
        "observed": [n for n, s in sites.items() if s["type"] == "sample" and s["is_observed"]],
    }


def _apart(boxes: dict[str, set[str]]) -> dict[str, set[str]]:
    """Plates that cross are cut, so that of any two one holds the other or they share nothing."""
    for first in boxes.values():
        for two, second in boxes.items():
            if first & second and first - second and second - first:
                cut = {**boxes, two: first & second, two + _CLONE: second - first}
                return _apart(cut)
    return boxes


# -- drawings ------------------------------------------------------------------------------------


def generate_graph_specification(
    model_relations: Mapping[str, Any], render_params: bool = False
) -> dict[str, Any]:
    """A drawing's boxes, nodes and arrows.

    Parameters
    ----------
    model_relations : dict
        What `get_model_relations` returned.
    render_params : bool
        With parameters.

    Returns
    -------
    dict
        "plate_groups": plate or None -> its nodes; "plate_data": plate -> the plate it stands in;
        "node_data"; "edge_list".
    """
    parents = model_relations["sample_sample"]
    groups: dict[Any, list[str]] = dict(model_relations["plate_sample"])
    inside = {name for names in groups.values() for name in names}
    plates = [*groups]
    groups[None] = [name for name in parents if name not in inside]
    nodes: dict[str, dict[str, Any]] = {
        name: {
            "is_observed": name in model_relations["observed"],
            "distribution": model_relations["sample_dist"][name],
        }
        for name in parents
    }
    edges = [(source, target) for target, names in parents.items() for source in names]
    if render_params:
        users = model_relations["sample_param"]
        edges += [(source, target) for target, names in users.items() for source in names]
        used = {source for names in users.values() for source in names}
        for name, constraint in model_relations["param_constraint"].items():
            nodes[name] = {
                "is_observed": False, "constraint": constraint, "distribution": None,
            }  # fmt: skip
            if name in used:
                groups[None].append(name)
    return {
        "plate_groups": groups,
        "plate_data": {plate: {"parent": _around(plate, plates, groups)} for plate in plates},
        "node_data": nodes,
        "edge_list": edges,
    }


def _around(plate: str, plates: list[str], groups: Mapping[Any, list[str]]) -> str | None:
    """The smallest plate that holds another; of equal ones the earlier holds the later."""
    own = set(groups[plate])
    holders = [
        other
        for other in plates
        if own < set(groups[other])
        or (own == set(groups[other]) and plates.index(other) < plates.index(plate))
    ]
    return min(reversed(holders), key=lambda other: len(groups[other]), default=None)


def render_graph(graph_specification: Mapping[str, Any], render_distributions: bool = False) -> Any:
    """The drawing of a specification.

    Parameters
    ----------
    graph_specification : dict
        What `generate_graph_specification` returned.
    render_distributions : bool
        With a list of the distributions.
    """
    return drawing_of(_text(graph_specification, render_distributions))


def _text(spec: Mapping[str, Any], distributions: bool) -> str:
    groups, nodes = spec["plate_groups"], spec["node_data"]
    depth = {plate: len(names) for plate, names in groups.items() if plate is not None}
    homes: dict[str, str] = {}
    for plate in sorted(depth, key=lambda one: -depth[one]):  # the innermost last
        homes.update(dict.fromkeys(groups[plate], plate))
    drawn = {name for names in groups.values() for name in names}
    vertices = []
    for name in [name for name in nodes if name in drawn]:
        parents = tuple(source for source, target in spec["edge_list"] if target == name)
        vertices.append(Vertex(name, _kind(nodes[name]), "", homes.get(name, ""), parents))
    rows = []
    for name, node in nodes.items() if distributions else ():
        if node["distribution"]:
            rows.append(f"{name} ~ {node['distribution']}")
        if node.get("constraint"):
            rows.append(f"{name} ∈ {node['constraint']}")
    inside = {plate: data["parent"] or "" for plate, data in spec["plate_data"].items()}
    labels = {plate: plate.split(_CLONE)[0] for plate in depth}
    return dot_text(vertices, inside, labels, rows)


def _kind(node: Mapping[str, Any]) -> str:
    if not node["distribution"]:
        return "param"
    if node["distribution"] == "Deterministic":
        return "deterministic"
    return "observed" if node["is_observed"] else "free"


def render_model(  # noqa: PLR0913, a user's keywords
    model: Model,
    model_args: tuple[Any, ...] | None = None,
    model_kwargs: Any = None,
    filename: str | Path | None = None,
    render_distributions: bool = False,
    render_params: bool = False,
) -> Any:
    """Draw a model.

    Parameters
    ----------
    model : callable
        The model.
    model_args, model_kwargs : optional
        Its arguments, the data among them.
    filename : str, optional
        Write the picture to this file; its ending is the format.
    render_distributions : bool
        With a list of the distributions.
    render_params : bool
        With parameters.

    Returns
    -------
    graphviz.Source or Drawing
        With `source`, `render` and `pipe`; notebooks show the picture.
    """
    relations = get_model_relations(model, model_args, model_kwargs)
    spec = generate_graph_specification(relations, render_params=render_params)
    return drawing_of(_text(spec, render_distributions), filename)
