"""Reading BPMN 2.0 files into the intermediate representation."""

from orchestration_pipelines.model.bpmn.reader import ModelRefused, load, loads
from orchestration_pipelines.model.bpmn.template import template

__all__ = ["ModelRefused", "load", "loads", "template"]
