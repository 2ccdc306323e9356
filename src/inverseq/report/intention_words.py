"""What several intentions are, in plain words, and how sure that is."""

import re
from collections.abc import Sequence

import numpy as np

from inverseq.evaluate.likelihood import difference
from inverseq.intentions.solution import EMPTY
from inverseq.mdp import MDP
from inverseq.report.document import Weight
from inverseq.report.figures import scenes
from inverseq.report.intention_records import IntentionResults
from inverseq.report.places import Places, places
from inverseq.report.records import ScoreRow
from inverseq.report.words import REFERENCES, gap_text, give_or_take, is_clear, number

REFERENCE = (
    "Zhu H, De La Crompe B, Kalweit G, Schneider A, Kalweit M, Diester I, Boedecker J (2024). "
    "Multi-intention inverse Q-learning for interpretable behavior representation. TMLR."
)
SWITCHING_REFERENCE = (
    "Ke J, Wu F, Wang J, Markowitz J, Wu A (2025). Inverse reinforcement learning with switching "
    "rewards and history dependency for characterizing animal behaviors. ICML."
)
AGREEING = 0.9
"""Share of the decisions on which two searches that found the same thing agree."""

_NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten")
_SEEN = 0.01
_CLEAR = 0.05
_SAME = 1e-4


def headline(results: IntentionResults) -> tuple[str, ...]:
    """What the intentions are and how sure, then how well they predict."""
    solution = results.solution
    count = solution.num_intentions
    told = describe(results)
    parts = [
        f"{k + 1} ({solution.occupancy[k]:.0%} of decisions{_lasting(results, k)}) {told[k]}"
        for k in range(count)
    ]
    how_many = _NUMBERS[count] if count < len(_NUMBERS) else str(count)
    noun = "intention explains" if count == 1 else "intentions explain"
    first = f"*{how_many} {noun} the behaviour: {'; '.join(parts)}.* {_sure(results)}"
    sentences = [first, _against_tables(results)]
    score = _scored(results).score
    if np.isnan(score.standard_error):
        sentences.append(
            f"All that was held out is a single unit ({score.by}), so nothing says how sure these "
            "differences are."
        )
    return tuple(sentences)


def describe(results: IntentionResults) -> list[str]:
    """For each intention the end of a sentence: the places it rewards, or what it does more."""
    shown = [places(part) for part in results.solution.intentions]
    given = results.given
    mdps = [given] if isinstance(given, MDP) else list(given.values())
    if all(mdp.coordinates is not None for mdp in mdps):
        names = place_names(results)
        return [_wanted(each, names) for each in shown]
    return _done_more(shown, results)


def place_names(results: IntentionResults) -> list[str]:
    """A name for each place: a mark of the drawing, its own name, or its number."""
    found: list[str] = []
    given = results.given
    mdps = {"": given} if isinstance(given, MDP) else dict(given)
    for name, mdp in mdps.items():
        # One world may be drawn under another name than its own.
        world = results.worlds.get(name) or (
            next(iter(results.worlds.values()), None) if isinstance(given, MDP) else None
        )
        names = list(mdp.state_names) or [f"place {s}" for s in range(mdp.num_states)]
        for mark, states in (world.drawing.marks if world else {}).items():
            for state in states:
                names[state] = mark
        found += [f"{each} in {name}" if name else each for each in names]
    return found


def _wanted(shown: Places, names: Sequence[str]) -> str:
    """The two places with the highest reward among those that it visits."""
    visits = shown.visits
    if not visits.any():
        return "is never followed"
    # In a large world no place has its hundredth part of the visits.
    least = min(_SEEN * float(visits.sum()), float(np.median(visits[visits > 0])))
    often = np.flatnonzero(visits >= least)
    top = often[np.argsort(-shown.reward[often], kind="stable")][:2]
    top = top[shown.reward[top] >= max(_CLEAR, float(shown.reward[top[0]]) / 4)]
    if not top.size:
        return "rewards no place more than others"
    told = [f"{names[p]} ({number(float(shown.reward[p]), '+.1f')})" for p in top]
    return f"rewards {' and '.join(told)} most"


