"""What a summary says of every head, against sums over whole arrays."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import attention
from attention.analysis import words
from attention.analysis.pair_sentences import PAIRS, known_nouns
from attention.analysis.role_kinds import LEAST_ROWS, ROLES
from attention.analysis.roles import head_roles, pooled
from attention.survey import run
from attention.survey import summary as summary_module
from attention.survey.measure import SURVEY_COLUMNS, SURVEYED, SurveySettings
from attention.survey.running import TextFiles
from attention.survey.sentences import column_sentence, head_sentence
from attention.survey.summary import SHIPPED, TOP, load, save_summary, shipped, summarise
from tests.models import tiny
from tests.models.offered import offered

ROOT = Path(__file__).parents[2]
TEXTS = [
    "The cat sat on the mat because it was tired.",
    "One, two, three, and then the next one.",
    "word " * 600,
    "No one knew, no one asked, and no one told.",
    "A cat is a cat is a cat.",
    *PAIRS[0].texts,
    *PAIRS[1].texts,
]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    out = tmp_path_factory.mktemp("survey") / "a.parquet"
    return run(TEXTS, "minilm", out, draws=20, part=2)


@pytest.fixture(scope="module")
def summary(file):
    return summarise(file)


def test_roles_are_pooled_as_over_traces_held_at_once(model, summary):
    found = []
    for text in TEXTS[:2] + TEXTS[3:]:
        shown = words.view(model.trace(text))
        found.append(head_roles(shown, draws=20, pronouns=known_nouns(shown, text)))
    for name in ROLES:
        if not any(one.rows[one.names.index(name)].any() for one in found):
            assert np.isnan(summary.of(name)).all()
            continue
        expected = pooled(found, name)
        assert summary.of(name) == pytest.approx(expected.score, abs=1e-5)
        assert summary.of(name, "chance") == pytest.approx(expected.null_mean, abs=1e-5)
        assert summary.of(name, "spread") == pytest.approx(expected.null_spread, abs=1e-5)
        assert (summary.of(name, "rows") == expected.rows[:, None]).all()
        assert (summary.has(name) == expected.has(name)).all()
        at = found[0].names.index(name)
        able = [one.has[at] for one in found if (one.rows[at] >= LEAST_ROWS).all()]
        share = np.mean(able, axis=0) if able else np.full((6, 12), np.nan)
        assert summary.of(name, "share") == pytest.approx(share, nan_ok=True)


def test_with_windows_every_layer_counts_its_own_queries(tmp_path):
    """A role may be there in some layers only, and is told of fewer queries in others."""
    tiny.write(tmp_path / "models" / "surveyed", "gemma3_text", sliding_window=3)
    texts = ["the cat sat on the mat it was the cat", "cat dog mat cat", "the the the the"]
    with offered(tmp_path / "models"):
        file = run(texts, "surveyed", tmp_path / "a.parquet", draws=20, part=2)
        model = attention.load_model("surveyed")
        found = [head_roles(words.view(model.trace(text)), draws=20) for text in texts]
    summary = summarise(file)
    save_summary(summary, tmp_path / "s.parquet")
    for one in (summary, load(tmp_path / "s.parquet")):
        for name in ROLES:
            every = np.array([f.rows[f.names.index(name)] for f in found])
            rows = np.broadcast_to(every.sum(axis=0)[:, None], one.score.shape[1:])
            assert (one.of(name, "rows") == rows).all()
            if not every.any():
                continue
            expected = pooled(found, name)
            for grid, own in (("score", expected.score), ("chance", expected.null_mean)):
                assert one.of(name, grid) == pytest.approx(own, abs=1e-5, nan_ok=True)
            assert (one.has(name) == expected.has(name)).all()
            assert (one.of(name, "counts")[:, 0] == (every > 0).sum(axis=0)).all()
    assert len(np.unique(summary.of("duplicate", "rows"))) == 2
    assert column_sentence(summary, "duplicate")
    assert all("nan" not in head_sentence(summary, (layer, 0)) for layer in range(3))


def test_quantiles_to_the_width_of_a_bin(file, summary):
    table = pq.read_table(file)
    for name, width in (
        ("previous", 1e-3), ("distance", 1e-3), ("active", 1e-3), ("entropy", 0.01),
        ("mean_distance", 0.5),
    ):  # fmt: skip
        column = table[f"score.{name}" if name in SURVEYED else name].to_pylist()
        every = np.array([row for row in column if row is not None])
        for grid, share in (("low", 0.1), ("middle", 0.5), ("high", 0.9)):
            expected = np.quantile(every, share, axis=0, method="inverted_cdf")
            found = summary.of(name, grid).ravel()
            assert np.abs(found - expected).max() <= width / 2 + 1e-6


def test_the_texts_in_which_a_head_is_most_active(file, summary):
    table = pq.read_table(file, columns=["i", "active", "text"]).to_pylist()
    kept = [row for row in table if row["active"] is not None]
    for layer, head in ((0, 0), (3, 1), (5, 11)):
        ranked = sorted(kept, key=lambda row: -row["active"][layer * 12 + head])[:TOP]
        assert summary.top[layer, head].tolist() == [row["i"] for row in ranked]
        assert [summary.said[i] for i in summary.top[layer, head]] == [r["text"] for r in ranked]


def test_every_column_has_a_name_of_its_own():
    assert len(set(SURVEY_COLUMNS)) == len(SURVEY_COLUMNS)


def test_refused_texts_are_counted_and_nothing_else(summary):
    assert (summary.texts, summary.refused) == (8, 1)
    assert TEXTS[2] not in summary.said.values()


def test_a_summary_comes_back_from_its_file(summary, tmp_path):
    save_summary(summary, tmp_path / "s.parquet")
    back = load(tmp_path / "s.parquet")
    for grid in ("score", "chance", "spread", "low", "middle", "high", "share"):
        assert getattr(back, grid) == pytest.approx(getattr(summary, grid), abs=1e-6, nan_ok=True)
    assert back.said == summary.said
    assert (back.top == summary.top).all()
    assert (back.model, back.texts, back.tokens) == ("minilm", 8, summary.tokens)


def test_what_is_no_survey_is_refused(tmp_path):
    other = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), other)
    (tmp_path / "b.parquet").write_text("no parquet")
    for path in (other, tmp_path / "b.parquet"):
        with pytest.raises(ValueError, match="no survey"):
            summarise(path)
    with pytest.raises(ValueError, match="no summary"):
        load(other)


def test_a_survey_whose_settings_lie_is_refused(file, tmp_path):
    table = pq.read_table(file)
    settings = json.loads(table.schema.metadata[b"survey"])
    lies = {"heads": 3}, {"heads": 10**9}, {"heads": None}, {"more": 1}, {"layers": float("inf")}
    said = [json.dumps(settings | lie).encode() for lie in lies]
    for wrong in [*said, b"[" * 100_000, b"[]", b"3"]:
        pq.write_table(table.replace_schema_metadata({b"survey": wrong}), tmp_path / "a.parquet")
        with pytest.raises(ValueError, match="no survey"):
            summarise(tmp_path / "a.parquet")


def test_a_file_of_anybody_is_refused_by_its_size_before_it_is_read(file, tmp_path, monkeypatch):
    texts = pq.read_metadata(file).num_rows
    own = texts * 72
    assert summarise(file, most=own).texts <= texts
    with monkeypatch.context() as patch:
        patch.setattr(summary_module, "_FEWEST_HEADS", 100)
        with pytest.raises(ValueError, match=rf"at most {own // 100} are read"):
            summarise(file, most=own)
    monkeypatch.setattr(summary_module, "_Sums", None)  # nothing is added up
    told = rf"{texts} texts of 72 heads; at most {texts - 1} are read"
    with pytest.raises(ValueError, match=told):
        summarise(file, most=own - 1)
    table = pq.read_table(file)
    long = table.set_column(1, "text", pa.array(["a" * 100_000] * len(table)))
    bomb = tmp_path / "a.parquet"
    pq.write_table(long, bomb, compression="zstd")
    monkeypatch.setattr(summary_module, "_LARGEST_COLUMN", 900_000)
    with pytest.raises(ValueError, match=r"a column of it takes 1.6 MB at once; at most 900 kB"):
        summarise(bomb, most=10_000)


def test_a_file_of_anybody_has_texts_of_a_length_that_is_read(file, tmp_path):
    """One text in all rows takes little room in the file, and is read anew for each."""
    table, bomb = pq.read_table(file), tmp_path / "a.parquet"
    long = pa.array(["a" * 100_000] * len(table))
    pq.write_table(table.set_column(1, "text", long), bomb, compression="zstd")
    assert summarise(bomb).texts
    with pytest.raises(ValueError, match=r"^The text has 100,000 characters; at most 50,000"):
        summarise(bomb, most=10_000)


def test_whoever_reports_no_more_stops_the_reading(file):
    shares = []

    def report(share):
        shares.append(share)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        summarise(file, on_progress=report)
    assert shares == [0.0]


# the surveys that come with the package


def test_the_shipped_surveys_are_of_the_texts_that_come_with_them():
    texts = list(TextFiles(sorted((SHIPPED.parent / "texts").glob("*.txt"))))
    assert len(set(texts)) == len(texts) >= 300
    assert sorted(shipped()) == ["en-pt", "en-pt-decoder", "minilm", "smollm2"]
    for path in shipped().values():
        found = load(path)
        assert (found.texts, found.refused) == (len(texts), 0)
        assert all(texts[number] == said for number, said in found.said.items())
    assert f"over {len(texts)} texts" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["minilm", "en-pt", "en-pt-decoder"])
def test_the_shipped_surveys_are_of_the_models_that_are_here(name):
    found = load(shipped()[name])
    assert found.texts >= 300
    assert found.sizes == SurveySettings.of(name, 2, 0, 1).sizes


def test_pronouns_are_surveyed_on_the_sentences_whose_noun_is_known():
    texts = list(TextFiles([SHIPPED.parent / "texts" / "pronouns.txt"]))
    assert texts == [text for pair in PAIRS for text in pair.texts]
    found = load(shipped()["minilm"])
    assert (found.of("pronoun", "counts") == len(texts)).all()
    score = found.of("pronoun")
    assert np.argwhere(found.has("pronoun")).tolist() == [[3, 1]]
    assert score[3, 1] == score.max()


def test_the_heads_of_the_translators_last_layer_align():
    found = load(shipped()["en-pt-decoder"])
    assert found.score.shape[1:] == (2, 8)
    assert found.has("alignment").any(axis=1).tolist() == [False, True]
    assert (found.of("alignment", "rows") > 500).all()
    assert not found.said  # how active a head is, is not measured of two texts


def test_known_heads_are_found_again_in_the_shipped_surveys():
    """Heads of SmolLM2 for the previous word and for induction, as on repeated random words."""
    decoder = load(shipped()["smollm2"])
    assert decoder.texts >= 300
    previous = decoder.of("previous")
    best = np.argsort(-previous, axis=None)[:3]
    assert {divmod(int(i), 9) for i in best} == {(11, 1), (16, 0), (1, 2)}
    induction = decoder.of("induction")
    assert np.unravel_index(np.nanargmax(induction), induction.shape)[0] in (17, 18)
