"""The drawn model: BPMN, DMN and FEEL, read into one intermediate representation with pure token semantics."""