def _done_more(shown: Sequence[Places], results: IntentionResults) -> list[str]:
    """Where each acts least like all of them together."""
    given = results.given
    mdps = [given] if isinstance(given, MDP) else list(given.values())
    actions = mdps[0].action_names or tuple(map(str, range(mdps[0].num_actions)))
    names = place_names(results)
    visits = np.stack([each.visits for each in shown])
    policies = np.stack([each.policy for each in shown])
    shares = visits / np.maximum(visits.sum(axis=0), 1e-300)
    together = np.einsum("kp,kpa->pa", shares, policies)
    told = []
    for mine, policy in zip(visits, policies, strict=True):
        gain = mine[:, None] * (policy - together)
        place, action = np.unravel_index(int(gain.argmax()), gain.shape)
        if len(shown) == 1 or gain.max() <= 0:
            told.append(
                "is pursued all the time" if len(shown) == 1 else "acts like all of them together"
            )
            continue
        told.append(
            f"chooses {actions[action]} in {names[place]} more than the others "
            f"({policy[place, action]:.0%} against {together[place, action]:.0%} on the whole)"
        )
    return told


def _lasting(results: IntentionResults, k: int) -> str:
    """How long it lasts, where that is known."""
    if not results.dwells or not np.isfinite(results.dwells[k].mean):
        return ""
    return f", {results.dwells[k].mean:,.0f} in a row"


def _sure(results: IntentionResults) -> str:
    """Whether several are better than one, and whether searches agree."""
    one, several = results.row("one"), results.row("intentions")
    restarts = results.solution.restarts
    others = restarts.agreement[1:]
    agree = int((others >= AGREEING).sum())
    searched = (
        f"{agree or 'none'} of {others.size} other searches found the same (the same intention on "
        f"{AGREEING:.0%} of decisions or more)"
        if others.size
        else "a single search was made, so nothing says whether another would find the same"
    )
    if one is None or several is None:
        return "Whether there are more, only fits with more can tell."
    gain = difference(several.score, one.score)
    if is_clear(gain) and gain.mean > 0:
        verdict = f"They foretell held-out decisions better than one intention, by {gap_text(gain)}"
    elif is_clear(gain):
        verdict = f"They foretell held-out decisions less well than one, by {gap_text(gain)}"
    else:
        verdict = (
            "Held-out decisions do not tell them from one intention, difference "
            f"{gap_text(gain, signed=True)}"
        )
    return f"{verdict}; {searched}."


def _against_tables(results: IntentionResults) -> str:
    """The score beside its reference lines."""
    tables = [row for row in results.scores if row.yardstick]
    best = max(tables, key=lambda row: row.score.mean)
    mine = results.row("intentions") or results.row("one")
    assert mine is not None  # analyse() raises where neither could be scored
    against = [f"chance has {number(mine.score.chance_mean)}"]
    for key, name in (
        ("marginal", "the share of each action"),
        ("table-1", "the one-step table"),
        ("table-2", "the two-step table"),
    ):
        row = results.row(key)
        if row is not None:
            against.append(f"{name} {number(row.score.mean)}")
    gain = difference(mine.score, best.score)
    subject = "It predicts" if mine.key == "one" else "They predict"
    if not is_clear(gain):
        verdict = f"{subject} like the best table ({best.name})"
    else:
        word = "better" if gain.mean > 0 else "less well"
        verdict = f"{subject} {word} than the best table ({best.name}), by {gap_text(gain)}"
    return (
        f"The score is {number(mine.score.mean)} nats per held-out decision"
        f"{give_or_take(mine.score.standard_error)}, each predicted from the decisions before it "
        f"alone; {', '.join(against)}. {verdict}."
    )


def warnings_of(results: IntentionResults) -> tuple[str, ...]:
    """What speaks against these intentions: empty ones, searches that disagree, k too large."""
    solution, told = results.solution, []
    if solution.status.message:
        told.append(re.sub(r"\bk=(\d+)", r"`--intentions \1`", solution.status.message))
    told += _superfluous(results)
    restarts = solution.restarts
    others = restarts.agreement[1:]
    if others.size and np.median(others) < AGREEING:
        size = int((results.train.demonstrations.actions >= 0).sum())
        lost = float(restarts.objective[0] - np.median(restarts.objective)) / size
        much = f"is {lost:.4f} nats per decision lower" if lost > _SAME else "is as high"
        hint = "more `--restarts`, or fewer intentions" if lost > _SAME else "fewer intentions"
        told.append(
            f"Searches from other beginnings find other intentions: at the median they agree with "
            f"the best on {np.median(others):.0%} of decisions, and their objective {much}. Take "
            f"{hint}."
        )
    if not restarts.converged[0]:
        told.append("The best search had not come to an end; its numbers are still moving.")
    one, several = results.row("one"), results.row("intentions")
    if one is not None and several is not None and solution.num_intentions > 1:
        gain = difference(several.score, one.score)
        if not (is_clear(gain) and gain.mean > 0):
            told.append(
                f"{solution.num_intentions} intentions do not predict clearly better than one. "
                f"Ask `inverseq compare TABLE --intentions 1,2,{max(3, solution.num_intentions)}`."
            )
    return tuple(told)


