"""Results in plain words: the headline, what the reward adds, how it was done."""

from collections.abc import Sequence

import numpy as np

from inverseq.doctor import Severity
from inverseq.evaluate.identifiability import Verdict
from inverseq.evaluate.likelihood import Difference, difference
from inverseq.report.document import Weight
from inverseq.report.records import Contrasts, Results, ScoreRow

REFERENCES = {
    "IAVI": (
        "Kalweit G, Huegle M, Werling M, Boedecker J (2020). Deep inverse Q-learning with "
        "constraints. NeurIPS 33."
    ),
    "MaxEnt": (
        "Ziebart BD, Bagnell JA, Dey AK (2010). Modeling interaction via the principle of maximum "
        "causal entropy. ICML."
    ),
    "ambiguity": (
        "Cao H, Cohen SN, Szpruch L (2021). Identifiability in inverse reinforcement learning. "
        "NeurIPS 34."
    ),
    "bootstrap": "Efron B (1979). Bootstrap methods: another look at the jackknife. Annals of "
    "Statistics 7:1-26.",
}
"""What the methods rest on."""


_SMALLEST = 5e-5
"""Differences below this are not written out."""


def number(value: float, form: str = ".3f") -> str:
    """A number as people read it."""
    return format(value, form).replace("-", "−") if np.isfinite(value) else "unknown"


def headline(results: Results) -> tuple[str, ...]:
    """The result in two or three sentences."""
    best, table = results.best_reward, results.best_table
    chance = best.score.chance_mean
    one = results.row("table-1")
    against = [f"chance has {number(chance)}"]
    if one is not None and one.key != table.key:
        against.append(f"counting by state has {number(one.score.mean)}")
    against.append(f"the best table ({table.name}) {number(table.score.mean)}")
    first = (
        f"*Of the models with a reward, {best.name} predicts held-out decisions best: "
        f"{number(best.score.mean)} nats per decision{give_or_take(best.score.standard_error)}.* "
        f"For comparison, {', '.join(against[:-1])} and {against[-1]}."
    )
    told = [first, _verdict(best, table)]
    if np.isnan(best.score.standard_error):
        told.append(
            "All that was held out is a single unit "
            f"({best.score.by}), so nothing says how sure these differences are."
        )
    if results.contrasts is not None:
        told += _wants(results.contrasts)
    return tuple(told)


def _wants(contrasts: Contrasts) -> list[str]:
    """What is wanted, as far as behaviour itself settles it."""
    sure = [row for row in contrasts.rows if row.verdict == str(Verdict.SETTLED)]
    clear = [row for row in sure if row.low > 0 or row.high < 0]
    if not sure:
        return []
    top = max(sure, key=lambda row: abs(row.estimate))
    text = (
        f"Of {len(sure)} differences of IAVI's rewards that the decisions settle, given the "
        f"world and its discount, {len(clear)} {'is' if len(clear) == 1 else 'are'} clear of "
        f"zero (95 % intervals). The largest is "
        f"“{top.name}” with {number(top.estimate, '+.2f')} ({number(top.low, '+.2f')} to "
        f"{number(top.high, '+.2f')}), in units of the policy's temperature."
    )
    return [text]


def _verdict(best: ScoreRow, table: ScoreRow) -> str:
    """Whether the reward predicts more than counting does."""
    gain = difference(best.score, table.score)
    chance = best.score.chance_mean
    reach = table.score.mean - chance
    share = (best.score.mean - chance) / reach if reach > 0 else float("nan")
    where = ", in what was done just before," if table.key[-1] in "234" else ""
    if is_clear(gain) and gain.mean > 0:
        return (
            f"It predicts better than every table, by {gap_text(gain)}: planning for this reward "
            "explains something that counting what followed the last states does not."
        )
    if is_clear(gain):
        return (
            f"It predicts less well than the best table, by {gap_text(gain)}, and reaches "
            f"{number(share, '.0%')} of that table's gain over chance: the decisions hold a "
            f"regularity{where} that this reward does not capture. What "
            "the reward adds here is a reading of the behaviour and a forecast for changed worlds, "
            "not a better prediction in this one."
        )
    return (
        f"It predicts as well as the best table, difference {gap_text(gain, signed=True)}: the "
        "reward sums up what counting finds, with a meaning that can be carried elsewhere, but it "
        "does not predict more."
    )


def what_it_adds(results: Results) -> tuple[str, ...]:
    """What the reward adds to counting and what it does not, model by model."""
    told = []
    one = results.row("table-1")
    iavi, states = results.row("iavi"), results.row("maxent-states")
    memory = results.row("maxent-history")
    past = results.settings.get("history", "")
    table = results.row(f"table-{past}") or results.row(f"backoff-{past}")
    if iavi is not None and one is not None:
        gap = abs(difference(iavi.score, one.score).mean)
        size = "less than 1e-9" if gap < 1e-9 else f"{gap:.1e}"
        told.append(
            "*IAVI predicts exactly what the one-step table predicts* (they differ by "
            f"{size} nats): its policy is that table, by construction. Its reward is another way "
            "to write the counts down, and no better forecast."
        )
    if states is not None and one is not None:
        told.append(
            f"*A reward on states* ({states.parameters:,.0f} numbers, maximum causal entropy) "
            f"{_compared(states, one, 'the one-step table')}."
        )
    if memory is not None and table is not None:
        told.append(
            f"*With a memory in the world* ({memory.parameters:,.0f} numbers), the reward "
            f"{_compared(memory, table, f'the {table.name}')}."
        )
    told.append(
        "*What no table can do* is to predict behaviour in a world that was not observed: with "
        "corridors closed, with another discount, in another maze. A reward can be planned for "
        "there (`inverseq.replan`). The scores above do not test this; `inverseq study people` "
        "does, in mazes left out."
    )
    return tuple(told)


