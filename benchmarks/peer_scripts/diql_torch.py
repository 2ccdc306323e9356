"""Deep inverse Q-learning in plain PyTorch, as most would write it: training steps a second.

Read by an interpreter with PyTorch and NumPy only: `python diql_torch.py STEPS`. Prints one line of
JSON. Networks, batch, copies and targets are those of `inverseq.DIQL(target="centred")`: 64-64
each of classifier, shifted Q and reward, Adam, batches of 64 of 20,000 transitions of 20 features
and three actions.
"""

import json
import sys
import time

import numpy as np
import torch

ROWS, FEATURES, ACTIONS, BATCH, WARM_UP = 20_000, 20, 3, 64, 200
DISCOUNT, SMOOTHING, FOLLOW = 0.9, 1e-3, 0.01


def network() -> torch.nn.Module:
    """Features to a number per action."""
    return torch.nn.Sequential(
        *(torch.nn.Linear(FEATURES, 64), torch.nn.ReLU()),
        *(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, ACTIONS)),
    )


def run(steps: int) -> float:
    """Training steps a second of CPU time, after a warm-up."""
    rng = np.random.default_rng(0)
    states = torch.as_tensor(rng.normal(size=(ROWS, FEATURES)), dtype=torch.float32)
    following = torch.roll(states, -1, 0)
    actions = torch.as_tensor(rng.integers(ACTIONS, size=ROWS))
    ended = torch.as_tensor(np.arange(ROWS) % 100 == 99)
    policy, shifted, reward, slow = (network() for _ in range(4))
    slow.load_state_dict(shifted.state_dict())
    optimisers = [torch.optim.Adam(n.parameters(), lr=1e-3) for n in (policy, shifted, reward)]
    started = 0.0
    for number in range(WARM_UP + steps):
        if number == WARM_UP:
            started = time.process_time()
        picked = torch.randint(ROWS, (BATCH,))
        seen, done, after = states[picked], actions[picked], following[picked]
        loss = torch.nn.functional.cross_entropy(policy(seen), done, label_smoothing=SMOOTHING)
        step(optimisers[0], loss)
        with torch.no_grad():
            log_policy = torch.log_softmax(policy(after), 1)
            eta = log_policy - slow(after)
            v = (log_policy - eta.mean(1, keepdim=True)).max(1).values
            goal = DISCOUNT * torch.where(ended[picked], torch.zeros(()), v)
        made = shifted(seen).gather(1, done[:, None])[:, 0]
        step(optimisers[1], torch.nn.functional.mse_loss(made, goal))
        with torch.no_grad():
            eta = torch.log_softmax(policy(seen), 1) - slow(seen)
            wanted = eta - eta.mean(1, keepdim=True)
        step(optimisers[2], torch.nn.functional.mse_loss(reward(seen), wanted))
        with torch.no_grad():
            for copy, own in zip(slow.parameters(), shifted.parameters(), strict=True):
                copy.lerp_(own, FOLLOW)
    return steps / (time.process_time() - started)


def step(optimiser: torch.optim.Optimizer, loss: torch.Tensor) -> None:
    """One step of one network."""
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({"per_second": run(int(sys.argv[1]))}))
