"""Pictures of BPMN files: their diagram interchange, or a layout of our own, as SVG."""

from orchestration_pipelines.model.picture.diagram import Diagram, DiagramRefused
from orchestration_pipelines.model.picture.interchange import load, loads
from orchestration_pipelines.model.picture.marks import Marks, Waiting
from orchestration_pipelines.model.picture.svg import svg, told

__all__ = ["Diagram", "DiagramRefused", "Marks", "Waiting", "load", "loads", "svg", "told"]
