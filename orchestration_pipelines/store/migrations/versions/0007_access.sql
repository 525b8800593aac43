-- Who signs in to the console: accounts, sessions, and the record of both.
SELECT;
