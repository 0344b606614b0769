"""Time learning the library task, and the same loop in PyTorch on the same batches.

    pip install -e ".[benchmark]"
    python tests/benchmarks/learning.py [--seeds 20] [--books 16] [--steps 100] [--threads 1]

First how long one head of width 32 takes, seed by seed, until its accuracy over 20 new batches of
64 is 99.5 %; drawing the batches is part of it. Then steps of training (forward, backward, Adam) on
batches drawn before, here and in PyTorch with autograd and its Adam in one fused kernel, from the
same parameters, one thread each; the sides alternate A B A B in one process after a warm-up,
medians. Below 1: this package is faster. Processor seconds are given as well, which other programs
disturb less. That both learn the same is seen in the loss after the last step.
"""

import argparse
from collections.abc import Callable
from statistics import median
from time import perf_counter, process_time, sleep

import torch

from attention.learning.layers import cross_entropy
from attention.learning.networks import AttentionNetwork
from attention.learning.tasks import LIBRARY, Batch
from attention.learning.training import Learner, TrainingSettings, train
from attention.runtime.threads import one_blas_thread

WIDTH, RATE, GOAL, LIMIT = 32, 0.01, 0.995, 1.0
PAUSE = 0.2  # seconds: threads of the side before go on spinning for a while
NETWORK = AttentionNetwork(LIBRARY, WIDTH)


def main() -> None:
    """Print seconds a seed, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--books", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=9)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    by_seed(arguments.seeds, arguments.books)
    against_torch(arguments.books, arguments.steps, arguments.repeats)


def by_seed(seeds: int, books: int) -> None:
    """Print how many seeds reach the goal within the limit, and the spread."""
    runs = [until_learned(books, seed) for seed in range(seeds)]
    steps, seconds, used = ([run[i] for run in runs] for i in range(3))
    in_time = sum(run[3] and run[1] < LIMIT for run in runs)
    print(
        f"{books} books, {NETWORK.parameter_count()} parameters: {in_time} of {seeds} seeds reach "
        f"{GOAL:.1%} over 20 batches in under {LIMIT:.0f} s\n"
        f"  steps {min(steps)} to {max(steps)}, median {median(steps):.0f}; seconds "
        f"{min(seconds):.2f} to {max(seconds):.2f}, median {median(seconds):.2f}; "
        f"processor seconds, median {median(used):.2f}",
        flush=True,
    )


def until_learned(books: int, seed: int) -> tuple[int, float, float, bool]:
    """Return steps, seconds, processor seconds, and whether the goal was reached."""
    settings = TrainingSettings(books, steps=1000, rate=RATE, seed=seed, goal=GOAL)
    start, used = perf_counter(), process_time()
    (end,) = train(NETWORK, settings, at=())
    return end.step, perf_counter() - start, process_time() - used, end.recent >= GOAL


def against_torch(books: int, steps: int, repeats: int) -> None:
    """Print the ratio of the same steps here and there."""
    settings = TrainingSettings(books, rate=RATE)
    batches = [settings.examples(NETWORK, step) for step in range(steps)]
    sides = (lambda: ours(batches), lambda: theirs(batches))
    losses = [side() for side in sides]  # warm-up
    rounds = [[timed(side) for side in sides] for _ in range(repeats)]
    for kind, clock in enumerate(("seconds", "processor seconds")):
        here, there = ([pair[side][kind] for pair in rounds] for side in range(2))
        ratios = sorted(a / b for a, b in zip(here, there, strict=True))
        print(
            f"a step, {clock}: here {median(here) / steps * 1e3:.2f} ms, PyTorch "
            f"{median(there) / steps * 1e3:.2f} ms, ratio {median(here) / median(there):.2f} "
            f"(rounds {ratios[0]:.2f} to {ratios[-1]:.2f})"
        )
    print(f"loss after {steps} steps: {losses[0]:.4f} and {losses[1]:.4f}")


def ours(batches: list[Batch]) -> float:
    """Train here; return the last loss."""
    learner = Learner(NETWORK, NETWORK.initial(0), RATE)
    with one_blas_thread():
        for batch in batches:
            answers = NETWORK.answers(learner.parameters, batch)
            loss = cross_entropy(answers.logits, batch.answer)
            learner.learn(answers, batch)
    return loss


def theirs(batches: list[Batch]) -> float:
    """Train the same network in PyTorch; return the last loss."""
    parameters = {name: torch.tensor(a).requires_grad_() for name, a in NETWORK.initial(0).items()}
    adam = torch.optim.Adam(parameters.values(), lr=RATE, fused=True)
    for tokens, answer, _ in batches:
        loss = torch_loss(parameters, torch.from_numpy(tokens), torch.from_numpy(answer))
        adam.zero_grad()
        loss.backward()
        adam.step()
    return loss.item()


def torch_loss(
    p: dict[str, torch.Tensor], tokens: torch.Tensor, answer: torch.Tensor
) -> torch.Tensor:
    """Return the loss of the same network, as one writes it in PyTorch."""
    x = torch.nn.functional.embedding(tokens, p["embeddings"]).sum(-2)
    shelf = x[:, :-1]
    query, key, value = x[:, -1:] @ p["query"], shelf @ p["key"], shelf @ p["value"]
    found = torch.nn.functional.scaled_dot_product_attention(query, key, value)
    logits = found[:, 0] @ p["answer"] + p["answer bias"]
    return torch.nn.functional.cross_entropy(logits, answer)


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Return how long one call takes after a pause, and how much of a processor it takes."""
    sleep(PAUSE)
    start, used = perf_counter(), process_time()
    call()
    return perf_counter() - start, process_time() - used


if __name__ == "__main__":
    main()
