"""Visualizer: click a word, see where it looks."""

import streamlit as st

from attention import ui, wording
from attention.analysis import link_frames, links, words
from attention.analysis.sentences import attends_to
from attention.analysis.telling import telling_heads
from attention.charts.links import word_links
from attention.presets import CAT
from attention.ui.alignment import links_beside
from attention.wording import spelled

MODES = {"single": "Single head", "multi": "Multi-head"}

st.title("Visualizer")
st.markdown(
    "**Where does a word look?** Click a word on the left: lines go to every word that it reads, "
    "thicker and brighter for higher weights. Pointing at a word shows its lines for a moment."
)
chosen = ui.reading(CAT.text)
view = chosen.view
focus = ui.focus(chosen)
layer, head = ui.layer_and_head(view, focus)
names = [f"H{i}" for i in range(view.weights.shape[1])]

with st.container(horizontal=True, vertical_alignment="bottom"):
    query = ui.word("Word that asks", view, focus.query)
    several = ui.choice("Show", MODES, key="mode") == "multi"


def click() -> None:
    """Let the clicked word ask, on the whole page."""
    for word in st.session_state["links"]["selection"]["asks"]:
        st.session_state["word"] = word["q"]


heads = [head]
figure = st.column_config.NumberColumn(format="%.4f")
if several:
    on = ui.several(
        f"Heads of layer {layer} that are on",
        names,
        names,
        key="on",
        code=lambda name: name.removeprefix("H"),
        of=(chosen.model_name,),
        widget=st.pills,
        selection_mode="multi",
    )
    heads = sorted(map(names.index, on), key=lambda h: (h == head, h))  # the chosen one in front
asks = view.labels[query]
rows = view.weights[layer, heads, query]  # (N, W)

if len(heads) > 1:
    ui.notice(links.differ_sentence(view, layer, sorted(heads), query))
elif heads:
    told = attends_to(view, (layer, heads[0]), query, digits=4)
    ui.notice(f"In {wording.head_name((layer, heads[0]))} {spelled(view.labels, query)} {told}.")
else:
    st.info("No head is on. Switch one on above.")

shown = links.shown_words(len(view.units), query, rows.argmax(axis=-1).tolist())
if len(shown) < len(view.units):
    st.warning(
        f"The text has {len(view.units)} words; the picture shows {len(shown)} of them, number "
        f"{links.shown_text(shown)}: those around the word that asks, and what it reads most. "
        "Tables and sentence use them all."
    )
drawn = view.weights[layer, heads][:, shown][..., shown]
least = links.smallest_drawn(drawn) if several else 0.0

left, right = st.columns([3, 2], gap="large")
with left:
    ui.draw(
        word_links,
        link_frames.link_frame(
            view, layer, heads, shown, query=query, several=several, least=least
        ),
        key="links",
        alt_text=f"Lines from each of {len(shown)} words to the words that it reads",
        on_select=click,
        selection="asks",
        count=len(shown),
        longest=max(len(view.labels[i]) for i in shown),
        names=tuple(names),
        several=several,
    )
    if several:
        st.caption("Every head has a colour of its own: click one to see it alone.")
    if least:
        st.caption(
            f"Lines below {ui.percent(least)} are not drawn: together they hold "
            f"{ui.percent(links.left_out(drawn, least))} of all weight."
        )
    ui.special_tokens_note(chosen, [(layer, h) for h in sorted(heads)])
with right:
    if heads:
        st.subheader(f"What “{ui.escape_markdown(asks)}” reads most")
        mean = rows.mean(axis=0)
        best_five = link_frames.strongest_frame(view, mean)
        st.dataframe(
            best_five,
            hide_index=True,
            column_config={"Weight": figure},
            alt=f"The words that {asks} reads most, with their weights",
        )
        width = chosen.trace.query.shape[-1]
        mean_of = rf"\bar w_k = \tfrac{{1}}{{{len(heads)}}} \sum_h " if several else "w_k = "
        st.latex(rf"{mean_of}\mathrm{{softmax}}_k\big(q \cdot k_k / \sqrt{{{width}}}\big)")
        readable = len(words.seen_by(view, query).units)
        st.caption(
            f"These {len(best_five)} hold {best_five['Weight'].sum():.4f}, all {readable} words "
            f"{'that it may read ' if view.is_causal else ''}together {mean.sum():.4f}."
        )
    if len(heads) > 1:
        st.subheader("How the heads differ")
        st.dataframe(
            link_frames.differ_frame(view, layer, sorted(heads), query),
            hide_index=True,
            height="content",
            column_config={"Weight": figure, "Bits apart": figure},
            alt=f"What each head reads most when {asks} asks",
        )
        st.caption(
            "Bits apart: Jensen-Shannon divergence from the mean of these heads. 0 is the mean "
            "itself, 1 has nothing in common with it."
        )

left, right = st.columns([3, 2], gap="large")
with left:
    st.subheader("Best head for a pair")
    key = ui.word(f"Word that is read by “{ui.escape_markdown(asks)}”", view, focus.key, key="pair")
    if view.is_causal and key > query:
        st.info("That word comes later: the mask of a decoder hides it in every head.")
    else:
        st.dataframe(
            link_frames.best_heads_frame(view, query, key),
            hide_index=True,
            column_config={"Weight": figure, "Others": figure},
            alt=f"The heads that read {view.labels[key]} most because {asks} asks",
        )
        st.caption(
            "Ranked by how much more this word gives than the other words of the text give it on "
            "average: a head in which every word reads it says nothing about this one."
        )
        best_head = telling_heads(view, query, key, 1)[0]
        st.button(
            f"Go to {wording.head_name(best_head)}",
            icon=":material/near_me:",
            on_click=st.session_state.update,
            kwargs={"layer": best_head[0], "head": best_head[1]},
            disabled=best_head == (layer, head),
        )
with right:
    st.subheader("What do you expect?")
    for question in (
        links.back_question(view, layer, head, query),
        links.most_question(view, layer, head, query),
    ):
        if question:
            ui.predict(question)
beside = ui.expander(
    "The same sentence in another model", icon=":material/compare_arrows:", key="both"
)
with beside:
    if beside.open:
        links_beside(chosen, query)
ui.saving_hint()
