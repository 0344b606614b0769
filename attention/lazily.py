"""Modules of a package as its attributes, imported when they are first used."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from pkgutil import iter_modules
from sys import modules
from types import ModuleType


def submodules(
    package: str, path: Iterable[str]
) -> tuple[Callable[[str], ModuleType], Callable[[], list[str]]]:
    """Return a `__getattr__` and a `__dir__` for a package that does not import its modules.

    >>> import attention
    >>> attention.analysis.metrics.__name__
    'attention.analysis.metrics'
    """
    names = {module.name for module in iter_modules(path)}

    def get(name: str) -> ModuleType:
        if name in names:
            return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names_there() -> list[str]:
        return sorted({*vars(modules[package]), *names})

    return get, names_there
