"""The forms that the API server wants of single values: what is right, and just wrong, and what is said."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Optional

import pytest

from bcs_template_set.manifests.naming import check_label
from bcs_template_set.manifests.schema.value_forms import is_part_of_block, problem_of_form
from bcs_template_set.messages import Text, say

LONG = "a" * 64
NAME, NONE = "named_wrong", "value_quantity"
FORMS: Mapping[str, tuple[Sequence[object], Mapping[str, Sequence[object]]]] = {
    "port": (
        [1, 65535, "http", "a", "1a", "a-1", "a" * 15],
        {
            "value_port": [0, -1, 65536],
            "value_port_quoted": ["80", "8080"],
            "value_port_name": ["", "a" * 16, "-a", "a-", "a--b", "A", "a.b", "1-2"],
        },
    ),
    "portornone": ([0, 1, "http"], {"value_port": [-1, 65536], "value_port_name": ["a--b"]}),
    "portname": (
        ["http", "a" * 15, "1a", "a-1"],
        {"value_port_name": ["80", "a" * 16, "a--b", "-a", "a-", "A"]},
    ),
    "label": (["web", "1a"], {NAME: ["a.b", "A", "a_b", LONG]}),
    "labelkey": (["web", "a.org/b", "A_b.c"], {NAME: ["a b", "/b", "a/b/c", LONG]}),
    "configkey": (["a", "A_b-c.d", ".a"], {"value_key": ["a/b", "a b", "a\n", "\u4e2d"]}),
    "header": (["X-Y", "a1"], {"value_header": ["X Y", "", "X_Y", "X:", "X-Y\n"]}),
    "zone": (
        [
            "Asia/Shanghai",
            "Etc/GMT+8",
            "America/Port-au-Prince",
            "UTC",
            "localtime",
            "Antarctica/DumontDUrville",
        ],
        {"value_zone": ["Local", "local", "Asia/Shanghai ", "Asia/", "/Asia", "A//B", "A:B"]},
    ),
    "subdomain": (["a.b", "a-1"], {NAME: ["A", "a_b", "a..b"]}),
    "host": (
        ["a.org", "*.a.org", "*.1.2.3.4", "1.2.3.4.nip.io", "1.2.3", "a"],
        {"value_host": ["1.2.3.4", "a..org", "A.org", "a.org.", "*", "a.*.org", "http://a.org", "a.org:80"]},
    ),
    "domain": (["a.org", "a.org.", "1.2.3.4"], {"value_host": ["a.org..", "A.org", "https://a.org"]}),
    "path": (["/", "/a//b", "/.."], {"value_path": ["", "a", " /"]}),
    "below": (["a", "a..b", "a/...", ""], {"value_below": ["/a", "..", "a/../b", "../a"]}),
    "nowhereup": (["/a", "a", "/a..b"], {"value_up": ["..", "/a/.."]}),
    "ip": (
        ["10.0.0.1", "010.0.0.1", "0.0.0.9", "fd00::1", "::", "::ffff:10.0.0.1"],
        {"value_ip": ["a.org", "10.0.0", "10.0.0.256", "fe80::1%eth0", "", "10.0.0.1/8"]},
    ),
    "clusterip": (["None", "10.0.0.1", "fd00::1"], {"value_cluster_ip": ["none", "", "a", "10.0.0.0/8"]}),
    "cidr": (
        ["10.0.0.0/8", " 10.0.0.1/32 ", "0.0.0.0/0", "010.0.0.0/8", "::/0", "fd00::/128", "10.0.0.0/08"],
        {
            "value_cidr": [
                "10.0.0.1",
                "10.0.0.0/33",
                "fd00::/129",
                "10.0.0.0/",
                "10.0.0.0/-1",
                "a/0",
                "a/-1",
                "1.1.1.1/a",
            ]
        },
    ),
    "pods": ([0, 1, "0%", "50%", "200%"], {"value_pods": [-1, "1", "half", "%", "-1%", "1.5%"]}),
    "partofpods": (
        [0, 5, "0%", "9%", "99%", "100%", "0100%"],
        {"value_pods": [-1, "101%", "200%", "1000%", "1"]},
    ),
    "quantity": (["1", 0.5, "-1", "1Gi"], {NONE: ["1GB", "", "half"]}),
    "amount": (["1", 0, "0", "1Gi"], {NONE: ["1GB"], "value_negative": [-1, "-1Gi", "-1m"]}),
    "schedule": (
        [
            *("0 3 * * *", " 0 3 * * 1 ", "*/5 0-6,22 1 jan,dec MON-FRI", "? ? ? ? ?", "59 23 31 12 6"),
            *(
                "0 0 1 1 0",
                "0 0 1 JAN SUN",
                "* * * dec sat",
                "5/15 * * * *",
                "30/15 * * * *",
                "1-1 * * * *",
                "* * * jan-dec *",
            ),
            *(
                "@yearly",
                "@annually",
                "@monthly",
                "@weekly",
                "@daily",
                "@midnight",
                "@hourly",
                "@every 1h30m",
            ),
            *("TZ=Asia/Shanghai 0 3 * * 1", "CRON_TZ=UTC   @daily", "* * * 1-dec *", "*/59 * * * *"),
            "* * * jan-feb,feb-mar,mar-apr,apr-may,may-jun,jun-jul,jul-aug,aug-sep,sep-oct,oct-nov,nov-dec *",
            "* * * * sun-mon,mon-tue,tue-wed,wed-thu,thu-fri,fri-sat",
        ],
        {
            "value_schedule": [
                *("0 3 * *", "0 3 * * * *", "", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * 32 * *"),
                *("* * * 0 *", "* * * 13 *", "* * * * 7", "jan * * * *", "* * * mon *", "* * * * jan"),
                *("5-4 * * * *", "* * * dec-jan *", "*/0 * * * *", "1/0 * * * *", "-1 * * * *", "1- * * * *"),
                *("1,,2 * * * *", "a * * * *", "*-5 * * * *", "1/a * * * *", "@every", "@reboot", "@Daily"),
                *("TZ= 0 3 * * 1", "0 3 * * 1 TZ=UTC", "TZ=UTC TZ=UTC 0 3 * * 1", "1-\u0663 * * * *"),
            ]
        },
    ),
    "base64": (
        ["", "aGk=", "aG\nk=\r\n", base64.b64encode(bytes(range(256))).decode()],
        {"value_base64": ["%%", "aGk", "a Gk=", "hunter2!", "\u4e2d"]},
    ),
    "requirement": (
        [
            *({"operator": operator} for operator in ("Exists", "DoesNotExist", "Other", "")),
            *({"operator": operator, "values": ["b", "c"]} for operator in ("In", "NotIn")),
            *({"operator": "Gt", "values": [value]} for value in ("5", "-5", "+5", 5)),
            *({"operator": "Lt", "values": ["5"]}, None, "text", {}),
        ],
        {
            "value_goes_with": [
                {"operator": "Exists", "values": ["b"]},
                {"operator": "DoesNotExist", "values": ["b"]},
            ],
            "value_needs": [
                *({"operator": operator} for operator in ("In", "NotIn", "Gt", "Lt")),
                *({"operator": "Gt", "values": values} for values in (["5", "6"], ["a"], [], ["5.5"])),
                {"operator": "Lt", "values": ["a"]},
            ],
        },
    ),
    "1..100": ([1, 100, 50, "text", 0.5], {"value_between": [0, 101, -1]}),
    "0..": ([0, 99999, "text"], {"value_at_least": [-1]}),
}


def problem_of(form: str, value: object) -> Optional[Text]:
    return problem_of_form(form, value)  # type: ignore[arg-type] # any value of YAML


@pytest.mark.parametrize("form", FORMS)
def test_a_form_takes_what_is_just_right_and_says_of_the_rest_what_is_wrong(form: str) -> None:
    right, wrong = FORMS[form]
    assert [value for value in right if problem_of(form, value) is not None] == []
    for sentence, values in wrong.items():
        said = [(value, problem_of(form, value)) for value in values]
        assert [(value, text and text.key) for value, text in said] == [
            (value, f"checks.{sentence}") for value in values
        ]


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        ("1..100", 0, say("checks.value_between", least=1, most=100)),
        ("2..", 1, say("checks.value_at_least", least=2)),
        ("port", 0, say("checks.value_port", given=0)),
        ("port", "A", say("checks.value_port_name", given="A")),
        ("host", "A", say("checks.value_host", given="A")),
        (
            "requirement",
            {"operator": "Exists", "values": ["b"]},
            say("checks.value_goes_with", name="values", wanted="operator: In / NotIn"),
        ),
        (
            "requirement",
            {"operator": "In", "values": []},
            say("checks.value_needs", name="operator: In", wanted="values"),
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_would_be_right(form: str, value: object, said: Text) -> None:
    assert problem_of(form, value) == said


def test_a_name_is_said_with_what_is_wrong_with_it() -> None:
    problem = problem_of("label", "Web")
    assert problem is not None
    assert problem.fields == {"name": "Web", "problem": check_label("Web")}


@pytest.mark.parametrize(
    ("inner", "outer", "is_part"),
    [
        ("10.1.0.0/16", "10.0.0.0/8", True),
        ("10.1.2.3/16", " 010.0.0.0/8 ", True),
        ("10.0.0.0/8", "10.0.0.0/8", False),
        ("10.0.0.0/7", "10.0.0.0/8", False),
        ("10.1.2.3/8", " 010.0.0.0/8 ", False),
        ("11.0.0.0/16", "10.0.0.0/8", False),
        ("fd00::/16", "10.0.0.0/8", False),
        ("fd00::/16", "fd00::/8", True),
        ("a", "10.0.0.0/8", True),
        ("10.0.0.0/8", "a", True),
    ],
)
def test_a_smaller_block_is_a_part_and_what_is_no_block_is_not_judged(
    inner: str, outer: str, *, is_part: bool
) -> None:
    assert is_part_of_block(inner, outer) is is_part
