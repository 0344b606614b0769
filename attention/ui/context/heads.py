"""The head whose row the tabs on recurrent and convolutional layers compare with."""

from __future__ import annotations

from attention.context.reach import far_link
from attention.ui.controls import head_picker
from attention.ui.readings import Reading
from attention.wording import Head


def path_head(chosen: Reading) -> Head:
    """Draw the picker for the head that is applied to the page's sentence."""
    telling, of = far_link(chosen.view)[1], (chosen.source,)
    return head_picker("Attention head", chosen.model, telling, key="path_head", of=of)
