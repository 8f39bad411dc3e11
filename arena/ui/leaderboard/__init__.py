"""The leaderboard page: of the season on the floor, or of all seasons of the house, by the links in its head."""
