"""A small SentencePiece BPE vocabulary, and how its own library cuts texts.

    python -m tests.models.sentencepiece_words    # writes tests/golden/sentencepiece.json

That needs the package sentencepiece, which trains the vocabulary, too.
"""

import io
import json
from pathlib import Path

GOLDEN = Path(__file__).parents[1] / "golden" / "sentencepiece.json"
TEXTS = (
    "the cat sat on the mat",
    "The trophy would not fit in the suitcase because it was too big",
    " a space first, two  spaces, and one at the end ",
    "thesis banking unbelievable cats",
    "naïve café, Straße, 東京, 🔦",
    "1234 tokens; x = y + 2",
    "",
    "é",
)
_SENTENCES = (
    "the cat sat on the mat because it was tired",
    "the river bank was steep and the money was in the bank",
    "a token attends to another token and a model predicts the next one",
    "the trophy would not fit in the suitcase because it was too big",
    "which word does it stand for in that sentence and what does it mean",
    "words that come often are one piece and others are cut into more",
)


def make():
    """Train a vocabulary, cut the texts, write both."""
    import sentencepiece

    made = {}
    for name, first in (("space first", True), ("no space first", False)):
        kept = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(_SENTENCES * 3), model_writer=kept, model_type="bpe",
            vocab_size=420, byte_fallback=True, add_dummy_prefix=first,
            normalization_rule_name="identity", remove_extra_whitespaces=False,
            hard_vocab_limit=False, minloglevel=2,
        )  # fmt: skip
        model = sentencepiece.SentencePieceProcessor(model_proto=kept.getvalue())
        made[name] = {
            "tokens": [model.id_to_piece(i) for i in range(len(model))],
            "scores": [model.get_score(i) for i in range(len(model))],
            "kinds": [_kind(model, i) for i in range(len(model))],
            "texts": {text: model.encode(text) for text in TEXTS},
        }
    GOLDEN.write_text(json.dumps(made, ensure_ascii=False, indent=0) + "\n", encoding="utf-8")


def _kind(model, i):
    asked = model.is_unknown, model.is_control, model.is_byte
    return next((kind for kind, ask in zip((2, 3, 6), asked, strict=True) if ask(i)), 1)


if __name__ == "__main__":
    make()
