"""Starts moto_server with one fault mended.

moto 5 copies a state machine, with all executions of the account, whenever it starts one. The copy fails on the locks of
an execution that has begun: "cannot pickle '_thread.RLock' object". Here the copy has the same executions.
"""

from moto.server import main
from moto.stepfunctions.parser.backend.execution import Execution

Execution.__deepcopy__ = lambda self, memo: self
main()
