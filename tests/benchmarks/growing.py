"""What images that grow spare and cost: python -m tests.benchmarks.growing [seeds] [size]

On the embedded digits, whose photos are enlarged for it, the baseline is trained at the whole size
and with ``first_share=0.5``, seed by seed and by turns. Compared are the processor's seconds of one
thread, which other work on the machine changes little, and the macro F1 on the hold-out and on the
test.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.embedded_digits import Digits, interval
from tests.benchmarks.machine import machine

SHARES = (1.0, 0.5)


def main() -> None:
    """Trains both by turns and prints what the seeds tell."""
    seeds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 64
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        digits = Digits.made(folder, size)
        found: dict[float, list[tuple[float, float, float]]] = {share: [] for share in SHARES}
        for seed in range(seeds):
            for share in SHARES if seed % 2 else SHARES[::-1]:
                begun = time.process_time()
                config = digits.base.replace(seed=seed, first_share=share)
                scores = digits.scores(config, folder / f"{seed}-{share}")
                seconds = time.process_time() - begun
                found[share].append((seconds, *scores))
                print(f"seed {seed}, {share:g}: {seconds:.1f} s, {scores[0]:.4f}, {scores[1]:.4f}")
        pairs = list(zip(found[1.0], found[0.5], strict=True))
        ratios = [grown[0] / whole[0] for whole, grown in pairs]
        print(machine("torch", "timm"))
        print(
            f"{seeds} seeds at {size} pixels: first_share=0.5 takes "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}) of the time"
        )
        for which, name in ((1, "hold-out"), (2, "test")):
            gains = [100 * (grown[which] - whole[which]) for whole, grown in pairs]
            print(f"{interval(gains)} points of macro F1 on the {name}")


if __name__ == "__main__":
    main()
