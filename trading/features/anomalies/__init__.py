"""What is out of the ordinary at a bar, and whether the market moved or the data is at fault, from closed bars alone.

Scores of robust statistics, control charts and an isolation forest; faults of the data by what markets do not do.
"""

from trading.features.anomalies.anomaly import Anomaly, AnomalySettings, Kind, Severity
from trading.features.anomalies.scan import AnomalyScan, scan

__all__ = ["Anomaly", "AnomalyScan", "AnomalySettings", "Kind", "Severity", "scan"]
