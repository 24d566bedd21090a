"""Screen: every configuration for few epochs first, then the best of them to their end."""

from __future__ import annotations

from search.planning.early_stopping import EarlyStopping


class Screen(EarlyStopping):
    """Ends every sampled trial after the grace; the plan lets the best go on.

    The bar that elaborate rules have to clear: training all for an epoch and the best to the end
    is hard to beat where early ranks hold (Egele et al., Is One Epoch All You Need For
    Multi-Fidelity Hyperparameter Optimization?, ESANN 2023).
    """

    def judge(self, trial_id: str, epoch: int, score: float) -> bool:
        return epoch >= self.grace
