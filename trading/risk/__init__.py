"""Risk: measures of what can be lost, and the hard limits that bound it before any order."""
