"""The leaderboard as files: a page of all desks, one of each run, and the same numbers to download."""
