"""Options that belong together, behind one name and a dot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from search.options.option import option
from search.options.shared import check_seed, demand
from spaces.errors import InputError, unknown
from spaces.names import check_name
from spaces.sections.data import INTERPOLATIONS, SHAPES

ORDERS = ("column", "row")
"""How run lengths may number pixels: down the first column, or along the first row."""


@dataclass(kw_only=True)
class DataConfig:
    """Where a contest's data lies."""

    name: str = option("", "competition name; the folder's name when empty")
    root: str = option("", "folder of the contest (for data=csv)")
    train: str = option(
        "train.csv", "training table in the folder, or a folder with a folder of images per class"
    )
    test: str = option(
        "test.csv", "test table in the folder, or a folder of images; empty for none"
    )
    image: Any = option(
        "image",
        "column of image paths or ids, with or without extension; where the test table has another "
        "than the training table, both: [image,file]",
    )
    id: str = option(
        "",
        "column of the test table with the ids of sample submission and solution, where these are "
        "not the images' names (with or without folder and extension)",
    )
    train_images: Any = option(
        "", "folder in root that the training table's paths are relative to, or several: [a,b]"
    )
    test_images: Any = option(
        "", "folder in root that the test table's paths are relative to, or several: [a,b]"
    )
    label: str = option("label", "column of labels")
    extra: str = option(
        "",
        "table of labelled images from elsewhere, with the training table's columns; "
        "fix.extra=all trains on them, space=extra asks whether that helps",
    )
    extra_images: str = option("", "folder that the paths in data.extra are relative to")
    group: str = option(
        "",
        "column of groups that must stay on one side of a split, or a table of image and group "
        "(.csv), such as search.audit proposes; auto proposes some and stops for you to check them",
    )
    fold: str = option(
        "",
        "column of your own folds, the first of which is the hold-out, or a table of image and "
        "fold (.csv)",
    )
    mask: str = option(
        "",
        "column of masks, or a folder of masks named like their images: files whose pixels are "
        "class numbers, or have two values; a class per pixel is then learned",
    )
    colours: str = option(
        "", "table (.csv) of name,red,green,blue, if the masks of data.mask= are in colour"
    )
    run_lengths: Any = option(
        "",
        "column or row, where data.mask= holds run lengths (start and length, from 1) in that "
        "order; a row per image, per class (data.label=) or per object",
    )
    annotations: str = option(
        "", "COCO file (.json) with polygons or run lengths, instead of data.mask="
    )
    overlapping: bool = option(
        False, "whether a pixel can have several classes; for run lengths and COCO files"
    )
    void: Any = option(-1, "number, or name, of the class of mask pixels to ignore; -1 for none")
    background: str = option(
        "",
        "class of masks that is not scored by itself; empty for none (run lengths and COCO: the "
        "name of pixels without a class, 'background' when empty)",
    )
    box: list[str] = option(
        list,
        "columns of both tables with a box in pixels that is cut out of each image: "
        "[left,top,right,bottom]",
    )
    focus: list[str] = option(
        list,
        "columns of the training table with a box that is not cut out: mix=cutmix_box mixes "
        "inside it",
    )
    shape: str = option(
        "squash",
        "how images get the proportions of the network's input: squash them, pad with black, or "
        "crop to the middle; native keeps images with masks as they are and cuts windows",
    )
    interpolation: str = option(
        "",
        "how decoded images are resized: auto (the default: OpenCV's bilinear, or area), or "
        "Pillow's bilinear, bicubic, lanczos or area",
    )
    corrections: str = option(
        "",
        "table (.csv) of images with their right labels, or whether to use their masks, such as "
        "search.labels proposes; fix.labels= says what trainings do with it",
    )
    classes: list[str] = option(
        list, "class names in their order (of masks: of their numbers); sorted when empty"
    )
    metric: str = option("", "the contest's metric, unless metric= names another")
    baseline: dict[str, Any] = option(
        dict, "the data's own untuned configuration: data.baseline.backbone=resnet18"
    )

    def __post_init__(self) -> None:
        if self.name:
            check_name(self.name, "data.name")
        if ":" in self.metric:
            raise InputError(f"data.metric={self.metric}: functions of your own are for metric=")
        columns = self.image if isinstance(self.image, list) else [self.image]
        rule = "a column, or that of the training table and that of the test table: [image,file]"
        demand(len(columns) in (1, 2) and all(columns), "data.image", self.image, rule)
        self.image = [*map(str, columns)] if len(columns) == 2 else str(columns[0])
        for key in ("train_images", "test_images"):
            value = getattr(self, key)
            folders = value if isinstance(value, list) else [value]
            if not folders or not all(isinstance(folder, str) for folder in folders):
                raise InputError(f"data.{key}={value}: a folder or a list of folders is needed")
        self._check_masks()
        for given in ("box", "focus", "extra"):
            if self.masked and getattr(self, given):
                raise InputError(f"data.{given}= is for classes of whole images, not for masks")
        for key in ("box", "focus"):
            value = getattr(self, key)
            rule = "four columns: left,top,right,bottom"
            demand(len(value) in (0, 4), f"data.{key}", value, rule)
        if self.box and self.focus:
            raise InputError("data.box= cuts images to boxes and data.focus= does not: give one")
        if self.shape not in SHAPES:
            raise unknown("shape", self.shape, SHAPES, "data.shape")
        if (given := self.interpolation) not in ("", *INTERPOLATIONS):
            raise unknown("interpolation", given, INTERPOLATIONS, "data.interpolation")
        for name in self.classes:
            demand(self.classes.count(name) == 1, "data.classes", name, "there once")

    @property
    def masked(self) -> bool:
        """Whether a class per pixel is learned."""
        return bool(self.mask or self.annotations)

    def _check_masks(self) -> None:
        """Raises InputError for options of masks that do not go together."""
        for key in ("colours", "run_lengths"):
            if getattr(self, key) and not self.mask:
                raise InputError(f"data.{key}= is of the masks that data.mask= names")
        for key in ("void", "background"):
            if not self.masked and getattr(self, key) not in ("", -1):
                raise InputError(
                    f"data.{key}={getattr(self, key)} is of masks: data.mask= names their column"
                )
        if self.overlapping and not (self.run_lengths or self.annotations):
            raise InputError(
                "data.overlapping=true needs data.run_lengths= or data.annotations=: a pixel of an "
                "image file has one number"
            )
        if self.overlapping and self.background:
            raise InputError(
                f"data.background={self.background}: with data.overlapping=true every class is "
                "scored by itself, and what nothing claims is of none"
            )
        ways = [k for k in ("colours", "run_lengths", "annotations") if getattr(self, k)]
        ways += ["mask"] if self.mask and self.annotations else []
        if len(ways) > 1:
            raise InputError(f"data.{ways[0]}= and data.{ways[-1]}= are two ways to write masks")
        if self.run_lengths not in ("", *ORDERS):
            raise unknown("order", self.run_lengths, ORDERS, "data.run_lengths")
        named = isinstance(self.void, str) and self.void != ""
        number = type(self.void) is int and -1 <= self.void <= 255
        demand(named or number, "data.void", self.void, "0 to 255, the name of a class, or -1")


