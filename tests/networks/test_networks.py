"""Networks: shapes, what they may depend on, and their records."""

from dataclasses import replace
from functools import partial
from math import prod

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from inverseq._core.errors import InputError
from inverseq._core.store import load, save
from inverseq.networks import (
    Convolutional,
    FullyConnected,
    Pixels,
    Planner,
    TrainedNetwork,
    action_values,
    module_of,
    network_of,
    trained_network,
)
from inverseq.networks.planner import Plan, neighbours

NETWORKS = {
    "convolutional": Convolutional(channels=(3,), hidden=(5,)),
    "convolutional-numbers": Convolutional(channels=(2, 2), kernel=1, hidden=(), tiles=None),
    "fully-connected": FullyConnected(hidden=(6, 5)),
    "fully-connected-linear": FullyConnected(hidden=()),
    "fully-connected-tiles": FullyConnected(hidden=(6,), tiles=4),
    "planner": Planner(iterations=6),
}
every_network = pytest.mark.parametrize("name", NETWORKS)


def boards(count: int = 5, height: int = 4, width: int = 5) -> np.ndarray:
    """Random walls, a player and a win tile each."""
    rng = np.random.default_rng(0)
    made = (rng.random((count, height * width)) < 0.2).astype(np.float32)
    made[:, 3], made[:, 16] = 2, 3
    return made.reshape(count, height, width)


@every_network
def test_one_observation_gives_one_value_per_action_and_batches_are_loops(name):
    module = NETWORKS[name].build(jax.random.key(0), (4, 5), 4)
    seen = jnp.asarray(boards())
    one_by_one = np.stack([module(board) for board in seen])
    assert one_by_one.shape == (5, 4)
    assert_allclose(jax.jit(jax.vmap(module))(seen), one_by_one, atol=1e-5)
    assert_allclose(
        jax.vmap(lambda b: module.values(module.encode(b)))(seen), one_by_one, atol=1e-5
    )


@every_network
def test_keys_decide_what_is_random(name):
    build = NETWORKS[name].build
    leaves = [jax.tree.leaves(build(jax.random.key(k), (4, 5), 4)) for k in (0, 0, 1)]
    for one, same in zip(leaves[0], leaves[1], strict=True):
        assert_array_equal(one, same)
    if name != "planner":  # which knows nothing at first, whatever the key
        assert not np.array_equal(leaves[0][0], leaves[2][0])


@every_network
def test_a_trained_network_comes_back_from_its_file(name, tmp_path):
    module = NETWORKS[name].build(jax.random.key(3), (4, 5), 4)
    record = trained_network(NETWORKS[name], module, (4, 5), 4)
    again = load(save(record, tmp_path / "network.npz"), TrainedNetwork)
    assert network_of(again) == NETWORKS[name]
    seen = boards(2100)  # more than one batch
    assert_array_equal(action_values(again, seen), action_values(record, seen))
    assert_allclose(action_values(again, seen)[-1], module(jnp.asarray(seen[-1])), atol=1e-5)
    assert not again.arrays[0].flags.writeable


def test_the_study_network_has_its_size():
    module = FullyConnected().build(jax.random.key(0), (10, 10), 4)
    shapes = [layer.weight.shape for layer in module.layers]
    assert shapes == [(150, 100), (100, 150), (4, 100)]


def test_tiles_are_kinds_not_amounts():
    """Codes within half a unit are the same tile; without `tiles` they are numbers."""
    seen = jnp.asarray(boards(1)[0])
    for name in ("fully-connected-tiles", "convolutional", "planner"):
        module = NETWORKS[name].build(jax.random.key(0), (4, 5), 4)
        assert_array_equal(module(seen), module(seen + 0.1))
    module = NETWORKS["fully-connected"].build(jax.random.key(0), (4, 5), 4)
    assert not np.array_equal(module(seen), module(seen + 0.1))


def taught() -> Plan:
    """A planner that knows what the tiles are."""
    module = Planner(iterations=12).build(jax.random.key(0), (4, 5), 4)
    return replace(
        module,
        worth=jnp.array([0.0, -5.0, 0.0, 1.0]),
        passing=jnp.array([9.0, -9.0, 9.0, 9.0]),
        outside=jnp.array([-5.0, -9.0]),
    )


