"""Below the cut line: which heads carry it, the foggy window, and what the model gets wrong."""

from __future__ import annotations

from functools import partial

import streamlit as st

from attention.analysis import frames as analysis_frames
from attention.charts.maps import head_grid
from attention.edits import Cut
from attention.edits.codes import encode
from attention.models.registry import EN_PT
from attention.translation.cut_line import (
    carried_by_heads,
    carrier_sentence,
    parting_phrases,
    phrase_chance,
)
from attention.translation.weaknesses import WEAKNESSES
from attention.translation.window import window_edits, window_sentence
from attention.ui import address
from attention.ui.code_lines import script
from attention.ui.controls import index
from attention.ui.progress import kept
from attention.ui.readings import Reading
from attention.ui.show import draw, escape_markdown, notice, table
from attention.ui.translation.bar import translation_of, translator
from attention.ui.translation.cut import CutLine, both_code
from attention.ui.view_code import ViewCode, drawn_last, offer
from attention.wording import Head

_CARRIERS = "carriers"  # the key of a chart


def which_carry(line: CutLine) -> None:
    """Draw how probable the words of the translation stay with the line cut in each head alone."""
    chosen, units = line.chosen, line.chosen.view.units
    ends = units[line.query].positions, units[line.key].positions
    before, everywhere = translation_of(chosen), (Cut(*ends),)
    phrases = parting_phrases(before.target, translation_of(chosen, everywhere).target)
    if not phrases:
        st.info("The translation is empty: there is nothing to carry.")
        return
    phrase, pair = phrases[0], translator(chosen)
    cut = kept(
        "Cutting the line in each head",
        lambda progress: carried_by_heads(pair, chosen.text, phrase, ends, progress),
        chosen.model_name, chosen.text, encode(everywhere),
    )  # fmt: skip
    untouched, without = (phrase_chance(pair, chosen.text, phrase, e) for e in ((), everywhere))
    notice(carrier_sentence(phrase, untouched, without, cut))
    low, high = float(min(cut.min(), untouched)), float(max(cut.max(), untouched))
    worst = divmod(int(cut.argmin()), cut.shape[1])
    draw(
        head_grid,
        analysis_frames.head_frame(cut, [worst]),
        key=_CARRIERS,
        alt_text="How probable the phrase stays with the line cut in each head alone",
        title="probability",
        domain=(round(low, 3), round(high, 3)),
        layers=len(cut),
    )
    code = partial(_carriers_code, line, worst)
    offer(ViewCode(code, _CARRIERS, chosen.trace, chosen.text))
    st.caption(
        f"Each cell: {escape_markdown(line.name)} cut in that head alone; the colour is the "
        f"probability of “{escape_markdown(phrase.text)}”, where the translation parts from the "
        "one with the line cut in every head (all of it, where they do not part). Framed: the "
        "lowest."
    )


def _carriers_code(line: CutLine, worst: Head) -> str:
    imported, drawing = drawn_last(_CARRIERS).code()
    units = line.chosen.view.units
    ends = units[line.query].positions, units[line.key].positions
    return both_code(line.chosen, (Cut(*ends),), [
        "from attention.analysis.frames import head_frame",
        "from attention.translation.cut_line import (",
        "    carried_by_heads, carrier_sentence, parting_phrases, phrase_chance",
        ")",
        imported,
    ], [
        "phrase = parting_phrases(before.target, after.target)[0]",
        f"cut = carried_by_heads(pair, text, phrase, {ends})",
        f"data = head_frame(cut, [{worst}])",
        *drawing,
        "untouched, without = (phrase_chance(pair, text, phrase, e) for e in ((), edits))",
        "print(carrier_sentence(phrase, untouched, without, cut))",
    ])  # fmt: skip


def foggy_window(chosen: Reading) -> None:
    """Draw the translation through a window that can be opened word by word."""
    st.markdown(
        "Before 2014 the decoder had no cross-attention: the source had to go through the few "
        "numbers that a recurrent state holds. **An experiment, not that network**: this model "
        "was trained with attention; here its cross-attention may look only at the first words."
    )
    units = chosen.view.units
    words = [unit for unit in units if not unit.special]
    shown = index(
        "Words in the window", len(words) + 1, len(words) // 2, key="fog", of=address.here()
    )
    through = translation_of(chosen, (), window_edits(units, shown))
    seen, rest = (
        escape_markdown(" ".join(unit.label for unit in part))
        for part in (words[:shown], words[shown:])
    )
    st.markdown(f"Source: **{seen or '(only its end)'}** :gray[{rest}]")
    st.markdown(f"Through the window: **{escape_markdown(through.text) or '(nothing)'}**")
    st.markdown(f"Window open: {escape_markdown(translation_of(chosen).text)}")
    notice(window_sentence(through, shown, len(words)))
    code, name = partial(_window_code, chosen, shown), f"Through a window of {shown} words"
    offer(ViewCode(code, "window", through.encoder, chosen.text, name))


def _window_code(chosen: Reading, shown: int) -> str:
    return script([
        "import attention",
        "from attention.translation.window import window_edits, window_sentence",
    ], [
        f"pair, text = attention.load_translator({chosen.model_name!r}), {chosen.text!r}",
        "units = attention.view(pair.trace(text)).units",
        f"through = pair.translate(text, cross_edits=window_edits(units, {shown}))",
        "print(through.text)",
        "words = sum(not unit.special for unit in units)",
        f"print(window_sentence(through, {shown}, words))",
    ])  # fmt: skip


def gets_wrong() -> None:
    """Show sentences that the embedded translator gets wrong, translated now."""
    st.markdown(
        "A small model of patterns: nothing here understands. These are translated now, and each "
        "remark is about a word that is in the translation."
    )
    rows = []
    for weakness in WEAKNESSES:
        one = Reading(EN_PT, weakness.text, words=True, special=True)
        said = translation_of(one, weakness.cut(one.view)).text
        remark = weakness.shows if weakness.word in said else "not said here"
        rows.append((weakness.text, said, f"{weakness.word}: {remark}"))
    table(("Sentence", "Translation", "What to notice"), rows, texts=3)
    st.caption("Pick or type one above the page to see its lines.")
    offer(ViewCode(_wrong_code, "wrong", name="Sentences that the model gets wrong"))


def _wrong_code() -> str:
    return script([
        "import attention",
        "from attention.translation.weaknesses import WEAKNESSES",
    ], [
        f"pair = attention.load_translator({EN_PT!r})",
        "for one in WEAKNESSES:",
        "    edits = one.cut(attention.view(pair.trace(one.text)))",
        "    print(pair.translate(one.text, edits).text)",
    ])  # fmt: skip
