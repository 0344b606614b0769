"""What few models do to queries, keys and scores between the matrices and the mask, as steps."""

from __future__ import annotations

from dataclasses import replace

from attention.models.transformer import Transformer
from attention.pipeline import sentences as say
from attention.pipeline.matrix import Matrix
from attention.pipeline.steps import TE, TT, PipelineStep, query_by_key

HEAD_NORMS = PipelineStep(
    "head_norms",
    "Normalise Q and K",
    "→ Q̂, K̂",
    "Each query and each key is brought to a mean square of 1, with a learned gain for each "
    "column. However large the numbers of the stream have become, no score can grow without end.",
    (r"\hat q = \mathrm{RMSNorm}(q) \odot g_Q", r"\hat k = \mathrm{RMSNorm}(k) \odot g_K"),
    (("Q, Q̂, K, K̂", TE),),
    lambda p: [
        Matrix("Q", "before", TE, p.projected[0], p.query),
        Matrix("Q̂", "normalised", TE, p.unrotated[0], p.query),
        Matrix("K", "before", TE, p.projected[1], p.key),
        Matrix("K̂", "normalised", TE, p.unrotated[1], p.key),
    ],
    say.head_norms,
)
_CAP = PipelineStep(
    "adjust",
    "Cap",
    "→ cap",
    "No score may leave the range between −c and c: small ones stay nearly as they are, large ones "
    "are bent back (a soft cap).",
    (r"S' \leftarrow c\, \tanh(S' / c)",),
    (("S′", TT),),
    lambda p: [
        query_by_key("S′", "before", p.scaled, p, True),
        query_by_key("S′, capped", "after, on the same colours", p.adjusted, p, True),
    ],
    say.adjusted,
    one_scale=True,
)
_BIAS = replace(
    _CAP,
    name="Add distances",
    sign="+ B",
    what="Every score gets a learned number for how far apart its two tokens are, and on which "
    "side. Each head has its own; all layers have the same. Distances from 8 on share numbers, "
    "the further the more of them.",
    formulas=(r"S' \leftarrow S' + B", r"B_{qk} = b_{k - q}"),
    matrices=lambda p: [
        query_by_key("S′", "before", p.scaled, p, True),
        query_by_key("B", "by distance", p.adjusted - p.scaled, p, True),
        query_by_key("S′ + B", "on the same colours", p.adjusted, p, True),
    ],
)


def adjusted_steps(model: Transformer) -> list[PipelineStep]:
    """Return what becomes of scores between the division and the mask, if anything does."""
    scoring = model.scoring
    if scoring is None or (scoring.cap is None and scoring.bias is None):
        return []
    if scoring.bias is not None:
        return [_BIAS]
    return [replace(_CAP, formulas=(*_CAP.formulas, f"c = {scoring.cap:g}"))]
