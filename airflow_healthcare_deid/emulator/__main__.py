"""``python -m airflow_healthcare_deid.emulator``: serve until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from airflow_healthcare_deid.errors import HealthcareDeidError, InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Sequence


_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def main(arguments: Sequence[str] | None = None, program: str = "python -m airflow_healthcare_deid.emulator") -> int:
    """Run the command; print one line with the address when ready.

    :param arguments: what follows the program's name; default: that of this process.
    :param program: the name to show in help.
    """
    parser = argparse.ArgumentParser(
        prog=program,
        description="A local stand-in for the Cloud Healthcare API. Loopback only; no credentials are checked.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="loopback address to serve at (default: %(default)s)")
    parser.add_argument("--port", type=_port, default=0, help="port to serve at (default: a free one)")
    parser.add_argument("--data-dir", type=Path, help="keep all state here (default: forget it at the end)")
    parser.add_argument(
        "--with-storage", action="store_true", help="start a Cloud Storage emulator as well (extra: storage)"
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Blocked before any thread starts, so that all inherit it: a handler might run while no one waits for it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    try:
        from airflow_healthcare_deid.emulator.server import Emulator

        with Emulator(options.data_dir, options.host, options.port, with_storage=options.with_storage) as emulator:
            if emulator.storage_url is not None:
                print(f"STORAGE_EMULATOR_HOST={emulator.storage_url}", flush=True)
            print(f"HEALTHCARE_EMULATOR_HOST={emulator.url}", flush=True)
            signal.sigwait(_STOP_SIGNALS)
    except InvalidRequestError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (HealthcareDeidError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text} is no port: write a number from 1 to 65535, or 0 for a free one")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
