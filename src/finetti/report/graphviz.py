"""A model as a drawing: circles for variables, arrows for dependence, plates for shapes.

The drawing is text in Graphviz's language, which any of its tools turns into a picture. With the
`graphviz` package and its `dot` program the result is that package's own object; without them it
is a small one of the same kind.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetti.errors import ModelError, NotYetSupported, ParameterError, did_you_mean
from finetti.ir import Node
from finetti.model.context import modelcontext
from finetti.model.variables import dist_of

_STYLES = {
    "free": 'shape=ellipse',
    "observed": 'shape=ellipse style=filled fillcolor="lightgrey"',
    "deterministic": "shape=box",
    "potential": 'shape=octagon style=filled fillcolor="lightgrey"',
    "data": 'shape=box style="rounded, filled" fillcolor="lightgrey"',
    "param": "shape=plain",
}  # fmt: skip
_KINDS = {"deterministic": "Deterministic", "potential": "Potential", "data": "Data"}
_FORMATTING = ("plain", "plain_with_params", "latex", "latex_with_params")


@dataclass(frozen=True)
class Vertex:
    """One variable of a drawing.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        "free", "observed", "deterministic", "potential", "data" or "param".
    words : str
        What stands below the name, if anything.
    plate : str
        The box it stands in; empty for scalars.
    parents : tuple of str
        The variables that it depends on at first hand.
    """

    name: str
    kind: str
    words: str
    plate: str
    parents: tuple[str, ...]


def vertices(model: Any, var_names: Iterable[str] | None = None) -> list[Vertex]:
    """The variables of a model, in the order in which they were written."""
    root = model.root
    names: dict[Node, str] = {}
    for name, tensor in root.named_vars.items():
        names.setdefault(tensor.node, name)
    kinds = {
        name: kind
        for kind, tensors in (
            ("free", root.free_RVs), ("observed", root.observed_RVs), ("data", root.data_vars),
            ("deterministic", root.deterministics), ("potential", root.potentials),
        )
        for name in (tensor.name for tensor in tensors)
    }  # fmt: skip
    found = []
    for name, tensor in root.named_vars.items():
        kind = kinds[name]
        outputs = [tensor.node] if names[tensor.node] != name else list(tensor.node.args)
        if kind == "observed":
            outputs.append(root.observations[tensor].node)
        parents = tuple(_parents(outputs, names))
        words = _KINDS.get(kind) or dist_of(tensor.node).name
        plate = _plate(tensor.node.shape, root.named_vars_to_dims.get(name))
        found.append(Vertex(name, kind, words, plate, parents))
    return found if var_names is None else _chosen(found, list(var_names))


def _parents(outputs: Sequence[Node], names: dict[Node, str]) -> list[str]:
    """Names that are met first on the ways up from some nodes."""
    found: dict[str, None] = {}
    seen: set[Node] = set()
    stack = list(reversed(outputs))
    while stack:
        node = stack.pop()
        if node in names:
            found[names[node]] = None
        elif node not in seen:
            seen.add(node)
            stack.extend(reversed(node.args))
    return list(found)


def _plate(shape: Sequence[int], dims: Any) -> str:
    """The label of a plate: ``city (3) x 2``."""
    names = dims or [None] * len(shape)
    return " x ".join(
        f"{dim} ({int(length)})" if dim else str(int(length))
        for dim, length in zip(names, shape, strict=True)
    )


def _chosen(found: list[Vertex], var_names: list[str]) -> list[Vertex]:
    """The variables asked for and what they depend on."""
    by_name = {vertex.name: vertex for vertex in found}
    keep: set[str] = set()
    stack = list(var_names)
    while stack:
        name = stack.pop()
        if name not in by_name:
            raise ModelError(
                f"model_to_graphviz: the model has no {name!r}. {did_you_mean(name, by_name)}"
            )
        if name not in keep:
            keep.add(name)
            stack.extend(by_name[name].parents)
    return [vertex for vertex in found if vertex.name in keep]


def dot_text(
    found: Sequence[Vertex],
    inside: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    note: Iterable[str] = (),
) -> str:
    """The drawing in Graphviz's language.

    Parameters
    ----------
    found : sequence of Vertex
        The variables.
    inside : mapping, optional
        Box -> the box that it stands in, of those that stand in one.
    labels : mapping, optional
        Box -> what is written on it, where that is not its name.
    note : iterable of str
        Lines of text that stand beside the variables.
    """
    boxes: dict[str, list[str]] = {}
    for vertex in found:
        line = f"{_quoted(vertex.name)} [label={_label(vertex)} {_STYLES[vertex.kind]}]"
        boxes.setdefault(vertex.plate, []).append(line)
    inside = inside or {}
    for box in [*boxes]:
        while box := inside.get(box, ""):
            boxes.setdefault(box, [])
    numbers = {box: number for number, box in enumerate(boxes)}

    def drawn(box: str) -> list[str]:
        lines = list(boxes[box])
        for inner in boxes:
            if inner and inside.get(inner, "") == box:
                label = _quoted((labels or {}).get(inner, inner))
                body = [*drawn(inner), f"label={label} labeljust=r labelloc=b style=rounded"]
                lines += [f"subgraph cluster_{numbers[inner]} {{", *(f"  {x}" for x in body), "}"]
        return lines

    boxes.setdefault("", [])
    lines = drawn("")
    text = "".join(_quoted(row)[1:-1] + "\\l" for row in note)
    if text:
        lines.append(f'"distributions" [label="{text}" shape=plaintext]')
    lines += [
        f"{_quoted(parent)} -> {_quoted(vertex.name)}"
        for vertex in found
        for parent in vertex.parents
    ]
    return "\n".join(["digraph {", *(f"  {line}" for line in lines), "}", ""])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _label(vertex: Vertex) -> str:
    if not vertex.words:
        return _quoted(vertex.name)
    return _quoted(vertex.name)[:-1] + "\\n~\\n" + _quoted(vertex.words)[1:]


class Drawing:
    """A drawing as text; `render` and notebooks make a picture of it where `dot` is installed."""

    def __init__(self, source: str):
        self.source = source

    def __repr__(self) -> str:
        return f"<drawing of a model; .source is its text in Graphviz's language>\n{self.source}"

    def pipe(self, format: str = "svg", encoding: str | None = None) -> Any:
        """The picture in a format of Graphviz: bytes, or text in an encoding."""
        program = shutil.which("dot")
        if program is None:
            raise NotYetSupported(
                "drawing a picture needs Graphviz's program `dot`, which is not installed. Install "
                "Graphviz, or paste `.source` into one of its pages."
            )
        made = subprocess.run(  # noqa: S603, the program found above, no shell
            [program, f"-T{format}"], input=self.source.encode(), capture_output=True, check=True
        )
        return made.stdout.decode(encoding) if encoding else made.stdout

    def save(self, filename: str = "model.gv") -> str:
        """Write the text into a file; returns its name."""
        Path(filename).write_text(self.source, encoding="utf-8")
        return filename

    def render(self, filename: str = "model.gv", format: str = "pdf", **options: Any) -> str:
        """Write the picture into a file beside its text; returns the picture's name."""
        unknown = [key for key in options if key not in ("cleanup", "view", "quiet")]
        if unknown:
            raise ParameterError(f"render: unknown keyword {unknown[0]}={options[unknown[0]]!r}.")
        target = f"{filename}.{format}"
        Path(target).write_bytes(self.pipe(format))
        if not options.get("cleanup"):
            self.save(filename)
        return target

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        bundle = {"text/plain": repr(self)}
        if shutil.which("dot") is not None:
            bundle["image/svg+xml"] = self.pipe("svg", "utf-8")
        return bundle


