"""Algorithm 1 of Kalweit and others (2020), one transition after the other, dull and slow."""

import math


def inverse_q_learning(
    rows,  # (s, a, s', whether the process ended, weight)
    allowed,  # [S][A] bool
    *,
    discount,
    reward_step,
    q_step,
    shifted_step,
    smoothing,
    epochs,
    power=0.0,
    scale=1.0,
    safe=None,
    safe_step=0.0,
):
    """Lists [S][A]: reward, q, shifted, constrained q."""
    states, actions = range(len(allowed)), range(len(allowed[0]))
    rho, shifted, r, q, safe_q = ([[0.0 for _ in actions] for _ in states] for _ in range(5))
    for _ in range(epochs):
        for s, a, following, ended, weight in rows:
            fade = weight * (1 + rho[s][a] / scale) ** -power
            rho[s][a] += weight
            exist = [b for b in actions if allowed[s][b]]
            total = sum(rho[s][b] for b in exist)
            ahead = safe_ahead = 0.0
            if not ended:
                ahead = discount * max(q[following][b] for b in actions if allowed[following][b])
                if safe is not None:
                    safe_ahead = discount * max(
                        safe_q[following][b] for b in actions if safe[following][b]
                    )
            alpha = min(1.0, fade * shifted_step)
            shifted[s][a] = (1 - alpha) * shifted[s][a] + alpha * ahead
            eta = {b: math.log(rho[s][b] / total + smoothing) - shifted[s][b] for b in exist}
            others = [b for b in exist if b != a]
            if others:
                target = eta[a] + sum(r[s][b] - eta[b] for b in others) / len(others)
                alpha = min(1.0, fade * reward_step)
                r[s][a] = (1 - alpha) * r[s][a] + alpha * target
            alpha = min(1.0, fade * q_step)
            q[s][a] = (1 - alpha) * q[s][a] + alpha * (r[s][a] + ahead)
            if safe is not None:
                alpha = min(1.0, fade * safe_step)
                safe_q[s][a] = (1 - alpha) * safe_q[s][a] + alpha * (r[s][a] + safe_ahead)
    return r, q, shifted, safe_q
