"""Dagster: jobs, ops, sensors and schedules. Thin: it asks the engine and reports to Dagster."""
