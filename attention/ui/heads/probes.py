"""The heads page's answer to "no role here": a text on which the head has one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention.analysis.probes import best_shown, probe_roles
from attention.analysis.role_kinds import ROLES
from attention.analysis.role_sentences import with_chance
from attention.lesson.pronoun_heads import pronoun_role, pronoun_sentence
from attention.ui import inputs
from attention.ui.code_lines import script
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import escape_markdown, table
from attention.ui.view_code import ViewCode, offer
from attention.wording import Head, head_name

_LONGEST = 80  # letters of a text


def elsewhere(chosen: Reading, heads: list[Head]) -> None:
    """Offer to look for texts on which the heads that have no role here have one."""
    idle = [head for head in heads if chosen.roles.role_of(head) is None]
    if not idle:
        return
    *others, last = map(head_name, idle)
    names = f"{', '.join(others)} and {last} have" if others else f"{last} has"
    if not inputs.switch(f"Find texts on which {names} a role", False, key="probe"):
        return
    probed = kept(
        "Trying built-in texts",
        lambda progress: probe_roles(chosen.model, on_progress=progress),
        chosen.model_name,
    )
    rows = []
    for head in idle:
        shown = best_shown(probed, head)
        if shown is None:
            rows.append([head_name(head), f"none of {len(probed)} built-in texts", ""])
        else:
            said = f"{ROLES[shown.role].label}, {with_chance(shown.found, shown.role, head)}"
            rows.append([head_name(head), _shortened(shown.text), said])
    table(["Head", "A text where it has a role", "The role there"], rows, texts=3)
    st.caption(
        f"The clearest of {len(probed)} built-in texts: the role furthest above chance. A role on "
        "one text is no role over a corpus."
    )

    _pronouns(chosen)
    name = f"Texts on which {names} a role"
    offer(ViewCode(partial(_code, chosen.model_name, idle), "probes", name=name))


def _code(model: str, heads: list[Head]) -> str:
    return script([
        "import attention",
        "from attention.analysis.probes import best_shown, probe_roles",
        "from attention.analysis.role_sentences import with_chance",
        "from attention.wording import head_name",
    ], [
        f"probed = probe_roles(attention.load_model({model!r}))",
        f"for head in {heads}:",
        "    shown = best_shown(probed, head)",
        "    print(head_name(head))",
        "    if shown:",
        "        print(with_chance(shown.found, shown.role, head))",
    ])  # fmt: skip


def _pronouns(chosen: Reading) -> None:
    """Say which head finds the noun of a pronoun, over sentences in which it is known."""
    try:
        found = kept(
            "Looking for the nouns of pronouns",
            lambda progress: pronoun_role(chosen.model, on_progress=progress),
            chosen.model_name,
        )
    except ValueError:  # a model that has no token for these words, or takes in less
        return
    st.caption(escape_markdown(pronoun_sentence(found, chosen.model_name)))


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
