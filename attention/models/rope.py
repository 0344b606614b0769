"""Rotations of queries and keys (RoPE): by which angles, and how long contexts stretch them.

Sources: Su et al. 2021, "RoFormer", section 3.2.2; linear: Chen et al. 2023, "Position
interpolation", section 3; YaRN: Peng et al. 2023, sections 3.2 and 3.4; Llama 3.1: its program;
LongRoPE: Ding et al. 2024, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from attention.arrays import Array
from attention.models import settings

_OWN_LENGTH = "original_max_position_embeddings"
_OUTSIDE = ("rope_theta", "partial_rotary_factor")

Settings = dict[str, Any]


class Rope(NamedTuple):
    """Pair i of a head turns from one position to the next by `theta^(-2 i / R) / divisors[i]`."""

    theta: float
    width: int  # R, how many numbers of each head are turned: the first ones
    divisors: tuple[float, ...] = ()  # (R / 2,), all 1 where there are none
    gain: float = 1.0  # what cosines and sines are multiplied by

    @property
    def frequencies(self) -> Array:
        """By how many radians each pair turns, `(R / 2,)` float64.

        >>> Rope(100.0, 4, (1.0, 2.0)).frequencies
        array([1.  , 0.05])
        """
        plain = self.theta ** (-np.arange(0, self.width, 2) / self.width)
        return plain / np.array(self.divisors) if self.divisors else plain


@lru_cache(maxsize=64)
def rotation_angles(rope: Rope, tokens: int, start: int = 0) -> tuple[Array, Array]:
    """Return the cosines and sines `(T, R / 2)` of the angles of positions from `start` on.

    The first pairs turn fast, the last ones slowly.

    >>> cos, sin = rotation_angles(Rope(100.0, 4), 2)
    >>> bool(np.allclose(np.arctan2(sin[1], cos[1]), [1.0, 0.1]))
    True
    """
    angles = np.arange(start, start + tokens)[:, None] * rope.frequencies  # float64: p is large
    cos, sin = ((rope.gain * f(angles)).astype(np.float32) for f in (np.cos, np.sin))
    cos.flags.writeable = sin.flags.writeable = False  # every layer turns by the same
    return cos, sin


def rope_of(told: Mapping[str, Any], head: int, context: int) -> Rope:
    """Return the rotations that a `rope_parameters` object asks for, as transformers reads it.

    Parameters
    ----------
    told : with `rope_theta`, and `rope_type` with its own settings unless it is the default
    head : E, how wide a head is
    context : `max_position_embeddings`

    Raises
    ------
    ValueError : the type is none that is computed here, or a setting is missing or no such number.

    >>> rope_of({"rope_theta": 10.0, "rope_type": "linear", "factor": 8.0}, 4, 2048)
    Rope(theta=10.0, width=4, divisors=(8.0, 8.0), gain=1.0)
    """
    theta, share = told.get("rope_theta", 10_000.0), told.get("partial_rotary_factor", 1.0)
    if not _is_number(theta) or not 1 < theta < 1e15:
        raise ValueError(f"rope_theta must be above 1 and below 1e15, got {theta!r}")
    if not _is_number(share) or not 0 < share <= 1:
        raise ValueError(f"partial_rotary_factor must be above 0 and at most 1, got {share!r}")
    kind, width = _kind(told), int(head * share)
    if width % 2 or width < 2:
        raise ValueError(f"head_dim must be even to be rotated, got {width} numbers to turn")
    if not isinstance(kind, str) or kind not in _SCALINGS:
        raise ValueError(f"rope_type is {kind!r}; computed are {', '.join(_SCALINGS)}")
    return _SCALINGS[kind](Rope(theta, width), {_OWN_LENGTH: context, **told}, context)


def longest_text(told: Mapping[str, Any], context: int) -> int:
    """Return how many tokens are read with the same rotations as a short text.

    Beyond these `dynamic` turns by other angles for every length, and `longrope` by other ones.
    """
    kind = _kind(told)
    return (
        int(_number(told, _OWN_LENGTH, 1))
        if kind == "longrope" and _OWN_LENGTH in told
        else context
    )


def rope_parameters(config: Mapping[str, Any]) -> tuple[Settings, Settings | None]:
    """Return how layers rotate, and how those with a window do where that is different.

    The old settings stand back behind the new ones, as in transformers.
    """
    scaling, whole = (settings.an_object(config, at) for at in ("rope_scaling", "rope_parameters"))
    outside = {name: config[name] for name in _OUTSIDE if config.get(name) is not None}
    if "rope_local_base_freq" not in config:
        told = scaling or whole
        given = {name: value for name, value in told.items() if value is not None}
        return {**outside, **given, **_old_length(config, told)}, None
    local, general = (
        settings.an_object(whole, at) for at in ("sliding_attention", "full_attention")
    )
    general = {**outside, **general, **scaling}
    return general, {"rope_theta": config["rope_local_base_freq"], **local}


def _old_length(config: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return the length that a model was first trained with, which Phi-3 has beside the others."""
    scaled = _kind(told) not in ("default", "linear")
    own = config.get(_OWN_LENGTH)
    return {_OWN_LENGTH: own} if scaled and own is not None else {}


