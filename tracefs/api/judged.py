"""A verdict on a trace in words, each finding with its call and the place in the source."""

from msgspec.structs import replace

from tracefs.api.trace import Trace
from tracefs.findings import CheckResult, Finding
from tracefs.report.strace import CallLines
from tracefs.report.verdict import VerdictText, written_out


def verdict_text(trace: Trace, result: CheckResult) -> str:
    """Return what ``tracefs check`` prints of *result*, which *trace* gave."""
    found = trace.recorded(
        frozenset(
            finding.call
            for contract in result.contracts
            for finding in written_out(contract)
            if finding.call is not None
        )
    )
    calls = {call.index: call for call, _ in found}
    sources = {call.index: source for call, source in found}

    def placed(finding: Finding) -> Finding:
        known = None if finding.call is None else sources.get(finding.call)
        return finding if known is None else replace(finding, source=known)

    contracts = tuple(
        replace(contract, findings=tuple(map(placed, contract.findings)))
        for contract in result.contracts
    )
    lines = CallLines(start_ns=trace.header.start_ns, page_size=trace.page_size)
    return "\n".join(
        VerdictText(seen=calls, lines=lines).render(replace(result, contracts=contracts))
    )
