"""Word pieces and whole words: what is merged, how it is spelled, and what becomes of the sums."""

import dataclasses
import unicodedata
from functools import cache

import numpy as np
import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

import attention
from attention.analysis.words import Unit, merge, pieces, row_scores, seen_by, view, whole_words
from attention.models import encoding, registry
from attention.models.llama import Llama
from tests.models import tiny, tiny_tokenizers


@pytest.fixture(scope="module")
def minilm():
    return attention.load_model("minilm")


@pytest.fixture(scope="module")
def trophy(minilm):
    return minilm.trace("The trophy wouldn't fit")


def words_of(model, text):
    return [unit.label for unit in whole_words(model.tokenize(text))[1:-1]]


# the rule


def test_merging_by_hand():
    # "ab" is two pieces. Its row is the mean of theirs; its column is their sum.
    weights = np.array([[0.1, 0.3, 0.6], [0.5, 0.3, 0.2], [0.2, 0.7, 0.1]])
    units = (Unit("ab", (0, 1), False), Unit("c", (2,), False))
    merged = [[(0.1 + 0.3 + 0.5 + 0.3) / 2, (0.6 + 0.2) / 2], [0.2 + 0.7, 0.1]]
    np.testing.assert_allclose(merge(weights, units), merged)


def test_single_pieces_are_left_as_they_are():
    weights = np.array([[0.25, 0.75], [1.0, 0.0]])
    units = (Unit("a", (0,), False), Unit("b", (1,), False))
    np.testing.assert_array_equal(merge(weights, units), weights)


def slow_merge(weights, units):
    merged = np.zeros((len(units), len(units)))
    for row, asks in enumerate(units):
        for column, read in enumerate(units):
            total = sum(weights[q, k] for q in asks.positions for k in read.positions)
            merged[row, column] = total / len(asks.positions)
    return merged


@settings(deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=5), st.integers(0, 2**32 - 1))
def test_row_sums_are_kept(sizes, seed):
    starts = np.cumsum([0, *sizes])
    units = tuple(
        Unit("", tuple(range(start, start + size)), False)
        for start, size in zip(starts, sizes, strict=False)
    )
    weights = np.random.default_rng(seed).dirichlet(np.ones(sum(sizes)), (2, 3, sum(sizes)))
    merged = merge(weights, units)
    np.testing.assert_allclose(merged.sum(axis=-1), 1, rtol=1e-12)
    np.testing.assert_allclose(merged[1, 2], slow_merge(weights[1, 2], units), rtol=1e-12)


# which pieces make a word


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wouldn't", ["wouldn't"]),
        ("wouldn’t", ["wouldn’t"]),
        ("I wouldn't've", ["I", "wouldn't've"]),
        ("the dogs' bowl", ["the", "dogs", "'", "bowl"]),
        ("rock 'n' roll", ["rock", "'", "n", "'", "roll"]),
        ("Antidisestablishmentarianism!", ["Antidisestablishmentarianism", "!"]),
        ("snake_case 3.14", ["snake_case", "3", ".", "14"]),
        ("well-known", ["well", "-", "known"]),
        ("日本語 テスト", ["日", "本", "語", "テ", "ス", "ト"]),
        ("한국어", ["한", "국", "어"]),
        ("Python入門", ["Python", "[UNK] 入", "門"]),
        ("مرحبا بالعالم", ["مرحبا", "بالعالم"]),
        ("Généralisation naïve", ["Généralisation", "naïve"]),
        ("Ge\u0301ne\u0301ralisation cafe\u0301", ["Ge\u0301ne\u0301ralisation", "cafe\u0301"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("so\u00adlar", ["solar"]),
        ("good 👍 ❤️", ["good", "[UNK] 👍", "[UNK] ❤️"]),
        ("a [SEP] b [MASK]", ["a", "[SEP]", "b", "[MASK]"]),
        ("  two   spaces ", ["two", "spaces"]),
        ("", []),
    ],
)
def test_words_are_spelled_as_in_the_text(minilm, text, words):
    assert words_of(minilm, text) == words


def test_the_pieces_of_a_word(trophy):
    assert trophy.tokens == ("[CLS]", "the", "trophy", "wouldn", "'", "t", "fit", "[SEP]")
    units = whole_words(trophy.input)
    assert units == (
        Unit("[CLS]", (0,), True),
        Unit("The", (1,), False),
        Unit("trophy", (2,), False),
        Unit("wouldn't", (3, 4, 5), False),
        Unit("fit", (6,), False),
        Unit("[SEP]", (7,), True),
    )


def test_pieces_are_spelled_as_the_tokenizer_does(minilm):
    units = pieces(minilm.tokenize("Antidis"))
    assert units == (
        Unit("[CLS]", (0,), True),
        Unit("anti", (1,), False),
        Unit("##dis", (2,), False),
        Unit("[SEP]", (3,), True),
    )


