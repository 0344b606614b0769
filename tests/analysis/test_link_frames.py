import numpy as np
import pytest

from attention.analysis import link_frames, links
from attention.analysis.words import Unit, View


def view(*heads, labels="abc"):
    weights = np.array(heads, dtype=np.float64)[None]
    units = tuple(Unit(label, (i,), False) for i, label in enumerate(labels))
    return View(units, weights, np.zeros(weights.shape[:-1]))


FIRST = [[0.5, 0.3, 0.2], [0, 1, 0], [0.2, 0.2, 0.6]]
SECOND = [[0.1, 0.1, 0.8], [0, 0, 1], [0, 0, 1]]
TWO = view(FIRST, SECOND)


def test_one_head_has_all_its_rows_and_no_links():
    frame = link_frames.link_frame(TWO, 0, [0], range(3), query=0, several=False)
    assert frame["kind"].value_counts().to_dict() == {"row": 7, "word": 3}  # two weights are 0
    rows = frame[(frame["kind"] == "row") & (frame["q"] == 0)]
    assert rows["key"].tolist() == ["a", "b", "c"]
    assert rows["weight"].tolist() == pytest.approx([0.5, 0.3, 0.2])
    assert rows["rank"].tolist() == [1, 2, 3]
    assert set(rows["name"]) == {"L0 H0"}


def test_several_heads_have_links_and_the_row_is_their_mean():
    frame = link_frames.link_frame(TWO, 0, [1, 0], range(3), query=0, several=True)
    links_ = frame[(frame["kind"] == "link") & (frame["q"] == 0)]
    assert links_["h"].tolist() == [1, 1, 1, 0, 0, 0]  # the last head is drawn last, in front
    rows = frame[(frame["kind"] == "row") & (frame["q"] == 0)]
    assert rows["weight"].tolist() == pytest.approx([0.3, 0.2, 0.5])
    assert rows["rank"].tolist() == [2, 3, 1]
    word = frame[(frame["kind"] == "word") & (frame["q"] == 0)]
    assert word["strongest"].item() == "c 0.5000, a 0.3000, b 0.2000"


def test_small_links_are_left_out():
    frame = link_frames.link_frame(TWO, 0, [0, 1], range(3), query=0, several=True, least=0.5)
    assert sorted(frame.loc[frame["kind"] == "link", "weight"]) == pytest.approx(
        [0.5, 0.6, 0.8, 1, 1, 1]
    )


def test_without_heads_the_words_remain():
    frame = link_frames.link_frame(TWO, 0, [], range(3), query=0, several=True)
    assert frame["query"].tolist() == ["a", "b", "c"]
    assert set(frame["kind"]) == {"word"}


def test_a_pick_lasts_as_long_as_the_word_and_the_text():
    def pick(asks, head, labels="abc"):
        frame = link_frames.link_frame(
            view(FIRST, SECOND, labels=labels), 0, [head], range(3), query=asks, several=False
        )
        assert frame.loc[frame["start"], "q"].unique().tolist() == [asks]
        return frame["pick"].unique().item()

    assert pick(0, 0) == pick(0, 1)
    assert len({pick(0, 0), pick(1, 0), pick(0, 0, "abd")}) == 3


def test_repeated_words_keep_their_positions():
    frame = link_frames.link_frame(
        view(FIRST, labels="aba"), 0, [0], range(3), query=0, several=False
    )
    rows = frame[(frame["kind"] == "row") & (frame["query"] == "a") & (frame["key"] == "a")]
    assert list(zip(rows["q"], rows["k"], strict=True)) == [(0, 0), (0, 2), (2, 0), (2, 2)]


def test_a_list_has_the_strongest_keys_wherever_they_stand():
    weights = np.full((20, 20), 0.01)
    weights[:, 0] = 0.61
    weights[:, 19] = 0.21
    frame = link_frames.link_frame(
        view(weights, labels=[f"w{i}" for i in range(20)]),
        0,
        [0],
        range(10, 14),
        query=11,
        several=False,
        listed=3,
    )
    rows = frame[(frame["kind"] == "row") & (frame["q"] == 11)].sort_values("to")
    assert rows["key"].tolist() == ["w0", "w19", "w1"]
    assert rows["to"].tolist() == [0, 1, 2]
    assert rows["row"].unique().tolist() == [1]
    assert frame.loc[frame["kind"] == "word", "q"].tolist() == [10, 11, 12, 13]


def test_what_any_head_attends_to_most_is_in_the_list():
    one = np.array([[0.7, 0.2, 0.1, 0.0]] * 4)
    frame = link_frames.link_frame(
        view(one, one[:, [0, 1, 3, 2]], one[:, [2, 3, 1, 0]] / 4 + one[:, [3, 2, 1, 0]] * 3 / 4,
             labels="abcd"),
        0, [0, 1, 2], [1], query=1, several=True, listed=2,
    )  # fmt: skip
    rows = frame[frame["kind"] == "row"].sort_values("to")
    assert rows["key"].tolist() == ["a", "d"]  # "b" has more of the mean than "d"
    assert set(frame.loc[frame["kind"] == "link", "key"]) == {"a", "d"}


def test_a_decoder_has_no_key_after_the_query():
    rows = np.tril(np.full((30, 30), 0.1))
    for listed in (None, 20):
        frame = link_frames.link_frame(
            view(rows, labels=["w"] * 30), 0, [0], range(30), query=5, several=False, listed=listed
        )
        drawn = frame[frame["kind"] == "row"]
        assert (drawn["k"] <= drawn["q"]).all()


def test_a_hundred_words_of_twelve_heads_stay_small():
    weights = np.random.default_rng(0).dirichlet(np.full(100, 0.1), size=(12, 100))
    many = view(*weights, labels=[f"w{i}" for i in range(100)])
    least = links.smallest_drawn(weights)
    frame = link_frames.link_frame(
        many, 0, range(12), range(100), query=0, several=True, least=least
    )
    assert len(frame) <= links.MOST_LINES + 100 * 100 + 100


def test_the_most_different_head_comes_first():
    frame = link_frames.differ_frame(view(FIRST, FIRST, SECOND), 0, [0, 1, 2], 0)
    assert frame["Head"].tolist() == ["L0 H2", "L0 H0", "L0 H1"]
    assert frame["Attends most to"].tolist() == ["“c”", "“a”", "“a”"]
    rows = np.array([FIRST[0], FIRST[0], SECOND[0]])
    assert frame["Bits apart"].tolist() == pytest.approx(
        sorted(links.difference(rows).bits, reverse=True)
    )


def test_the_best_head_for_a_pair():
    frame = link_frames.best_heads_frame(TWO, 0, 2, count=2)
    assert frame["Head"].tolist() == ["L0 H0", "L0 H1"]  # in H1 all words attend to c
    assert frame["Weight"].tolist() == [0.2, 0.8]
    assert frame["Others"].tolist() == pytest.approx([0.3, 1.0])