def _compared(row: ScoreRow, other: ScoreRow, name: str) -> str:
    """How one model does against another, as the rest of a sentence."""
    gain = difference(row.score, other.score)
    if not is_clear(gain):
        return f"predicts like {name}, difference {gap_text(gain, signed=True)}"
    word = "better" if gain.mean > 0 else "less well"
    return f"predicts {word} than {name}, by {gap_text(gain)}"


def is_clear(gain: Difference) -> bool:
    """Whether a difference is beyond two standard errors; with one unit, beyond a thousandth."""
    if np.isnan(gain.standard_error):
        return abs(gain.mean) > 1e-3
    return abs(gain.mean) > max(2 * gain.standard_error, 1e-9)


def gap_text(gain: Difference, *, signed: bool = False) -> str:
    """A difference with its error."""
    if abs(gain.mean) < _SMALLEST:
        return "less than 0.0001 nats"
    value = gain.mean if signed else abs(gain.mean)
    return f"{number(value, '.4f')} nats{give_or_take(gain.standard_error, '.4f')}"


def give_or_take(error: float, form: str = ".3f") -> str:
    """A standard error behind a number; nothing where there is none."""
    return f" (± {number(error, form)})" if np.isfinite(error) else ""


def methods(results: Results) -> tuple[str, ...]:
    """The methods paragraph, with the settings that were used."""
    solution = results.solution
    discount = 0.0 if solution.mdp is None else solution.mdp.discount
    iavi = "IAVI (Kalweit and others 2020) was solved exactly, as one linear system"
    skipped = (
        f" Scored is from decision {results.skipped + 1} of a held-out trajectory on."
        if results.skipped
        else ""
    )
    forced = results.best_reward.score
    share = forced.num_forced / forced.num_decisions
    without = (
        f" {share:.1%} of the scored decisions are forced (one action exists); scores without them "
        "are given beside."
        if share
        else ""
    )
    told = [
        f"The {results.train[0]:,} decisions of {results.train[1]:,} trajectories were fitted and "
        f"{forced.num_decisions:,} decisions of {results.test[1]:,} others scored "
        f"({results.division}).{skipped} A score is the mean natural logarithm of the probability "
        "that a model gave to a decision before it was made, over the actions that exist; its "
        f"standard error is taken over units ({forced.by}), not over decisions.{without}",
        f"The world was taken with a discount of {discount:g}. {_world_text(results)} "
        f"{iavi}; its policy is the share of each action, with {results.settings['smoothing']} "
        "decisions added to every action that exists. MaxEnt is maximum causal entropy (Ziebart "
        "and others 2010) with an infinite horizon, a Gaussian prior on the reward, and the "
        f"strength of the prior chosen by cross-validation ({results.settings['folds']} folds by "
        f"{results.settings['by']}) within the training part. Tables give the share of each action "
        "after the last states, with a constant added or with back-off to shorter pasts, smoothing "
        "chosen within the training part.",
        f"Rewards are in units of the temperature of a Boltzmann policy. {results.reason}",
    ]
    if results.contrasts is not None:
        told.append(results.contrasts.method)
    return tuple(told)


def _world_text(results: Results) -> str:
    """Where the transitions come from."""
    notes = {} if results.solution.mdp is None else results.solution.mdp.notes
    if "estimated" in notes:
        return (
            f"Its transitions were counted in the training part ({notes['transitions']:,} of them, "
            f"smoothing {notes['smoothing']:g}; {notes['pairs_never_taken']} state-action pairs "
            "were never taken and follow their state's average)."
        )
    return "Its transitions are known."


def remarks_of(results: Results) -> tuple[tuple[Weight, str], ...]:
    """What the doctor found and what went wrong, with its weight."""
    weight: dict[Severity, Weight] = {
        Severity.ERROR: "problem",
        Severity.WARNING: "warning",
        Severity.NOTE: "note",
    }
    found: list[tuple[Weight, str]] = [("problem", text) for text in results.remarks]
    for finding in results.diagnosis.findings:
        rows = f" (rows {', '.join(map(str, finding.rows))})" if finding.rows else ""
        text = f"*{finding.about}*: {finding.text}{rows}. {finding.remedy}".rstrip()
        found.append((weight[finding.severity], text))
    return tuple(found) or (("good", "The doctor found nothing that would hurt a fit."),)


def references(results: Results) -> tuple[str, ...]:
    """What to cite."""
    data: Sequence[str] = [results.citation] if results.citation else []
    used = [k for k in REFERENCES if k != "bootstrap" or results.contrasts is not None]
    return (*(REFERENCES[k] for k in used), *data)