def test_a_separator_typed_by_the_reader_is_text(minilm):
    typed, added = whole_words(minilm.tokenize("[SEP]"))[1:]
    assert (typed.label, typed.special) == ("[SEP]", False)
    assert (added.label, added.special) == ("[SEP]", True)


# spaces, characters and words that a vocabulary does not know

KINDS = (*tiny_tokenizers.MAKERS, "minilm", "en-pt", registry.SMOLLM2)


@cache
def tokenizer(kind):
    if kind in tiny_tokenizers.MAKERS:
        return tiny_tokenizers.MAKERS[kind]()
    if kind not in attention.available_models():
        pytest.skip(f"SmolLM2 is not installed: {registry.INSTALL_SMOLLM2}")
    return attention.load_model(kind).tokenizer


def read(kind, text):
    return encoding.encoded(tokenizer(kind), text, 10_000, tokenizer(kind).get_vocab_size())


def labels(kind, text, units=whole_words):
    return [unit.label for unit in units(read(kind, text)) if not unit.special]


@pytest.mark.parametrize("kind", ["sentencepiece", "metaspace", "no prefix", "bytes", "unigram"])
def test_a_space_before_a_piece_is_marked_and_no_part_of_the_word(kind):
    tokens = read(kind, "The cat")
    (piece,) = [unit for unit in pieces(tokens) if "cat" in unit.label]
    (word,) = [unit for unit in whole_words(tokens) if "cat" in unit.label]
    assert (piece.label, piece.word) == ("␣cat", "cat")
    assert (word.label, word.word) == ("cat", "cat")


@pytest.mark.parametrize("kind", ["sentencepiece", "bytes", "trimmed bytes"])
def test_white_space_stands_alone_as_a_sign(kind):
    assert labels(kind, "the cat\n\n\tsat") == ["the", "cat", "⏎", "⏎", "⇥", "sat"]
    assert labels(kind, "on\n  it") in (["on", "⏎", "␣", "it"], ["on", "⏎", "␣", "␣it"])
    blank = [unit.ordinary for unit in whole_words(read(kind, "the\ncat"))]
    assert blank[-3:] == [True, False, True]


def test_what_a_word_reads_is_not_mixed_with_white_space(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "bytes")
    trace = Llama.from_folder("tiny", folder).trace("the cat\n\nsat")
    shown = view(trace)
    sat, cat = shown.find("sat"), shown.find("cat")
    tokens = [trace.tokens.index(piece) for piece in ("sat", "Ġcat")]
    assert np.array_equal(shown.weights[..., sat, cat], trace.weights[..., *tokens])


@pytest.mark.parametrize("kind", ["sentencepiece", "bytes"])
@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("cat ❤️", "❤️"),
        ("cat 👨‍👩‍👧", "👨‍👩‍👧"),
        ("cat 👍🏽", "👍🏽"),
        ("cat 🇩🇪", "🇩🇪"),
        ("cat 1️⃣", "1️⃣"),
        ("cat 🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"),
        ("cat e\u0301", "e\u0301"),
        ("cat น้ำ", "น้ำ"),
    ],
)
def test_what_people_see_as_one_character_is_one_unit(kind, text, last):
    found = labels(kind, text)
    assert found[0] == "cat"
    assert found[1:] in ([last], ["␣", last])  # SentencePiece has a token for the space


@pytest.mark.parametrize(
    ("kind", "text", "shown"),
    [
        ("bytes", "the 你", ["the", "␣", "<E4>", "<BD>", "<A0>"]),
        ("sentencepiece", "the 你", ["␣the", "␣", "<E4>", "<BD>", "<A0>"]),
        (registry.SMOLLM2, "the 你", ["the", "␣", "<E4><BD>", "<A0>"]),
        (registry.SMOLLM2, "❤️", ["<E2>", "<9D>", "<A4>", "<U+FE0F>"]),
        (registry.SMOLLM2, "مر", ["م", "ر"]),
        (registry.SMOLLM2, "a\u200bb", ["a", "<E2><80>", "<8B>", "b"]),
        ("minilm", "naively 你", ["naive", "##ly", "[UNK] 你"]),
    ],
)
def test_pieces_of_characters_are_shown_as_bytes(kind, text, shown):
    assert labels(kind, text, pieces) == shown


