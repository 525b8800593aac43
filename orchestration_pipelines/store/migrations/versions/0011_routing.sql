-- Work given out fast.
SELECT;
