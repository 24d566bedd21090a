"""The form of a competition's submissions: that of its sample, or the task's own."""

from __future__ import annotations

from results.leaderboard.entries import Submission
from results.leaderboard.form import Form
from results.leaderboard.submission_file import SubmissionForm
from search.competition.standing import Standing
from spaces.errors import InputError

NEEDS_PROBABILITIES = ("log_loss", "roc_auc")


def submission_form(standing: Standing, sample: str, images: tuple[str, ...]) -> Form:
    """Reads the form.

    Args:
        standing: Where the competition stands.
        sample: The sample's file in the contest's folder.
        images: Test images that there are predictions for.

    Raises:
        InputError: If a sample that is asked for is not there, or does not fit.
    """
    path = standing.root / sample
    if path.exists():
        return standing.task.form(path, images, standing.known)
    if sample != "sample_submission.csv":
        raise InputError(f"sample={sample}: there is no {path}")
    return standing.task.form(None, images, standing.known)


def positive_of(form: Form) -> str:
    """The class that a single column of probabilities is of; empty for other forms."""
    return form.positive if isinstance(form, SubmissionForm) else ""


def meaning(standing: Standing, sample: str, made: Submission) -> str:
    """What a submission's values stand for, in words; empty where nobody thinks of anything else.

    Args:
        standing: Where the competition stands.
        sample: The sample's file.
        made: The submission.
    """
    metric = standing.metric.name
    if made.positive:
        return f"Each value is the probability of {made.positive!r}."
    if metric in NEEDS_PROBABILITIES:
        form = submission_form(standing, sample, standing.test_images)
        if isinstance(form, SubmissionForm) and not form.wants_probabilities:
            return (
                f"warning: {metric} is of probabilities, and the file has labels: a sample with a "
                "column per class asks for them, or, of two classes, positive=<class>"
            )
    return ""