@pytest.mark.parametrize(
    ("kind", "text", "shown", "unknown"),
    [
        ("minilm", "a 😀 😡", ["a", "[UNK] 😀", "[UNK] 😡"], ["", "😀", "😡"]),
        ("minilm", "ok สวัสดีครับ", ["ok", "[UNK] สวัสดีครับ"], ["", "สวัสดีครับ"]),
        ("minilm", "[UNK]", ["[UNK]"], [""]),
        ("words", "the 😀", ["the", "[UNK] 😀"], ["", "😀"]),
        ("unigram", "the 😀", ["the", "␣", "<unk> 😀"], ["", "", "😀"]),
        ("unigram", "cat9", ["<unk> cat9"], ["9"]),
    ],
)
def test_words_without_a_token_are_marked(kind, text, shown, unknown):
    units = [unit for unit in whole_words(read(kind, text)) if not unit.special]
    assert [unit.label for unit in units] == shown
    assert [unit.unknown for unit in units] == unknown


def test_an_unknown_word_is_found_by_its_own_spelling(minilm):
    assert view(minilm.trace("the 😀 sat")).find("😀") == 2


WHITE = [" ", "\n", "\t", "\r\n", "\u00a0", "\u3000"]
SIGNS = [
    "👨‍👩‍👧",
    "❤️",
    "🇩🇪",
    "👍🏽",
    "␣",
    "’",
    "'",
    "_",
    "é",
    "e\u0301",
    "你",
    "สวัสดี",
    "हिन्दी",
    "می\u200cخواهم",
]
UNSEEN = [
    "\u200d",
    "\ufe0f",
    "\u0301",
    "\u00ad",
    "\u200b",
    "\ufeff",
    "\u202e",
    "\x00",
    "🏴\U000e0067",
]
PARTS = st.sampled_from(
    [*WHITE, *SIGNS, *UNSEEN, "the", " cat", "s", "1", " 2.5", "[UNK]", "<0x41>"]
)
TEXTS = st.lists(PARTS | st.characters(), max_size=12).map("".join)


def invisible(label):
    """Return what cannot be seen in a label, joiners between two signs and the like aside."""
    found = []
    for i, character in enumerate(label):
        code, name = ord(character), unicodedata.name(character, "")
        before, after = label[i - 1 : i], label[i + 1 : i + 2]
        joins = character in "\u200c\u200d" and before.strip() and after.strip()
        follows = before and ("VARIATION SELECTOR" in name or 0xE0000 < code < 0xE0080)
        gone = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp")
        if (gone and code not in SEEN_FORMATS and not joins and not follows) or (
            "VARIATION SELECTOR" in name and not before
        ):
            found.append(character)
    return found


SEEN_FORMATS = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}


@settings(deadline=None, max_examples=200)
@given(text=TEXTS, kind=st.sampled_from(KINDS))
@example(text="👨\u200d👩\u200d👧", kind="en-pt")  # which reads a space for the joiner
def test_units_are_visible_and_part_no_character_whatever_the_text(text, kind):
    tokens = read(kind, text)
    for units in (whole_words(tokens), pieces(tokens)):
        positions = [position for unit in units for position in unit.positions]
        assert positions == list(range(len(tokens)))
        assert all(len(unit.positions) == 1 for unit in units if unit.special)
        for unit in units:
            assert unit.word
            assert not invisible(unit.word), unit
            assert not invisible(unit.mark.removesuffix(" ")), unit
    clusters = [found.span() for found in regex.finditer(r"\X", tokens.text)]
    edges = {0, *(end for _, end in clusters)}
    owners = {}
    for number, unit in enumerate(whole_words(tokens)):
        for i in unit.positions:
            start, end = tokens.spans[i]
            if tokens.texts[i].isspace() and {start, end} <= edges:
                assert len(unit.positions) == 1, unit
            if tokens.special[i] or not stands_there(tokens, i):
                continue
            for cluster in clusters:
                if cluster[0] < end and start < cluster[1]:
                    assert owners.setdefault(cluster, number) == number, (cluster, unit)


def stands_there(tokens, i):
    """Whether the text has what the token says: a tokenizer may put a space before a text."""
    start, end = tokens.spans[i]
    then = tokens.spans[i + 1 :]
    again = bool(then) and then[0][0] < end
    added = tokens.texts[i].isspace() and (tokens.text[start:end] != tokens.texts[i] or again)
    return end > start and not added


@settings(deadline=None)
@given(
    words=st.lists(st.text("abcdeht", min_size=1, max_size=6), min_size=1, max_size=6),
    between=st.sampled_from([" ", ", ", "-", "\n\n", "\t", " 😀 ", "…"]),
    kind=st.sampled_from([kind for kind in KINDS if kind != "unigram"]),  # its words are tokens
)
def test_every_word_is_one_unit(words, between, kind):
    units = whole_words(read(kind, between.join(words)))
    assert [unit.word for unit in units if unit.word.isalpha()] == words


# what is shown


