"""A season from its file to its standings: rules, runner, scoring, and the snapshot that pages show."""
