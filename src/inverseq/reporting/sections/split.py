"""Whether the model is right in each part of the table."""

from inverseq.analysis.findings import Findings
from inverseq.analysis.observed import action_names
from inverseq.evaluate.split_checks import LAST_ACTION, SplitCheck
from inverseq.reporting.document import Column, Section, Table
from inverseq.reporting.words import line, prose, text


def right_in_each_part(findings: Findings) -> Section | None:
    """Held-out decisions against what was expected, by the columns that were asked for."""
    checks, solution = findings.split_checks, findings.solution
    if not checks or solution is None:
        return None
    named = () if solution.mdp is None else action_names(solution.mdp)
    actions = named or tuple(map(str, range(checks[0].done.shape[1])))
    rows = tuple(
        (
            check.column,
            _level(check, str(row[check.column]), actions),
            actions[int(row["action"])],
            row["decisions"],
            100 * float(row["done"]),
            100 * float(row["expected"]),
            float(row["standard_errors"]),
        )
        for check in checks
        for row in check.rows
    )
    columns = (
        Column("Column", name="column"),
        Column("Value", name="value"),
        Column("Action", name="action"),
        Column("Decisions", ",d", "decisions"),
        Column("Done, %", ".1f", "done_percent"),
        Column("Expected, %", ".1f", "expected_percent"),
        Column("Errors", "+.1f", "standard_errors"),
    )
    title = text("split.j2", "table", columns=[check.column for check in checks])
    table = Table("checks_by_column", title, columns, rows, line("split.j2", "note"))
    levels = [_level(check, check.levels[check.farthest[0]], actions) for check in checks]
    sentences = prose("split.j2", "told", checks=checks, levels=levels, actions=actions)
    return Section(text("split.j2", "title"), (sentences,), (table,))


def _level(check: SplitCheck, level: str, actions: tuple[str, ...]) -> str:
    """What a part is called: after the last action, by its name, or none."""
    if check.column != LAST_ACTION:
        return level
    return text("split.j2", "none") if int(level) < 0 else actions[int(level)]
