"""Defaults as TOML files: limits, costs of venues, models, seasons. No code lives here."""
