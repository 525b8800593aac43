"""PostgreSQL: the embedded server, connections, migrations, and the statements of each table group."""
