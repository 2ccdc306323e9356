"""What several intentions are, and what is told of each."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from inverseq._core.arrays import names_or_numbers
from inverseq.analysis.findings import Findings
from inverseq.analysis.intention_findings import IntentionFindings
from inverseq.analysis.places import Places, has_places, places
from inverseq.mdp import MDP
from inverseq.reporting.document import Column, Section, Table
from inverseq.reporting.figures.places import Scene, maps, place_names, scenes
from inverseq.reporting.sections.scores import or_none
from inverseq.reporting.words import line, text

AGREEING = 0.9
"""Share of the decisions on which two searches that found the same thing agree."""

_FIRST, _REST = slice(1), slice(1, None)
"""Of the figures of an intention: what it rewards, and the rest."""


def what_they_are(findings: Findings) -> Section | None:
    """A table and maps of the intentions; silent without any."""
    found = findings.intentions
    if found is None:
        return None
    shown, name = each_place(findings), found.explainer.name
    where = drawn_worlds(findings, shown)
    drawn = [
        [
            replace(picture, name=f"{picture.name}_intention_{k}")
            for picture in maps(each, where[:1], f"intention {k} ({name})")
        ]
        for k, each in enumerate(shown, 1)
    ]
    rewards, others = ([p for one in drawn for p in one[cut]] for cut in (_FIRST, _REST))
    table = intention_table(findings, found)
    return Section(text("intentions.j2", "title"), tuple(rewards), (table, *others))


def each_place(findings: Findings) -> list[Places]:
    """The places of each intention; one for a single reward, none where states are features."""
    parts = () if findings.solution is None else findings.solution.intentions
    return [places(part) for part in parts if has_places(part)]


def drawn_worlds(findings: Findings, shown: Sequence[Places]) -> list[Scene]:
    """The worlds to draw: of many, those with the most decisions; none without places."""
    if not shown:
        return []
    visits = np.sum([each.visits for each in shown], axis=0)
    return scenes(findings.given, findings.worlds, visits)


def described(findings: Findings) -> list[str]:
    """For each intention the end of a sentence: the places it rewards, or what it does more."""
    shown = each_place(findings)
    if not shown and findings.intentions is not None:
        return _done_more_anywhere(findings.intentions)
    if on_map(findings):
        return [_wanted(findings, each) for each in shown]
    names = place_names(findings.given, findings.worlds)
    return _done_more(shown, worlds_of(findings)[0], names)


def worlds_of(findings: Findings) -> list[MDP]:
    """The worlds, without their names."""
    given = findings.given
    return [given] if isinstance(given, MDP) else list(given.values())


def on_map(findings: Findings) -> bool:
    """Whether all states are places."""
    return all(mdp.coordinates is not None for mdp in worlds_of(findings))


def wanted(findings: Findings, shown: Places) -> list[tuple[str, float]]:
    """Names and rewards of the places that are rewarded most."""
    names = place_names(findings.given, findings.worlds)
    return [(names[p], float(shown.reward[p])) for p in shown.wanted]


def _wanted(findings: Findings, shown: Places) -> str:
    """The places that it rewards most."""
    tops = wanted(findings, shown)
    kind = "places" if tops else "even" if shown.visits.any() else "unused"
    return text("intentions.j2", "described", kind=kind, tops=tops)


def _done_more(shown: Sequence[Places], mdp: MDP, names: Sequence[str]) -> list[str]:
    """Where each acts least like all of them together."""
    visits = np.stack([each.visits for each in shown])
    policies = np.stack([each.policy for each in shown])
    return _unlike(visits, policies, mdp.action_names, names)


def _done_more_anywhere(found: IntentionFindings) -> list[str]:
    """What each does more than all of them together, where states are not places."""
    train, beliefs = found.train.demonstrations, found.train.posterior.smoothed
    visits = beliefs.sum(axis=0)[:, None]
    each = [part.probabilities(train) for part in found.solution.intentions]
    policies = np.einsum("nk,kna->ka", beliefs, np.stack(each)) / visits
    return _unlike(visits, policies[:, None], train.action_names, ["all states"])


def _unlike(
    visits: Float[np.ndarray, "K P"],
    policies: Float[np.ndarray, "K P A"],
    actions: tuple[str, ...],
    names: Sequence[str],
) -> list[str]:
    """The action and the place in which each intention differs most from all together."""
    actions = names_or_numbers(actions, policies.shape[2])
    shares = visits / np.maximum(visits.sum(axis=0), 1e-300)
    together = np.einsum("kp,kpa->pa", shares, policies)
    told = []
    for mine, policy in zip(visits, policies, strict=True):
        gain = mine[:, None] * (policy - together)
        place, action = divmod(int(gain.argmax()), gain.shape[1])
        values = {
            "action": actions[action],
            "name": names[place],
            "mine": policy[place, action],
            "together": together[place, action],
        }
        kind = "alone" if len(visits) == 1 else "acts" if gain.max() > 0 else "alike"
        told.append(text("intentions.j2", "described", kind=kind, **values))
    return told


def lasting(found: IntentionFindings) -> list[float]:
    """Mean decisions in a row by the law; NaN where none changes."""
    if found.dwells:
        return [dwell.law_mean for dwell in found.dwells]
    if found.changes is None:
        return [float("nan")] * found.solution.num_intentions
    leaves = 1 - np.diag(found.changes)
    return [1 / leave if leave > 0 else float("nan") for leave in leaves]


def intention_table(findings: Findings, found: IntentionFindings) -> Table:
    """One row per intention."""
    made, told = found.intervals, described(findings)
    held_out = found.test.shares
    rows = []
    for k, share in enumerate(found.solution.occupancy):
        dwell = found.dwells[k] if found.dwells else None
        rows.append(
            (
                f"intention {k + 1}",
                100 * float(share),
                None if made is None else 100 * float(made.occupancy.low[k]),
                None if made is None else 100 * float(made.occupancy.high[k]),
                100 * float(held_out[k]),
                None if dwell is None else or_none(dwell.mean),
                None if dwell is None else or_none(dwell.law_mean),
                None if dwell is None else or_none(dwell.p_value),
                told[k],
            )
        )
    return Table(
        "intentions",
        text("intentions.j2", "table"),
        (
            Column("Intention", name="intention"),
            Column("Share, %", ".1f", "share_percent"),
            Column("Low", ".1f", "share_low"),
            Column("High", ".1f", "share_high"),
            Column("Held out, %", ".1f", "held_out_share_percent"),
            Column("Lasts", ".1f", "mean_stay"),
            Column("Law", ".1f", "mean_stay_of_law"),
            Column("p", ".3f", "p_of_stays"),
            Column("What it does", name="description"),
        ),
        tuple(rows),
        note=line("intentions.j2", "note"),
    )
