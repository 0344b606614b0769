"""The code of each view, as text. What a reader has typed goes in as a Python literal."""

from __future__ import annotations

from collections.abc import Sequence

from attention.analysis.words import View
from attention.context.reach import ConvolutionReach
from attention.edits import Edits
from attention.edits.codes import encode
from attention.learning.experiment import Experiment
from attention.pipeline.blending import BlendedWords
from attention.survey.summary import shipped
from attention.ui.cells import AS_WRITTEN
from attention.ui.readings import Reading
from attention.wording import Head, head_name

ANEW = "# Timed anew: times differ from run to run, and between machines."
FEWEST_OTHERS = 3  # next tokens besides the pinned ones, however many these are


def script(imports: Sequence[str], lines: Sequence[str]) -> str:
    """Return code, what it imports first."""
    return "\n".join([*imports, "", *lines])


def of_view(
    chosen: Reading, imports: Sequence[str], lines: Sequence[str], *, words: bool | None = None
) -> str:
    """Return code about a view of the page's text."""
    merged = chosen.words if words is None else words
    return script(["import attention", "from attention import plot", *imports], [
        f"model = attention.load_model({chosen.model_name!r})",
        f"trace = model.trace({chosen.trace.input.as_code})",
        f"view = attention.view(trace, words={merged}, special={chosen.special})",
        *lines,
    ])  # fmt: skip


def hero_code(chosen: Reading, head: Head, query: int, key: int, shown: Sequence[int]) -> str:
    """Return the code of the lesson's lines."""
    only = _only(shown, chosen.view)
    return of_view(chosen, (), [
        f"chart = plot.links(view, query={query}, heads=[{head}]{only})",
        f'print(f"{{view.weights[{head[0]}, {head[1]}, {query}, {key}]:.2f}}")',
    ])  # fmt: skip


def links_code(
    chosen: Reading, layer: int, heads: Sequence[int], query: int, *, several: bool, written: bool
) -> str:
    """Return the code of the visualizer's lines, of weights or by what is written."""
    pairs = [(layer, head) for head in heads]
    imports, lines, cells, figure = _cells(chosen, written)
    lines.append(
        f"chart = plot.links({cells}, query={query}, heads={pairs}, base=False, "
        f"coloured={several}{figure})"
    )
    if len(heads) > 1:
        imports.append("from attention.analysis.links import differ_sentence")
        lines.append(f"print(differ_sentence(view, {layer}, {sorted(heads)}, {query}))")
    else:
        imports.append("from attention.analysis.sentences import attends_to")
        lines.append(f"print(attends_to(view, {pairs[0]}, {query}, digits=4))")
    return of_view(chosen, imports, lines)


def _cells(chosen: Reading, written: bool) -> tuple[list[str], list[str], str, str]:
    """Return imports and lines that make what is drawn, its name, and what its numbers are."""
    if not written:
        return [], [], "view", ""
    options = f"merged={chosen.words}, special={chosen.special}"
    return (
        ["from attention.analysis.written import written_view"],
        [f"cells = written_view(model, trace, {options})"],
        "cells",
        f", figure={AS_WRITTEN!r}",
    )


def maps_code(
    chosen: Reading, heads: Sequence[Head], query: int, shown: Sequence[int], *, written: bool
) -> str:
    """Return the code of the maps of chosen heads, of weights or by what is written."""
    imports, lines, cells, figure = _cells(chosen, written)
    imports.append("from attention.analysis.sentences import attends_to")
    only = _only(shown, chosen.view)
    lines += [
        f"chart = plot.head_map({cells}, heads={list(heads)}, query={query}{only}{figure})",
        f"for head in {list(heads)}:",
        f"    print(attends_to(view, head, {query}))",
    ]
    return of_view(chosen, imports, lines)


def blend_code(chosen: Reading, blended: BlendedWords, meanings: Sequence[str]) -> str:
    """Return the code of a blend, with the scores as they stand."""
    imports, made = _start(chosen, blended)
    moved = {k: float(blended.scores[k]) for k in blended.start.movable
             if blended.scores[k] != blended.start.base[k]}  # fmt: skip
    lines = [made, "scores = start.base.copy()"]
    lines += [f"scores[{k}] = {score!r}" for k, score in moved.items()]
    lines.append(f"blended = BlendedWords(start, scores, {blended.temperature!r})")
    if meanings:
        lines.append(f"chart = plot.blend(blended, meanings={list(meanings)!r}, model=model.name)")
    else:
        imports += ["from attention.charts.blend import blend_bars",
                    "from attention.pipeline.blend_frames import dimension_bars"]  # fmt: skip
        lines += [
            "bars = dimension_bars(blended)",
            "chart = plot.drawn(blend_bars, bars.frame, labels=bars.labels, title=bars.title, "
            "domain=bars.domain)",
        ]
    return of_view(chosen, imports, [*lines, "print(blended.sentence(model))"])


