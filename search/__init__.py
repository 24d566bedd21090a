"""The service: a thin file per command here, everything behind them in the rooms."""
