"""Tidy tables -> `alt.Chart`. Nothing is drawn here.

A chart function takes the table first and everything else by keyword, and never looks into the
table: what depends on the data (labels, domains, counts) comes in as an argument. So one spec
serves every table of that form, and the dashboard builds it once.
"""

from altair import TopLevelMixin as Chart

from attention.lazily import submodules

__all__ = ["Chart"]

__getattr__, __dir__ = submodules(__name__, __path__)