def test_planned_values_are_those_of_value_iteration():
    """The same equations by loops over cells, in NumPy."""
    module, board = taught(), boards(1)[0]
    sigmoid = lambda x: 1 / (1 + np.exp(-np.asarray(x, dtype=np.float64)))  # noqa: E731
    worth, passing = np.asarray(module.worth), sigmoid(module.passing)
    gamma, (height, width) = float(sigmoid(module.discount)), board.shape
    v = np.zeros(board.shape)
    for _ in range(12):
        q = np.zeros((4, height, width))
        for y in range(height):
            for x in range(width):
                for d, (dx, dy) in enumerate([(0, -1), (1, 0), (0, 1), (-1, 0)]):
                    a, b = x + dx, y + dy
                    if 0 <= a < width and 0 <= b < height:
                        tile = int(board[b, a])
                        ahead = passing[tile] * v[b, a] + (1 - passing[tile]) * v[y, x]
                        q[d, y, x] = worth[tile] + gamma * ahead
                    else:
                        edge = sigmoid(module.outside[1])
                        q[d, y, x] = module.outside[0] + gamma * (1 - edge) * v[y, x]
        v = q.max(0)
    y, x = np.argwhere(board == 2)[0]
    assert_allclose(module(jnp.asarray(board)), q[:, y, x], rtol=1e-4)


def test_a_planner_finds_its_way_around_walls_it_has_never_seen():
    """One opening in a wall, put anywhere: the planned first move leads towards it."""
    module = taught()
    for gap in range(4):
        board = np.zeros((4, 5), dtype=np.float32)
        board[:, 2] = 1
        board[gap, 2] = 0
        board[1, 0], board[1, 4] = 2, 3
        q = np.asarray(module(jnp.asarray(board)))
        detour = {0: {0, 1}, 1: {1}, 2: {1, 2}, 3: {1, 2}}[gap]
        assert set(np.flatnonzero(q > q.max() - 1e-4)) == detour


def test_neighbours_stand_where_the_moves_lead():
    cells = jnp.arange(6.0).reshape(2, 3)
    up, right, down, left = np.asarray(neighbours(cells, jnp.float32(9)))
    assert_array_equal(up, [[9, 9, 9], [0, 1, 2]])
    assert_array_equal(right, [[1, 2, 9], [4, 5, 9]])
    assert_array_equal(down, [[3, 4, 5], [9, 9, 9]])
    assert_array_equal(left, [[9, 0, 1], [9, 3, 4]])


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: FullyConnected(hidden=(0,)), "layers of 1 unit"),
        (lambda: FullyConnected(tiles=1), "tiles must be 2"),
        (lambda: Convolutional(channels=()), "layers of 1 filter"),
        (lambda: Convolutional(kernel=2), "odd number"),
        (lambda: Planner(iterations=0), "iterations must be 1"),
        (lambda: Planner(player=4), "player must be a code"),
        (lambda: Planner().build(jax.random.key(0), (7,), 4), "Use FullyConnected"),
        (lambda: Planner().build(jax.random.key(0), (4, 5), 3), "got 3 actions"),
        (lambda: action_values(record(), np.zeros((2, 3, 3))), "trained on \\(4, 5\\)"),
        (lambda: module_of(replace(record(), arrays=())), "are not those of a Planner"),
        (lambda: network_of(replace(record(), kind="Tree")), "no network is called 'Tree'"),
    ],
)
def test_what_cannot_be_is_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def record() -> TrainedNetwork:
    settings = Planner(iterations=2)
    return trained_network(settings, settings.build(jax.random.key(0), (4, 5), 4), (4, 5), 4)


def test_images_are_read_by_the_network_of_the_atari_games():
    build = partial(Pixels().build, observation_shape=(84, 84, 4), num_actions=4)
    shapes = [leaf.shape for leaf in jax.tree.leaves(jax.eval_shape(build, jax.random.key(0)))]
    # 3,136 numbers are left of an image after the filters; about 1.69 million parameters.
    assert sum(map(prod, shapes)) == 8224 + 32832 + 36928 + (3136 * 512 + 512) + (512 * 4 + 4)
    small = Pixels((3,), (2,), (2,), ()).build(jax.random.key(0), (4, 4, 2), 3)
    image = np.random.default_rng(0).integers(0, 256, (4, 4, 2), dtype=np.uint8)
    weight, bias = (np.asarray(array) for array in (small.filters[0].weight, small.filters[0].bias))
    seen = np.zeros((3, 2, 2))
    for y in range(2):
        for x in range(2):
            patch = image[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].transpose(2, 0, 1) / 255
            seen[:, y, x] = np.maximum((weight * patch).sum(axis=(1, 2, 3)) + bias[:, 0, 0], 0)
    last = small.head.layers[0]
    expected = np.asarray(last.weight) @ seen.ravel() + np.asarray(last.bias)
    assert_allclose(small(jnp.asarray(image, jnp.float32)), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Pixels(kernels=(8,)), "must be as many"),
        (lambda: Pixels().build(jax.random.key(0), (84, 84), 3), "height, width, channels"),
        (lambda: Pixels().build(jax.random.key(0), (8, 84, 4), 3), "smaller kernels"),
    ],
)
def test_images_that_cannot_be_read(make, words):
    with pytest.raises(InputError, match=words):
        make()
