-- Clients of the interface, and the answers that they were given.
SELECT;
