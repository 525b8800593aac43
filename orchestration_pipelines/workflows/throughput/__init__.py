"""Four stations with a decision and an external effect: what the benchmark and the kill trials run."""
