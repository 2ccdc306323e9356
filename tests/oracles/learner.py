"""A learner, trial by trial: dull, and nothing shared with what it tests."""

import math


def chances_of(numbers, actions, rewards, begins, exists, reached=None, leads=None):
    """`[N][A]` probabilities before each trial; numbers by name, rates as shares; where actions
    led, and how likely each leads to each place.
    """
    num_actions = len(exists[0])
    made = []
    for t in range(len(actions)):
        if begins[t]:
            q, c, last = [0.0] * num_actions, [0.0] * num_actions, -1
            v = [0.0] * (len(leads[0]) if leads else 0)
        logits = []
        for a in range(num_actions):
            logit = numbers["value"] * q[a] + numbers.get("habit", 0.0) * c[a]
            logit += numbers.get("repetition", 0.0) if a == last else 0.0
            logit += numbers[f"bias {a}"] if a else 0.0
            if leads:
                ahead = sum(p * worth for p, worth in zip(leads[a], v, strict=True))
                logit += numbers["value of places"] * ahead
            logits.append(logit)
        size = sum(exists[t])
        weight = [math.exp(x) if there else 0.0 for x, there in zip(logits, exists[t], strict=True)]
        lapse = numbers.get("lapse", 0.0)
        made.append(
            [
                (1 - lapse) * w / sum(weight) + (lapse / size if there else 0.0)
                for w, there in zip(weight, exists[t], strict=True)
            ]
        )
        last = actions[t]
        for a in range(num_actions):
            if a == last:
                rate = numbers["learning"]
                if rewards[t] <= 0:
                    rate = numbers.get("learning from losses", rate)
                q[a] += rate * (rewards[t] - q[a])
            else:
                q[a] *= 1 - numbers.get("forgetting", 0.0)
            c[a] += numbers.get("habit learning", 0.0) * ((a == last) - c[a])
        for s in range(len(v)):
            if s == reached[t]:
                v[s] += numbers["learning of places"] * (rewards[t] - v[s])
            else:
                v[s] *= 1 - numbers.get("forgetting", 0.0)
    return made
