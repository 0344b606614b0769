"""`attention models`: which there are."""

from __future__ import annotations

import argparse

from attention.commands.common import add_json, command, respond
from attention.models import available_models, available_translators, unavailable_models
from attention.models.memory import in_gb
from attention.models.registry import entries, full_name

_EXAMPLES = """  attention models
  attention models --json
  ATTENTION_MODELS=~/models attention models       your own folder of models, too"""


def add_models(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    summary = "list the models that are here, and why others cannot be used"
    add_json(command(commands, "models", _models, summary, _EXAMPLES))


def _models(arguments: argparse.Namespace) -> None:
    translators = available_translators()
    found = [
        {"name": name, "published_as": full_name(name), "translates": name in translators,
         "bytes": entries()[name].needed}
        for name in available_models()
    ]  # fmt: skip
    broken = unavailable_models()
    width = max(len(str(model["name"])) for model in found)
    lines = [
        f"{model['name']:<{width}}  {in_gb(int(str(model['bytes']))):>7}"
        f"{'  translates' if model['translates'] else ''}"
        for model in found
    ]
    lines += [f"{name}: cannot be used: {why}" for name, why in broken.items()]
    respond(arguments, {"models": found, "unusable": broken}, "\n".join(lines))
