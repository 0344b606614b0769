"""`attention bench`: how the time of attention grows with the length, here and now."""

from __future__ import annotations

import argparse

from attention.commands.common import add_json, command
from attention.scaling import runs
from attention.scaling.core_cost import Measurement, default_lengths, sweep
from attention.scaling.frames import core_fit, core_points
from attention.scaling.power_law import Fit
from attention.scaling.stored import CORE_KIND
from attention.wording import human_bytes, human_seconds

_EXAMPLES = """  attention bench                                  up to 2048 tokens
  attention bench --most 8192 --heads 12
  attention bench --json > today.json              for “Saved runs” on the page Scaling"""


def add_bench(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    summary = "time attention at growing lengths on this machine"
    parser = command(commands, "bench", _bench, summary, _EXAMPLES)
    parser.add_argument("--most", type=int, default=2048, help="tokens (default: %(default)s)")
    parser.add_argument("--heads", type=int, default=1, help="H (default: %(default)s)")
    parser.add_argument("--width", type=int, default=64, help="E of a head (default: %(default)s)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: %(default)s)")
    add_json(parser)


def _bench(arguments: argparse.Namespace) -> None:
    settings = {name: getattr(arguments, name) for name in ("heads", "width", "repeats")}
    found = []
    for one in sweep(default_lengths(arguments.most), **settings):
        found.append(one)
        if not arguments.json:
            print(_line(one), flush=True)
    run = runs.record(CORE_KIND, settings, core_points(found))
    if arguments.json:  # the form that the dashboard reads
        print(runs.to_json(run))
        return
    print(f"{_grown(core_fit(run.points))}\n{runs.machine_text(run)}")


def _grown(law: Fit | None) -> str:
    if law is None:
        return "too few lengths to say how it grows"
    return (
        f"the fastest rounds grow as n^{law.exponent:.2f} (95 %: {law.low:.2f} to {law.high:.2f}), "
        f"from {law.lengths[0]} to {law.lengths[-1]} tokens"
    )


def _line(one: Measurement) -> str:
    return (
        f"{one.n:>6} tokens  {human_seconds(one.total.median):>9}  "
        f"memory {human_bytes(one.peak_bytes)}"
    )
