"""The 2023 study's loop in plain PyTorch, as most would write it: moves a second on one core.

Read by an interpreter with PyTorch and NumPy only: `python gridworld_torch.py METHOD MOVES`, where
METHOD is dqn or iq. Prints one line of JSON. The game, the network, the noise, the replay and the
training steps are those of Aubuchon and Ho 2023 on static walls, without test games.
"""

import json
import random
import sys
import time
from collections import deque

import numpy as np
import torch

SIZE, LIMIT = 10, 100
WALLS = ((8, 1), (3, 3), (3, 5), (1, 6), (7, 6))
MOVES = ((0, -1), (1, 0), (0, 1), (-1, 0))
WARM_UP = 400
NOISE = np.random.default_rng(0)


class Game:
    """The game, one move at a time."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """A new game from a random cell."""
        self.tiles = np.zeros((SIZE, SIZE), dtype=np.float32)
        for x, y in WALLS:
            self.tiles[y, x] = 1
        self.tiles[SIZE - 1, SIZE - 1] = 3
        while True:
            self.x, self.y = random.randrange(SIZE), random.randrange(SIZE)
            if self.tiles[self.y, self.x] == 0:
                break
        self.tiles[self.y, self.x] = 2
        self.moves = 0

    def step(self, action: int) -> tuple[float, bool]:
        """The reward of a move, and whether the game is over."""
        x, y = self.x + MOVES[action][0], self.y + MOVES[action][1]
        won = x == SIZE - 1 and y == SIZE - 1
        if 0 <= x < SIZE and 0 <= y < SIZE and self.tiles[y, x] != 1:
            self.tiles[self.y, self.x] = 0
            self.x, self.y = x, y
            self.tiles[y, x] = 2
        self.moves += 1
        return (10.0 if won else -1.0), won or self.moves >= LIMIT


def unrolled(boards: list[np.ndarray]) -> torch.Tensor:
    """`[n, 100]` with noise."""
    flat = np.stack(boards).reshape(len(boards), -1)
    return torch.as_tensor(flat + NOISE.random(flat.shape) / 10, dtype=torch.float32)


def expert(rows: int) -> list[tuple]:
    """Transitions of one who goes right, then down (and round the walls at random)."""
    made, game = [], Game()
    for _ in range(rows):
        before = game.tiles.copy()
        options = [1] * (game.x < SIZE - 1) + [2] * (game.y < SIZE - 1)
        action = random.choice(options)
        reward, over = game.step(action)
        made.append((before, action, reward, game.tiles.copy(), over))
        if over:
            game.reset()
    return made


def run(method: str, moves: int) -> float:
    """Moves a second of CPU time, after a warm-up."""
    network = torch.nn.Sequential(
        *(torch.nn.Linear(SIZE * SIZE, 150), torch.nn.ReLU()),
        *(torch.nn.Linear(150, 100), torch.nn.ReLU(), torch.nn.Linear(100, 4)),
    )
    adam = torch.optim.Adam(network.parameters(), lr=1e-3)
    replay: deque = deque(maxlen=1024)
    shown = expert(5000) if method == "iq" else []
    game, epsilon, started = Game(), 1.0, 0.0
    for number in range(WARM_UP + moves):
        if number == WARM_UP:
            started = time.process_time()
        before = game.tiles.copy()
        with torch.no_grad():
            values = network(unrolled([before]))[0]
        if method == "iq":
            action = int(torch.multinomial(torch.softmax(values / 0.01, 0), 1))
        elif random.random() < epsilon:
            action = random.randrange(4)
        else:
            action = int(values.argmax())
        reward, over = game.step(action)
        replay.append((before, action, reward, game.tiles.copy(), over))
        epsilon = max(0.1, epsilon * 0.97)
        if over:
            game.reset()
        rows = shown if method == "iq" else replay
        if number % 4 == 0 and len(rows) >= 32:
            states, actions, rewards, following, ends = zip(*random.sample(rows, 32), strict=True)
            chosen = torch.as_tensor(actions)[:, None]
            going_on = 1 - torch.as_tensor(ends, dtype=torch.float32)
            values = network(unrolled(states))
            taken = values.gather(1, chosen)[:, 0]
            if method == "iq":
                goal = going_on * 0.9 * network(unrolled(following)).max(1).values
                loss = -(taken - goal).mean() + (values.max(1).values - goal).mean()
            else:
                with torch.no_grad():
                    ahead = network(unrolled(following)).max(1).values
                goal = torch.as_tensor(rewards, dtype=torch.float32) + going_on * 0.9 * ahead
                loss = torch.nn.functional.mse_loss(taken, goal)
            adam.zero_grad()
            loss.backward()
            adam.step()
    return moves / (time.process_time() - started)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({"per_second": run(sys.argv[1], int(sys.argv[2]))}))