def test_a_view_of_pieces_is_the_trace_itself(trophy):
    shown = view(trophy, words=False)
    assert shown.labels == trophy.tokens
    np.testing.assert_array_equal(shown.weights, trophy.weights)
    assert not shown.removed.any()


def test_a_view_of_words_merges_every_head(trophy):
    shown = view(trophy)
    assert shown.labels == ("[CLS]", "The", "trophy", "wouldn't", "fit", "[SEP]")
    for layer, head in ((0, 0), (3, 1), (5, 11)):
        slow = slow_merge(trophy.weights[layer, head], shown.units)
        np.testing.assert_allclose(shown.weights[layer, head], slow, atol=1e-6)


@pytest.mark.parametrize("words", [True, False])
def test_removing_special_tokens_renormalises_and_says_how_much(trophy, words):
    everything, shown = view(trophy, words=words), view(trophy, words=words, special=False)
    assert shown.labels == everything.labels[1:-1]
    lost = everything.weights[:, :, 1:-1, [0, -1]].sum(axis=-1)
    kept = everything.weights[:, :, 1:-1, 1:-1]
    np.testing.assert_allclose(shown.removed, lost, atol=1e-6)
    np.testing.assert_allclose(shown.removed + kept.sum(axis=-1), 1, atol=1e-6)
    np.testing.assert_allclose(shown.weights.sum(axis=-1), 1, atol=1e-5)
    np.testing.assert_allclose(shown.weights * (1 - shown.removed)[..., None], kept, atol=1e-6)


def test_a_view_of_nothing_but_special_tokens(minilm):
    shown = view(minilm.trace(""), special=False)
    assert shown.units == ()
    assert shown.weights.shape == (6, 12, 0, 0)
    assert shown.removed.shape == (6, 12, 0)


def test_a_view_is_read_only_and_leaves_the_trace_alone(trophy):
    before = trophy.weights.copy()
    for words in (True, False):
        for special in (True, False):
            shown = view(trophy, words=words, special=special)
            assert not shown.weights.flags.writeable
            assert not shown.removed.flags.writeable
    np.testing.assert_array_equal(trophy.weights, before)


def test_find_gives_the_first_of_that_spelling_in_any_case(minilm):
    shown = view(minilm.trace("The cat and the Straße [SEP]"))
    assert shown.find("the") == 1
    assert shown.find("THE") == 1
    assert shown.find("strasse") == 5
    assert shown.find("[SEP]") == 6
    assert shown.find("dog") is None


@pytest.mark.parametrize("special", [True, False])
def test_row_scores_give_the_row_back_and_are_the_models_own_for_single_tokens(trophy, special):
    shown = view(trophy, special=special)
    layer, head, word = 3, 1, shown.find("trophy")
    scores = row_scores(trophy, shown, layer, head, word)
    row = shown.weights[layer, head, word]
    np.testing.assert_allclose(attention.softmax(scores), row, atol=1e-6)
    for score, unit in zip(scores, shown.units, strict=True):
        read = np.exp(trophy.scores[layer, head, 2, list(unit.positions)].astype(float))
        assert score == pytest.approx(np.log(read.sum()), abs=1e-5)


def test_a_decoders_word_sees_itself_and_what_came_before(tmp_path):
    llama = Llama.from_folder("tiny", tiny.write(tmp_path / "tiny", "llama"))
    trace = llama.trace("the cat sat on the mat")
    whole = view(trace)
    seen = seen_by(whole, 1, 2)
    assert seen.labels == ("the", "cat", "sat")
    scores = row_scores(trace, whole, 1, 3, 2)
    np.testing.assert_allclose(scores, trace.scores[1, 3, 2, :3], atol=1e-5)
    np.testing.assert_allclose(attention.softmax(scores), whole.weights[1, 3, 2, :3], atol=1e-6)
    assert seen_by(dataclasses.replace(whole, is_causal=False), 1, 2).labels == whole.labels


@pytest.mark.parametrize("text", ["The cat sat; it was tired, It", "unbelievable 🦄 tokens", ""])
def test_a_trace_finds_the_tokens_that_a_view_of_its_pieces_finds(model, text):
    trace = model.trace(text)
    pieces = view(trace, words=False)
    for word in (*pieces.words, "IT", "cat", "[cls]", "nowhere"):
        assert trace.find(word) == pieces.find(word), word


def test_a_trace_finds_words_whose_tokens_have_a_space_before_them(tmp_path):
    folder = tiny_tokenizers.write_model(tmp_path / "m", "llama", "bytes")
    trace = Llama.from_folder("tiny", folder).trace("The cat sat on the cat")
    assert trace.find("cat") == trace.tokens.index("Ġcat")
    assert trace.find("THE") == 0
    assert trace.find("dog") is None
