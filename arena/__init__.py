"""The roof: seasons and their standings, the command line, the web app, and the one composition root (``wiring``)."""