def model_to_graphviz(
    model: Any = None,
    *,
    var_names: Iterable[str] | None = None,
    formatting: str = "plain",
    save: str | None = None,
) -> Any:
    """Draw a model.

    Parameters
    ----------
    model : Model, optional
        The open model by default.
    var_names : list of str, optional
        Only these variables and what they depend on.
    formatting : str
        "plain".
    save : str, optional
        Write the picture to this file; its ending is the format.

    Returns
    -------
    graphviz.Source or Drawing
        With `source`, `render` and `pipe`; notebooks show the picture.
    """
    if formatting not in _FORMATTING:
        raise ParameterError(
            f"model_to_graphviz: formatting={formatting!r}. "
            f"{did_you_mean(str(formatting), _FORMATTING)}"
        )
    if formatting != "plain":
        raise NotYetSupported(f"model_to_graphviz: formatting={formatting!r}: only 'plain' is.")
    return drawing_of(dot_text(vertices(modelcontext(model), var_names)), save)


def drawing_of(text: str, save: str | Path | None = None) -> Any:
    """A drawing of a text; its picture is written to a file, whose ending is the format."""
    drawing = Drawing(text)
    if save is not None:
        path = Path(save)
        path.write_bytes(drawing.pipe(path.suffix.lstrip(".") or "png"))
    if shutil.which("dot") is None:
        return drawing
    try:
        import graphviz  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        return drawing
    return graphviz.Source(drawing.source)
