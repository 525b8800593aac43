"""DMN: decisions read from XML of DMN 1.3 to 1.5, evaluated over FEEL, each with the rules that gave it."""

from orchestration_pipelines.model.dmn.explanation import Explanation
from orchestration_pipelines.model.dmn.model import Model
from orchestration_pipelines.model.dmn.problems import DmnRefused, Problem
from orchestration_pipelines.model.dmn.reader import load, loads

__all__ = ["DmnRefused", "Explanation", "Model", "Problem", "load", "loads"]