def _start(chosen: Reading, blended: BlendedWords) -> tuple[list[str], str]:
    start = blended.start
    if start.head is not None:
        query = start.origin.rpartition(".")[2]
        made = f"start = head_start(model, trace, view, {start.head}, {query}, own={start.own})"
        return ["from attention.pipeline.blending import BlendedWords, head_start"], made
    if start.origin == "equal":
        made = "start = equal_start(model, trace, view)"
        return ["from attention.pipeline.blending import BlendedWords, equal_start"], made
    imports = ["from attention.pipeline.blending import BlendedWords, preset_start",
               "from attention.presets import illustrated"]  # fmt: skip
    return imports, (
        "start = preset_start(model, trace, view, illustrated(trace.text, view.words))"
    )


def step_code(chosen: Reading, number: int, head: Head, query: int, key: int) -> str:
    """Return the code of a step of the pipeline: its last matrix."""
    imports = [
        "from attention.pipeline import matrix",
        "from attention.pipeline.charts import matrix_map",
        "from attention.pipeline.decoder_steps import steps_for",
        "from attention.pipeline.frames import matrix_frame, row_labels",
        "from attention.pipeline.head_state import HeadState",
        "from attention.pipeline.steps import shown_tokens",
    ]
    return of_view(chosen, imports, [
        f"place = HeadState(model, trace, {head[0]}, {head[1]}, {query}, {key})",
        f"step = steps_for(model)[{number}]",
        "drawn, shown = step.matrices(place)[-1], shown_tokens(place, 24)",
        "chart = plot.drawn(",
        "    matrix_map, matrix_frame(drawn, place.labels, shown),",
        "    labels=row_labels(drawn, place.labels, shown), square=drawn.square, rows=len(shown),",
        "    named=True, signed=drawn.signed, limit=matrix.limit([drawn], shown),",
        ")",
        "print(step.sentence(place))",
    ], words=False)  # fmt: skip


def alignment_code(
    pair: str, text: str, where: tuple[int, int | None], step: int, asked: int | None,
    *, written: bool,
) -> str:  # fmt: skip
    """Return the code of a translation's map, of weights or by what is written."""
    layer, head = where
    cells = "written_translation(pair, done)" if written else "done"
    figure = f", figure={AS_WRITTEN!r}" if written else ""
    source = "" if asked is None else f", source={asked}"
    told = f"looked_sentence({step})" if asked is None else f"looked_at_sentence({asked})"
    return "\n".join([
        "import attention",
        "from attention import plot",
        *(["from attention.analysis.written import written_translation"] if written else []),
        "from attention.translation.aligned import Aligned",
        "",
        f"pair = attention.load_translator({pair!r})",
        f"done = pair.translate({text!r})",
        "chart = plot.alignment(",
        f"    {cells}, layer={layer}, head={head}, query={step}{source}{figure}",
        ")",
        f"print(Aligned(done, {layer}, {head}).{told})",
    ])  # fmt: skip


def relay_code(chosen: Reading, head: Head, settings: tuple[int, float, int]) -> str:
    """Return the code of the context page's relay."""
    hidden, gain, seed = settings
    imports = [
        "from attention.context import reach",
        "from attention.context.frames import relay_frame",
        "from attention.context.reach import Influence, Relay",
        "from attention.context.relay_charts import relay_chart",
    ]
    return of_view(chosen, imports, [
        "own = reach.own_words(view)",
        "units = [view.units[k] for k in own]",
        f"settings = ({hidden}, {gain}, {seed})  # state width, gain, seed",
        "tanh, gru = reach.recurrent_norms(model, trace.input, units, *settings)",
        f"row = view.weights[{head}][own[-1], own]",
        f'series = {{"recurrent, tanh": tanh, "recurrent, GRU": gru, '
        f'"attention {head_name(head)}": row}}',
        f"influence = Influence(view, series, layer={head[0]})",
        "held = reach.relayed(model, trace.input, units, influence.far, *settings)",
        'relay = Relay(influence, dict(zip(("tanh", "GRU"), held)))',
        "chart = plot.drawn(",
        "    relay_chart, relay_frame(relay), series=tuple(relay.held),",
        "    labels=[influence.labels[k] for k in relay.places],",
        ")",
        "print(relay.sentence)",
    ])  # fmt: skip


