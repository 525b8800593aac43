"""DMN: decision tables with S-FEEL cells, read from XML of DMN 1.3 to 1.5 (policies U, F and C so far)."""

from orchestration_pipelines.model.dmn.model import Explanation, Model
from orchestration_pipelines.model.dmn.reader import DmnRefused, load, loads

__all__ = ["DmnRefused", "Explanation", "Model", "load", "loads"]
