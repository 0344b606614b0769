"""What a `config.json` says, with what transformers assumes where it says nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def complete(
    config: Mapping[str, Any], defaults: Mapping[str, Any], aliases: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a config with the defaults of settings that it leaves out.

    Parameters
    ----------
    defaults : the fields of the configuration class of transformers, where they matter here
    aliases : other names of settings; they come first, as in transformers

    >>> complete({"n_layer": 2, "width": 8}, {"n_layer": 12, "n_embd": 768}, {"width": "n_embd"})
    {'n_layer': 2, 'n_embd': 8, 'width': 8}
    """
    renamed = {name: config[alias] for alias, name in (aliases or {}).items() if alias in config}
    return {**defaults, **config, **renamed}


def check_settings(config: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuse a config with a setting that changes what is computed; absent ones are as wanted.

    Parameters
    ----------
    wanted : the value that each must have, or a tuple of values that mean the same

    >>> check_settings({"hidden_act": "relu"}, {"hidden_act": "gelu"})
    Traceback (most recent call last):
    ValueError: hidden_act is 'relu', expected 'gelu'
    """
    for name, value in wanted.items():
        same = value if isinstance(value, tuple) else (value,)
        if config.get(name, same[0]) not in same:
            raise ValueError(f"{name} is {config[name]!r}, expected {same[0]!r}")


def whole_number(config: Mapping[str, Any], name: str, most: int = 2**31) -> int:
    """Return a whole number of a config; `ValueError` where it is missing or out of range.

    >>> whole_number({"vocab_size": 0}, "vocab_size")
    Traceback (most recent call last):
    ValueError: vocab_size must be a whole number from 1 to 2,147,483,648, got 0
    """
    value = config.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 1 to {most:,}, got {value!r}")
    return value


def number(config: Mapping[str, Any], name: str) -> float | None:
    """Return a positive number of a config, or None where it has none.

    >>> number({"cap": 50.0}, "cap"), number({}, "cap")
    (50.0, None)
    """
    value = config.get(name)
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 1e9:
        raise ValueError(f"{name} must be a number above 0, got {value!r}")
    return float(value)


def an_object(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return an object of a config, an empty one where it has none.

    >>> an_object({"rope_scaling": [1]}, "rope_scaling")
    Traceback (most recent call last):
    ValueError: rope_scaling must be an object, got [1]
    """
    value = config.get(name) or {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} must be an object, got {value!r}")
    return value


def epsilon(config: Mapping[str, Any], name: str) -> float:
    """Return what a norm adds to the variance; `ValueError` where it is none from 0 to 1.

    >>> epsilon({"layer_norm_eps": "small"}, "layer_norm_eps")
    Traceback (most recent call last):
    ValueError: layer_norm_eps: a norm's epsilon must be from 0 to 1, got 'small'
    """
    value = config[name]
    if not isinstance(value, float) or not 0 <= value < 1:
        raise ValueError(f"{name}: a norm's epsilon must be from 0 to 1, got {value!r}")
    return value


def heads_and_width(config: Mapping[str, Any], heads: str, width: str) -> tuple[int, int]:
    """Return how many heads there are and how wide they are together.

    >>> heads_and_width({"n_head": 5, "n_embd": 16}, "n_head", "n_embd")
    Traceback (most recent call last):
    ValueError: 5 heads cannot divide a width of 16
    """
    count, together = whole_number(config, heads), whole_number(config, width)
    if together % count:
        raise ValueError(f"{count} heads cannot divide a width of {together}")
    return count, together
