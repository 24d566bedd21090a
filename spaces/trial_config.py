"""The complete description of one training."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from spaces.augmentation.policy import AugPolicy, named_policy
from spaces.digest import digest
from spaces.errors import InputError, unknown
from spaces.param import Value
from spaces.size import parse_size

ADAPTIVE = ("adamw", "lamb", "nadamw")
"""Optimizers whose learning rate lives on Adam's scale."""

_POLICY_PARAM = re.compile(r"^stage[1-9]\.(operation|probability|strength)$")


@dataclass(frozen=True, kw_only=True)
class TrialConfig:
    """Everything that one training depends on, apart from the data and its folds.

    A setting that has no effect, such as ``mix_alpha`` without mixing, takes its default, so that
    equal trainings are equal configurations.

    Attributes:
        backbone: timm model name; ignored when ``model`` is set.
        model: ``module:function`` that builds the network, or empty.
        loss: ``cross_entropy`` or ``module:function``.
        pretrained: Whether timm downloads weights.
        weights: Path of local weights in safetensors, or empty.
        size: Height and width in pixels that the network sees.
        store_side: Side in pixels at which decoded images are stored; crops are taken from it.
        dropout: Dropout rate before the head.
        optimizer: One of timm's optimizers.
        lr: Peak learning rate.
        weight_decay: Decoupled where the optimizer does so.
        momentum: For SGD.
        beta2: For Adam-like optimizers.
        batch: Images per optimizer step.
        micro_batch: Most images per forward pass; gradients accumulate up to ``batch``.
        epochs: Length of the training, and of its cosine.
        warmup_epochs: Epochs of linear warm-up before the cosine.
        warmup_start: Share of ``lr`` at which warm-up starts.
        label_smoothing: In [0, 1).
        clip_grad: Largest gradient norm; 0 switches clipping off.
        ema_decay: Decay of the weights' moving average, which is then evaluated; 0 is off.
        swa_epochs: Last epochs whose weights are averaged (stochastic weight averaging) and then
            evaluated; 0 is off.
        mix: Batch mixing of timm: ``none``, ``mixup`` or ``cutmix``.
        mix_alpha: Beta parameter of the mixing share.
        policy: Augmentation per image.
        precision: ``auto`` is bf16 or fp16 on a GPU and fp32 on a CPU.
        seed: Seeds weights, order, augmentation, mixing and dropout.
        fold: Fold that is held out.
    """

    backbone: str = "resnet18"
    model: str = ""
    loss: str = "cross_entropy"
    pretrained: bool = False
    weights: str = ""
    size: tuple[int, int] = (224, 224)
    store_side: int = 0
    dropout: float = 0.0
    optimizer: str = "adamw"
    lr: float = 1e-3
    weight_decay: float = 0.05
    momentum: float = 0.9
    beta2: float = 0.999
    batch: int = 64
    micro_batch: int = 64
    epochs: int = 12
    warmup_epochs: int = 1
    warmup_start: float = 0.01
    label_smoothing: float = 0.0
    clip_grad: float = 1.0
    ema_decay: float = 0.0
    swa_epochs: int = 0
    mix: Literal["none", "mixup", "cutmix"] = "none"
    mix_alpha: float = 0.2
    policy: AugPolicy = field(default_factory=AugPolicy)
    precision: Literal["auto", "fp32"] = "auto"
    seed: int = 0
    fold: int = 0

    def __post_init__(self) -> None:
        def demand(ok: bool, name: str, rule: str) -> None:
            if not ok:
                raise InputError(f"{name} must be {rule}, got {getattr(self, name)!r}")

        demand(bool(self.backbone), "backbone", "a timm model name")
        demand(min(self.size) >= 8, "size", "at least 8 pixels high and wide")
        demand(
            self.store_side == 0 or self.store_side >= max(self.size),
            "store_side",
            f"0 or at least the training size {max(self.size)}",
        )
        demand(0 <= self.dropout < 1, "dropout", "within 0 to below 1")
        demand(bool(self.optimizer), "optimizer", "a timm optimizer name")
        demand(0 < self.lr < 100, "lr", "above 0 and below 100")
        demand(0 <= self.weight_decay < 10, "weight_decay", "within 0 to below 10")
        demand(0 <= self.momentum < 1, "momentum", "within 0 to below 1")
        demand(0 < self.beta2 < 1, "beta2", "between 0 and 1")
        demand(self.batch >= 1, "batch", "at least 1")
        demand(self.micro_batch >= 1, "micro_batch", "at least 1")
        demand(
            self.batch <= self.micro_batch or self.batch % self.micro_batch == 0,
            "batch",
            f"at most micro_batch={self.micro_batch} or a multiple of it",
        )
        demand(self.epochs >= 1, "epochs", "at least 1")
        demand(
            0 <= self.warmup_epochs < self.epochs or self.warmup_epochs == 0,
            "warmup_epochs",
            f"within 0 to below epochs={self.epochs}",
        )
        demand(0 < self.warmup_start <= 1, "warmup_start", "above 0 and at most 1")
        demand(0 <= self.label_smoothing < 1, "label_smoothing", "within 0 to below 1")
        demand(self.clip_grad >= 0, "clip_grad", "0 or more")
        demand(0 <= self.ema_decay < 1, "ema_decay", "within 0 to below 1")
        demand(
            0 <= self.swa_epochs <= self.epochs, "swa_epochs", f"within 0 to epochs={self.epochs}"
        )
        demand(
            not (self.ema_decay and self.swa_epochs),
            "swa_epochs",
            "0 beside ema_decay: one average of weights at a time",
        )
        demand(self.mix in ("none", "mixup", "cutmix"), "mix", "one of none, mixup, cutmix")
        demand(self.mix_alpha > 0, "mix_alpha", "above 0")
        demand(
            self.mix == "none" or min(self.batch, self.micro_batch) % 2 == 0,
            "micro_batch",
            f"even for mix={self.mix}, which pairs images",
        )
        demand(self.precision in ("auto", "fp32"), "precision", "auto or fp32")
        demand(self.seed >= 0, "seed", "0 or more")
        demand(self.fold >= 0, "fold", "0 or more")

        idle = {
            "mix_alpha": self.mix == "none",
            "momentum": self.optimizer in ADAPTIVE,
            "beta2": self.optimizer not in ADAPTIVE,
            "warmup_start": self.warmup_epochs == 0,
        }
        for name, unused in idle.items():
            if unused:
                object.__setattr__(self, name, _DEFAULTS[name])

    @property
    def accumulation(self) -> int:
        """Forward passes per optimizer step."""
        return max(1, self.batch // self.micro_batch)

    def replace(self, **changes: Any) -> TrialConfig:
        """A copy with some fields changed, validated again."""
        return dataclasses.replace(self, **changes)

    def with_params(self, params: Mapping[str, Value | list[int] | tuple[int, ...]]) -> TrialConfig:
        """Applies drawn or fixed parameters by name.

        A name sets the field of that name. ``size`` may be ``"96x128"`` (height x width), a
        pair, or one number for a square. ``<optimizer>.<field>``, such as ``sgd.lr``, sets the
        field for that optimizer only. ``policy`` takes the name of a policy, while ``stages`` and
        ``stage<i>.operation``, ``.probability`` and ``.strength`` spell one out.

        Raises:
            InputError: For an unknown name or a value that does not fit.
        """
        changes: dict[str, Any] = {}
        special: dict[str, Any] = {}
        stages: dict[str, Value] = {}
        for name, value in params.items():
            prefix, _, rest = name.partition(".")
            if name == "policy":
                changes["policy"] = named_policy(str(value))
            elif name == "stages" or _POLICY_PARAM.match(name):
                stages[name] = value  # type: ignore[assignment]
            elif name == "size":
                changes["size"] = parse_size(value)
            elif name in ELSEWHERE:
                raise InputError(f"{name} is not a parameter: {ELSEWHERE[name]}")
            elif rest in _SCALARS and prefix in (*ADAPTIVE, "sgd"):
                if prefix == params.get("optimizer", self.optimizer):
                    special[rest] = _convert(rest, value, name)
            elif name in _SCALARS:
                changes[name] = _convert(name, value, name)
            else:
                raise unknown("parameter", name, PARAMETERS)
        if stages:
            changes["policy"] = AugPolicy.from_params(stages)
        return self.replace(**{**changes, **special})

    def to_json(self) -> dict[str, Any]:
        """JSON-ready form; ``from_json`` reads it back."""
        data = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name not in _LATER or getattr(self, f.name) != f.default
        }
        return {**data, "size": list(self.size), "policy": self.policy.to_json()}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> TrialConfig:
        """Inverse of ``to_json``."""
        return TrialConfig(
            **{
                **data,
                "size": tuple(data["size"]),
                "policy": AugPolicy.from_json(data["policy"]),
            }
        )

    @property
    def digest(self) -> str:
        """Identity of the training."""
        return digest(self.to_json())

    @property
    def state_digest(self) -> str:
        """Identity of what a checkpoint fits: the training, however its batches are cut."""
        return self.replace(micro_batch=self.batch).digest

    def halved(self) -> TrialConfig | None:
        """The same with half the micro-batch and twice the accumulation; None if that is odd."""
        whole = min(self.batch, self.micro_batch)
        if whole % 2:
            return None
        try:
            return self.replace(micro_batch=whole // 2)
        except InputError:  # mixing pairs images
            return None


ELSEWHERE = {
    "model": "set it with model=module:function",
    "loss": "set it with loss=module:function",
    "store_side": "set it with store.side=",
    "fold": "a search holds out fold 0; search.train takes fold=",
}
"""Fields that belong to a job, and where they are set."""

_LATER = ("swa_epochs",)
"""Fields that records of earlier versions lack; at their default they change no digest."""

_DEFAULTS = {f.name: f.default for f in fields(TrialConfig)}
_TYPES = get_type_hints(TrialConfig)
_SCALARS = {
    name: kind
    for name, kind in _TYPES.items()
    if name not in ELSEWHERE and (kind in (str, bool, int, float) or get_origin(kind) is Literal)
}
PARAMETERS = (
    *_SCALARS,
    "size",
    "policy",
    "stages",
    *(f"stage{i}.{part}" for i in (1, 2) for part in ("operation", "probability", "strength")),
    "sgd.lr",
)
"""Names that ``with_params`` knows, for error messages; stages go on to nine."""


def _convert(name: str, value: Any, shown: str) -> Any:
    """Checks a value against the type of its field; whole floats pass as integers."""
    kind = _SCALARS[name]
    if get_origin(kind) is Literal:
        if value not in get_args(kind):
            raise unknown(name, value, get_args(kind), f"{shown}={value}")
        return value
    if kind is float and isinstance(value, str):  # PyYAML reads 1e-4 as a string
        try:
            return float(value)
        except ValueError:
            pass
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if kind is int and isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}
        raise InputError(f"{shown}={value!r}: {words[kind]} is needed")
    return value
