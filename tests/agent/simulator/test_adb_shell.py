"""adb-shell, the agent's library for plain TCP, against simulated phones."""

from pathlib import Path

import pytest
from adb_shell.adb_device import AdbDeviceTcp
from adb_shell.auth.keygen import keygen
from adb_shell.auth.sign_cryptography import CryptographySigner
from adb_shell.exceptions import DeviceAuthError, TcpTimeoutException

from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode
from tests.agent.simulator.conftest import StartFleet

TIMEOUT_S = 5.0


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> CryptographySigner:
    path = tmp_path_factory.mktemp("key") / "adbkey"
    keygen(str(path))
    return CryptographySigner(str(path))


@pytest.mark.parametrize("index", [0, 10])
def test_the_whole_way(start: StartFleet, signer: CryptographySigner, tmp_path: Path, index: int) -> None:
    fleet = start(auth=AuthMode.AUTO, identity=make_phone(index).identity, shell_v2=index == 0)
    device = AdbDeviceTcp("127.0.0.1", fleet.ports[0], default_transport_timeout_s=TIMEOUT_S)
    device.connect(rsa_keys=[signer], auth_timeout_s=TIMEOUT_S)
    try:
        assert device.shell("getprop ro.serialno").strip() == fleet.phones[0].identity.serial
        body = bytes(range(256)) * 1000
        (tmp_path / "a").write_bytes(body)
        device.push(str(tmp_path / "a"), "/sdcard/图片/a.bin")
        device.pull("/sdcard/图片/a.bin", str(tmp_path / "b"))
        assert (tmp_path / "b").read_bytes() == body
        assert device.stat("/sdcard/图片/a.bin")[1] == len(body)
        assert {bytes(entry.filename) for entry in device.list("/sdcard/图片")} >= {b"a.bin"}
    finally:
        device.close()


def test_a_key_that_nobody_allows(start: StartFleet, signer: CryptographySigner) -> None:
    fleet = start(auth=AuthMode.NEVER)
    device = AdbDeviceTcp("127.0.0.1", fleet.ports[0], default_transport_timeout_s=0.3)
    with pytest.raises(TcpTimeoutException):
        device.connect(rsa_keys=[signer], auth_timeout_s=0.3)
    with pytest.raises(DeviceAuthError):
        device.connect(rsa_keys=None)
    device.close()
