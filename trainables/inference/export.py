"""Exported models: a folder that predicts without this project, Ray or MLflow."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from results.masks import label_map, merging, postprocess
from results.masks.merging import Blend
from results.masks.postprocess import Form, Postprocess
from spaces.trial_config import TrialConfig
from trainables.augment import Augmenter
from trainables.data.loader import evaluation_batch
from trainables.inference.onnx import write_onnx
from trainables.inference.predict import load_trained
from trainables.networks.networks import BuildModel
from trainables.networks.timm_network import normalisation
from trainables.tasks.task import TrainingTask

FORMAT = 5
NEEDED = ("torch", "timm", "numpy", "opencv-python-headless", "safetensors", "pandas", "pillow")

FOR_MASKS = "segmentation-models-pytorch"

_PREDICT = '''"""Predicts images with the models of this folder: python predict.py --help"""

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

from portable.command import main

sys.exit(main(FOLDER))
'''


@dataclass(frozen=True, kw_only=True)
class Trained:
    """One trained model of an ensemble.

    Attributes:
        config: Its configuration.
        folder: Where its checkpoint lies.
        arm: Trial that was promoted: models of one arm are averaged first.
    """

    config: TrialConfig
    folder: Path
    arm: str


def write_export(
    folder: Path,
    models: Sequence[Trained],
    *,
    classes: Sequence[str],
    task: TrainingTask,
    numbers: Sequence[int],
    about: dict[str, Any],
    threads: int,
    build: BuildModel,
    form: Form | None = None,
    settings: Postprocess | None = None,
    voices: Sequence[tuple[str, str]] = (),
    blend: Blend | None = None,
    onnx: bool = False,
) -> None:
    """Writes weights, policies, configurations and code.

    Args:
        folder: Is made; ``model.json`` is written last.
        models: In the order in which they were averaged after training.
        classes: Class names.
        task: What the outputs mean.
        numbers: Of the classes where masks are written; empty without masks.
        about: Where they come from, for the record.
        threads: CPU threads of each training.
        build: Builds a network.
        form: What a mask is; None without masks.
        settings: What is made of probabilities of masks; None for the likeliest class.
        voices: Configurations, by their arms, and views in which they look at images, empty for as
            they are, in the order in which they are merged; all as they are unless given.
        blend: How voices are merged; None for the mean as of folds.
        onnx: Whether networks are written as ONNX, too, into ``onnx/``.

    Raises:
        InputError: If a checkpoint is missing, or ONNX cannot take a network.
    """
    (folder / "weights").mkdir(parents=True)
    members = []
    for i, trained in enumerate(models):
        model = load_trained(trained.config, trained.folder, len(classes), build)
        members.append(_write_network(folder, f"weights/{i:03d}.safetensors", trained, model))
        if onnx:
            (folder / "onnx").mkdir(exist_ok=True)
            size, to = trained.config.data.prediction_size, folder / f"onnx/{i:03d}.onnx"
            write_onnx(model, *normalisation(model), size, task.activation, to)
    write_policies(folder, {trained.arm: trained.config for trained in models})
    copy_portable(folder)
    (folder / "predict.py").write_text(_PREDICT)
    (folder / "requirements.txt").write_text(_requirements(masks=bool(numbers)))
    written = {
        "format": FORMAT,
        **about,
        "classes": list(classes),
        "threads": threads,
        "activation": task.activation,
        "task": task.name,
        "numbers": list(numbers),
        "background": None if form is None else form.background,
        "overlapping": form is not None and form.overlapping,
        "postprocess": None if settings is None else settings.to_json(),
        "voices": list(voices or dict.fromkeys((trained.arm, "") for trained in models)),
        "recipe": None if blend is None else asdict(blend),
        "torch": torch.__version__,
        "models": members,
    }
    (folder / "model.json").write_text(json.dumps(written, indent=2) + "\n")


def _write_network(
    folder: Path, file: str, trained: Trained, model: torch.nn.Module
) -> dict[str, Any]:
    """Writes a network's weights; returns what an export says of it."""
    weights = {k: v.contiguous().clone() for k, v in model.state_dict().items()}
    save_file(weights, folder / file)
    mean, std = normalisation(model)
    return {
        "weights": file,
        "arm": trained.arm,
        "fold": trained.config.run.fold,
        "mean": mean.tolist(),
        "std": std.tolist(),
        "batch": evaluation_batch(trained.config),
        "config": trained.config.to_json(),
    }


def _requirements(*, masks: bool) -> str:
    """What an export needs, in the versions that are here."""
    needed = (*NEEDED, *((FOR_MASKS,) if masks else ()))
    return "".join(f"{name}=={version(name).partition('+')[0]}\n" for name in needed)


def write_policies(folder: Path, configs: Mapping[str, TrialConfig]) -> None:
    """Writes the pipelines of the last epoch into ``policy.json``, by promoted trial."""
    policies = {arm: _pipeline(config) for arm, config in configs.items()}
    (folder / "policy.json").write_text(json.dumps(policies, indent=2) + "\n")


def _pipeline(config: TrialConfig) -> dict[str, Any]:
    data = config.data
    policy = config.policy.at(1.0)
    return Augmenter(policy, data.size, config.run.seed, data.store_side, data.fill).to_json()


def copy_portable(folder: Path) -> None:
    """Copies what reads an export into its ``portable/``."""
    (folder / "portable").mkdir()
    for path in sorted((Path(__file__).parents[1] / "portable").glob("*.py")):
        shutil.copyfile(path, folder / "portable" / path.name)
    for module in (label_map, merging, postprocess):
        path = Path(str(module.__file__))
        shutil.copyfile(path, folder / "portable" / path.name)
