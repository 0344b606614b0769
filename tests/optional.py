"""What tests need that may not be installed: they are left out without it, and say so."""

import pytest

import attention
from attention.models import registry

with_smollm2 = pytest.mark.skipif(
    registry.SMOLLM2 not in attention.available_models(),
    reason=f"SmolLM2 is not installed: {registry.INSTALL_SMOLLM2}",
)
