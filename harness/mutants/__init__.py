"""Mutants: kernels that are wrong on purpose, and what the gate finds of them.

The catalogue (`load_catalogue`) says what each is; `open_planting` gives the workers the kernels, of which one at a
time is planted; a `MutantTrial` runs what the gate would until it is caught, and a `PeerTrial` what other ways to test
would; `MutantReport` is what a run came to.
"""

from harness.mutants.catalogue_file import CATALOGUE, FaultClass, Mutant, load_catalogue
from harness.mutants.mutant_item import MutantItem
from harness.mutants.mutant_trial import Catch, MutantOutcome, MutantTrial
from harness.mutants.peers import Peer, PeerOutcome, PeerTrial
from harness.mutants.planting import Planting, open_planting
from harness.mutants.report import MutantReport, MutantRow, MutantState, mutant_row, report_text, row_text

__all__ = [
    "CATALOGUE",
    "Catch",
    "FaultClass",
    "Mutant",
    "MutantItem",
    "MutantOutcome",
    "MutantReport",
    "MutantRow",
    "MutantState",
    "MutantTrial",
    "Peer",
    "PeerOutcome",
    "PeerTrial",
    "Planting",
    "load_catalogue",
    "mutant_row",
    "open_planting",
    "report_text",
    "row_text",
]