def cone_code(chosen: Reading, stack: ConvolutionReach, shown: range) -> str:
    """Return the code of the words that a stack of convolutions reaches."""
    imports = [
        "from attention.context.charts import cone_chart",
        "from attention.context.frames import cone_frame",
        "from attention.context.reach import ConvolutionReach",
    ]
    places = f"{stack.output}, {stack.other}, {stack.kernel}, {stack.layers}, {stack.rule}"
    return of_view(chosen, imports, [
        f"stack = ConvolutionReach(view, {places})",
        f"shown = {shown}",
        "chart = plot.drawn(",
        "    cone_chart,",
        "    cone_frame(stack.cone, stack.dilated, stack.kernel, shown, view.labels),",
        "    labels=[view.labels[k] for k in shown], first=shown[0], layers=stack.layers,",
        "    output=stack.output, other=stack.other,",
        ")",
        "print(stack.sentence)",
    ])  # fmt: skip


def edited_code(chosen: Reading, edits: Edits, pinned: Sequence[int] | None, most: int) -> str:
    """Return the code of what edits change: the next token, or how far vectors move.

    Parameters
    ----------
    pinned : tokens that are shown first; None where the model predicts none
    """
    imports = [
        "from attention.edits.codes import decode",
        "from attention.interventions import charts, effects, frames",
    ]
    after = f"after = model.edited(trace, decode({encode(edits)!r}))" if edits else "after = trace"
    if pinned is None:
        return of_view(chosen, imports, [
            after,
            "last = effects.movement(trace, after, view.units).words[-1]  # of the last layer",
            f"shown = sorted((-last).argsort(kind='stable')[:{most}].tolist())",
            "data = frames.moved_frame(view.labels, last, shown)",
            "chart = plot.drawn(",
            "    charts.moved_bars, data, labels=view.labels, count=len(shown), highest=1.0,",
            ")",
            'print(f"{last.max():.3f}")',
        ])  # fmt: skip
    others = max(most - len(pinned), FEWEST_OTHERS)
    return of_view(chosen, imports, [
        after,
        f"pinned = {list(pinned)}",
        "changes = effects.next_token_changes(",
        f"    trace.next_logits, after.next_logits, {others}, pinned",
        ")",
        "data = frames.next_frame(changes, model.label, len(pinned))",
        "chart = plot.drawn(",
        "    charts.next_bars, data, labels=data['token'].tolist(), highest=1.0,",
        "    title='probability (mark: untouched)',",
        ")",
        "print(f\"{data['after'].max():.3f}\")",
    ])  # fmt: skip


def learned_code(experiment: Experiment, step: int, size: int, titles: tuple[str, str]) -> str:
    """Return the code of what attention has learned after so many steps."""
    return "\n".join([
        "from attention import plot",
        "from attention.learning import charts, frames",
        "from attention.learning.experiment import Experiment, pictures",
        "from attention.learning.sentences import told_picture",
        "",
        f"experiment = {experiment!r}",
        f"picture = next(p for p in pictures(experiment) if p.step >= {step})",
        "chart = plot.drawn(",
        "    charts.weight_maps, frames.weight_frame(experiment, picture),",
        "    labels=frames.shelf_labels(experiment), rows=frames.asked_labels(experiment),",
        f"    heads=experiment.heads, size={size}, titles={titles!r},",
        ")",
        "print(told_picture(experiment, picture))",
    ])  # fmt: skip


def survey_code(title: str, column: str, head: Head) -> str:
    """Return the code of one head's roles over many texts."""
    own = title not in shipped()
    made = "summarise('survey.parquet')  # your own" if own else f"load(shipped()[{title!r}])"
    return "\n".join([
        "from attention import plot",
        "from attention.survey.charts import role_bars",
        "from attention.survey.frames import head_roles_frame",
        "from attention.survey.sentences import column_sentence, head_sentence",
        f"from attention.survey.summary import {'summarise' if own else 'load, shipped'}",
        "",
        f"summary = {made}",
        f"data = head_roles_frame(summary, {head})",
        "chart = plot.drawn(role_bars, data, labels=tuple(data['role']))",
        f"print(column_sentence(summary, {column!r}))",
        f"print(head_sentence(summary, {head}))",
    ])  # fmt: skip


def _only(shown: Sequence[int], view: View) -> str:
    """Return the argument that names the words that are drawn, where these are not all."""
    return "" if len(shown) == len(view.units) else f", shown={list(shown)}"
