"""What is done with a configuration, for how long, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from spaces.errors import InputError
from spaces.sections.section import Kinds, Section


@dataclass(frozen=True, kw_only=True)
class Run(Section):
    """A training.

    Attributes:
        batch: Images per optimizer step.
        micro_batch: Largest number of images per forward pass, over all processes; gradients
            accumulate up to ``batch``.
        epochs: Length of the training and of its schedule.
        precision: ``auto`` is bf16 or fp16 on a GPU; on a CPU fp32, or bf16 in training if it is
            faster in a few trial steps.
        seed: Seeds weights, order, augmentation, mixing and dropout.
        fold: Fold that is held out.
    """

    kind: str = "train"
    batch: int = 64
    micro_batch: int = 64
    epochs: int = 12
    precision: Literal["auto", "fp32"] = "auto"
    seed: int = 0
    fold: int = 0

    def __post_init__(self) -> None:
        self.demand(self.batch >= 1, "batch", "at least 1")
        self.demand(self.micro_batch >= 1, "micro_batch", "at least 1")
        self.demand(
            self.batch <= self.micro_batch or self.batch % self.micro_batch == 0,
            "batch",
            f"at most micro_batch={self.micro_batch} or a multiple of it",
        )
        self.demand(self.epochs >= 1, "epochs", "at least 1")
        self.demand(self.precision in ("auto", "fp32"), "precision", "auto or fp32")
        self.demand(0 <= self.seed < 2**32, "seed", "0 or more, and below 2^32")
        self.demand(self.fold >= 0, "fold", "0 or more")

    @property
    def parent(self) -> str:
        """Trial whose weights it goes on from; empty for fresh ones."""
        return ""

    @property
    def done(self) -> int:
        """Epochs of the training before it."""
        return 0

    @property
    def last_epoch(self) -> int:
        """The epoch after which it has run to its end."""
        return self.epochs

    @property
    def images_at_once(self) -> int:
        """Images per forward pass."""
        return min(self.batch, self.micro_batch)

    @property
    def accumulation(self) -> int:
        """Forward passes per optimizer step."""
        return max(1, self.batch // self.micro_batch)


@dataclass(frozen=True, kw_only=True)
class MixMatch(Run):
    """A training that learns from test images, too, without anybody's labels of them.

    Berthelot et al., NeurIPS 2019, with two augmentations of each.

    Attributes:
        unlabelled_weight: Final weight of the squared error on test images.
        ramp_share: Share of the training over which that weight rises from 0.
        temperature: Temperature that sharpens guessed labels; 1 leaves them as they are.
        mixmatch_alpha: Parameter of the Beta distribution of the mixing ratio.
    """

    kind: str = "mixmatch"
    unlabelled_weight: float = 75.0
    ramp_share: float = 0.5
    temperature: float = 0.5
    mixmatch_alpha: float = 0.75

    def __post_init__(self) -> None:
        super().__post_init__()
        self.demand(self.unlabelled_weight >= 0, "unlabelled_weight", "0 or more")
        self.demand(0 <= self.ramp_share <= 1, "ramp_share", "within 0 to 1")
        self.demand(0 < self.temperature <= 1, "temperature", "above 0 and at most 1")
        self.demand(self.mixmatch_alpha > 0, "mixmatch_alpha", "above 0")


@dataclass(frozen=True, kw_only=True)
class DensityMatching(Run):
    """A training whose network then scores policies by what it makes of augmented held-out images.

    Lim et al., NeurIPS 2019 (Fast AutoAugment): no training per policy.

    Attributes:
        candidates: Name of the file of policies, beside the folds.
    """

    kind: str = "density_matching"
    candidates: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.candidates:
            raise InputError(f"action={self.kind}: policies are scored by mode=inference")


@dataclass(frozen=True, kw_only=True)
class Segment(Run):
    """Some epochs of a member of a population, which then may take over another's weights.

    Jaderberg et al., 2017 (population based training). Schedules run over ``epochs``, as in a
    training that is not cut.

    Attributes:
        parent: Trial whose weights it goes on from; empty for fresh ones.
        parent_digest: Of the parent's state, so that a configuration says all that it depends on.
        done: Epochs of the training before this segment.
        until: The last one of it.
    """

    kind: str = "segment"
    parent: str = ""
    parent_digest: str = ""
    done: int = 0
    until: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.until:
            raise InputError(f"action={self.kind}: populations are trained by mode=population")
        self.demand(0 <= self.done < self.until, "done", f"below until={self.until}")
        self.demand(self.until <= self.epochs, "until", f"at most epochs={self.epochs}")
        self.demand(bool(self.parent) == bool(self.done), "parent", "given after the first epochs")

    @property
    def last_epoch(self) -> int:
        """The epoch after which it has run to its end."""
        return self.until


RUNS = Kinds(
    "action",
    Run,
    {
        "train": Run,
        "mixmatch": MixMatch,
        "density_matching": DensityMatching,
        "segment": Segment,
    },
    other=Run,
)
