"""Settings and doctor as a page: what is set and by whom, what can be reached, what is wrong and what to do."""
