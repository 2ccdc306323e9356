"""Offline IQ-Learn in plain PyTorch, as most would write it: training steps a second.

Read by an interpreter with PyTorch and NumPy only: `python iq_torch.py STEPS`. Prints one line of
JSON. Network, batch and loss are those of `inverseq.IQLearn`: chi-square, "value-expert", ends
whose reward is learned; transitions as in `diql_torch.py`.
"""

import json
import sys
import time

import numpy as np
import torch
from diql_torch import ACTIONS, BATCH, FEATURES, ROWS, WARM_UP, network, step

DISCOUNT, TEMPERATURE, ALPHA = 0.9, 1.0, 50.0


def run(steps: int) -> float:
    """Training steps a second of CPU time, after a warm-up."""
    rng = np.random.default_rng(0)
    states = torch.as_tensor(rng.normal(size=(ROWS, FEATURES)), dtype=torch.float32)
    following = torch.roll(states, -1, 0)
    actions = torch.as_tensor(rng.integers(ACTIONS, size=ROWS))
    ended = torch.as_tensor(np.arange(ROWS) % 100 == 99)
    q, absorbing = network(), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.Adam([*q.parameters(), absorbing], lr=1e-3)
    lasting = DISCOUNT / (1 - DISCOUNT)
    started = 0.0
    for number in range(WARM_UP + steps):
        if number == WARM_UP:
            started = time.process_time()
        picked = torch.randint(ROWS, (BATCH,))
        done, over = actions[picked], ended[picked]
        values, ahead = q(torch.cat([states[picked], following[picked]])).chunk(2)
        chosen = values.gather(1, done[:, None])[:, 0]
        v = TEMPERATURE * torch.logsumexp(values / TEMPERATURE, 1)
        after = TEMPERATURE * torch.logsumexp(ahead / TEMPERATURE, 1)
        after = DISCOUNT * torch.where(over, absorbing / (1 - DISCOUNT), after)
        reward = chosen - after
        share = over.float().mean() * lasting
        gained = reward.mean() + share * absorbing
        squares = (reward**2).mean() + share * absorbing**2
        loss = (v - after).mean() + share * absorbing - gained + squares / (4 * ALPHA)
        step(optimiser, loss)
    return steps / (time.process_time() - started)


if __name__ == "__main__":
    torch.set_num_threads(1)
    print(json.dumps({"per_second": run(int(sys.argv[1]))}))
