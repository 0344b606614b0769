"""The lesson's second claim, “more heads are always better”, put to the test."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from math import ceil

import streamlit as st

from attention.analysis import frames
from attention.analysis.sentences import describe
from attention.charts.maps import head_grid
from attention.interventions import pruning
from attention.lesson import frames as lesson_frames
from attention.lesson.charts import alike_map, removal_lines
from attention.lesson.more_heads import RANDOM_RUNS, HeadLikeness, Removal, measure_removal
from attention.models import registry
from attention.ui.code_lines import of_view, script
from attention.ui.controls import head_code
from attention.ui.inputs import choice
from attention.ui.links import link
from attention.ui.progress import kept
from attention.ui.readings import Reading, loaded
from attention.ui.show import draw, escape_markdown, notice
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import head_name

ALIKE = 5
_SINGLES, _GROWING, _ALIKE = "single_removals", "removals", "alike"  # keys of charts
_TEXTS = {"own": "Your sentence", "set": f"{len(pruning.TEXTS)} built-in sentences"}


def more_heads(chosen: Reading) -> None:
    """Draw what the sentence vector loses with heads, and how alike they are."""
    st.markdown(
        "If they were, every head would count. Here heads are ablated in the real forward pass, "
        "and the sentence vector, the model's own product, shows how far it moves."
    )
    which = choice("Measured on", _TEXTS, key="removed_from")
    _removal(_encoder(chosen), (chosen.text,) if which == "own" else pruning.TEXTS, _TEXTS[which])
    with st.expander("The built-in sentences", icon=":material/list:"):
        st.text("\n".join(pruning.TEXTS))
    st.subheader("How alike are they?")
    if chosen.view.weights[..., 0, 0].size < 2:
        st.info("This model has a single head: there is no other to compare it with.")
    else:
        _alike(chosen)


def _encoder(chosen: Reading) -> str:
    """Return the encoder whose heads are ablated, and say so where a decoder was chosen."""
    if not chosen.trace.is_causal:
        return chosen.model_name
    st.info(
        f"A decoder such as {escape_markdown(chosen.model_name)} makes no sentence vector: what "
        f"its heads are worth shows in what it predicts. Here heads of {registry.EMBEDDED} are "
        "ablated."
    )
    link(
        "pages/explore/interventions.py",
        f"Ablate heads of {chosen.model_name}",
        {"q": chosen.text, "do": "matter"},
    )
    return registry.EMBEDDED


def _removal(encoder: str, texts: tuple[str, ...], whose: str) -> None:
    """Measure on the texts and draw, or say why the encoder refuses them."""
    try:
        removal = kept(
            f"Ablating heads on {whose.lower()}",
            lambda progress: measure_removal(loaded(encoder), texts, progress),
            encoder,
            *texts,
        )
    except ValueError as refusal:  # it may read less at once than the decoder that was chosen
        st.warning(f"{escape_markdown(encoder)}: {escape_markdown(str(refusal))}")
        return
    notice(removal.sentence)
    left, right = st.columns(2, gap="large")
    with left:
        _single_removals(removal)
    with right:
        _growing_removals(removal)
    _offer_removals(encoder, () if texts is pruning.TEXTS else texts)
    st.latex(
        r"\mathrm{distance} = 1 - \frac{a \cdot b}{|a|\,|b|}, \quad a = \frac{1}{T} \sum_t h_t"
    )
    st.caption(
        "h is the last layer at each of the T tokens, special ones included, as "
        "sentence-transformers pools MiniLM. An ablated head puts zeros where its output goes "
        f"into W_O. {RANDOM_RUNS} random orders, seeds 0 to {RANDOM_RUNS - 1}. The order by effect "
        "is taken from the single ablations on the same text, so it is as good as it gets here."
    )


def _offer_removals(encoder: str, texts: Sequence[str]) -> None:
    """Offer the code of both pictures.

    Parameters
    ----------
    texts : none for the built-in ones
    """
    of_each = {
        _GROWING: ("lesson.frames import removal_frame",
                   "removal_frame(removal.orders, removal.counts, removal.shifts)"),
        _SINGLES: ("analysis.frames import head_frame",
                   "head_frame(removal.singles, [removal.worst])"),
    }  # fmt: skip
    for figure, lines in of_each.items():
        code = partial(_removal_code, encoder, texts, figure, *lines)
        offer(ViewCode(code, figure, text=" ".join(texts) or "built-in sentences"))


def _removal_code(encoder: str, texts: Sequence[str], figure: str, imports: str, data: str) -> str:
    imported, drawing = drawn_last(figure).code()
    return script([
        "import attention",
        "from attention import plot",
        f"from attention.{imports}",
        *([] if texts else ["from attention.interventions.pruning import TEXTS"]),
        "from attention.lesson.more_heads import measure_removal",
        imported,
    ], [
        f"model = attention.load_model({encoder!r})",
        f"removal = measure_removal(model, {texts or 'TEXTS'})",
        f"data = {data}",
        *drawing,
        "print(removal.sentence)",
    ])  # fmt: skip


def _single_removals(removal: Removal) -> None:
    worst = head_name(removal.worst)
    st.markdown("**One head ablated**")
    draw(
        head_grid,
        frames.head_frame(removal.singles, [removal.worst]),
        key=_SINGLES,
        alt_text=f"How far the vector moves without each head; most without {worst}",
        title="moves by",
        domain=(0.0, _round_up(float(removal.singles.max()), 0.02)),
        layers=len(removal.singles),
    )
    st.caption(
        "Cosine distance between the sentence vector with and without the head. Framed: the head "
        "without which it moves furthest. Heads of the last layer write straight into the vector."
    )


def _growing_removals(removal: Removal) -> None:
    st.markdown("**More and more heads ablated**")
    draw(
        removal_lines,
        lesson_frames.removal_frame(removal.orders, removal.counts, removal.shifts),
        key=_GROWING,
        alt_text="How far the vector moves as more heads are ablated, in three orders",
        heads=removal.singles.size,
    )


def _alike(chosen: Reading) -> None:
    """Draw how differently any two heads attend, and link to the most alike."""
    view = chosen.view
    grid = kept(
        "Comparing heads",
        lambda _: pruning.head_divergence(view),
        chosen.model_name,
        chosen.text,
        chosen.words,
        chosen.special,
    )
    likeness = HeadLikeness(view, grid)
    left, right = st.columns(2, gap="large")
    with left:
        _most_alike(chosen.text, likeness)
    with right:
        _likeness_map(likeness)
    offer(ViewCode(partial(_alike_code, chosen), _ALIKE, chosen.trace, chosen.text))
    st.latex(r"\mathrm{JSD}(p, q) = H\!\left(\tfrac{p + q}{2}\right) - \tfrac{H(p) + H(q)}{2}")


def _alike_code(chosen: Reading) -> str:
    imported, drawing = drawn_last(_ALIKE).code()
    imports = [
        "from attention.interventions.pruning import head_divergence",
        "from attention.lesson.frames import alike_frame",
        "from attention.lesson.more_heads import HeadLikeness",
        imported,
    ]
    return of_view(chosen, imports, [
        "likeness = HeadLikeness(view, head_divergence(view))",
        "data = alike_frame(likeness.grid, likeness.heads_per_layer)",
        *drawing,
        "print(f'half of all pairs differ by more than {likeness.median:.2f} bits')",
    ])  # fmt: skip


def _most_alike(text: str, likeness: HeadLikeness) -> None:
    st.markdown(f"**The {ALIKE} pairs of heads that do nearly the same**")
    for one, other, bits in likeness.most_alike(ALIKE):
        names = head_name(one), head_name(other)
        label = f"{names[0]} and {names[1]} differ by {bits:.3f} bits"
        link("pages/explore/heads.py", label, {"q": text, "heads": [*map(head_code, names)]})
        st.caption(escape_markdown(describe(likeness.view, *one)))
    st.caption(
        f"For comparison: half of all pairs differ by more than {likeness.median:.2f} bits. 0 is "
        f"the same, 1 is nothing in common. {likeness.rows}"
    )


def _likeness_map(likeness: HeadLikeness) -> None:
    draw(
        alike_map,
        lesson_frames.alike_frame(likeness.grid, likeness.heads_per_layer),
        key=_ALIKE,
        alt_text="How differently any two heads attend, in bits",
        heads=len(likeness.grid),
        heads_per_layer=likeness.heads_per_layer,
        highest=_round_up(float(likeness.grid.max()), 0.1),
    )
    st.caption("A cell is two heads; the stronger its colour, the more alike they attend.")


def _round_up(value: float, step: float) -> float:
    return round(ceil(value / step) * step, 6) or step
