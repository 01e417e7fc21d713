from pathlib import Path

import pytest

from steadyhand.cli.control import ControlClient, find_url
from steadyhand.cli.errors import Usage


@pytest.mark.parametrize("url", ["", "localhost:8081", "ftp://x", "http://", "http://x:port"])
def test_an_address_that_is_none_is_a_usage_error(url: str) -> None:
    with pytest.raises(Usage):
        ControlClient(url, "shc_any", 1.0)


def test_a_path_in_the_address_is_left_out() -> None:
    assert ControlClient("http://[::1]:8081/api/v1", "t", 1.0).url == "http://[::1]:8081"


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ("", "http://127.0.0.1:8081"),
        ("[server]\ncontrol_port = 9001", "http://127.0.0.1:9001"),
        ('[server]\ncontrol_host = "0.0.0.0"', "http://127.0.0.1:8081"),
        ('[server]\ncontrol_host = "::"', "http://[::1]:8081"),
        ('[server]\ncontrol_host = "10.0.0.7"', "http://10.0.0.7:8081"),
        ("server = 3", "http://127.0.0.1:8081"),
        ("not TOML", "http://127.0.0.1:8081"),
    ],
)
def test_the_workspace_says_where_its_control_plane_listens(
    tmp_path: Path, settings: str, url: str
) -> None:
    (tmp_path / "steadyhand.toml").write_text(settings)
    assert find_url(tmp_path) == url
    assert find_url(tmp_path / "none") == "http://127.0.0.1:8081"
