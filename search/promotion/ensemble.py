"""Models that predict new images together: a promotion's or a blend's, with the views that they
look in and what is made of their masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from results.ensemble.blend import PLAIN_RECIPE
from results.leaderboard.entries import Postprocessed
from results.masks.merging import Blend
from results.records.trial import Trial
from results.records.trials import Search
from search.competition.standing import Standing
from search.options.ensembles import CHOSEN, EnsembleConfig
from search.options.user_code import preparation_of
from search.promotion.ensemble_members import Member, newest_promotion
from search.promotion.merged import Merged, find_merged
from search.promotion.recorded_postprocess import find_postprocess
from search.promotion.views import check_views
from spaces.digest import digest
from spaces.errors import InputError
from trainables.portable.preparation import Picture

LONGEST = 60
"""Letters of views that a file is named by."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Ensemble:
    """Models that predict images together.

    Attributes:
        merged: The promotion or blend that they are of.
        members: The models, each with the view that it looks in.
        blend: How they are merged; None for the mean as of folds.
        views: Those that were asked for; None for those that were chosen.
        processing: What is made of their masks; None for the likeliest class.
    """

    merged: Merged
    members: list[Member]
    blend: Blend | None
    views: tuple[str, ...] | None = None
    processing: Postprocessed | None = None

    @property
    def name(self) -> str:
        """Of what it makes, for files."""
        parts = [self.merged.id]
        if self.views is not None:
            named = "_".join(self.views) or "plain"
            many = f"{len(self.views)}-views-{digest(list(self.views))[:8]}"
            parts.append(named if len(named) <= LONGEST else many)
        return "-".join(parts + ([] if self.processing is None else [self.processing.id]))

    @property
    def words(self) -> str:
        """What predicts."""
        views = dict.fromkeys(member.view for member in self.members if member.view)
        found = f"{len(self.trainings())} models of {self.merged.id}"
        found += f", also in {', '.join(views)}" if views else ""
        if self.blend is None or self.blend.recipe == PLAIN_RECIPE:
            return found
        return f"{found}, merged by {self.blend.recipe}"

    @property
    def processed(self) -> str:
        """What is made of masks, and what it is worth; empty for nothing."""
        if self.processing is None:
            return ""
        words = f"{self.processing.id}: {self.processing.words}"
        if {m.name for m in self.members} != {m.name for m in self.merged.members}:
            words += (
                "; it was chosen with other views: search.blend and search.postprocess "
                "select=blend:<id> choose with these"
            )
        return words

    @property
    def search(self) -> Search:
        """The promotion of the first model."""
        found = self.members[0].search
        assert found is not None
        return found

    @property
    def voices(self) -> list[tuple[str, str]]:
        """Names of configurations in an export, and views, in the order of merging."""
        return [(self._arm(member), member.view) for member in self.members]

    def trainings(self) -> list[tuple[str, Search, Trial]]:
        """Every training once, with its configuration's name, in the order of averaging."""
        once = {self._arm(member): member for member in self.members}
        return [
            (arm, member.search, trial)
            for arm, member in once.items()
            for trial in sorted(member.trials(), key=lambda t: t.config.run.fold)
            if member.search is not None
        ]

    def own_preparation(self, given: str) -> Callable[[Picture], Picture] | None:
        """A team's own function that prepared images of some models; None if there was none.

        Args:
            given: ``module:function`` from the command line; empty for none.

        Raises:
            InputError: If they were trained with another one.
        """
        found = [preparation_of(t.config, given, t.id).own for _, _, t in self.trainings()]
        return next((own for own in found if own is not None), None)

    def _arm(self, member: Member) -> str:
        return member.arm if self.merged.kind == "promotion" else member.unseen.name


def find_ensemble(standing: Standing, config: EnsembleConfig) -> Ensemble:
    """The models that are asked for, with their views and post-processing.

    Raises:
        InputError: If there is no such promotion, blend, post-processing or view, or what there is
            cannot predict new images.
    """
    place, select = "", ""
    if config.promotion:
        place, select = f"promotion={config.promotion}", f"promotion:{config.promotion}"
    elif config.blend:
        place, select = f"blend={config.blend}", f"blend:{config.blend}"
    processing = None
    if config.postprocess:
        place = f"postprocess={config.postprocess}"
        processing = find_postprocess(standing, config.postprocess, place)
        if select not in ("", processing.source):
            raise InputError(f"{place}: it is of {processing.source}, not of {select}")
        select = processing.source
    merged = find_merged(standing, select or f"promotion:{newest_promotion(standing)}", place)
    _check(merged, place)
    found = Ensemble(merged=merged, members=merged.members, blend=merged.blend())
    if list(config.views) == [CHOSEN]:
        found = _used(found, standing)
    else:
        found = _seen(found, tuple(dict.fromkeys(config.views)), place)
    if found.blend is not None and found.blend.merge == "rank":
        raise InputError(
            f"{place}: its recipe rank compares images with one another, and new ones are "
            "predicted each by itself: python -m search.blend recipe=mean"
        )
    return replace(found, processing=processing)


def _check(merged: Merged, place: str) -> None:
    """Raises InputError for models that cannot look at new images together."""
    imports = [member.name for member in merged.members if member.search is None]
    if imports:
        raise InputError(
            f"{place}: {', '.join(imports)} made elsewhere cannot be asked for new images: python "
            "-m search.blend select=<promotions>"
        )
    boxes = {bool(trial.config.data.boxes) for m in merged.members for trial in m.trials()}
    if len(boxes) > 1:
        raise InputError(
            f"{place}: some of its models look at boxes (data.box=), others at whole images; "
            "promotion= takes either alone"
        )


def _seen(found: Ensemble, views: tuple[str, ...], place: str) -> Ensemble:
    """The same models in other views, all of them averaged."""
    if CHOSEN in views:
        raise InputError(f"views={CHOSEN} takes those that were chosen: give it alone")
    plain = list({m.unseen.name: m.unseen for m in found.members}.values())
    check_views(plain, views)
    if found.blend is None and not views:
        return found
    if found.blend is not None and found.blend.recipe != PLAIN_RECIPE:
        raise InputError(
            f"views=[{','.join(views)}]: {place} merges its models by the recipe "
            f"{found.blend.recipe}, which was fitted to the views that were chosen: leave views= "
            f"out, or python -m search.blend with these"
        )
    members = [*plain, *(member.seen(view) for member in plain for view in views)]
    return replace(found, members=members, blend=Blend.mean(len(members)), views=views)


def _used(found: Ensemble, standing: Standing) -> Ensemble:
    """Without models that count for nothing.

    Of masks all stay: the first sets the size at which they are merged, and which classes occur is
    told by all.
    """
    blend = found.blend
    if blend is None or standing.search.truth is not None:
        return found

    rows = [row for row, weight in enumerate(blend.weights) if weight > 0]
    kept = replace(blend, weights=tuple(blend.weights[row] for row in rows))
    return replace(found, members=[found.members[row] for row in rows], blend=kept)
