"""Pages in the browser: a project from table to report, and a game whose moves become data."""

from inverseq._core.errors import InputError

try:
    import starlette  # noqa: F401
    import uvicorn  # noqa: F401
    import websockets  # noqa: F401 - uvicorn speaks to sockets through it
except ImportError as error:
    raise InputError(
        f"a page in the browser needs {error.name}, which is not installed. Type: "
        'pip install "inverseq[app]"'
    ) from error
