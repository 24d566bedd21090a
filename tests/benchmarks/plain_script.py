"""What people write for a contest: Optuna, PyTorch, albumentations, a DataLoader, MedianPruner.

    python -m tests.benchmarks.plain_script <folder with train.csv> <trials> <epochs> <seed>

Prints a line of JSON for every trial that ran to its end: seconds since the start, and its score.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import albumentations as A  # noqa: N812
import cv2
import numpy as np
import optuna
import pandas as pd
import torch
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold
from torch.utils.data import DataLoader, Dataset

import trainables.portable.torchvision_cure  # noqa: F401 (has to come before timm)

# isort: split
import timm

SIZE, BATCH, WORKERS = 32, 32, 2
OPERATIONS = {
    "rotate": lambda s: A.Affine(rotate=(-30 * s, 30 * s), p=1),
    "scale": lambda s: A.Affine(scale=(1 - 0.3 * s, 1 + 0.3 * s), p=1),
    "translate": lambda s: A.Affine(translate_percent=(-0.3 * s, 0.3 * s), p=1),
    "brightness": lambda s: A.RandomBrightnessContrast(0.5 * s, 0.5 * s, p=1),
    "blur": lambda s: A.GaussianBlur(sigma_limit=(0.1, 0.1 + 2 * s), p=1),
    "noise": lambda s: A.GaussNoise(std_range=(0, 0.2 * s), p=1),
    "cutout": lambda s: A.CoarseDropout(hole_height_range=(0.1, 0.1 + 0.4 * s), p=1),
    "flip": lambda s: A.HorizontalFlip(p=1),
}


class Images(Dataset[Any]):
    """Decodes, augments, returns: one image at a time."""

    def __init__(self, paths: list[str], labels: list[int], pipeline: Any) -> None:
        self.paths, self.labels, self.pipeline = paths, labels, pipeline

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        picture = cv2.cvtColor(cv2.imread(self.paths[index]), cv2.COLOR_BGR2RGB)
        view = self.pipeline(image=picture)["image"]
        return torch.from_numpy(view).permute(2, 0, 1), self.labels[index]


def main() -> None:
    """Searches."""
    root, trials, epochs, seed = Path(sys.argv[1]), *(int(word) for word in sys.argv[2:5])
    begun = time.perf_counter()
    cv2.setNumThreads(0)
    table = pd.read_csv(root / "train.csv")
    paths = [str(root / path) for path in table["image"]]
    labels = pd.factorize(table["label"], sort=True)[0].tolist()
    folds = StratifiedKFold(5, shuffle=True, random_state=seed)
    train, held = next(folds.split(paths, labels))

    def part(rows: Any, pipeline: Any, shuffle: bool) -> DataLoader[Any]:
        data = Images([paths[i] for i in rows], [labels[i] for i in rows], pipeline)
        return DataLoader(
            data, BATCH, shuffle, num_workers=WORKERS, drop_last=shuffle, persistent_workers=True
        )

    end = [A.Resize(SIZE, SIZE), A.Normalize()]

    def objective(trial: optuna.Trial) -> float:
        stages = []
        for i in range(1, trial.suggest_int("stages", 1, 2) + 1):
            name = trial.suggest_categorical(f"operation{i}", list(OPERATIONS))
            strength = trial.suggest_float(f"strength{i}", 0.1, 1)
            probability = trial.suggest_float(f"probability{i}", 0.2, 1)
            stages.append(A.Sequential([OPERATIONS[name](strength)], p=probability))
        learned = part(train, A.Compose([*stages, *end]), True)
        judged = part(held, A.Compose(end), False)
        torch.manual_seed(seed)
        model = timm.create_model("test_resnet", num_classes=max(labels) + 1)
        optimizer = torch.optim.AdamW(model.parameters(), 5e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 5e-3, epochs=epochs, steps_per_epoch=len(learned)
        )
        score = 0.0
        for epoch in range(1, epochs + 1):
            model.train()
            for pictures, wanted in learned:
                loss = torch.nn.functional.cross_entropy(model(pictures), wanted)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
            model.eval()
            with torch.no_grad():
                said = torch.cat([model(pictures).argmax(1) for pictures, _ in judged])
            truth = np.array(labels)[held]
            score = float(f1_score(truth, said, average="macro"))
            trial.report(score, epoch)
            if epoch < epochs and trial.should_prune():
                raise optuna.TrialPruned
        print(json.dumps({"seconds": time.perf_counter() - begun, "score": score}), flush=True)
        return score

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(),
    )
    study.optimize(objective, n_trials=trials)
    done = sum(len(t.intermediate_values) for t in study.trials)
    print(json.dumps({"seconds": time.perf_counter() - begun, "epochs": done}), flush=True)


if __name__ == "__main__":
    main()
