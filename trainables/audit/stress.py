"""The stress that makes training images hardest to tell from the test's, fitted without labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from threadpoolctl import threadpool_limits

from spaces.augmentation.stress import Stress, stress_policy
from trainables.audit.looks import appearance_of, seen_properties
from trainables.augment.stressed import Stressed
from trainables.portable.images import resize

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]

OPERATIONS = (
    "blur",
    "noise",
    "compression",
    "brightness",
    "contrast",
    "saturation",
    "perspective",
    "rotate",
    "scale",
    "crop",
)
"""What cameras and photographers do."""

STRENGTHS = (0.0, 0.1, 0.2, 0.4, 0.7, 1.0)
"""That are tried, in this order, until it is clear that more is worse."""

CLEAR = 0.05
"""By how much the AUC has to be above the best so far for that."""

PASSES = 2
"""Times that every operation is tried at every strength while the others stay."""

SAMPLE = 700
"""Images of either side that are looked at, half of them to fit and half to judge."""

FEWEST = 60
"""Of either side, below which nothing is fitted."""

WORTH = 0.01
"""Fall of the AUC that a stress has to reach."""

NOISE = 0.5
"""Over the root of the number of images of either side: a fall for which no operation is taken in.
It is about two standard errors, which the best of several strengths has to exceed."""

COMPONENTS = 16
"""Principal components of the appearance beside the properties."""

_DRAWS = 200


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """What came of a fit.

    Attributes:
        strengths: By operation, those that are used.
        before: AUC without a stress, on images that it was not fitted on.
        after: The same with it.
        error: Standard error of the difference.
        images: Of either side that it was fitted on.
    """

    strengths: Mapping[str, float]
    before: float
    after: float
    error: float
    images: int

    @property
    def worth(self) -> bool:
        """Whether it lowers the AUC by more than noise."""
        gain = self.before - self.after
        return bool(self.strengths) and gain >= WORTH and gain > 2 * self.error


def fit_stress(
    train: Pixels,
    test: Pixels,
    size: tuple[int, int],
    progress: Callable[[int, int], None] = lambda done, total: None,
    operations: Sequence[str] = OPERATIONS,
) -> Fitted:
    """Fits strengths by coordinate descent on the AUC of a cross-fitted classifier.

    Images are looked at as a network sees them, at half of its size, where traces of interpolation
    are gone. Half of the images fit, the other half says what came of it.

    Args:
        train: uint8 (n, side, side, 3), stored training images in random order.
        test: The same of the test.
        size: Height and width at which networks are trained.
        progress: Called with the steps done and their number at most.
        operations: That are tried.
    """
    count = min(len(train), len(test), SAMPLE) // 2
    fitting, judging = (
        _Sample(train[part], test[part], size)
        for part in (slice(0, count), slice(count, 2 * count))
    )
    price = NOISE / count**0.5
    strengths = dict.fromkeys(operations, 0.0)
    best = fitting.auc(strengths)
    for step in range(PASSES * len(operations)):
        name = operations[step % len(operations)]
        if step and step % len(operations) == 0 and not any(strengths.values()):
            break
        now = strengths[name]
        for strength in STRENGTHS:
            if strength == now:
                continue
            tried = {**strengths, name: strength}
            auc = fitting.auc(tried)
            # What is left out costs nothing: an operation has to be worth its while.
            if auc + price * ((strength > 0) - (strengths[name] > 0)) < best:
                strengths, best = tried, auc
            elif strength > now and auc > best + CLEAR:
                break
        progress(step + 1, PASSES * len(operations))
    used = {name: strength for name, strength in strengths.items() if strength}
    untouched, stressed = judging.likeness({}), judging.likeness(used)
    return Fitted(
        strengths=used,
        before=judging.auc_of(untouched),
        after=judging.auc_of(stressed),
        error=judging.error(untouched, stressed),
        images=count,
    )


class _Sample:
    """Training and test images that a classifier tells apart."""

    def __init__(self, train: Pixels, test: Pixels, size: tuple[int, int]) -> None:
        self._train, self._size = train, size
        self._test = _measured([resize(picture, *size) for picture in test])
        self._is_test = np.arange(len(train) + len(test)) >= len(train)

    def likeness(self, strengths: Mapping[str, float]) -> Floats:
        """How much each image, training first and stressed, looks like a test image, (n,)."""
        side = self._train.shape[1]
        stressed = Stressed(stress_policy(strengths), side)
        seen = _measured([stressed.view(p, row, self._size) for row, p in enumerate(self._train)])
        properties, appearance = (np.vstack(both) for both in zip(seen, self._test, strict=True))
        with threadpool_limits(1):
            components = PCA(COMPONENTS, random_state=0).fit_transform(appearance)
            model = make_pipeline(
                StandardScaler(), LogisticRegression(C=0.1, solver="newton-cholesky")
            )
            squares = PolynomialFeatures(2, include_bias=False)
            terms = squares.fit_transform(StandardScaler().fit_transform(properties))
            found: Floats = cross_val_predict(
                model,
                np.hstack([terms, components]),
                self._is_test,
                cv=StratifiedKFold(5, shuffle=True, random_state=0),
                method="predict_proba",
            )[:, 1]
        return found

    def auc(self, strengths: Mapping[str, float]) -> float:
        """At which images under a stress are told from the test's."""
        return self.auc_of(self.likeness(strengths))

    def auc_of(self, likeness: Floats) -> float:
        """Area under the curve, at least 0.5: less is chance."""
        return max(0.5, float(roc_auc_score(self._is_test, likeness)))

    def error(self, first: Floats, second: Floats) -> float:
        """Standard error of the difference of two AUCs, by drawing images anew."""
        rng = np.random.default_rng(0)
        train, test = np.flatnonzero(~self._is_test), np.flatnonzero(self._is_test)
        found = []
        for _ in range(_DRAWS):
            rows = np.concatenate([rng.choice(train, len(train)), rng.choice(test, len(test))])
            a, b = (roc_auc_score(self._is_test[rows], x[rows]) for x in (first, second))
            found.append(a - b)
        return float(np.std(found))


def _measured(pictures: list[Pixels]) -> tuple[Floats, Floats]:
    """Properties (n, 6) and appearance (n, 364) of pictures at half of their size."""
    properties, appearance = [], []
    for picture in pictures:
        height, width = picture.shape[:2]
        small = resize(picture, max(8, height // 2), max(8, width // 2))
        _, coded = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 95])
        properties.append([*seen_properties(small).values(), len(coded) / small.size])
        appearance.append(appearance_of(small))
    return np.array(properties, np.float64), np.array(appearance, np.float64)


def stress_of(fitted: Fitted, side: int, data: str) -> Stress:
    """A fit as a record.

    Args:
        fitted: What came of it.
        side: Height and width of the images that it was fitted on, in pixels.
        data: Identity of the contest's files.
    """
    return Stress(
        policy=stress_policy(fitted.strengths),
        side=side,
        before=fitted.before,
        after=fitted.after,
        error=fitted.error,
        images=fitted.images,
        data=data,
    )
