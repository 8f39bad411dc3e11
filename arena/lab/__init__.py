"""The prompt lab of a served house: comparisons that are kept, made beside the app, and what they found. No page."""
