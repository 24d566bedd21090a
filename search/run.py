"""python -m search.run — search a space on the hold-out and confirm the winner.

Trains the untuned baseline and sampled trials with early stopping, then compares the best trial
with matched controls, on fresh seeds and on images that did not choose it.

  python -m search.run space=aug_policy
  python -m search.run 'space=[aug_policy,schedule]' trials=32 fix.backbone=resnet18
  python -m search.run resume=latest trials=32     after a kill, a reboot or a deadline
  python -m search.run data=csv data.root=my_contest fix.size=64 resources.gpu=0.5
"""

from __future__ import annotations

from search.options.command_line import main
from search.options.files import check_files
from search.options.recorded import recorded_options
from search.options.training import RunConfig
from spaces.ready import check_space_name


def run(config: RunConfig) -> int:
    """Runs a search; returns the exit code."""
    check_files(config)
    for name in config.space if isinstance(config.space, list) else [config.space]:
        check_space_name(str(name))
    # Names are checked before what searches and trains is imported, which takes seconds.
    from search.options.parameters import flatten
    from search.options.search_space import resolve_space

    fix, narrow = flatten(config.fix), flatten(config.narrow)
    space = resolve_space(config.space, fix, narrow, config.drop)
    from search.jobs.lifecycle import run_job
    from search.jobs.search_job import SearchJob

    return run_job(config, SearchJob(config, space))


if __name__ == "__main__":
    main(RunConfig, run, __doc__ or "", recorded=recorded_options("search"))
