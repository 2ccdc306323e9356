"""One visit to the page: what its messages do, and what it is shown in answer."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import jax

from inverseq._core.errors import InputError
from inverseq.app.games import End, Game
from inverseq.app.play.log import GameLog
from inverseq.app.play.match import Companion, Level, Match, Seat
from inverseq.readers.games import ACTION_NAMES

ANONYMOUS = "anonymous"
"""The subject of games whose player gave no name."""

_LONGEST_NAME = 60


@dataclass(frozen=True)
class Offer:
    """What a visitor can choose from.

    Attributes:
        levels: Name of a difficulty -> its rules.
        companions: Name of a companion -> makes one that draws its random choices by a seed.
        difficulty: The difficulty to begin with.
        companion: The companion to begin with, or "none".
        log: Where games go.
    """

    levels: Mapping[str, Level]
    companions: Mapping[str, Callable[[int], Companion]]
    difficulty: str
    companion: str
    log: GameLog


class Session:
    """A visit to the page. Its boards follow from the seed; the rest from what the person does."""

    def __init__(self, offer: Offer, seed: int) -> None:
        self._offer = offer
        self._seed = seed
        self._name = secrets.token_hex(4)
        self._subject = ANONYMOUS
        self._difficulty = offer.difficulty
        self._companions = ("none", *offer.companions)
        self._companion = offer.companion
        self._agent: Companion | None = None
        self._board = 0
        self._ratios: list[float] = []
        self._recorded = 0
        self._notice = ""
        self._begin()

    def handle(self, message: Any) -> dict[str, Any]:
        """Do what a message of the page asks for, and say how things stand.

        A message is a mapping with a "type": "move" (with "action" and "board"), "next",
        "difficulty", "companion" and "name" (each with "value"), or "follow" (the companion moves
        on after the person is done). A move that was meant for an earlier board is ignored.

        Raises:
            InputError: The message is none of these.
        """
        self._notice = ""
        kind = message.get("type") if isinstance(message, dict) else None
        value = message.get("value") if isinstance(message, dict) else None
        value = value if isinstance(value, str) else None
        if kind == "move" and message.get("action") in (0, 1, 2, 3):
            if message.get("board") == self._board:
                self._move(int(message["action"]))
        elif kind == "follow":
            if self._match.over:
                self._match = self._match.follow(self._agent)
        elif kind == "next":
            if self._match.over:
                self._begin()
        elif kind == "difficulty" and value is not None and value in self._offer.levels:
            if value != self._difficulty:
                self.leave()
                self._difficulty = value
                self._begin()
        elif kind == "companion" and value is not None and value in self._companions:
            self._choose(value)
            self._match = self._match.without_companion()
        elif kind == "name" and value is not None:
            shown = "".join(c for c in value if c.isprintable()).strip()
            self._subject = shown[:_LONGEST_NAME] or ANONYMOUS
        else:
            raise InputError("the page and the server do not understand each other; reload it")
        return self.view()

    def leave(self) -> None:
        """Record a game that is given up after its first move, as abandoned."""
        if not self._match.over and self._match.person.turns:
            self._notice = "The unfinished game was recorded as abandoned."
            self._record(End.ABANDONED)
            # It is over: leaving once more records nothing.
            person = replace(self._match.person, ended=End.ABANDONED)
            self._match = replace(self._match, person=person)

    def view(self) -> dict[str, Any]:
        """All that the page shows, for JSON."""
        match = self._match
        ratio = sum(self._ratios) / len(self._ratios) if self._ratios else None
        return {
            "board": self._board,
            "person": _seat_view(match.person),
            "companion": _seat_view(match.companion) if self._agent is not None else None,
            "best": match.best_moves,
            "games": len(self._ratios),
            "ratio": ratio,
            "recorded": self._recorded,
            "difficulty": self._difficulty,
            "difficulties": [*self._offer.levels],
            "companionName": self._companion,
            "companions": self._companions,
            "notice": self._notice,
            "file": self._offer.log.path.name,
        }

    def _begin(self) -> None:
        """Draw the next board."""
        self._board += 1
        key = jax.random.fold_in(jax.random.key(self._seed), self._board)
        self._choose(self._companion)  # who remembers the game before would carry it into this one
        self._match: Match = self._offer.levels[self._difficulty].begin(key)
        self._began = datetime.now(UTC).isoformat(timespec="milliseconds")

    def _move(self, action: int) -> None:
        """A move of the person, answered by one of the companion."""
        if self._match.over:
            return
        self._match = self._match.move(action).follow(self._agent)
        ended = self._match.person.ended
        if ended is not None:
            self._ratios.append(self._match.person.moves / self._match.best_moves)
            self._record(ended)

    def _record(self, ended: End) -> None:
        """Write the person's game to the file; what goes wrong is said on the page."""
        match = self._match
        game = Game(
            self._name,
            self._subject,
            match.level.name,
            match.level.rules,
            self._began,
            ended,
            match.best_moves,
            match.person.turns,
        )
        try:
            self._offer.log.append(game)
        except InputError as error:
            self._notice = f"Not saved yet: {error}. It is tried again after the next game."
        else:
            self._recorded += 1

    def _choose(self, companion: str) -> None:
        """Sit a companion beside the person."""
        make = self._offer.companions.get(companion)
        self._companion = companion
        self._agent = make(self._seed + self._board) if make is not None else None


def _seat_view(seat: Seat) -> dict[str, Any]:
    """A board for JSON."""
    return {
        "tiles": seat.tiles.tolist(),
        "moves": seat.moves,
        "score": seat.score,
        "ended": seat.ended,
        "action": None if seat.action is None else ACTION_NAMES[seat.action],
    }
