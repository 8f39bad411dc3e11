"""Trained models on the page of forecasts: versions compared, and what moves a champion and its drift."""
