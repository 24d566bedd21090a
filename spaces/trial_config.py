"""The complete description of one training."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spaces.augmentation.families import is_policy_parameter, policy_of
from spaces.augmentation.operations import swaps_sides
from spaces.augmentation.pipeline import check_batched
from spaces.augmentation.policy import AugPolicy
from spaces.digest import digest
from spaces.errors import InputError, unknown
from spaces.sections.averaging import AVERAGINGS, Averaging
from spaces.sections.data import DATA, Data
from spaces.sections.extra import EXTRA, Extra
from spaces.sections.labels import LABELS, Labels
from spaces.sections.loss import LOSSES, CrossEntropy, Loss
from spaces.sections.mixing import MIXINGS, Mixing
from spaces.sections.model import IN_TRAINING, MODELS, Model, Timm
from spaces.sections.optimizer import OPTIMIZERS, Adaptive, Optimizer
from spaces.sections.pseudo import PSEUDO, Pseudo
from spaces.sections.run import RUNS, MixMatch, Run
from spaces.sections.sampling import SAMPLINGS, Sampling
from spaces.sections.schedule import SCHEDULES, Cosine, Schedule
from spaces.sections.section import Foreign, Kinds, Section
from spaces.sections.weighting import WEIGHTINGS, Weighting

SECTIONS: dict[str, Kinds[Any]] = {
    "data": DATA,
    "model": MODELS,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "loss": LOSSES,
    "mix": MIXINGS,
    "labels": LABELS,
    "sampling": SAMPLINGS,
    "weighting": WEIGHTINGS,
    "extra": EXTRA,
    "pseudo": PSEUDO,
    "averaging": AVERAGINGS,
    "run": RUNS,
}
"""The kinds of every section; its key is the field of `TrialConfig`."""

ELSEWHERE = {
    "store_side": "set it with store.side=",
    "boxes": "set them with data.box=",
    "focus": "set it with data.focus=",
    "prepare": "set it with prepare=module:function",
    "shape": "set it with data.shape=",
    "framing": "set it with data.shape=native",
    "scored_images": "set it with predict.scored_images=",
    "corrections": "set them with data.corrections=",
    "fold": "a search holds out fold 0; search.train takes fold=",
    "candidates": "mode=inference draws them",
    **dict.fromkeys(
        ("parent", "parent_digest", "done", "until"), "mode=population cuts trainings up"
    ),
}
"""Fields that belong to a job, and where they are set."""


@dataclass(frozen=True, kw_only=True)
class TrialConfig:
    """Everything that one training depends on, apart from the data and its folds.

    Parameters are flat for users (``lr``, ``optimizer``, ``sgd.lr``); each belongs to one section.

    Attributes:
        data: What of an image the network sees.
        model: The network and its first weights.
        optimizer: The optimizer.
        schedule: How the learning rate runs.
        loss: The loss.
        policy: Augmentation per image.
        mix: Mixing the images of a batch.
        labels: What is trained on of images whose label was corrected.
        sampling: Which images an epoch shows.
        weighting: How much an image counts in the loss, by its class.
        extra: Whether labelled images from elsewhere are trained on, too.
        pseudo: Whether test images are trained on, too.
        averaging: Averages of the weights, or of what several epochs predict.
        run: What is done, for how long, on which fold.
    """

    data: Data = field(default_factory=Data)
    model: Model = field(default_factory=Timm)
    optimizer: Optimizer = field(default_factory=Adaptive)
    schedule: Schedule = field(default_factory=Cosine)
    loss: Loss = field(default_factory=CrossEntropy)
    policy: AugPolicy = field(default_factory=AugPolicy)
    mix: Mixing = field(default_factory=Mixing)
    labels: Labels = field(default_factory=Labels)
    sampling: Sampling = field(default_factory=Sampling)
    weighting: Weighting = field(default_factory=Weighting)
    extra: Extra = field(default_factory=Extra)
    pseudo: Pseudo = field(default_factory=Pseudo)
    averaging: Averaging = field(default_factory=Averaging)
    run: Run = field(default_factory=Run)

    def __post_init__(self) -> None:
        if isinstance(self.run, Foreign):
            return
        if getattr(self.data, "augment_on", "image") == "batch":
            check_batched(pipeline.name for pipeline in self.policy.pipelines())
        swapping = {n for n in self.policy.operations() if swaps_sides(n)}
        height, width = getattr(self.data, "size", (1, 1))
        if swapping and height != width:
            raise InputError(
                f"the operation {min(swapping)!r} needs square images, got size={height}×{width}"
            )
        epochs, warm = self.run.epochs, getattr(self.schedule, "warmup_epochs", 0)
        if 0 < warm >= epochs:
            raise InputError(f"warmup_epochs must be within 0 to below epochs={epochs}, got {warm}")
        averaged = getattr(self.averaging, "swa_epochs", 0)
        if averaged > epochs:
            raise InputError(f"swa_epochs must be within 1 to epochs={epochs}, got {averaged}")
        together = getattr(self.averaging, "ensemble_epochs", 1)
        if together > epochs > 1:
            raise InputError(f"ensemble_epochs must be within 2 to epochs={epochs}, got {together}")
        frozen = getattr(self.model, "frozen_epochs", 0)
        if frozen > epochs:
            raise InputError(f"frozen_epochs must be within 0 to epochs={epochs}, got {frozen}")
        unmixed = getattr(self.mix, "unmixed_epochs", 0)
        if unmixed > epochs:
            raise InputError(f"unmixed_epochs must be within 0 to epochs={epochs}, got {unmixed}")
        if isinstance(self.run, MixMatch) and getattr(self.mix, "pairs", False):
            raise InputError(f"mix={self.mix.kind}: action=mixmatch mixes images itself; mix=none")
        if getattr(self.mix, "pairs", False) and self.run.images_at_once % 2:
            raise InputError(
                f"micro_batch must be even for mix={self.mix.kind}, which pairs images, got "
                f"{self.run.images_at_once}"
            )

    @staticmethod
    def of(**settings: Any) -> TrialConfig:
        """A configuration from flat names: ``TrialConfig.of(lr=1e-3, optimizer="sgd")``."""
        return TrialConfig().replace(**settings)

    def replace(self, **changes: Any) -> TrialConfig:
        """A copy with some settings changed, by their flat names, validated again.

        Raises:
            InputError: For an unknown name or a value that does not fit.
        """
        return self._with(changes)

    def with_params(self, params: Mapping[str, Any]) -> TrialConfig:
        """Applies drawn or fixed parameters by name.

        A name sets the setting of that name, or chooses the kind of the section of that name, such
        as ``optimizer``. ``size`` may be ``"96x128"`` (height x width), a pair, or one number for a
        square. ``<kind>.<name>``, such as ``sgd.lr``, counts for that kind only, and beats the
        plain name. A setting that the chosen kind has not is left aside. Parameters of the
        augmentation are described at `spaces.augmentation.families`.

        Raises:
            InputError: For an unknown name or a value that does not fit.
        """
        policy = {name: value for name, value in params.items() if is_policy_parameter(name)}
        changes = {name: value for name, value in params.items() if name not in policy}
        for name, value in changes.items():
            check_parameter(name)
            if name in ("model", "loss") and ":" in str(value):
                raise InputError(f"{name}={value}: set it with {name}=module:function")
        if policy:
            changes["policy"] = policy_of(policy)
        return self._with(changes)

    def _with(self, changes: Mapping[str, Any]) -> TrialConfig:
        found: dict[str, dict[str, Any]] = {}
        policy = changes.get("policy", self.policy)
        for name, value in changes.items():
            if name != "policy":
                found.setdefault(section_of(name), {})[name] = value
        sections = {k: SECTIONS[k].change(getattr(self, k), v) for k, v in found.items()}
        return dataclasses.replace(self, policy=policy, **sections)

    def section(self, key: str) -> Section:
        """One of the sections by its key."""
        found = getattr(self, key)
        assert isinstance(found, Section)
        return found

    def flat(self) -> dict[str, Any]:
        """All settings by flat name, with the kinds of sections that have several.

        Sizes are written as height x width. The augmentation is left out: it is a structure.
        """
        found: dict[str, Any] = {}
        for key, kinds in SECTIONS.items():
            settings = self.section(key).to_json()
            kind = settings.pop("kind")
            if len(list(kinds)) > 1 or kind not in kinds:
                found[kinds.parameter] = kind
            found |= settings
        return {name: _written(value) for name, value in found.items()}

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; ``from_json`` reads it back."""
        sections = {key: self.section(key).to_json() for key in SECTIONS}
        return {**sections, "policy": self.policy.to_json()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> TrialConfig:
        """Inverse of ``to_json``."""
        sections = {key: kinds.read(data[key]) for key, kinds in SECTIONS.items()}
        return TrialConfig(**sections, policy=AugPolicy.from_json(data["policy"]))

    @property
    def network(self) -> str:
        """What decides what an image costs a network that predicts, in words: it, and the size."""
        known = {"kind", "backbone", *IN_TRAINING}
        further = [f"{n}={v}" for n, v in self.model.to_json().items() if n not in known]
        height, width = self.data.prediction_size
        return f"{' '.join([self.backbone, *further])} at {height}x{width}"

    @property
    def backbone(self) -> str:
        """Name of the network's backbone, or of the network where it has none."""
        return str(getattr(self.model, "backbone", self.model.kind))

    @property
    def members(self) -> int:
        """Networks that predict together: those of several epochs, or one."""
        return min(self.run.epochs, int(getattr(self.averaging, "ensemble_epochs", 1)))

    @property
    def digest(self) -> str:
        """Identity of the training."""
        return digest({**self.to_json(), "labels": self.labels.identity})

    @property
    def state_digest(self) -> str:
        """Identity of what a checkpoint fits: the training, however its batches are cut."""
        return self.replace(micro_batch=self.run.batch).digest

    def halved(self) -> TrialConfig | None:
        """The same with half the micro-batch and twice the accumulation; None if that is odd."""
        whole = self.run.images_at_once
        try:
            return None if whole % 2 else self.replace(micro_batch=whole // 2)
        except InputError:  # mixing pairs images
            return None

    def shortened(self, epochs: int) -> TrialConfig:
        """The same over so many epochs, with less warm-up, averaging or freezing where it must."""
        changes: dict[str, Any] = {"epochs": epochs}
        most_of = {"warmup_epochs": epochs - 1}
        most_of |= dict.fromkeys(("swa_epochs", "frozen_epochs", "unmixed_epochs"), epochs)
        most_of["ensemble_epochs"] = max(2, epochs)
        for name, most in most_of.items():
            section = self.section(section_of(name))
            if getattr(section, name, 0) > most:
                changes[name] = most
        return self.replace(**changes)


def _written(value: Any) -> Any:
    """A setting as users write it."""
    if not isinstance(value, list):
        return value
    return "x".join(map(str, value)) if any(value) else "0"


def check_parameter(name: str) -> None:
    """Raises InputError unless ``with_params`` knows a name; the message lists the parameters."""
    if is_policy_parameter(name):
        return
    own_name = name.rpartition(".")[2]
    if own_name in ELSEWHERE:
        raise InputError(f"{name} is not a parameter: {ELSEWHERE[own_name]}")
    section_of(name)


def section_of(name: str) -> str:
    """The key of the section that a flat parameter belongs to.

    Raises:
        InputError: If there is none; the message lists the parameters.
    """
    for key, kinds in SECTIONS.items():
        if kinds.knows(name):
            return key
    raise unknown("parameter", name, parameters())


def parameters() -> list[str]:
    """Names that ``with_params`` knows, for messages; stages go on to nine."""
    plain = [name for kinds in SECTIONS.values() for name in kinds.names()]
    stages = [
        f"stage{i}.{part}" for i in (1, 2) for part in ("operation", "probability", "strength")
    ]
    return [*(n for n in plain if n not in ELSEWHERE), "policy", "stages", *stages, "sgd.lr"]
