"""The console: its pages, who may open them, and what they withstand."""