TEST_LIKE = "test_like"
"""The hold-out of what looks most like the test."""

HOLDOUT = (
    "what is held out: test_like for the images most like the test, or a column (or a table of "
    "image and holdout, .csv) that says true or false; a stratified share when empty"
)


@dataclass(kw_only=True)
class HoldoutConfig:
    """Folds: the hold-out is fold 0."""

    rows: str = option("", "holdout= by its full name")
    folds: int = option(5, "number of folds; the hold-out is fold 0")
    seed: int = option(0, "seed of the folds")

    def __post_init__(self) -> None:
        demand(self.folds >= 2, "holdout.folds", self.folds, "at least 2")
        check_seed(self.seed, "holdout.seed")


@dataclass(kw_only=True)
class ClusterConfig:
    """The Ray cluster; empty starts Ray on this machine."""

    address: str = option("", "'auto' joins the Ray cluster of this node; empty starts Ray here")

    def __post_init__(self) -> None:
        if self.address.startswith("ray://"):
            raise InputError(
                f"cluster.address={self.address}: the Ray client is not supported; start this "
                "command on a node of the cluster with cluster.address=auto, or by 'ray job submit'"
            )
        host, _, port = self.address.rpartition(":")
        known = self.address in ("", "auto") or (host != "" and port.isdecimal())
        demand(known, "cluster.address", self.address, "auto, or host:port of a cluster's head")


@dataclass(kw_only=True)
class StoreConfig:
    """Decoded images; side 0 is 1.3 times the largest size trained."""

    side: int = option(
        0, "side in pixels of stored images; 0 is 1.3 times the largest training size"
    )
    folder: str = option("", "where decoded images are kept; empty is inside the runs folder")
    local: str = option(
        "", "folder on every node's own disk to copy decoded images to, once per node"
    )

    def __post_init__(self) -> None:
        demand(self.side >= 0, "store.side", self.side, "0 or more")


@dataclass(kw_only=True)
class PredictConfig:
    """Predictions after training."""

    test: bool = option(True, "predict the test images after the last epoch")
    stress: str = option(
        "",
        "predict held-out images once more under the stress that python -m search.stress fitted: "
        "auto for this contest's newest, or its file",
    )
    scored_images: int = option(
        0,
        "with data.shape=native, held-out images that are scored after each epoch but the last; 0 "
        "takes images with about as many windows as are trained on, -1 all",
    )

    def __post_init__(self) -> None:
        demand(self.scored_images >= -1, "predict.scored_images", self.scored_images, "-1 or more")


@dataclass(kw_only=True)
class WatchdogConfig:
    """When a trainer counts as hung."""

    seconds: float = option(
        300,
        "kill a trainer that gives no sign of life for so long, and try once more; 0 is never",
    )

    def __post_init__(self) -> None:
        rule = "at least 2, or 0 to let trainers hang"
        demand(self.seconds == 0 or self.seconds >= 2, "watchdog.seconds", self.seconds, rule)
