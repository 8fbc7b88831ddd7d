"""Whether Prefect's server answers, and the notification block can be loaded: for `fer doctor`.

`python -m pipelines.health [BLOCK]` prints `{"server", "silent", "block"}` as JSON.
"""

import json
import sys

from prefect.client.orchestration import get_client
from prefect.settings import get_current_settings

from pipelines import notices


def look(block: str | None) -> dict[str, str | None]:
    """Ask the server that is set up, and load `block` as a notice would.

    Args:
        block: What `update.notify` names; None: nothing.

    Returns:
        `server`: its address, None where each run starts one of its own; `silent` and `block`: why
        it does not answer, and why the block does not load, else None.
    """
    server = get_current_settings().api.url
    silent = failed = None
    if server:
        with get_client(sync_client=True) as client:
            silent = client.api_healthcheck()
    if block and not silent:
        try:
            notices.load(block)
        # Each kind of block has errors of its own.
        except Exception as error:  # noqa: BLE001
            failed = error
    return {"server": server, "silent": _text(silent), "block": _text(failed)}


def _text(error: Exception | None) -> str | None:
    return None if error is None else str(error) or repr(error)


if __name__ == "__main__":
    print(json.dumps(look(sys.argv[1] if sys.argv[1:] else None)))  # noqa: T201  the answer
