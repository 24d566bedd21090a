"""Trials in the tracking store, whoever made them, read as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from results.tracking.store import ID_TAG, open_client

PAGE = 500
"""Runs per request."""


@dataclass(frozen=True, kw_only=True)
class TrackedTrial:
    """A trial as MLflow has it.

    Attributes:
        id: Global id.
        params: Texts by name: configuration and what was drawn.
        digest: Digest of its configuration.
        scores: The contest's metric by epoch, from the first on.
        finished: Whether it ran to its end.
    """

    id: str
    params: Mapping[str, str]
    digest: str
    scores: tuple[float, ...]
    finished: bool


def tracked_trials(
    uri: str, competition: str, *, metric: str, data: str, folds: str
) -> list[TrackedTrial]:
    """Reads the trials of a competition on the same data and folds.

    Args:
        uri: Tracking URI.
        competition: Its name.
        metric: Name of the contest's metric.
        data: Digest of the images.
        folds: Digest of the folds.

    Raises:
        MlflowException: And others, if the store is away.
    """
    client = open_client(uri)
    experiment = client.get_experiment_by_name(competition)
    if experiment is None:
        return []
    wanted = {"data.digest": data, "folds.digest": folds, "metric": metric}
    condition = " and ".join(f"tags.`{k}` = '{v}'" for k, v in wanted.items())
    found: list[TrackedTrial] = []
    token: str | None = None
    while True:
        page = client.search_runs(
            [experiment.experiment_id], condition, max_results=PAGE, page_token=token
        )
        for run in page:
            tags = run.data.tags
            if tags.get("state") not in ("finished", "stopped") or "taken" in tags:
                continue
            history = client.get_metric_history(run.info.run_id, f"val/{metric}")
            by_epoch = {m.step: float(m.value) for m in history}
            found.append(
                TrackedTrial(
                    id=tags[ID_TAG],
                    params=run.data.params,
                    digest=tags.get("config.digest", ""),
                    scores=tuple(by_epoch[step] for step in sorted(by_epoch)),
                    finished=tags["state"] == "finished",
                )
            )
        token = page.token
        if not token:
            return found
