"""Typed configuration of the commands that train nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from search.options.option import group, option
from search.options.shared import (
    DROP,
    MODEL,
    PARTS,
    PIPELINES,
    PREPARE,
    SAME_METRIC,
    BandConfig,
    RulesConfig,
    RunsConfig,
    TrackedConfig,
    check_accept,
    demand,
)
from spaces.errors import InputError
from spaces.names import check_name


@dataclass(kw_only=True)
class CompetitionConfig(TrackedConfig):
    """What commands on a competition's leaderboard have in common."""

    competition: str = option("", "name of the competition; empty is the one worked on last")
    metric: str = option("", SAME_METRIC)
    json: bool = option(False, "last line of the output is JSON: id and path")


@dataclass(kw_only=True)
class NetworksConfig(CompetitionConfig):
    """What commands have in common that build networks of trials again."""

    model: str = option("", MODEL)
    prepare: str = option("", PREPARE)
    parts: list[str] = option(list, PARTS)


@dataclass(kw_only=True)
class SubmitConfig(NetworksConfig):
    """``python -m search.submit``."""

    select: str = option(
        "best",
        "which trials: best, baseline, band:6, spread:4, ids, promotion:<id>, blend:<id> or "
        "postprocess:<id>",
    )
    file: str = option("", "a submission made elsewhere")
    validation: str = option(
        "",
        "its hold-out or out-of-fold predictions: image and label, a column per class, or the "
        "probability of one of two",
    )
    test: str = option(
        "", "its test predictions with a column per class, where file= holds labels only"
    )
    positive: str = option(
        "",
        "of two classes the one that a single column of probabilities is of, where neither the "
        "column's name nor that of a class (1, true, yes, positive) says it; remembered",
    )
    name: str = option("", "name of a model made elsewhere; empty is the file's")
    by: str = option("", "who made it; empty is you")
    sample: str = option(
        "sample_submission.csv",
        "sample submission in the contest's folder; of masks also a COCO file (.json) that lists "
        "the test images and categories with their ids, for COCO's list of results",
    )
    band: BandConfig = group(BandConfig)

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
class LabelsConfig(CompetitionConfig):
    """``python -m search.labels``."""

    promotion: str = option("", "id of a promotion; empty is the newest")
    prepare: str = option("", PREPARE)


@dataclass(kw_only=True)
class ScoreConfig(CompetitionConfig):
    """``python -m search.score``."""

    submission: str = option("", "id of a submission, such as s001; empty with solution= means all")
    public: float | None = option(None, "score on the public leaderboard")
    private: float | None = option(None, "score on the private leaderboard")
    solution: str = option("", "table of true test labels, all or the public part, to score with")
    import_: str = option(
        "", "table of scores that the contest's site exports, matched by file name"
    )
    share: float = option(
        1.0, "share of the test images that the public score, or the solution, covers"
    )
    quota: str = option("", "submissions allowed: 5/day, or 100 for the whole contest; remembered")
    reset: int = option(0, "hour (UTC) at which a day of the quota begins")
    ends: str = option("", "last day of the contest, such as 2026-12-01")
    reserve: float = option(0.3, "share of all submissions that is kept for the last days")

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.share <= 1, "share", self.share, "above 0 and at most 1")
        for name in ("reset", "ends", "reserve"):
            if getattr(self, name) != getattr(ScoreConfig, name) and not self.quota:
                given = f"{name}={getattr(self, name)}"
                raise InputError(f"{given} belongs to a quota: give quota=5/day, too")


@dataclass(kw_only=True)
class TrustConfig(NetworksConfig):
    """``python -m search.trust``."""

    band: BandConfig = group(BandConfig)
    rules: RulesConfig = group(RulesConfig)
    backbone: str = option(
        "", "network whose embeddings tell test from hold-out images; empty is the baseline's"
    )
    weights: str = option("", "load a local safetensors file")
    pretrained: bool = option(False, "load timm's weights, downloaded or cached")
    accept: list[str] = option(
        list,
        "what to let through: accept=[validation] a yardstick other than the frozen one",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        check_accept(self.accept, ("validation",))
        if (self.weights or self.pretrained) and not self.backbone:
            raise InputError("weights= and pretrained= say how to load backbone=: give it, too")


@dataclass(kw_only=True)
class ForecastConfig(CompetitionConfig):
    """``python -m search.forecast``."""

    rules: RulesConfig = group(RulesConfig)


@dataclass(kw_only=True)
class FinalConfig(NetworksConfig):
    """``python -m search.final``."""

    select: int = option(2, "how many submissions the contest lets you choose")
    images: int = option(0, "private test images; 0 is those that the public score does not cover")
    band: BandConfig = group(BandConfig)

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(1 <= self.select <= 3, "select", self.select, "1, 2 or 3")
        demand(self.images >= 0, "images", self.images, "0 or more private test images")


@dataclass(kw_only=True)
class ShowConfig(RunsConfig):
    """``python -m search.show``."""

    select: str = option("", "a search, a promotion or a trial; latest; empty lists the searches")
    json: bool = option(False, "last line of the output is JSON: id and path")


@dataclass(kw_only=True)
class InitConfig:
    """``python -m search.init``."""

    folder: str = option("", "a contest's folder as downloaded from its site")
    to: str = option("", "the file to write; empty is conf/data/<folder's name>.yaml")


@dataclass(kw_only=True)
class SpaceConfig:
    """``python -m search.space``."""

    space: Any = option("aug_policy", "ready space, several to join, or module:function")
    fix: dict[str, Any] = option(dict, "pin a parameter: fix.lr=1e-3")
    narrow: dict[str, Any] = option(dict, "restrict a searched parameter: narrow.lr=[1e-4,1e-3]")
    drop: list[str] = option(list, DROP)
    pipelines: list[str] = option(list, PIPELINES)
    parts: list[str] = option(list, PARTS)


@dataclass(kw_only=True)
class NoteConfig(TrackedConfig):
    """``python -m search.note``."""

    select: str = option("", "the search, promotion or trial that the note is about")
    hypothesis: str = option("", "what this is meant to find out")
    conclusion: str = option("", "what came of it")
    by: str = option("", "who wrote it; empty is you")


@dataclass(kw_only=True)
class SyncConfig(TrackedConfig):
    """``python -m search.sync``."""

    select: str = option("", "a search or promotion; empty is all of them")


@dataclass(kw_only=True)
class UiConfig(TrackedConfig):
    """``python -m search.ui``."""

    host: str = option("127.0.0.1", "address to listen on")
    port: int = option(5000, "port to listen on")

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(0 < self.port < 65536, "port", self.port, "between 1 and 65535")
