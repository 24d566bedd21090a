"""Does validation follow the leaderboard: band, evidence, regret, tournament; entry: assessment."""
