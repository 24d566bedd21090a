"""What two objectives found, in words."""

from __future__ import annotations

from results.records.front import Front, FrontMember
from results.records.network_cost import FORMS, UNITS
from results.records.trial import Trial
from results.records.trials import Search
from results.reporting.text import table


def front_lines(search: Search, front: Front | None) -> list[str]:
    """The trials that no other beats, and which is worth its cost.

    Args:
        search: The record.
        front: Its front; None with one objective.
    """
    if front is None:
        return []
    label, form = f"{search.objective.label}{search.metric}", FORMS[front.cost]
    rows = [["trial", label, UNITS[front.cost], "behind the best", "network"]]
    for member in front.members:
        trial = search.trials[member.trial]
        rows.append(
            [
                trial.id.removeprefix(search.id),
                f"{member.score:.4f}",
                format(member.cost, form),
                _behind(member, first=member is front.members[0]),
                _network(trial) + (", the baseline" if trial.why == "baseline" else ""),
            ]
        )
    one = len(front.members) == 1
    head = (
        f"Of {front.trials} trials that ran to their end, no other beats "
        f"{'this one' if one else 'these'} in both {label} and {UNITS[front.cost]}:"
    )
    bargain = front.bargain
    lines = [head, *(f"  {line}" for line in table(rows))]
    if bargain is not None:
        share = 100 * bargain.cost / front.members[0].cost
        lines.append(
            f"The cheapest trial within noise of the best is {bargain.trial}, at "
            f"{share:.0f} % of its cost (one seed each): python -m search.promote "
            f"select={bargain.trial}"
        )
    return [*lines, "Picture: front.png in the search's folder, and in MLflow."]


def _network(trial: Trial) -> str:
    one, members = trial.config.network, trial.config.members
    return f"{one}, {members} epochs together" if members > 1 else one


def _behind(member: FrontMember, first: bool) -> str:
    if first:
        return "–"
    margin = "" if member.margin is None else f" ± {member.margin:.1f}"
    words = "" if member.told_apart else ", within noise"
    return f"{member.behind:.1f}{margin}{words}"
