"""Exported policies, run where there are only albumentations and the exported folder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spaces.augmentation.policy import AugPolicy
from spaces.trial_config import TrialConfig
from trainables.augment.augmenter import Augmenter
from trainables.inference.export import copy_portable, write_policies

SCRIPT = """
import sys, numpy as np; from pathlib import Path; sys.path.insert(0, '.')
from portable.seeded_pipeline import SeededPipeline
picture = np.load('picture.npy')
count = int(sys.argv[1])
for name in sys.argv[2:]:
    policy = SeededPipeline.read(Path('policy.json'), name)
    views = [policy(picture, e, i)['image'] for e in (1, 2) for i in range(count)]
    np.save(name, np.stack(views))
assert not {'spaces', 'results', 'trainables', 'search'} & set(sys.modules)
"""


def check_exported(
    policies: Mapping[str, AugPolicy],
    config: TrialConfig,
    picture: NDArray[np.uint8],
    count: int,
    folder: Path,
) -> None:
    """Asserts that exported policies give the pixels that a training sees.

    Args:
        policies: By name.
        config: Size, seed and side of the stored images.
        picture: A stored image.
        count: Images in each of two epochs.
        folder: An empty one.
    """
    write_policies(folder, {n: config.replace(policy=p) for n, p in policies.items()})
    copy_portable(folder)
    np.save(folder / "picture.npy", picture)
    done = subprocess.run(
        [sys.executable, "-I", "-c", SCRIPT, str(count), *policies],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"},
    )
    assert done.returncode == 0, done.stderr
    data = config.data
    for name, policy in policies.items():
        trained = Augmenter(policy, data.size, config.run.seed, data.store_side)
        ours = [trained(picture, e, i)["image"] for e in (1, 2) for i in range(count)]
        np.testing.assert_array_equal(np.load(folder / f"{name}.npy"), ours, err_msg=name)
