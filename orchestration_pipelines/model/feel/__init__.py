"""FEEL, the expression language of DMN 1.3 to 1.5, compiled to closures: no eval, no exec.

Text becomes tokens (``lexer``), nodes (``parser``) and closures (``place`` and the modules of rules); anything that
cannot be read is a :class:`FeelError` that names the position and what was expected there. An error in evaluating is
null, as the standard says, and told in the :class:`Evaluation`; only :class:`FeelLimit` is raised.
"""

from orchestration_pipelines.model.feel.evaluation import Evaluation, FeelLimit
from orchestration_pipelines.model.feel.expression import Expression, compile, evaluate, unary_tests
from orchestration_pipelines.model.feel.lexer import FeelError
from orchestration_pipelines.model.feel.written import storable

__all__ = ["Evaluation", "Expression", "FeelError", "FeelLimit", "compile", "evaluate", "storable", "unary_tests"]
