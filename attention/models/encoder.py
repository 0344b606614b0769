"""What encoders share: every token attends to every other, and threads share long texts.

Heads share no keys and values, and positions come in below the first layer; in MPNet distances are
added to the scores, too.
"""

from __future__ import annotations

from attention.models.transformer import Transformer


class Encoder(Transformer):
    """An encoder with its weights and tokenizer. Safe to share between threads."""

    is_causal = False
