"""Where golden data lies: for each suite a file of the contract, one of snapshots, and one of the corpus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core import Case
from harness.errors import UserError
from harness.golden.contract.contract import Contract, load_contract
from harness.golden.corpus import Corpus, CorpusCase, load_corpus
from harness.golden.files import contract_file, corpus_file, snapshots_file, suite_of, update_command
from harness.golden.snapshots.snapshot import PER_CASE, Snapshots, can_be_exact, load_snapshots
from harness.suites import suggestion


@dataclass(frozen=True)
class Golden:
    """The golden data of a project, each file read once, when a case of its suite is first asked about."""

    root: Path
    _contracts: dict[str, Contract] = field(default_factory=dict)
    _snapshots: dict[str, Snapshots] = field(default_factory=dict)
    _corpora: dict[str, Corpus] = field(default_factory=dict)

    @property
    def is_kept(self) -> bool:
        """Whether the project keeps a layout contract: there is a directory for it. One that does not is not asked."""
        return (self.root / "golden" / "contract").is_dir()

    def load(self, cases: Iterable[Case]) -> None:
        """Read the files of these cases. Raises UserError with the mistakes of all."""
        problems = []
        for case in {suite_of(case): case for case in cases}.values():
            for read in (self.contract, self.snapshots, self.corpus):
                try:
                    read(case)
                except UserError as error:
                    problems.append(str(error))
        if problems:
            raise UserError("\n".join(problems))

    def contract(self, case: Case) -> Contract:
        """The contract of the case's suite. Raises DeclarationError for a file that does not parse."""
        suite = suite_of(case)
        if suite not in self._contracts:
            self._contracts[suite] = load_contract(self.root / contract_file(suite), suite, contract_file(suite))
        return self._contracts[suite]

    def snapshots(self, case: Case) -> Snapshots:
        """The snapshots of the case's suite. Raises DeclarationError for a file that does not parse."""
        suite = suite_of(case)
        if suite not in self._snapshots:
            self._snapshots[suite] = load_snapshots(self.root / snapshots_file(suite), suite, snapshots_file(suite))
        return self._snapshots[suite]

    def corpus(self, case: Case) -> CorpusCase:
        """What the corpus has of the case. Raises DeclarationError for a file that does not parse."""
        suite = suite_of(case)
        if suite not in self._corpora:
            self._corpora[suite] = load_corpus(self.root / corpus_file(suite), suite, corpus_file(suite))
        return self._corpora[suite].cases.get(case.name, CorpusCase())

    def may_lack(self, case: Case, dtype: str, release: str) -> bool:
        """Whether a release may be without the case in that dtype.

        It may where the contract has lines of it that were observed in other releases only, or says that this one
        has not got it. What nobody ever observed may not be missing: then its suite is wrong.
        """
        contract = self.contract(case)
        is_observed = any(line.is_about(dtype) for line in contract.lines(case.name))
        return is_observed and (release not in contract.verified or contract.lacks(case.name, dtype, release))

    def advice_without_lines(self, case: Case) -> str:
        """What to do about a case that has no lines yet."""
        suite = suite_of(case)
        command = f"{update_command(suite)} -k {case.name}"
        return f"{contract_file(suite)} has no line of {case.name}: `{command}`, and review it"

    def misfits(self, cases: Sequence[Case]) -> Iterator[str]:
        """What the files of one suite, whose cases these are, and the suite do not agree in."""
        suite, contract, snapshots = suite_of(cases[0]), self.contract(cases[0]), self.snapshots(cases[0])
        names = [case.name for case in cases]
        command = f"observe it with `{update_command(suite)}`, and review what that writes"
        missing = [name for name in names if not contract.lines(name)]
        if not contract.file:
            yield f"{suite} has no layout contract, {contract_file(suite)}; {command}"
        elif missing:
            yield f"{contract.file} has no line of {', '.join(missing)}; {command}"
        if few := [name for name, count in _counts(cases, snapshots).items() if count < PER_CASE]:
            file = snapshots_file(suite)
            yield f"{file} has fewer than {PER_CASE} snapshots of {', '.join(few)}; {command}"
        for file, written in ((contract.file, [*contract.cases]), (snapshots.file, [*snapshots.cases])):
            for name in written:
                if name not in names:
                    near = suggestion(name, names, otherwise="it has")
                    yield f"{file}: unknown case {name!r}: {suite} has none of that name{near}"
        yield from (problem for case in cases for problem in _foreign_dtypes(contract, case))


def _counts(cases: Sequence[Case], snapshots: Snapshots) -> dict[str, int]:
    """How many snapshots each case has whose values can be exact."""
    return {
        case.name: len({snapshot.example.to_json() for snapshot in snapshots.cases.get(case.name, ())})
        for case in cases
        if can_be_exact(case)
    }


def _foreign_dtypes(contract: Contract, case: Case) -> Iterator[str]:
    """The lines of dtypes that the case is not run in."""
    for line in contract.lines(case.name):
        for dtype in line.dtypes or ():
            if dtype not in case.dtypes:
                where = f"{contract.file}:{line.place}: unknown line: {line.key}"
                yield f"{where}: {case.name} is not run in {dtype}{suggestion(dtype, case.dtypes)}"
