"""The interface for programs: what people do in the console, as JSON under ``/api/v1``."""
