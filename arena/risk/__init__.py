"""Risk as it is shown: documents of a report, a run's own back-test, scenario files, a run's capital. No measures."""
