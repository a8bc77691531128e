"""A distribution whose log density counts more or less than once, or not everywhere."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

from finetti.dist.base import Distribution, Param
from finetti.dist.support import Support
from finetti.ir import Tensor, ops

WEIGHT, MASK = "weight_", "mask_"

_anything = Support("real", "numbers", infinite=True)
_any_whole = Support("real", "whole numbers", discrete=True, infinite=True)


def _host_draw(base: Distribution) -> Any:
    host = base.host_draw
    if host is None:
        return None

    def draw(rng: Any, shape: Any, **params: Any) -> Any:
        return host(rng, shape, **{name: params[name] for name in base.params})

    return draw


@cache
def weighted(base: Distribution, weight: bool, mask: bool) -> Distribution:
    """`base` with a factor of its log density, a mask of it, or both as further parameters.

    Where the mask is False the density is 1, whatever the value and the parameters are.

    Parameters
    ----------
    base : Distribution
        What is weighted.
    weight : bool
        Whether there is a parameter ``weight_``, over the batch axes.
    mask : bool
        Whether there is a parameter ``mask_``, over the batch axes.
    """

    def own(params: Any) -> dict[str, Any]:
        return {name: params[name] for name in base.params}

    def density(value: Tensor, **params: Any) -> Tensor:
        result = base.logp(value, **own(params))
        if mask:
            # parameters that are numbers come as floats
            result = ops.where(ops.not_equal(params[MASK], 0.0), result, 0.0)
        return result * params[WEIGHT] if weight else result

    def support(**params: Any) -> Support:
        inner: Support = base.support(**own(params))
        # what the mask hides may be anything; else the density of `base` has the test already
        return replace(inner, test=None, exact=None, infinite=True) if mask else inner

    free = {
        name: Param(_any_whole if p.constraint.discrete else _anything, p.default, p.ndim)
        for name, p in base.params.items()
    }
    more = {WEIGHT: Param(_anything)} if weight else {}
    more |= {MASK: Param(_anything)} if mask else {}
    return Distribution(
        base.name,
        params={**free, **more},
        support=support,
        density=density,
        draw=lambda shape, **params: base.draw(shape, **own(params)),
        center=lambda **params: base.center(**own(params)),
        mean=lambda **params: base.mean(**own(params)),
        var=lambda **params: base.var(**own(params)),
        discrete=base.discrete,
        event_ndim=base.event_ndim,
        event_shape=lambda **shapes: base.event_shape(**own(shapes)),
        scipy="",
        samples=(),
        tol=base.tol,
        notes={"cdf": "the weight belongs to the density", "quantile": "as of `base`"},
        made_by=(weighted, base, weight, mask),
        host_draw=_host_draw(base),
    )
