"""Typed configuration of the commands that train nothing."""

from __future__ import annotations

from dataclasses import dataclass, field

from search.options.tracking_uri import check_tracking
from search.options.training import BandConfig, check_accept, demand
from spaces.errors import InputError
from spaces.names import check_name


@dataclass(kw_only=True)
class RulesConfig:
    """What the contest's rules allow."""

    test_images: bool | None = None


@dataclass(kw_only=True)
class CompetitionConfig:
    """What commands on a competition's leaderboard have in common."""

    competition: str = ""
    runs: str = "runs"
    tracking: str = ""
    metric: str = ""
    json: bool = False

    def __post_init__(self) -> None:
        check_tracking(self.tracking)


@dataclass(kw_only=True)
class SubmitConfig(CompetitionConfig):
    """``python -m search.submit``."""

    select: str = "best"
    file: str = ""
    validation: str = ""
    test: str = ""
    name: str = ""
    by: str = ""
    sample: str = "sample_submission.csv"
    model: str = ""
    band: BandConfig = field(default_factory=BandConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.name:
            check_name(self.name, "name")
        for key in ("validation", "test", "name"):
            if getattr(self, key) and not self.file:
                raise InputError(f"{key}= belongs to a submission made elsewhere: give file= too")
        if self.test and not self.validation:
            raise InputError("test= is for blending: give validation=, out-of-fold, too")


@dataclass(kw_only=True)
class BlendConfig(CompetitionConfig):
    """``python -m search.blend``."""

    select: str = "all"
    recipe: str = ""
    views: list[str] = field(default_factory=list)
    model: str = ""


@dataclass(kw_only=True)
class ExportConfig(CompetitionConfig):
    """``python -m search.export``."""

    promotion: str = ""
    to: str = ""
    register: bool = True
    onnx: bool = False
    model: str = ""


@dataclass(kw_only=True)
class PredictImagesConfig(CompetitionConfig):
    """``python -m search.predict``."""

    promotion: str = ""
    images: str = ""
    to: str = ""
    quiet: bool = False
    model: str = ""


@dataclass(kw_only=True)
class ScoreConfig(CompetitionConfig):
    """``python -m search.score``."""

    submission: str = ""
    public: float | None = None
    private: float | None = None
    solution: str = ""
    import_: str = ""
    share: float = 1.0
    quota: str = ""
    reset: int = 0
    ends: str = ""
    reserve: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.share <= 1, "share", self.share, "above 0 and at most 1")
        if self.ends and not self.quota:
            raise InputError(f"ends={self.ends} belongs to a quota: give quota=5/day, too")


@dataclass(kw_only=True)
class TrustConfig(CompetitionConfig):
    """``python -m search.trust``."""

    band: BandConfig = field(default_factory=BandConfig)
    rules: RulesConfig = field(default_factory=RulesConfig)
    backbone: str = ""
    weights: str = ""
    pretrained: bool = False
    model: str = ""
    accept: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_accept(self.accept)
        if (self.weights or self.pretrained) and not self.backbone:
            raise InputError("weights= and pretrained= say how to load backbone=: give it, too")


@dataclass(kw_only=True)
class FinalConfig(CompetitionConfig):
    """``python -m search.final``."""

    select: int = 2
    images: int = 0
    band: BandConfig = field(default_factory=BandConfig)
    model: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(1 <= self.select <= 3, "select", self.select, "1, 2 or 3")
        demand(self.images >= 0, "images", self.images, "0 or more private test images")


@dataclass(kw_only=True)
class ShowConfig:
    """``python -m search.show``."""

    select: str = ""
    runs: str = "runs"
    json: bool = False


@dataclass(kw_only=True)
class NoteConfig:
    """``python -m search.note``."""

    select: str = ""
    hypothesis: str = ""
    conclusion: str = ""
    by: str = ""
    runs: str = "runs"
    tracking: str = ""

    def __post_init__(self) -> None:
        check_tracking(self.tracking)


@dataclass(kw_only=True)
class SyncConfig:
    """``python -m search.sync``."""

    select: str = ""
    runs: str = "runs"
    tracking: str = ""

    def __post_init__(self) -> None:
        check_tracking(self.tracking)


@dataclass(kw_only=True)
class UiConfig:
    """``python -m search.ui``."""

    runs: str = "runs"
    tracking: str = ""
    host: str = "127.0.0.1"
    port: int = 5000

    def __post_init__(self) -> None:
        check_tracking(self.tracking)
        demand(0 < self.port < 65536, "port", self.port, "between 1 and 65535")
