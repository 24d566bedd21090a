"""What one setting spares and costs: python -m tests.benchmarks.setting name=value [seeds] [size]

    python -m tests.benchmarks.setting first_share=0.5
    python -m tests.benchmarks.setting precision=fp32 10

On the embedded digits, whose photos are enlarged for it, the baseline is trained as it is and with
the setting, seed by seed and by turns. Compared are the processor's seconds of one thread, which
other work on the machine changes little, and the macro F1 on the hold-out and on the test.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import yaml

from tests.benchmarks.embedded_digits import Digits, interval
from tests.benchmarks.machine import machine


def main() -> None:
    """Trains both by turns and prints what the seeds tell."""
    name, _, written = sys.argv[1].partition("=")
    changed_by = {name: yaml.safe_load(written)}
    seeds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    size = int(sys.argv[3]) if len(sys.argv) > 3 else 64
    print(machine("torch", "timm"))
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        digits = Digits.made(folder, size)
        sides = {
            "as it is": digits.base,
            sys.argv[1]: digits.base.with_params(changed_by),
        }
        found: dict[str, list[tuple[float, float, float]]] = {side: [] for side in sides}
        for seed in range(seeds):
            for side in list(sides) if seed % 2 else list(sides)[::-1]:
                begun = time.process_time()
                scores = digits.scores(sides[side].replace(seed=seed), folder / f"{seed}-{side}")
                seconds = time.process_time() - begun
                found[side].append((seconds, *scores))
                told = f"{seconds:.1f} s, {scores[0]:.4f}, {scores[1]:.4f}"
                print(f"seed {seed}, {side}: {told}", flush=True)
        pairs = list(zip(*found.values(), strict=True))
        ratios = [changed[0] / plain[0] for plain, changed in pairs]
        print(
            f"{seeds} seeds at {size} pixels: {sys.argv[1]} takes {statistics.median(ratios):.2f} "
            f"({min(ratios):.2f} to {max(ratios):.2f}) of the time"
        )
        for which, where in ((1, "hold-out"), (2, "test")):
            gains = [100 * (changed[which] - plain[which]) for plain, changed in pairs]
            print(f"{interval(gains)} points of macro F1 on the {where}")


if __name__ == "__main__":
    main()
