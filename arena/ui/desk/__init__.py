"""The page of one desk: its equity, what it holds and how it gets out, its habits, its forecasts, its make-up."""
