"""Forecasting models, one a file. Each file offers its model as ``FORECASTER``."""
