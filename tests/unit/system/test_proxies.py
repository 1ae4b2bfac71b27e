from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.system.proxies import DECIDING, of_the_machine, proxy_of, without_credentials

PROXY = "http://proxy.example.com:3128"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, ""),
        ({"https_proxy": PROXY}, PROXY),
        ({"HTTPS_PROXY": PROXY}, PROXY),
        ({"https_proxy": "", "HTTPS_PROXY": PROXY}, ""),
        ({"https_proxy": "proxy.example.com:3128"}, PROXY),
        ({"http_proxy": PROXY}, ""),
        ({"all_proxy": PROXY}, PROXY),
        ({"https_proxy": PROXY, "no_proxy": "*"}, ""),
        ({"https_proxy": PROXY, "no_proxy": "example.com"}, ""),
        ({"https_proxy": PROXY, "no_proxy": " .example.com , x"}, ""),
        ({"https_proxy": PROXY, "NO_PROXY": "*.EXAMPLE.com"}, ""),
        ({"https_proxy": PROXY, "no_proxy": "bkapi.example.com:443"}, PROXY),
        ({"https_proxy": PROXY, "no_proxy": "bkapi.example.com:8443"}, ""),
        ({"https_proxy": PROXY, "no_proxy": "ample.com"}, PROXY),
        ({"https_proxy": PROXY, "no_proxy": ",,"}, PROXY),
    ],
)
def test_the_environment_decides(environ: dict[str, str], expected: str) -> None:
    assert proxy_of("https://bkapi.example.com:8443/x", environ) == expected


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.9.9.9", "localhost", "LOCALHOST", "a.localhost", "[::1]", "localhost."]
)
def test_loopback_is_never_sent_through_a_proxy(host: str) -> None:
    assert proxy_of(f"http://{host}:80/", {"http_proxy": PROXY, "all_proxy": PROXY}) == ""


@pytest.mark.parametrize(
    ("exceptions", "excepted"),
    [
        ("10.0.0.0/8", True),
        ("10.9.9.9/8", True),
        ("10.1.0.0/16", False),
        ("10.0.0.7", True),
        ("10.0.0.0/x", False),
        ("::/0", False),
    ],
)
def test_networks_may_be_excepted(exceptions: str, excepted: bool) -> None:  # noqa: FBT001 - parametrized
    found = proxy_of("http://10.0.0.7/", {"http_proxy": PROXY, "no_proxy": exceptions})
    assert (found == "") is excepted


def test_a_cgis_upper_case_variable_is_a_header_of_its_client() -> None:
    environ = {"HTTP_PROXY": PROXY, "HTTPS_PROXY": PROXY, "REQUEST_METHOD": "GET"}
    assert proxy_of("http://bkapi.example.com/", environ) == ""
    assert proxy_of("https://bkapi.example.com/", environ) == PROXY
    assert proxy_of("http://bkapi.example.com/", {"HTTP_PROXY": PROXY}) == PROXY


@given(st.text(max_size=30), st.text(max_size=30))
def test_any_variables_give_an_address_or_none(proxy: str, exceptions: str) -> None:
    found = proxy_of("http://bkapi.example.com/", {"http_proxy": proxy, "no_proxy": exceptions})
    assert found == "" or "://" in found


def test_credentials_are_taken_out_for_showing() -> None:
    assert without_credentials("http://me:p@ss@proxy:80") == "http://proxy:80"
    assert without_credentials("http://proxy:80") == "http://proxy:80"


# --- whose variable it is -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*DECIDING, *(name.swapcase() for name in DECIDING)])
def test_a_variable_that_the_pipeline_has_set_does_not_count(name: str) -> None:
    environ = {name: "x", "PATH": "/bin"}
    assert of_the_machine(environ, pipelines={name}) == ({"PATH": "/bin"}, (name,))
    assert of_the_machine(environ, pipelines={"other"}) == (environ, ())


def test_a_name_has_no_case_as_on_windows() -> None:
    assert of_the_machine({"https_proxy": PROXY}, pipelines={"HTTPS_PROXY"}) == ({}, ("https_proxy",))


def test_nothing_is_said_of_variables_that_decide_nothing() -> None:
    environ = {"BK_CI_BUILD_NUM": "7", "HTTP_PROXY": "", "NO_PROXY": "a"}
    assert of_the_machine(environ, pipelines=environ) == ({}, ("NO_PROXY",))
