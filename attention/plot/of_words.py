"""Pictures of what heads make of words: blends, alignments of two texts, roles."""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis import embeddings
from attention.analysis.asked import Word, seen_in, word_and_heads, word_at
from attention.analysis.role_kinds import ROLES
from attention.analysis.roles import HeadRoles, head_roles
from attention.analysis.words import View, view
from attention.charts.blend import blend_bars
from attention.charts.inline import inline
from attention.charts.look import dressed
from attention.charts.role_frames import role_grid_frame
from attention.charts.roles import grid_of_roles
from attention.models import load_model
from attention.models.trace import Trace
from attention.models.translation import Translation
from attention.pipeline.blend_frames import meaning_bars
from attention.pipeline.blending import NEAREST, BlendedWords, head_start
from attention.plot.drawing import WIDTH, Picture, cross_links
from attention.presets import preset_for
from attention.translation.aligned import sides_of
from attention.translation.charts import alignment_map
from attention.translation.frames import align_frame
from attention.wording import Head


def blend(
    of: Trace | BlendedWords,
    *,
    query: Word | None = None,
    head: Head | None = None,
    meanings: Sequence[str] = (),
    model: str | None = None,
) -> Picture:
    """Draw what a word becomes: its words' vectors blended by one row, as nearness to meanings.

    Each bar is a cosine, and adds up from what each word puts in; grey marks are where the blend
    stood before scores were moved.

    Parameters
    ----------
    of : a trace, or a blend with scores of one's own (`attention.pipeline.blending.BlendedWords`)
    query, head : whose row; by default that of the most telling link
    meanings : words to compare with; by default a set that fits the sentence
    model : whose vectors; by default that of the trace

    Raises
    ------
    ValueError : the trace is of no model that is here, or a meaning has no vector.
    """
    reader = load_model(model or _model_of(of))
    blended, text = (
        (of, "") if isinstance(of, BlendedWords) else (_own_blend(of, query, head), of.text)
    )
    preset = preset_for(text)
    near = embeddings.nearest_words(reader, blended.before, NEAREST)
    names = meanings or (preset.meanings if preset else [name for name, _ in near])
    bars = meaning_bars(blended, {name: embeddings.word_vector(reader, name) for name in names})
    chart = blend_bars(inline(bars.frame), labels=bars.labels, title=bars.title, domain=bars.domain)
    return dressed(
        chart.properties(width=WIDTH), f"{blended.start.query_label or 'The blend'} becomes"
    )


def alignment(
    of: Translation | Trace | View,
    *,
    layer: int = -1,
    head: int | None = None,
    query: Word = 0,
    source: Word | None = None,
    lines: bool = False,
    figure: str = "weight",
) -> Picture:
    """Draw which words of one text attend to which of another: a translation, cross-attention.

    Parameters
    ----------
    layer, head : of the decoder; by default the mean over the heads of the last layer
    query : the word of the translation that is framed, or whose lines are drawn
    source : a word of the other text that is framed instead, or whose lines are drawn
    lines : draw the two texts side by side with lines; else a map
    figure : what the numbers are

    Raises
    ------
    ValueError : the trace is of one text, or there is no such layer, head or word.
    """
    sides = sides_of(of if isinstance(of, Translation) else seen_in(of), layer, head)
    asked = word_at([unit.label for unit in sides.target], query)
    other = None if source is None else word_at([unit.label for unit in sides.source], source)
    if lines:
        return cross_links(sides, asked, other, figure=figure)
    chart = alignment_map(
        inline(align_frame(sides, asked, other)),
        source=tuple(unit.label for unit in sides.source),
        target=tuple(unit.label for unit in sides.target),
        figure=figure,
    )
    return dressed(chart.properties(width=WIDTH))


def roles(of: Trace | View | HeadRoles) -> Picture:
    """Draw what each head does on this text, as a colour; grey where it does nothing of that.

    Under the pointer: the score of the role, and what it is by chance (`attention.head_roles`).

    Parameters
    ----------
    of : a trace or a view of one text, or roles that were measured already

    Raises
    ------
    ValueError : the weights are of two texts.
    """
    if not isinstance(of, HeadRoles):
        seen = seen_in(of)
        if seen.other is not None:
            raise ValueError("a role is what a head does on one text, and these keys are another's")
        of = head_roles(seen)
    layers, heads = of.main.shape
    chart = grid_of_roles(
        inline(role_grid_frame(of)),
        roles=[role.label for role in ROLES.values()],
        layers=layers,
        heads=heads,
    )
    with_role = int((of.main >= 0).sum())
    return dressed(chart, f"{with_role} of {layers * heads} heads have a role on this text")


def _own_blend(trace: Trace, query: Word | None, head: Head | None) -> BlendedWords:
    seen = view(trace)
    asked, picked = word_and_heads(seen, query, None if head is None else [head])
    start = head_start(load_model(trace.model), trace, seen, picked[0], asked, own=False)
    return BlendedWords(start, start.base, 1.0)


def _model_of(of: Trace | BlendedWords) -> str:
    if isinstance(of, BlendedWords):
        raise ValueError("a blend of one's own does not say whose vectors it has: give model=")
    return of.model
