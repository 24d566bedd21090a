"""Typed configuration of the commands on several models together."""

from __future__ import annotations

from dataclasses import dataclass

from search.options.analysis import CompetitionConfig, NetworksConfig
from search.options.option import option
from search.options.shared import demand
from spaces.errors import InputError


@dataclass(kw_only=True)
class BlendConfig(NetworksConfig):
    """``python -m search.blend``."""

    select: str = option("all", "which models: all, or ids of promotions, their trials and imports")
    recipe: str = option(
        "",
        "how to blend: best single, mean, geometric, rank (not of masks or for log loss), vote, "
        "weighted, weighted by class (of masks), mean + biases, weighted + biases; empty takes the "
        "best if it beats the mean beyond noise",
    )
    views: list[str] = option(
        list,
        "test-time augmentation: auto tries all that suit and takes those that pay for their "
        "time; or such as views=[hflip,rotate+5,rotate-5]: hflip, vflip, "
        "rotate+5, rotate-5, rotate+10, rotate-10, left, right, up, down, zoom, wide; of masks "
        "hflip, vflip, rotate90, rotate180, rotate270, scale_0.75, hflip_scale_1.25 and the like, "
        "and of windows overlap_0.5, overlap_0.75, windows_gaussian, windows_flat, windows_cut",
    )


@dataclass(kw_only=True)
class PostprocessConfig(CompetitionConfig):
    """``python -m search.postprocess``."""

    select: str = option("", "a promotion, or blend:<id>; the newest promotion when empty")
    most: int = option(
        0, "most images that choose, evenly from all folds; 0 takes what minutes allow"
    )
    quiet: bool = option(False, "print only the result")

    def __post_init__(self) -> None:
        super().__post_init__()
        demand(self.most >= 0, "most", self.most, "0 or more")


CHOSEN = "chosen"
"""Word for the views that a blend has, or none of a promotion."""


@dataclass(kw_only=True)
class EnsembleConfig(NetworksConfig):
    """What commands have in common whose models predict new images together."""

    promotion: str = option("", "id of a promotion; empty is the newest")
    blend: str = option(
        "", "id of a blend in place of a promotion, such as b001: its models, views and recipe"
    )
    postprocess: str = option(
        "",
        "id of post-processing that search.postprocess chose, such as m001, with the models whose "
        "masks chose it; the likeliest class when empty",
    )
    views: list[str] = option(
        lambda: [CHOSEN],
        "test-time augmentation: as in the submission (a blend's own views, none of a promotion), "
        "or others, such as views=[hflip,zoom], averaged as search.blend with recipe=mean does; "
        "views=[] for none",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.promotion and self.blend:
            raise InputError(
                f"promotion={self.promotion} and blend={self.blend}: give one of the two"
            )


@dataclass(kw_only=True)
class ExportConfig(EnsembleConfig):
    """``python -m search.export``."""

    to: str = option("", "folder to write, which must not be there or be empty; needed")
    register: bool = option(True, "put the exported models into MLflow's registry")
    onnx: bool = option(False, "write ONNX files, too; needs pip install 'holdfold[onnx]'")


@dataclass(kw_only=True)
class PredictImagesConfig(EnsembleConfig):
    """``python -m search.predict``."""

    images: str = option("", "folder of images to predict; needed")
    to: str = option("", "table to write, or folder for masks; in the runs folder when empty")
    quiet: bool = option(False, "print only the result")
