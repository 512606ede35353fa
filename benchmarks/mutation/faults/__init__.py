"""The table of single-fault mutations, a module for each field."""

from benchmarks.mutation.faults.access import ACCESS
from benchmarks.mutation.faults.data import DATA
from benchmarks.mutation.faults.delivery import DELIVERY
from benchmarks.mutation.faults.edge import EDGE
from benchmarks.mutation.faults.machine_learning import MACHINE_LEARNING
from benchmarks.mutation.faults.operations import OPERATIONS

MUTATIONS = (*MACHINE_LEARNING, *DATA, *DELIVERY, *EDGE, *OPERATIONS, *ACCESS)

__all__ = ["MUTATIONS"]