def _superfluous(results: IntentionResults) -> list[str]:
    """Intentions that share what they explain with others, so that none of them ever stands out."""
    smoothed = results.train.posterior.smoothed
    count = smoothed.shape[1]
    wins = np.bincount(smoothed.argmax(axis=1), minlength=count) / len(smoothed)
    # What has hardly any share is named by the status of the fit.
    never = np.flatnonzero((wins < EMPTY) & (results.solution.occupancy >= EMPTY))
    if not never.size:
        return []
    names = ", ".join(str(k + 1) for k in never)
    return [
        f"Intention {names} of {count} is the most probable one at less than {EMPTY:.1%} of the "
        f"decisions: it is there beside others, never by itself. Take `--intentions "
        f"{count - never.size}`."
    ]


def remarks_of(results: IntentionResults) -> tuple[tuple[Weight, str], ...]:
    """All of these with their weight."""
    found: list[tuple[Weight, str]] = [("problem", text) for text in results.remarks]
    found.extend(("warning", text) for text in warnings_of(results))
    if found:
        return tuple(found)
    if results.solution.num_intentions == 1:
        return (("good", "One intention was asked for; nothing can be empty or confused."),)
    return (
        ("good", "No intention is empty, the searches agree, and several predict more than one."),
    )


def methods(results: IntentionResults) -> tuple[str, ...]:
    """The methods paragraph, with the settings that were used."""
    score = _scored(results).score
    train, test = results.train.demonstrations, results.test.demonstrations
    begun = results.settings["restarts"]
    memory = (
        "The world remembers nothing"
        if results.history == 1
        else f"The world remembers the last {results.history} states, the present one included"
    )
    told = (
        f"The {int((train.actions >= 0).sum()):,} decisions of {train.num_trajectories:,} "
        f"trajectories were fitted and {score.num_decisions:,} decisions of "
        f"{test.num_trajectories:,} others scored ({results.division}). A score is the mean "
        "natural logarithm of the probability that a model gave to a decision before it was made: "
        "intentions are weighed by the forward filter, which knows the decisions before and "
        "neither the present one nor any later one. Standard errors are taken over units "
        f"({score.by}).",
        f"{memory}. Each intention was explained by {results.solver}; intentions change by this "
        f"law: {results.law}. Both were fitted together by expectation maximisation with exact "
        f"weights, from {begun} beginnings; the best on the training decisions was kept. "
        "Intentions are numbered by how many decisions they explain.",
        "Bands and paths use all decisions of a session (the smoother, and the most likely path as "
        "a whole); they reconstruct, and say nothing about prediction.",
    )
    if results.intervals is not None:
        made = results.intervals
        told += (
            f"Intervals (95 %) are percentiles of {made.agreement.size} fits to {made.by} units "
            f"drawn with replacement ({made.units} of them), each search beginning at the fit to "
            f"all; {int(made.converged.sum())} ended by themselves. They hold for this set of "
            "intentions and do not say whether another would do as well.",
        )
    return told


def references(results: IntentionResults) -> tuple[str, ...]:
    """What to cite."""
    key = "IAVI" if results.solver.startswith("IAVI") else "MaxEnt"
    found = [REFERENCE, REFERENCES[key], REFERENCES["ambiguity"]]
    if "state" in results.settings["switching"]:
        found.insert(1, SWITCHING_REFERENCE)
    return (*found, results.citation) if results.citation else tuple(found)


def where_drawn(results: IntentionResults) -> list:
    """The worlds to draw: of many, those with the most decisions."""
    visits = sum(places(part).visits for part in results.solution.intentions)
    return scenes(results.given, results.worlds, np.asarray(visits))


def _scored(results: IntentionResults) -> ScoreRow:
    """The row of the fit."""
    row = results.row("intentions") or results.row("one")
    assert row is not None
    return row
