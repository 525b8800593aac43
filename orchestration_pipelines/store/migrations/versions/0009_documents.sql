-- Documents of a case.
SELECT;