def _kind(told: Mapping[str, Any]) -> Any:
    kind = told.get("rope_type", told.get("type", "default"))
    return "longrope" if kind in ("su", "yarn") and "short_factor" in told else kind  # Phi-3, once


def _plain(rope: Rope, told: Mapping[str, Any], context: int) -> Rope:
    return rope  # for `dynamic`, too: it changes nothing up to the length that a model is made for


def _linear(rope: Rope, told: Mapping[str, Any], context: int) -> Rope:
    return rope._replace(divisors=(_number(told, "factor", 1),) * (rope.width // 2))


def _llama3(rope: Rope, told: Mapping[str, Any], context: int) -> Rope:
    """Divide the slow frequencies, leave the fast ones, and go from one to the other between."""
    factor, low, high = (
        _number(told, name) for name in ("factor", "low_freq_factor", "high_freq_factor")
    )
    if not low < high:
        raise ValueError(f"low_freq_factor {low} must be below high_freq_factor {high}")
    turns = _number(told, _OWN_LENGTH, 1) * rope.frequencies / (2 * math.pi)  # in the old context
    kept = np.clip((turns - low) / (high - low), 0, 1)
    return rope._replace(divisors=_blended(kept, factor))


def _yarn(rope: Rope, told: Mapping[str, Any], context: int) -> Rope:
    """Divide what turns less than `beta_slow` times in the old context, and raise all scores."""
    own = _number(told, _OWN_LENGTH, 1)
    factor = context / own if told.get("factor") is None else _number(told, "factor")

    def pair_of(turns: float) -> float:
        return rope.width * math.log(own / (turns * 2 * math.pi)) / (2 * math.log(rope.theta))

    fast = _number({"beta_fast": told.get("beta_fast") or 32.0}, "beta_fast")
    slow = _number({"beta_slow": told.get("beta_slow") or 1.0}, "beta_slow")
    first, last = pair_of(fast), pair_of(slow)
    if told.get("truncate", True):
        first, last = math.floor(first), math.ceil(last)
    first, last = max(first, 0), min(last, rope.width - 1)
    steps = (np.arange(rope.width // 2) - first) / (last - first or 0.001)
    divisors = _blended(1 - np.clip(steps, 0, 1), factor)
    return rope._replace(divisors=divisors, gain=_yarn_gain(told, factor))


def _yarn_gain(told: Mapping[str, Any], factor: float) -> float:
    if told.get("attention_factor") is not None:
        return _number(told, "attention_factor")

    def gain(scale: float) -> float:
        return 0.1 * scale * math.log(factor) + 1 if factor > 1 else 1.0

    if told.get("mscale") and told.get("mscale_all_dim"):
        return gain(_number(told, "mscale")) / gain(_number(told, "mscale_all_dim"))
    return gain(1.0)


def _longrope(rope: Rope, told: Mapping[str, Any], context: int) -> Rope:
    own, short = _number(told, _OWN_LENGTH, 2), told.get("short_factor")
    if not isinstance(short, list) or len(short) != rope.width // 2:
        raise ValueError(f"short_factor must be a list of {rope.width // 2} numbers")
    divisors = tuple(_number({"short_factor": each}, "short_factor") for each in short)
    factor = context / own if told.get("factor") is None else _number(told, "factor")
    gain = math.sqrt(1 + math.log(factor) / math.log(own)) if factor > 1 else 1.0
    if told.get("attention_factor") is not None:
        gain = _number(told, "attention_factor")
    return rope._replace(divisors=divisors, gain=gain)


_SCALINGS: dict[str, Callable[[Rope, Mapping[str, Any], int], Rope]] = {
    "default": _plain,
    "linear": _linear,
    "dynamic": _plain,
    "llama3": _llama3,
    "yarn": _yarn,
    "longrope": _longrope,
}


def _blended(kept: Array, factor: float) -> tuple[float, ...]:
    """Return divisors: 1 where all of a frequency is kept, `factor` where nothing is."""
    return tuple((1 / (kept + (1 - kept) / factor)).tolist())


def _number(told: Mapping[str, Any], name: str, least: float = 0.0) -> float:
    value: Any = told.get(name)
    if not _is_number(value) or not least <= value < 1e9 or value == 0:
        raise ValueError(f"{name} must be a number from {least:g} to 1e9, got {value!r}")
    return float(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
