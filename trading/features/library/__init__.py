"""The features themselves, one module a group, each a tuple ``FEATURES``.

No evaluation: :mod:`trading.features.vector` and :mod:`trading.features.stream` do that. TA-Lib is imported here.
"""
