"""Numbers computed from closed bars that decisions rest on: indicators, point in time, None before their warm-up.

No forecasts and no opinions. ``indicators`` needs TA-Lib and is imported from its module.
"""
