"""Findings for machines: what `summary.json` holds."""

from collections.abc import Iterator, Mapping
from typing import Any

from inverseq.analysis.findings import Contrasts, Findings, ScoreRow
from inverseq.analysis.intention_findings import Choosing, IntentionFindings
from inverseq.analysis.observed import Observed
from inverseq.reporting.sections.choice import failures_of
from inverseq.reporting.sections.foretold import foretold_summary
from inverseq.reporting.sections.headline import headline_text
from inverseq.reporting.sections.intentions import described
from inverseq.reporting.sections.methods import division
from inverseq.reporting.sections.neurons import neural_remarks, neural_summary
from inverseq.reporting.sections.sure import warnings_of
from inverseq.reporting.sections.wants import contrast_name, verdict_name
from inverseq.reporting.words import plain, text


def summary(findings: Findings, provenance: Mapping[str, str]) -> dict[str, Any]:
    """The findings in the types of JSON, arrays and numbers as they are."""
    plan, first = findings.plan, findings.scores[0].score
    told: dict[str, Any] = {}
    if findings.solution is None:
        if findings.choosing is not None:
            told |= _choice(findings.choosing)
        told |= {"chance": first.chance_mean}
        told |= {name: getattr(plan, name) for name in ("folds", "by", "seed")}
        scores = [_score(row) for row in findings.scores]
        return told | {"scores": scores, "remarks": remarks(findings)}
    told |= {"title": findings.title, "headline": list(headline_text(findings))}
    if findings.intentions is not None:
        told |= _intentions(findings, findings.intentions)
    else:
        told |= {"free_chance": first.free_chance_mean, "forced": first.num_forced}
        told |= {"chosen": findings.chosen, "contrasts": _contrasts(findings.contrasts)}
        told |= {"settled": _contrasts(findings.settled)}
        told |= _observed(findings.observed)
    if findings.neural is not None:
        told |= {"neural": neural_summary(findings) | foretold_summary(findings)}
    return told | {
        "division": division(findings),
        "chance": first.chance_mean,
        "decisions": first.num_decisions,
        "scores": [_score(row) for row in findings.scores],
        "remarks": remarks(findings),
        "settings": dict(findings.settings),
        "provenance": dict(provenance),
    }


def remarks(findings: Findings) -> list[str]:
    """What went wrong and what to mind, as plain text."""
    return list(_remarks(findings))


def _remarks(findings: Findings) -> Iterator[str]:
    if findings.idle:
        yield text("scores.j2", "idle", idle=findings.idle, by=findings.plan.by)
    if findings.cut_from and findings.solution is None:
        yield text("headline.j2", "pieces", cut_from=findings.cut_from)
    if findings.subjects and findings.solution is None:
        yield text("headline.j2", "nested", by=findings.plan.by, subjects=findings.subjects)
    if findings.choosing is not None:
        yield from plain("choice.j2", "failures", **failures_of(findings))
        return
    yield from plain("scores.j2", "failures", failures=findings.failures)
    yield from neural_remarks(findings)
    for block, values in warnings_of(findings):
        yield text("intentions.j2", block, **values)


def _score(row: ScoreRow) -> dict[str, Any]:
    """One model."""
    novel: dict[str, Any] = {}
    if row.novel is not None:
        novel = {"novel_nats": row.novel.mean, "novel_error": row.novel.standard_error}
        novel |= {"novel_decisions": row.novel.num_decisions}
    return {
        "key": row.key,
        "model": row.name,
        "yardstick": row.yardstick,
        "nats": row.score.mean,
        "error": row.score.standard_error,
        "free_nats": row.score.free_mean,
        "free_error": row.score.free_standard_error,
        "accuracy": row.score.accuracy,
        "parameters": row.parameters,
        "validation": row.validation,
        **{f"error_over_{unit}": score.standard_error for unit, score in row.over.items()},
        **novel,
    }


def _contrasts(found: Contrasts | None) -> list[dict[str, Any]]:
    """Differences of rewards."""
    rows = () if found is None else found.rows
    return [
        {
            "name": contrast_name(row),
            "estimate": row.estimate,
            "low": row.low,
            "high": row.high,
            "verdict": verdict_name(row.verdict),
        }
        for row in rows
    ]


def _observed(seen: Observed | None) -> dict[str, Any]:
    """Calibration and support where states are observations."""
    if seen is None:
        return {}
    made, support = seen.calibration, seen.support
    return {
        "calibration_error": None if made is None else made.error,
        "calibration": [] if made is None else made.rows,
        "temperature": seen.temperature,
        "supported": None if support is None else vars(support),
    }


def _intentions(findings: Findings, found: IntentionFindings) -> dict[str, Any]:
    """Several intentions."""
    made, solution, told = found.intervals, found.solution, described(findings)
    return {
        "intentions": [
            {
                "share": float(share),
                "held_out_share": float(found.test.shares[k]),
                "description": told[k],
                "mean_stay": found.dwells[k].mean if found.dwells else None,
                "mean_stay_of_law": found.dwells[k].law_mean if found.dwells else None,
                "p_of_stays": found.dwells[k].p_value if found.dwells else None,
            }
            for k, share in enumerate(solution.occupancy)
        ],
        "transitions": found.changes,
        "transitions_low": None if made is None else made.transition.low,
        "transitions_high": None if made is None else made.transition.high,
        "log_likelihood": solution.log_likelihood,
        "parameters": solution.num_parameters,
        "restarts": {
            name: getattr(solution.restarts, name)
            for name in ("objective", "steps", "converged", "agreement")
        },
        "by_column": [
            {
                "column": row.column,
                "values": row.values,
                "decisions": row.decisions,
                "shares": row.shares,
                "p_value": row.p_value,
            }
            for row in found.crossed
        ],
        "checks": [] if found.checks is None else found.checks.rows,
    }


def _choice(asked: Choosing) -> dict[str, Any]:
    """Which number of intentions to take."""
    choice = asked.choice
    return {
        "chosen": choice[choice.chosen].k,
        "best": choice[choice.best].k,
        "sentence": choice.sentence,
        "alternatives": choice.rows,
    }
