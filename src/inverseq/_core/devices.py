"""On which device of this machine networks learn: what JAX chooses, or what is said."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, Literal

from inverseq._core.errors import InputError, argument

Device = Literal["cpu", "gpu"]
_REMEDY = {
    "gpu": 'look at what the driver says (nvidia-smi), and pip install -U "jax[cuda13]"',
    "cpu": "leave the environment variable JAX_PLATFORMS out, or name the processor in it too",
}


@contextmanager
def on_device(device: Device) -> Iterator[None]:
    """Inside, JAX computes there, in all threads of this process.

    Raises:
        InputError: JAX sees no such device.
    """
    if device not in _REMEDY:
        raise InputError(
            f"{argument('device', device)} is none of {', '.join(map(repr, sorted(_REMEDY)))}"
        )
    jax: Any = import_module("jax")  # takes most of a second, and is not always needed
    try:
        chosen = jax.devices(device)[0]
    except RuntimeError as error:
        raise InputError(
            f"{argument('device', device)}: JAX sees no such device; {_REMEDY[device]}"
        ) from error
    before = default_device()
    jax.config.update("jax_default_device", chosen)
    try:
        yield
    finally:
        jax.config.update("jax_default_device", before)


def default_device() -> Any:
    """The device of JAX that was said; None where it chooses."""
    return import_module("jax").config.jax_default_device
