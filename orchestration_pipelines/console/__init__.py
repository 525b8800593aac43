"""The reviewers' web application: pages over the engine, rendered here. See docs/adr/0012-the-console.md."""
