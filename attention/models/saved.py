"""What a saved model is: an architecture with a tokenizer, read from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

from tokenizers import Tokenizer

from attention.arrays import Array
from attention.characters import shown
from attention.models import files
from attention.models.architecture import Architecture
from attention.models.config import Config
from attention.models.encoding import encoded
from attention.models.spelling import spelling, text_of
from attention.models.trace import Tokens, longest


class Saved(Architecture):
    """An architecture with its tokenizer: what becomes of texts, and how tokens are spelled."""

    def __init__(
        self, name: str, config: Config, weights: dict[str, Array], tokenizer: Tokenizer
    ) -> None:
        """Keep what is given."""
        super().__init__(name, config, weights)
        self.tokenizer = tokenizer

    def __repr__(self) -> str:
        """Return the name, the kind and the sizes on one line."""
        c = self.config
        return (
            f"{self.family} {self.name}: {c.num_hidden_layers} x {c.num_attention_heads} "
            f"heads, {c.hidden_size:,} wide, {c.vocab_size:,} words"
        )

    @classmethod
    def from_folder(cls, name: str, folder: Path) -> Self:
        """Load `config.json`, `tokenizer.json` and safetensors from `folder`."""
        config = cls.config_class.from_dict(files.read_config(folder))
        weights = files.read_weights(
            folder, config.shapes(), prefixes=cls.prefixes, optional=config.head()
        )
        return cls(name, config, weights, files.load_tokenizer(folder / "tokenizer.json"))

    @classmethod
    def check_folder(cls, folder: Path) -> files.Shapes:
        """Refuse what `from_folder` could not read; return the shapes of what it would."""
        config = cls.config_class.from_dict(files.read_config(folder))
        return files.check_weights(
            folder, config.shapes(), prefixes=cls.prefixes, optional=config.head()
        )

    @property
    def longest_trace(self) -> int:
        """How many tokens a text may have."""
        c = self.config
        return longest(c.num_hidden_layers * c.num_attention_heads, c.max_position_embeddings)

    def tokenize(self, text: str, pair: str | None = None) -> Tokens:
        """Return the text as tokens; `ValueError` with both numbers where it is too long.

        Parameters
        ----------
        pair : a second text behind the first one, for models that read two
        """
        if pair is not None and not self.reads_pairs:
            raise ValueError(f"{self.name} reads one text at a time: it was trained with no pairs")
        sizes = self.longest_trace, self.config.vocab_size
        control = self.is_causal  # an encoder's mask stands for a word
        return encoded(self.tokenizer, text, *sizes, pair=pair, control=control)

    def spell(self, token: int) -> str:
        """Return the text of one token, with the space before it; see `spell_all`."""
        return self.spell_all([token])

    def spell_all(self, tokens: Sequence[int]) -> str:
        """Return what tokens say together; bytes that make no whole character as `<F0>`.

        A token of the vocabulary that the tokenizer does not know is shown as its number.
        """
        return text_of(self.tokenizer, tokens)

    def label(self, token: int) -> str:
        """Return one token as views show it: what cannot be seen is made visible."""
        return shown(spelling(self.tokenizer).text([token]))
