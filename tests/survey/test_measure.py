"""What a survey writes of one text, against the package's own figures."""

import io
import math

import numpy as np
import pyarrow.parquet as pq
import pytest

import attention
from attention.analysis import metrics, words
from attention.analysis.roles import head_roles
from attention.analysis.words import Unit, View
from attention.survey.measure import SurveySettings, active_share, measure_part
from attention.translation.aligned import Aligned
from attention.translation.alignment_role import alignment_role

CAT = "The cat sat on the mat because it was tired"


@pytest.fixture(scope="module")
def settings():
    return SurveySettings.of("minilm", draws=10, seed=0, part=4)


def rows(settings, texts):
    return pq.read_table(io.BytesIO(measure_part(settings, 7, texts))).to_pylist()


def test_a_row_is_what_the_roles_and_figures_say(model, settings):
    (row,) = rows(settings, [CAT])
    trace = model.trace(CAT)
    found = head_roles(trace, draws=10)
    assert row["rows.alignment"] == 0
    assert (row["i"], row["text"], row["tokens"], row["refused"]) == (7, CAT, 12, None)
    for name in found.names:
        at = found.names.index(name)
        assert (row[f"rows.{name}"] == found.rows[at]).all()
        if not found.rows[at].any():
            assert row[f"score.{name}"] is None
            continue
        for part, grid in (("score", found.scores), ("chance", found.null_mean)):
            assert row[f"{part}.{name}"] == pytest.approx(grid[at].ravel(), abs=1e-5, nan_ok=True)
    shown = words.view(trace)
    assert row["entropy"] == pytest.approx(metrics.entropy_per_head(shown).ravel(), abs=1e-5)
    assert row["active"] == pytest.approx(active_share(shown).ravel(), abs=1e-5)


def test_what_counts_as_active_by_hand():
    """The third word gives 0.2 to the first, 0.3 to the second, 0.5 to itself."""
    units = tuple(Unit(word, (i,), False) for i, word in enumerate("abc"))
    weights = np.array([[[[1, 0, 0], [0.5, 0.5, 0], [0.2, 0.3, 0.5]]]])
    shown = View(units, weights, np.zeros((1, 1, 3)), is_causal=True)
    assert active_share(shown) == pytest.approx(0.8)


def test_a_text_that_is_refused_is_kept_with_the_reason(settings):
    refused, read = rows(settings, ["word " * 600, CAT])
    assert "512" in refused["refused"]
    assert refused["score.previous"] is None
    assert read["refused"] is None


def test_a_part_depends_on_its_texts_only(settings):
    texts = [CAT, "Two words", "A third text, with a comma."]
    assert measure_part(settings, 0, texts) == measure_part(settings, 0, texts)


@pytest.mark.parametrize(("draws", "part"), [(1, 4), (10, 0)])
def test_impossible_settings(draws, part):
    with pytest.raises(ValueError, match=f"got {draws} and {part}"):
        SurveySettings.of("minilm", draws, 0, part)


def test_the_translators_encoder_is_measured():
    settings = SurveySettings.of("en-pt", draws=5, seed=0, part=1)
    assert settings.layers * settings.heads == len(rows(settings, [CAT])[0]["entropy"])


def test_a_decoder_is_measured_by_what_it_looks_at():
    """As the translation page says it, and its entropy over the words of both texts by a loop."""
    settings = SurveySettings.of("en-pt-decoder", draws=20, seed=0, part=2)
    text = "The bank by the river was steep."
    row, unknown = rows(settings, [text, "Xyz."])
    done = attention.load_translator("en-pt").translate(text)
    found = alignment_role(done, draws=20)
    assert row["rows.alignment"] == found.rows[0]
    assert row["score.alignment"] == pytest.approx(found.score.ravel(), abs=1e-6)
    assert row["chance.alignment"] == pytest.approx(found.null_mean.ravel(), abs=1e-6)
    assert (row["score.previous"], row["active"], row["tokens"]) == (None, None, len(done.source))
    aligned = Aligned(done, 1, 3).weights
    bits = [-sum(w * math.log2(w) for w in own.tolist() if w > 0) for own in aligned]
    assert row["entropy"][8 + 3] == pytest.approx(np.mean(bits), abs=1e-5)
    assert unknown["refused"] is None


def test_a_name_that_only_ends_like_a_decoder_is_a_model():
    with pytest.raises(ValueError, match="nobody-decoder"):
        SurveySettings.of("nobody-decoder", 2, 0, 1)
