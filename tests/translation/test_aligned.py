"""Cross-attention between words, what is said of it, and the tables and charts that show it."""

import numpy as np
import pytest

import attention
from attention.translation import charts, examples, frames
from attention.translation.aligned import Aligned


@pytest.fixture(scope="module")
def pair():
    return attention.load_translator("en-pt")


@pytest.fixture(scope="module")
def river(pair):
    return Aligned(pair.translate(examples.STEEP_BANK.text), 1, None)


def test_words_get_what_their_pieces_get(river):
    assert [unit.label for unit in river.target][5:8] == ["era", "íngreme", "."]
    t = [unit.label for unit in river.target].index("íngreme")
    assert river.target[t].positions == (6, 7, 8, 9)  # the first piece is only a space
    by_hand = river.done.cross_weights[1, :, 6:10].mean(axis=(0, 1))
    np.testing.assert_allclose(river.weights[t], by_hand, atol=1e-6)
    np.testing.assert_allclose(river.weights.sum(axis=1), 1, atol=1e-5)


def test_what_a_word_looked_at_is_said_with_what_the_others_give(river):
    column = river.weights[:, 1]
    assert river.looked_sentence(1) == (
        "On average over the heads of decoder layer 1, “margem” attends to “bank” most "
        f"(0.76; the other words give it {np.delete(column, 1).mean():.2f} on average)."
    )
    assert "“bank” is looked at most by “margem”, which gives it 0.76" in (
        river.looked_at_sentence(1)
    )
    assert f"is {column.mean():.2f}." in river.looked_at_sentence(1)


def test_portuguese_is_read_backwards_where_it_puts_the_adjective_last(pair, river):
    text = next(one.text for one in examples.SOURCE_EXAMPLES if "Economic" in one.text)
    said = Aligned(pair.translate(text), 1, 0).backwards_sentence()
    assert said == (
        "“Espaço Económico Europeu” reads its source backwards: “Area” 0.96, “Economic” 0.92, "
        "“European” 0.72."
    )
    assert river.backwards_sentence() == ""


def test_every_example_is_english_and_short_enough():
    for example in examples.SOURCE_EXAMPLES:
        assert examples.looks_english(example.text)
        assert len(example.text.split()) <= 60
        assert examples.source_example(f" {example.text}") is example
    assert max(len(one.text.split()) for one in examples.SOURCE_EXAMPLES) == 50


@pytest.mark.parametrize(
    "text",
    ["Der Hund schläft auf dem Sofa", "El perro duerme en el sofá", "Собака спит на диване дома"],
)
def test_other_languages_are_told_apart(text):
    assert not examples.looks_english(text)


@pytest.mark.parametrize(("step", "asked"), [(1, None), (1, 4)])
def test_the_picture_has_every_word_and_the_lines_of_the_asked_one(river, step, asked):
    frame = frames.cross_frame(river, step, asked)
    words, lines = frame[frame["kind"] == "word"], frame[frame["kind"] == "line"]
    assert len(words) == len(river.source) + len(river.target)
    own = lines[lines["asked"].astype(bool)]["weight"].to_numpy()
    expected = river.weights[step] if asked is None else river.weights[:, asked]
    np.testing.assert_allclose(np.sort(own), np.sort(expected))
    assert words["later"].sum() == (len(river.target) - 2 if asked is None else 0)
    asked_words = words[words["asked"].astype(bool)]
    assert asked_words["word"].tolist() == ["margem" if asked is None else "river"]


def test_charts_name_columns_of_their_tables(river):
    labels = ("a", "b")
    for chart, frame in (
        (charts.cross_lines(frames.cross_frame(river, 1, None), rows=9, from_source=False),
         frames.cross_frame(river, 1, None)),
        (charts.alignment_map(frames.align_frame(river, 1, None), source=labels, target=labels),
         frames.align_frame(river, 1, None)),
        (charts.likeliest_bars(frames.likeliest_frame([(" a", 0.5)]), labels=labels),
         frames.likeliest_frame([(" a", 0.5)])),
    ):  # fmt: skip
        spec = repr(chart.to_dict())
        for field in ("weight", "probability"):
            assert (f"'{field}'" in spec) <= (field in frame.columns)


def test_the_map_has_a_cell_for_each_pair_of_words(river):
    frame = frames.align_frame(river, 1, 4)
    assert len(frame) == river.weights.size
    assert set(frame[frame["chosen"]]["key"]) == {"river"}
