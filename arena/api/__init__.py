"""The web server: FastAPI lives here and nowhere else. Routes are thin; pages come from ``arena.ui``."""
