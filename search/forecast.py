"""python -m search.forecast — what the test score will be, from unlabelled test images.

Needs no submission. It uses how often models that share their training images agree on the test
images, and how sure they are there. Promotions and blends are forecast from their models. Three
public scores of single models, or more, correct the forecasts of single models.

  python -m search.forecast
  python -m search.forecast rules.test_images=false    remembers that the rules forbid it
"""

from __future__ import annotations

from search.options.analysis import ForecastConfig
from search.options.command_line import main


def run(config: ForecastConfig) -> int:
    """Prints the page, writes table and figure; returns the exit code."""
    from search.competition.forecasts import forecast_scores

    return forecast_scores(config)


if __name__ == "__main__":
    main(ForecastConfig, run, __doc__ or "")
