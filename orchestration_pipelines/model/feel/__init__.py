"""FEEL, the expression language of DMN, compiled to closures: no eval, no exec.

What is read so far is S-FEEL (DMN 1.5, clause 9) with paths, lists, ``if``, ``in`` and a few functions; anything else
is a :class:`FeelError` that names the position and what was expected there.
"""

from orchestration_pipelines.model.feel.expression import Expression, compile, evaluate, unary_tests
from orchestration_pipelines.model.feel.lexer import FeelError

__all__ = ["Expression", "FeelError", "compile", "evaluate", "unary_tests"]
