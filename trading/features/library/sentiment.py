"""Sentiment: what scored texts said, where a source of them is attached."""

from functools import partial

from trading.features.feature import Feature, Group, Input
from trading.features.rolling import difference, log_returns, mean, product, ratio, total, zscore

_feature = partial(Feature, group=Group.SENTIMENT, inputs=(Input.SENTIMENT,))

FEATURES = (
    _feature(
        name="sentiment",
        warmup=1,
        unit="-1 to 1",
        description="Mean score of the texts of the bar.",
        formula=lambda x: x["sentiment_score"],
    ),
    _feature(
        name="sentiment_mean_24",
        warmup=24,
        unit="-1 to 1",
        description="Mean score over 24 bars, weighted by the number of texts.",
        formula=lambda x: total(x["sentiment_score"] * x["sentiment_count"], 24) / total(x["sentiment_count"], 24),
    ),
    _feature(
        name="sentiment_change_24",
        warmup=48,
        unit="-2 to 2",
        description="Mean score of 24 bars less that of the 24 before.",
        formula=lambda x: difference(mean(x["sentiment_score"], 24), mean(x["sentiment_score"][:-24], 24)),
    ),
    _feature(
        name="sentiment_zscore_72",
        warmup=72,
        unit="deviations",
        description="Score in standard deviations of the last 72 bars, from their mean.",
        formula=lambda x: zscore(x["sentiment_score"], 72),
    ),
    _feature(
        name="sentiment_attention_24",
        warmup=24,
        unit="ratio",
        description="Number of texts over its mean of 24 bars.",
        formula=lambda x: ratio(x["sentiment_count"], mean(x["sentiment_count"], 24)),
    ),
    _feature(
        name="sentiment_agreement_24",
        inputs=(Input.SENTIMENT, Input.BARS),
        warmup=25,
        unit="log fraction",
        description="Mean of the score times the log return of its bar, over 24 bars.",
        formula=lambda x: mean(product(x["sentiment_score"], log_returns(x["close"])), 24),
    ),
)
"""The group, in the order of the vector."""
