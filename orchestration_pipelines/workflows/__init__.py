"""Workflows shipped as examples, written as a user would write one."""
