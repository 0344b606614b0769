"""The lesson's second claim, “more heads are always better”, put to the test."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

import numpy as np
import streamlit as st

from attention import wording
from attention.analysis import frames
from attention.analysis.sentences import describe
from attention.arrays import Array
from attention.charts.maps import head_grid
from attention.interventions import pruning
from attention.lesson import frames as lesson_frames
from attention.lesson.charts import alike_map, removal_lines
from attention.models import registry
from attention.models.model import Model
from attention.runtime.timing import Progress
from attention.ui.controls import head_code, on_phone
from attention.ui.inputs import choice
from attention.ui.links import link
from attention.ui.progress import kept
from attention.ui.readings import Reading, loaded
from attention.ui.show import draw, escape_markdown, notice

RANDOM_RUNS = 3
ALIKE = 5
HARDLY = 0.05  # cosine distance; the page says beside it how far two different sentences are apart
_TEXTS = {"own": "Your sentence", "set": f"{len(pruning.TEXTS)} built-in sentences"}


class Removal(NamedTuple):
    """What removing heads did: one alone, and more and more of them."""

    singles: Array  # (L, H)
    orders: list[pruning.Order]
    counts: tuple[int, ...]
    shifts: Array  # (orders, counts)
    typical: float


def more_heads(chosen: Reading) -> None:
    """Draw what heads do to the sentence vector when they are gone, and how alike they are."""
    st.markdown(
        "If they were, every head would be missed. Here heads are silenced in the real forward "
        "pass, and the sentence vector, the model's own product, shows how far it moves."
    )
    which = choice("Measured on", _TEXTS, key="removed_from")
    texts = (chosen.text,) if which == "own" else pruning.TEXTS
    encoder = _encoder(chosen)
    try:
        found = kept(
            f"Removing heads from {_TEXTS[which].lower()}",
            lambda progress: _remove(loaded(encoder), texts, progress),
            encoder,
            *texts,
        )
    except ValueError as refusal:  # it may read less at once than the decoder that was chosen
        st.warning(f"{escape_markdown(encoder)}: {escape_markdown(str(refusal))}")
    else:
        _show(found, st.container())
    with st.expander("The built-in sentences", icon=":material/list:"):
        st.text("\n".join(pruning.TEXTS))
    st.subheader("How alike are they?")
    _alike(chosen)


def _encoder(chosen: Reading) -> str:
    """Return the encoder to remove heads from, and say so where a decoder was chosen."""
    if not chosen.trace.is_causal:
        return chosen.model_name
    st.info(
        f"A decoder such as {escape_markdown(chosen.model_name)} makes no sentence vector: what "
        f"its heads are worth shows in what it foretells. Here heads of {registry.EMBEDDED} are "
        "removed."
    )
    link(
        "pages/explore/interventions.py",
        f"Remove heads of {chosen.model_name}",
        {"q": chosen.text, "do": "matter"},
    )
    return registry.EMBEDDED


def _remove(model: Model, texts: tuple[str, ...], progress: Progress) -> Removal:
    """Measure everything; growing numbers take about twice as long as single heads."""
    singles = pruning.single_shifts(model, texts, lambda share: progress(share / 3))
    orders = pruning.removal_orders(singles, RANDOM_RUNS)
    counts = pruning.removal_counts(singles.size)
    shifts = pruning.growing_shifts(
        model, texts, orders, counts, lambda share: progress((1 + 2 * share) / 3)
    )
    return Removal(singles, orders, counts, shifts, pruning.typical_distance(model))


def _show(found: Removal, note: st.delta_generator.DeltaGenerator) -> None:
    total = found.singles.size
    spare = pruning.removable(found.shifts[0].tolist(), found.counts, HARDLY)
    worst = divmod(int(found.singles.argmax()), found.singles.shape[1])
    with note:
        notice(
            f"{spare} of {total} heads can go, least effect first, and the sentence vector moves "
            f"by no more than {HARDLY} (two different sentences are {found.typical:.2f} apart). "
            f"One head alone, {wording.head_name(worst)}, moves it by {found.singles[worst]:.3f}: "
            "how many heads there are says little, which ones says much."
        )
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**One head removed**")
        draw(
            head_grid,
            frames.head_frame(found.singles, [worst]),
            key="single_removals",
            alt_text=f"How far the vector moves without each head; most without "
            f"{wording.head_name(worst)}",
            title="moves by",
            domain=(0.0, _round_up(float(found.singles.max()), 0.02)),
            layers=len(found.singles),
        )
        st.caption(
            "Cosine distance between the sentence vector with and without the head. Framed: the "
            "head that is missed most. Heads of the last layer write straight into the vector."
        )
    with right:
        st.markdown("**More and more heads removed**")
        draw(
            removal_lines,
            lesson_frames.removal_frame(found.orders, found.counts, found.shifts),
            key="removals",
            alt_text="How far the vector moves as more heads are removed, in three orders",
            heads=total,
            narrow=on_phone(),
        )
    st.latex(
        r"\mathrm{distance} = 1 - \frac{a \cdot b}{|a|\,|b|}, \quad a = \frac{1}{T} \sum_t h_t"
    )
    st.caption(
        "h is the last layer at each of the T tokens, special ones included, as "
        "sentence-transformers pools MiniLM. A removed head puts zeros where its output goes "
        f"into W_O. {RANDOM_RUNS} random orders, seeds 0 to {RANDOM_RUNS - 1}. The order by effect "
        "is taken from the single removals on the same text, so it is as good as it gets here."
    )


def _alike(chosen: Reading) -> None:
    """Draw how differently any two heads read the sentence, and link to the most alike."""
    view = chosen.view
    if view.weights[..., 0, 0].size < 2:
        st.info("This model has a single head: there is no other to compare it with.")
        return
    grid = kept(
        "Comparing heads",
        lambda _: pruning.head_divergence(view),
        chosen.model_name,
        chosen.text,
        chosen.words,
        chosen.special,
    )
    width = view.weights.shape[1]
    closest = pruning.most_alike(grid, ALIKE)
    median = float(np.median(grid[np.triu_indices(len(grid), k=1)]))
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**The {ALIKE} pairs of heads that do nearly the same**")
        for one, other, bits in closest:
            heads = divmod(one, width), divmod(other, width)
            names = [wording.head_name(head) for head in heads]
            link(
                "pages/explore/heads.py",
                f"{names[0]} and {names[1]} differ by {bits:.3f} bits",
                {"q": chosen.text, "heads": [head_code(name) for name in names]},
            )
            st.caption(escape_markdown(describe(view, *heads[0])))
        st.caption(
            f"For comparison: half of all pairs differ by more than {median:.2f} bits. 0 is the "
            "same, 1 is nothing in common. Mean over the rows of ordinary words of your sentence"
            + (f", {pruning.MOST_ROWS} of them." if _many(chosen) else ".")
        )
    with right:
        draw(
            alike_map,
            lesson_frames.alike_frame(grid, width),
            key="alike",
            alt_text="How differently any two heads read, in bits",
            heads=len(grid),
            heads_per_layer=width,
            highest=_round_up(float(grid.max()), 0.1),
        )
        st.caption("A cell is two heads; the stronger its colour, the more alike they read.")
    st.latex(r"\mathrm{JSD}(p, q) = H\!\left(\tfrac{p + q}{2}\right) - \tfrac{H(p) + H(q)}{2}")


def _many(chosen: Reading) -> bool:
    return sum(unit.ordinary for unit in chosen.view.units) > pruning.MOST_ROWS


def _round_up(value: float, step: float) -> float:
    return round(ceil(value / step) * step, 6) or step
