"""Groups that nobody named: clusters of appearance, as many as make a hold-out as far away as the
test images are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.stats import wasserstein_distance
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from trainables.audit.linear_model import linear_score
from trainables.audit.looks import BLOCKS

Floats = NDArray[np.float32]
Assign = Callable[[NDArray[np.str_] | None], NDArray[np.int64]]

DIMENSIONS = 64
"""Principal components of the appearance that are kept: distances in all of them cost more."""

ASKED = 4000
"""Images whose nearest training image is looked up on either side."""

CLUSTERED = 3000
"""Images that are clustered together at most; the others join the nearest of them."""

STEP = 1.25
"""How many times more clusters the next finer candidate has."""

EXPLAINS = 0.5
"""Share of the gap that groups have to remove: what they leave is no matter of groups."""

DRAWS = 200
"""Samples of the test's distances that say how much their distribution varies by chance."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A way to group, and what a hold-out of such groups is like.

    Attributes:
        clusters: Per class, or in all; 0 where every image (or named group) stands alone.
        across: Whether images of all classes are clustered together, as by what they were taken in
            front of, and not those of each class.
        groups: Their number in all.
        gap: Wasserstein distance between the distances of held-out images and those of test images
            to the nearest training image; in units of the test's median distance.
        distance: Median distance of the held-out images, in the same units.
        found: Share of held-out images whose nearest training image has their label.
    """

    clusters: int
    across: bool
    groups: int
    gap: float
    distance: float
    found: float

    @property
    def how(self) -> str:
        """How many clusters, in words."""
        if not self.clusters:
            return "none"
        return f"{self.clusters:,} {'in all' if self.across else 'a class'}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Proposal:
    """What the distances speak for.

    Attributes:
        candidates: From no groups to the fewest clusters, within classes and then across them.
        best: The one of them whose gap is smallest; the first where chance explains its gap, or no
            grouping removes `EXPLAINS` of it.
        chance: Gap that chance alone makes (95th percentile).
        groups: Names for the training images, str (n,); None where no groups are needed.
        nearest: int (n,), the training image that is nearest to each one in another fold without
            groups, for those that were asked, and -1.
        apart: float (n,), the distance to it, in units of the test's median.
        scores: Macro F1 of a linear model of the appearance on held-out images, with the folds of
            the first candidate and with those of the best.
    """

    candidates: tuple[Candidate, ...]
    best: Candidate
    chance: float
    groups: NDArray[np.str_] | None
    nearest: NDArray[np.int64]
    apart: Floats
    scores: tuple[float, float]


def propose(
    train: Floats,
    test: Floats,
    labels: NDArray[np.int64],
    assign: Assign,
    folds: int,
    named: NDArray[np.str_] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Proposal:
    """Groups images by appearance until held-out images are as far as test images.

    A hold-out of shots that stand beside their twins in training says nothing of test images that
    have no twin there. The number of clusters is the one at which the distances of held-out images
    to the nearest image trained on are distributed most like those of the test images: nearest
    neighbour distance matching (Linnenbrink et al., kNNDM CV, Geoscientific Model Development
    2024), with average linkage, within each class or across them, since a burst shows one thing
    but people and places may be in several classes. No label of a test image is needed.

    Args:
        train: Appearance, (n, features).
        test: Appearance, (m, features).
        labels: int (n,), of the training images.
        assign: From groups, or None, to the fold of each training image.
        folds: Fewest clusters of a class.
        named: Groups that have names, str (n,).
        progress: Called with the candidates done and their number.
    """
    with threadpool_limits(1, "openmp"):  # on busy cores its threads wait for each other
        return _proposed(*_components(train, test), labels, assign, folds, named, progress)


def _proposed(
    train: Floats,
    test: Floats,
    labels: NDArray[np.int64],
    assign: Assign,
    folds: int,
    named: NDArray[np.str_] | None,
    progress: Callable[[int, int], None],
) -> Proposal:
    rng = np.random.default_rng(0)
    asked = _some(len(train), rng)
    wanted, _ = _nearest(train, test[_some(len(test), rng)])
    unit = float(np.median(wanted)) or 1.0
    drawn = [rng.choice(wanted, len(wanted)) for _ in range(DRAWS)]
    chance = float(np.quantile([wasserstein_distance(wanted, d) for d in drawn], 0.95)) / unit
    ways: list[tuple[int, _Clusterings | None]] = [(0, None)]
    for clusterings in _clusterings(train, labels, named, rng):
        ways += [(clusters, clusterings) for clusters in _ladder(folds, clusterings.most)]
    found: list[Candidate] = []
    near = np.full(len(train), -1), np.zeros(len(train), np.float32)
    for clusters, way in ways:
        groups = named if way is None else way.cut(clusters)
        distances, which = _held_out(train, assign(groups), asked)
        if way is None:
            near[0][asked], near[1][asked] = which, distances / unit
        found.append(
            Candidate(
                clusters=clusters,
                across=way is not None and way.across,
                groups=len(train) if groups is None else len(set(groups.tolist())),
                gap=float(wasserstein_distance(distances, wanted)) / unit,
                distance=float(np.median(distances)) / unit,
                found=float((labels[which] == labels[asked]).mean()),
            )
        )
        progress(len(found), len(ways))
    index = min(range(len(found)), key=lambda i: found[i].gap)
    if found[0].gap <= chance or found[index].gap > (1 - EXPLAINS) * found[0].gap:
        index = 0
    clusters, way = ways[index]
    groups = named if way is None else way.cut(clusters)
    alone, together = (linear_score(train, labels, assign(g), asked) for g in (named, groups))
    return Proposal(
        candidates=tuple(found),
        best=found[index],
        chance=chance,
        groups=None if way is None else groups,
        nearest=near[0],
        apart=near[1],
        scores=(alone, together),
    )


def _clusterings(
    points: Floats,
    labels: NDArray[np.int64],
    named: NDArray[np.str_] | None,
    rng: np.random.Generator,
) -> Iterator[_Clusterings]:
    """The ways to cluster: within classes, then across them; groups with names across only."""
    if named is None:
        yield _Clusterings(points, labels, None, rng)
    if named is not None or labels.min() < labels.max():
        yield _Clusterings(points, None, named, rng)


class _Clusterings:
    """How images, or the groups that have names, cluster.

    Attributes:
        across: Whether all of them together, and not those of each class.
        most: Of them that are clustered together.
    """

    def __init__(
        self,
        points: Floats,
        labels: NDArray[np.int64] | None,
        named: NDArray[np.str_] | None,
        rng: np.random.Generator,
    ) -> None:
        self.across = labels is None
        self._of = np.arange(len(points))
        if named is not None:
            names, self._of = np.unique(named, return_inverse=True)
            sums = np.zeros((len(names), points.shape[1]), np.float32)
            np.add.at(sums, self._of, points)
            points = np.divide(sums, np.bincount(self._of)[:, None], dtype=np.float32)
        self._strata = np.zeros(len(points), np.int64) if labels is None else labels
        self._joins: dict[int, NDArray[np.int64]] = {}
        self._linkages: dict[int, NDArray[np.float64]] = {}
        for stratum in np.unique(self._strata).tolist():
            here = points[self._strata == stratum]
            some = np.sort(rng.permutation(len(here))[:CLUSTERED])
            self._joins[stratum] = _nearest(here[some], here)[1]
            if len(some) > 1:
                self._linkages[stratum] = linkage(here[some], "average")
        self.most = min(CLUSTERED, int(np.bincount(self._strata).max()))

    def cut(self, clusters: int) -> NDArray[np.str_]:
        """Names of the clusters of all images, so many per class at most."""
        names = np.empty(len(self._strata), dtype=object)
        for stratum, joins in self._joins.items():
            cluster = np.zeros(len(joins), np.int64)
            if stratum in self._linkages:
                cluster = fcluster(self._linkages[stratum], clusters, "maxclust")[joins]
            names[self._strata == stratum] = [f"{stratum}-{k}" for k in cluster.tolist()]
        return names.astype(np.str_)[self._of]


def _components(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    """Both in the principal components of both, every part of the appearance weighing alike.

    Components of training alone would hold its scenes but not the test's, and bring these nearer.
    """
    scaled: list[list[Floats]] = [[], []]
    for start, end in pairwise(accumulate(BLOCKS, initial=0)):
        spread = float(np.sqrt(train[:, start:end].var(axis=0).sum())) or 1.0
        for side, values in zip(scaled, (train, test), strict=True):
            side.append(values[:, start:end] / spread)
    one, other = (np.concatenate(side, axis=1) for side in scaled)
    both = np.concatenate([one, other])
    pca = PCA(min(DIMENSIONS, *both.shape), random_state=0).fit(both)
    return pca.transform(one), pca.transform(other)


def _ladder(fewest: int, most: int) -> list[int]:
    """Numbers of clusters, falling."""
    found = []
    clusters = most / STEP
    while round(clusters) > fewest:
        found.append(round(clusters))
        clusters /= STEP
    return [*found, fewest] if most > fewest else []


def _held_out(
    points: Floats, fold: NDArray[np.int64], asked: NDArray[np.int64]
) -> tuple[Floats, NDArray[np.int64]]:
    """Distance to the nearest image of another fold, and its row, for the images asked."""
    distances, which = np.zeros(len(asked), np.float32), np.zeros(len(asked), np.int64)
    for k in np.unique(fold[asked]):
        trained = np.flatnonzero(fold != k)
        held = fold[asked] == k
        distances[held], found = _nearest(points[trained], points[asked[held]])
        which[held] = trained[found]
    return distances, which


def _nearest(among: Floats, points: Floats) -> tuple[Floats, NDArray[np.int64]]:
    distances, which = NearestNeighbors(n_neighbors=1).fit(among).kneighbors(points)
    return distances[:, 0], which[:, 0]


def _some(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    return np.sort(rng.permutation(count)[:ASKED])
