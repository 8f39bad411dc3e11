"""Numbers computed from closed bars that decisions rest on, point in time, unknown before their warm-up.

``indicators`` are the few that desks see; ``registry``, ``vector`` and ``stream`` are the feature vector, over a frame
or bar by bar. No forecasts and no opinions. Both need TA-Lib, so they are imported from their modules.
"""
