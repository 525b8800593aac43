-- What helps to decide: reasons that are used again, questions to colleagues.
SELECT;
