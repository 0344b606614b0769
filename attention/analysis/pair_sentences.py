"""Minimal pairs: one word turns the meaning, and with it what the pronoun stands for.

Source of the idea: Levesque et al. 2012, "The Winograd schema challenge". The pairs were written
for this project, but for the two of `CLASSICS`, which no score uses.
"""

from __future__ import annotations

from dataclasses import dataclass

from attention.analysis.words import View


@dataclass(frozen=True)
class Pair:
    """Two sentences that differ in one word; `first` and `second` stand in this order."""

    template: str  # with {} where they differ
    pronoun: str
    first: str
    second: str
    fillers: tuple[str, str]  # with the one the pronoun means `first`, with the other `second`

    @property
    def texts(self) -> tuple[str, str]:
        """Both sentences."""
        one, other = self.fillers
        return self.template.format(one), self.template.format(other)


def _pair(template: str, pronoun: str, candidates: str, fillers: str) -> Pair:
    first, second = candidates.split()
    one, other = fillers.split()
    return Pair(template, pronoun, first, second, (one, other))


TROPHY = _pair(
    "The trophy wouldn't fit in the suitcase because it was too {}",
    "it",
    "trophy suitcase",
    "big small",
)
ANIMAL = _pair(
    "The animal didn't cross the street because it was too {}", "it", "animal street", "tired wide"
)
CLASSICS = (TROPHY, ANIMAL)

PAIRS = (
    _pair("The lorry could not pass under the bridge because it was too {}",
          "it", "lorry bridge", "tall low"),
    _pair("The ladder did not reach the window because it was too {}",
          "it", "ladder window", "short high"),
    _pair("The knife could not cut the bread because it was too {}",
          "it", "knife bread", "blunt hard"),
    _pair("The dog did not catch the rabbit because it was too {}",
          "it", "dog rabbit", "slow fast"),
    _pair("The ice would not carry the car because it was too {}",
          "it", "ice car", "thin heavy"),
    _pair("The shelf collapsed under the statue because it was too {}",
          "it", "shelf statue", "weak heavy"),
    _pair("The boat could not cross the lake because it was {}",
          "it", "boat lake", "leaking frozen"),
    _pair("The hammer cracked the plate because it was so {}",
          "it", "hammer plate", "heavy fragile"),
    _pair("The lamp could not light the hall because it was too {}",
          "it", "lamp hall", "dim large"),
    _pair("The horse would not jump the fence because it was too {}",
          "it", "horse fence", "nervous high"),
    _pair("The cat could not climb the tree because it was too {}",
          "it", "cat tree", "fat smooth"),
    _pair("The climbers avoided the peaks because they were too {}",
          "they", "climbers peaks", "tired steep"),
    _pair("The students failed the exams because they were so {}",
          "they", "students exams", "lazy difficult"),
    _pair("The children ran from the wolves because they were so {}",
          "they", "children wolves", "timid fierce"),
    _pair("The guests did not eat the oysters because they were {}",
          "they", "guests oysters", "full spoiled"),
    _pair("The farmers left the fields because they were {}",
          "they", "farmers fields", "exhausted flooded"),
    _pair("The tourists skipped the museums because they were {}",
          "they", "tourists museums", "bored closed"),
    _pair("The birds left the branches because they were {}",
          "they", "birds branches", "scared rotten"),
    _pair("The swimmers avoided the waves because they were too {}",
          "they", "swimmers waves", "weak high"),
    _pair("The voters ignored the leaflets because they were {}",
          "they", "voters leaflets", "busy dull"),
    _pair("The buyers rejected the apples because they were {}",
          "they", "buyers apples", "picky rotten"),
    _pair("The teacher scolded the pupil because she was so {}",
          "she", "teacher pupil", "strict noisy"),
    _pair("The manager fired the clerk because he was {}",
          "he", "manager clerk", "ruthless lazy"),
    _pair("The doctor comforted the patient because she was {}",
          "she", "doctor patient", "compassionate frightened"),
    _pair("The boy carried the toddler because he was so {}",
          "he", "boy toddler", "strong tired"),
    _pair("The father forgave the son because he was {}",
          "he", "father son", "merciful sorry"),
    _pair("The coach replaced the goalkeeper because he was {}",
          "he", "coach goalkeeper", "dissatisfied injured"),
    _pair("The singer thanked the pianist because she was {}",
          "she", "singer pianist", "grateful helpful"),
    _pair("The girl guided the stranger because she was {}",
          "she", "girl stranger", "kind lost"),
    _pair("The water did not fill the tank because it was too {}",
          "it", "water tank", "scarce large"),
    _pair("The rope did not hold the anchor because it was too {}",
          "it", "rope anchor", "thin heavy"),
    _pair("The drill did not pierce the rock because it was too {}",
          "it", "drill rock", "feeble hard"),
    _pair("The mouse hid from the owl because it was {}",
          "it", "mouse owl", "frightened hunting"),
    _pair("The hen pecked the puppy because it was so {}",
          "it", "hen puppy", "angry annoying"),
    _pair("The camel carried the load easily because it was so {}",
          "it", "camel load", "strong light"),
    _pair("The bus could not climb the hill because it was too {}",
          "it", "bus hill", "old steep"),
    _pair("The tent did not survive the storm because it was too {}",
          "it", "tent storm", "flimsy violent"),
    _pair("The pump could not empty the cellar because it was {}",
          "it", "pump cellar", "broken enormous"),
    _pair("The umbrella was useless in the wind because it was too {}",
          "it", "umbrella wind", "fragile strong"),
    _pair("The bird could not crack the nut because it was too {}",
          "it", "bird nut", "young hard"),
    _pair("The blanket did not cover the bed because it was too {}",
          "it", "blanket bed", "short wide"),
    _pair("The screw would not go into the hole because it was too {}",
          "it", "screw hole", "thick narrow"),
    _pair("The camera missed the comet because it was too {}",
          "it", "camera comet", "slow faint"),
    _pair("The tractor got stuck in the field because it was so {}",
          "it", "tractor field", "heavy muddy"),
)  # fmt: skip

KNOWN = {pair.texts: pair for pair in (*CLASSICS, *PAIRS)}
NOUNS = {  # sentence -> its pronoun, and the noun that this stands for
    text: (pair.pronoun, noun)
    for pair in PAIRS
    for text, noun in zip(pair.texts, (pair.first, pair.second), strict=True)
}


def known_nouns(view: View, text: str) -> list[tuple[int, int]]:
    """Return the positions of the pronoun of a sentence and of its noun; none where not known.

    >>> from attention import load_model
    >>> from attention.analysis import words
    >>> text = PAIRS[0].texts[0]
    >>> len(known_nouns(words.view(load_model("minilm").trace(text)), text))
    1
    """
    if text not in NOUNS:
        return []
    pronoun, noun = map(view.find, NOUNS[text])
    return [] if pronoun is None or noun is None else [(pronoun, noun)]
