"""What people write for a contest: PyTorch, albumentations, a DataLoader; and a search around it.

    python -m tests.benchmarks.plain_script optuna <folder> <pixels> <trials> <epochs> <seed>

The folder has a train.csv. ``optuna`` tries one configuration after the other, with MedianPruner
and a thread for each core but one, which two loading processes keep busy; ``ray`` is Ray Tune's
example: OptunaSearch, ASHA and the MLflowLoggerCallback, a core a trial. Prints a line of JSON for
every trial that ran to its end: seconds since the start, and its score.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
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

BATCH, WORKERS = 32, 2
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


def suggested(trial: optuna.Trial) -> dict[str, Any]:
    """One or two operations, their strengths and probabilities."""
    found: dict[str, Any] = {"stages": trial.suggest_int("stages", 1, 2)}
    for i in range(1, found["stages"] + 1):
        found[f"operation{i}"] = trial.suggest_categorical(f"operation{i}", list(OPERATIONS))
        found[f"strength{i}"] = trial.suggest_float(f"strength{i}", 0.1, 1)
        found[f"probability{i}"] = trial.suggest_float(f"probability{i}", 0.2, 1)
    return found


def asked(trial: optuna.Trial) -> None:
    """The same for Ray Tune, which pickles it."""
    suggested(trial)


def scores(
    root: Path, side: int, params: Mapping[str, Any], epochs: int, seed: int
) -> Iterator[float]:
    """Trains a configuration; gives macro F1 of the held-out fifth after every epoch."""
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

    end = [A.Resize(side, side), A.Normalize()]
    stages = [
        A.Sequential(
            [OPERATIONS[params[f"operation{i}"]](params[f"strength{i}"])],
            p=params[f"probability{i}"],
        )
        for i in range(1, params["stages"] + 1)
    ]
    learned = part(train, A.Compose([*stages, *end]), True)
    judged = part(held, A.Compose(end), False)
    torch.manual_seed(seed)
    model = timm.create_model("test_resnet", num_classes=max(labels) + 1)
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, 5e-3, epochs=epochs, steps_per_epoch=len(learned)
    )
    truth = np.array(labels)[held]
    for _ in range(epochs):
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
        yield float(f1_score(truth, said, average="macro"))


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0))


def by_optuna(root: Path, side: int, trials: int, epochs: int, seed: int, begun: float) -> int:
    """One configuration after the other; returns the epochs that were trained."""

    def objective(trial: optuna.Trial) -> float:
        score = 0.0
        for epoch, score in enumerate(scores(root, side, suggested(trial), epochs, seed), start=1):
            trial.report(score, epoch)
            if epoch < epochs and trial.should_prune():
                raise optuna.TrialPruned
        print(json.dumps({"seconds": time.perf_counter() - begun, "score": score}), flush=True)
        return score

    torch.set_num_threads(max(1, available_cores() - 1))
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=seed),
        pruner=optuna.pruners.MedianPruner(),
    )
    study.optimize(objective, n_trials=trials)
    return sum(len(t.intermediate_values) for t in study.trials)


def by_ray(root: Path, side: int, trials: int, epochs: int, seed: int, begun: float) -> int:
    """As many at once as there are cores; returns the epochs that were trained."""
    import ray
    from ray import tune
    from ray.air.integrations.mlflow import MLflowLoggerCallback
    from ray.tune.schedulers import ASHAScheduler
    from ray.tune.search import ConcurrencyLimiter
    from ray.tune.search.optuna import OptunaSearch

    cores, grace = available_cores(), max(1, epochs // 4)
    started = time.time() - (time.perf_counter() - begun)

    def trainable(config: dict[str, Any]) -> None:
        from tests.benchmarks.plain_script import scores  # in the worker, torchvision cured

        for epoch, score in enumerate(scores(root, side, config, epochs, seed), start=1):
            tune.report({"score": score, "epoch": epoch})

    ray.init(num_cpus=cores, include_dashboard=False, log_to_driver=False)
    search = OptunaSearch(space=asked, metric="score", mode="max", seed=seed)
    place = Path.cwd() / f"ray-{seed}"
    callback = MLflowLoggerCallback(f"sqlite:///{place}.db", experiment_name="s")
    tuner = tune.Tuner(
        trainable,
        tune_config=tune.TuneConfig(
            metric="score",
            mode="max",
            num_samples=trials,
            search_alg=ConcurrencyLimiter(search, cores),
            scheduler=ASHAScheduler(time_attr="epoch", max_t=epochs, grace_period=grace),
        ),
        run_config=tune.RunConfig(storage_path=str(place), verbose=0, callbacks=[callback]),
    )
    results = [result.metrics for result in tuner.fit() if result.metrics]
    for metrics in results:
        if metrics["epoch"] == epochs:
            seconds = metrics["timestamp"] - started
            print(json.dumps({"seconds": seconds, "score": metrics["score"]}), flush=True)
    ray.shutdown()
    return sum(int(metrics["epoch"]) for metrics in results)


SEARCHES = {"optuna": by_optuna, "ray": by_ray}


def main() -> None:
    """Searches."""
    root, side, trials, epochs, seed = Path(sys.argv[2]), *(int(word) for word in sys.argv[3:7])
    begun = time.perf_counter()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    trained = SEARCHES[sys.argv[1]](root, side, trials, epochs, seed, begun)
    print(json.dumps({"seconds": time.perf_counter() - begun, "epochs": trained}), flush=True)


if __name__ == "__main__":
    main()
