"""Reading BPMN 2.0 files into the intermediate representation."""
