"""The emulator over https, as a process of its own, with the certificate to trust."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from demo.emulator import READY, EmulatorProcess
from demo.playground import REPOSITORY
from tests.support.certificates import certify

if TYPE_CHECKING:
    from pathlib import Path


class TlsEmulatorProcess(EmulatorProcess):
    """Like :class:`EmulatorProcess`, but clients need :attr:`trusted`.

    :param folder: for its state, its certificate and its log.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "data", folder / "emulator.log")
        self.url = self.url.replace("http://", "https://")
        certificate = certify(folder)
        self.trusted = certificate.trusted
        port = self.url.rpartition(":")[2]
        self.command = [sys.executable, "-m", __name__, str(folder / "data"), port, *map(str, certificate[:2])]
        self.environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}


def main(data_dir: str, port: str, chain: str, key: str) -> None:
    from pathlib import Path

    from airflow_healthcare_deid.emulator import Emulator

    stop = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, stop)
    with Emulator(Path(data_dir), port=int(port), tls=(chain, key)) as emulator:
        print(f"{READY}{emulator.url}", flush=True)
        signal.sigwait(stop)


if __name__ == "__main__":
    main(*sys.argv[1:])
