"""What a plan says of the run as a whole: newer builds, routes, ports, the template set, and its digest."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Optional

import pytest
from tests.support import scenes
from tests.support.planned import (
    OURS,
    POLICY,
    TARGET,
    A,
    B,
    chart,
    desired,
    existing,
    existing_file,
    ingress,
    service,
    version_of,
)

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import Existing, OtherFile
from bcs_template_set.bcs.space.provenance import Provenance, content_digest
from bcs_template_set.bcs.space.route_map import LiveIngress
from bcs_template_set.manifests.branch_paths import Claim
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.routes import Route, routes_of
from bcs_template_set.messages import LANGUAGES, Text, say
from bcs_template_set.messages.errors import ActedAsAnother, RouteTaken
from bcs_template_set.messages.past_errors import PrunesEverything, PrunesTooMuch
from bcs_template_set.messages.step_error import count_of
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Change, Plan, Policy, holding, refusal, taking_away
from bcs_template_set.publish.pruning import OrphanFile, Pruning
from bcs_template_set.report import page
from bcs_template_set.report.html import render_html
from bcs_template_set.report.plan_document import plan_document
from bcs_template_set.report.row_table import plan_table
from bcs_template_set.report.rows import rows_of_plan
from bcs_template_set.report.summary import summary_of
from bcs_template_set.report.topology import topology_of

HOST = "a.example.com"
SKIP, REPLACE = Policy(on_newer_build="skip"), Policy(on_newer_build="replace")
ALLOW = Policy(allow_route_removal=True)
CLAIMED = say("plan.branch_not_served", branch="dev")
NEWER = version_of("x", name="1.0.8-main", number=2, origin=replace(OURS, build=8))


def texts(found: tuple[Text, ...]) -> list[str]:
    return [str(text) for text in found]


# --- one user -------------------------------------------------------------------------------------------

ANOTHER = [
    ("wangwu", "wangwu", "lisi"),
    ("wangwu", "credential:bcs", "lisi"),
]
NO_OTHER = [
    ("lisi", "lisi", "lisi"),
    ("lisi", "credential:bcs", "lisi"),
    ("wangwu", "boss", "lisi"),  # a description that anybody who may view can write
    ("wangwu", "lisi", "lisi"),  # a gateway that records another creator: told after publishing
    ("wangwu", "wangwu", "credential:bcs"),  # only its token knows the user
]


def plan_after(creator: str, said: str, *, now: str) -> Plan:
    written = version_of("x", origin=replace(OURS, acting_as=said))
    by_other = written.replaced(creator=creator)
    wanted = replace(desired(("a.yaml", B)), provenance=replace(OURS, acting_as=now))
    return make_plan(wanted, existing(existing_file("a.yaml", by_other)), policy=POLICY)


@pytest.mark.parametrize(("creator", "said", "now"), ANOTHER)
def test_what_another_user_wrote_for_this_build_stops_it(creator: str, said: str, now: str) -> None:
    refused = refusal(plan_after(creator, said, now=now), policy=POLICY)
    assert isinstance(refused, ActedAsAnother)
    assert (refused.was, refused.now) == ("wangwu", "lisi")
    for language in LANGUAGES:
        text = "\n".join(refused.explain(language))
        for word in ("wangwu", "lisi", "a.yaml", "1.0.6-main"):
            assert word in text


@pytest.mark.parametrize(("creator", "said", "now"), NO_OTHER)
def test_nobody_else_is_taken_for_another_user_of_this_build(creator: str, said: str, now: str) -> None:
    assert plan_after(creator, said, now=now).other_users == ()


@pytest.mark.parametrize("other", [replace(OURS, build=6), replace(OURS, pipeline="p-2")])
def test_other_builds_may_have_other_users(other: Provenance) -> None:
    written = version_of("x", origin=replace(other, acting_as="wangwu"))
    found = existing_file("a.yaml", written.replaced(creator="wangwu"))
    assert make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY).other_users == ()


# --- newer builds ---------------------------------------------------------------------------------------


def test_a_file_is_named_once_with_its_newest_build() -> None:
    newest = version_of("y", name="1.0.9-main", number=3, origin=replace(OURS, build=9))
    found = replace(existing_file("a.yaml", newest), later=(NEWER,))
    (said,) = texts(make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY).newer_builds)
    assert said == (
        "Build 9 of branch main, newer than this build 7, has published 1 file: a.yaml "
        "(version 1.0.9-main, started by wangwu, written by lisi at 2026-01-01 00:00 UTC)."
    )


def test_the_files_of_a_newer_build_share_a_line_the_newest_first() -> None:
    newest = version_of("y", name="1.0.9-main", number=3, origin=replace(OURS, build=9))
    names = [f"{n}.yaml" for n in range(7)]
    found = [existing_file(name, NEWER if name == "3.yaml" else newest) for name in names]
    plan = make_plan(desired(*((name, B) for name in names)), existing(*found), policy=POLICY)
    first, second = plan.newer_builds
    assert " has published 6 files: 0.yaml, 1.yaml, 2.yaml, 4.yaml, 5.yaml, and 1 more (" in str(first)
    assert str(second).startswith("Build 8 of branch main")
    assert [count_of(line) for line in plan.newer_builds] == [6, 1]


def test_the_page_of_a_newer_build_is_named_where_it_is_known() -> None:
    origin = replace(OURS, build=8, link="https://devops.example.com/b-8")
    found = existing_file("a.yaml", version_of("x", name="1.0.8-main", origin=origin))
    (said,) = texts(make_plan(desired(("a.yaml", B)), existing(found), policy=POLICY).newer_builds)
    assert said.endswith(" UTC). See https://devops.example.com/b-8")


def test_a_build_that_there_can_not_have_been_since_is_told_and_not_believed() -> None:
    ours = replace(OURS, began_at=1_767_225_601)

    def plan_beside(build: int) -> Plan:
        there = existing(existing_file("a.yaml", version_of(A, origin=replace(OURS, build=build))))
        return make_plan(replace(desired(("a.yaml", B)), provenance=ours), there, policy=POLICY)

    believed, not_believed = plan_beside(107), plan_beside(108)
    assert (len(believed.newer_builds), believed.notes) == (1, ())
    (said,) = texts(not_believed.notes)
    assert not_believed.newer_builds == ()
    assert said.startswith(
        "a.yaml: version 1.0.6-main, written by lisi at 2026-01-01 00:00 UTC, says that it is "
    )
    assert "of build 108. This is build 7, and so many builds there can't have been since" in said


def test_newer_builds_that_may_be_replaced_are_not_looked_for() -> None:
    plan = make_plan(desired(("a.yaml", B)), existing(existing_file("a.yaml", NEWER)), policy=REPLACE)
    assert (plan.newer_builds, plan.writes) == ((), True)


def test_a_run_that_would_skip_is_published_where_no_build_is_newer() -> None:
    plan = make_plan(desired(("a.yaml", A)), existing(), policy=SKIP)
    assert [change.action for change in plan.changes] == ["create"]


def test_a_run_that_is_skipped_is_not_refused_and_writes_nothing_whatever_is_in_its_way() -> None:
    other = OtherFile("theirs.yaml", routes=(Route(HOST, "/new", "x", "y"),))
    taken = version_of("other", name="1.0.7-main", number=1)
    found = replace(existing_file("a.yaml", version_of(ingress(HOST, "/"))), same_name=taken, later=(NEWER,))
    live = (LiveIngress("old", "", (Route(HOST, "/new", "x", "old"),)),)
    want = replace(desired(("a.yaml", ingress(HOST, "/new")), template_set="web"), claimed=(CLAIMED,))
    there = replace(existing(found, others=(other,)), live=live, chart=chart(**{"a.yaml": B}))
    plan = make_plan(want, there, policy=SKIP)
    assert refusal(plan, policy=SKIP) is None
    assert (plan.chart, plan.writes) == ("none", False)
    assert (plan.conflicts, plan.taken, plan.lost_routes, plan.notes) == ((), (), (), ())


# --- routes and ports -----------------------------------------------------------------------------------


def test_a_route_that_is_lost_is_told_apart_from_one_that_moves() -> None:
    found = existing_file("r.yaml", version_of(ingress(HOST, "/", "/gone", "/x")))
    want = desired(("r.yaml", ingress(HOST, "/")), ("s.yaml", ingress(HOST, "/x/")))
    lost, moved = texts(make_plan(want, existing(found), policy=POLICY).lost_routes)
    assert lost == (
        "a.example.com/gone is served by r.yaml today (Prefix). "
        "Without it, a.example.com/ of r.yaml answers there, by Service web."
    )
    assert moved.startswith("a.example.com/x is served by r.yaml today (Prefix) and would move to s.yaml: ")


def test_a_path_that_only_changes_its_type_is_told_as_that_and_lost_where_less_of_it_is_served() -> None:
    prefix = ingress(HOST, "/")
    exact = prefix.replace("Prefix", "Exact")
    plan = make_plan(
        desired(("r.yaml", exact)), existing(existing_file("r.yaml", version_of(prefix))), policy=POLICY
    )
    (lost,) = texts(plan.lost_routes)
    assert lost.startswith("a.example.com/ is served by r.yaml today (Prefix), and would be as Exact only, ")
    (row,) = rows_of_plan(plan)
    assert (row.routes_removed, row.routes_added) == ((), ())
    assert plan_table([row], language="en_US")[1].endswith("  ~a.example.com/ Prefix -> Exact")
    (line,) = page.routes_of(scenes.outcome_of(plan))
    assert (line.sign, line.route, line.how) == ("~", "a.example.com/", "Prefix -> Exact")
    assert "changes</span> a.example.com/ Prefix -&gt; Exact</span>" in render_html(scenes.outcome_of(plan))
    document = plan_document(scenes.outcome_of(plan))
    assert document is not None
    assert '"routes_changed": ["a.example.com/ Prefix -> Exact"]' in json.dumps(document)
    assert "~a.example.com/ Prefix -> Exact" in summary_of(scenes.outcome_of(plan))
    assert topology_of(plan.changes).lanes[0].nodes[0].sign == "~"
    back = existing(existing_file("r.yaml", version_of(exact)))
    assert make_plan(desired(("r.yaml", prefix)), back, policy=POLICY).lost_routes == ()


def test_an_exact_path_that_only_falls_to_another_service_is_lost_and_told_to_whom() -> None:
    both = ingress(HOST, "/") + "---\n" + ingress(HOST, "/").replace("Prefix", "Exact").replace("web", "api")
    held = existing(existing_file("r.yaml", version_of(both)))
    plan = make_plan(desired(("r.yaml", ingress(HOST, "/"))), held, policy=POLICY)
    (lost,) = texts(plan.lost_routes)
    assert lost.endswith(
        " today (Exact). Without it, a.example.com/ of r.yaml answers there, by Service web."
    )


def test_a_host_that_becomes_a_wildcard_or_a_default_backend_is_no_loss_and_is_told() -> None:
    held = existing(existing_file("r.yaml", version_of(ingress(HOST, "/"))))
    wide = ingress(HOST, "/").replace(f"host: {HOST}", "host: '*.example.com'")
    plan = make_plan(desired(("r.yaml", wide)), held, policy=POLICY)
    assert plan.lost_routes == ()
    lines = page.routes_of(scenes.outcome_of(plan))
    assert [(line.sign, line.route, line.how) for line in lines] == [
        ("~", "a.example.com/", "-> *.example.com/"),
        ("+", "*.example.com/", "Prefix"),
    ]
    spec = "spec: {ingressClassName: nginx, defaultBackend: {service: {name: web, port: {number: 80}}}}\n"
    plan = make_plan(desired(("r.yaml", wide[: wide.index("spec:")] + spec)), held, policy=POLICY)
    assert plan.lost_routes == ()
    assert plan_table(rows_of_plan(plan), language="en_US")[1].endswith(
        "  ~a.example.com/ -> */ +*/ (default backend)"
    )
    there = existing(existing_file("r.yaml", version_of(plan.changes[0].content)))
    plan = make_plan(desired(("r.yaml", ingress(HOST, "/"))), there, policy=POLICY)
    assert texts(plan.lost_routes) == [
        "*/ is served by r.yaml today (default backend, class nginx), and no file of this run serves it."
    ]
    (first, _) = page.routes_of(scenes.outcome_of(plan))
    assert (first.sign, first.route, first.how) == ("-", "*/", "default backend, class nginx")


def test_a_route_that_was_asked_to_go_is_not_lost() -> None:
    found = existing_file("r.yaml", version_of(ingress(HOST, "/", "/x/")))
    want = replace(desired(("r.yaml", ingress(HOST, "/"))), asked=frozenset({(HOST, "/x")}))
    assert make_plan(want, existing(found), policy=POLICY).lost_routes == ()


def test_a_port_that_no_other_file_asks_for_is_free() -> None:
    other = OtherFile("theirs.yaml", node_ports=(30080,))
    plan = make_plan(desired(("s.yaml", service(30081))), existing(others=(other,)), policy=POLICY)
    assert plan.taken == ()


def test_a_port_that_two_services_of_a_file_ask_for_is_named_once() -> None:
    other = OtherFile("theirs.yaml", node_ports=(30080,))
    text = service(30080) + "---\n" + service(30080, name="again")
    plan = make_plan(desired(("s.yaml", text)), existing(others=(other,)), policy=POLICY)
    assert texts(plan.taken) == ["nodePort 30080 of s.yaml is used by theirs.yaml."]


def test_a_path_that_another_branch_claims_is_refused_with_what_was_said_of_it() -> None:
    plan = make_plan(replace(desired(("s.yaml", A)), claimed=(CLAIMED,)), existing(), policy=POLICY)
    assert plan.taken == (CLAIMED,)


def test_the_plan_serves_each_host_and_path_once_in_their_order() -> None:
    want = desired(("r.yaml", ingress(HOST, "/x", "/")), ("s.yaml", ingress("0.example.com", "/")))
    plan = make_plan(want, existing(), policy=POLICY)
    assert plan.routes == (("0.example.com", "/"), (HOST, "/"), (HOST, "/x"))


# --- what is live ---------------------------------------------------------------------------------------


def live(path: str, *, file: str = "") -> Existing:
    found = existing_file("r.yaml", version_of(ingress(HOST, "/old")))
    ingresses = (LiveIngress("theirs", file, (Route(HOST, path, "x", "theirs"),)),)
    return replace(existing(found), live=ingresses)


def test_a_new_path_that_is_live_elsewhere_is_refused_and_not_noted() -> None:
    plan = make_plan(desired(("r.yaml", ingress(HOST, "/old", "/new"))), live("/new"), policy=POLICY)
    (said,) = texts(plan.taken)
    assert said.startswith("a.example.com/new of r.yaml is served in the cluster by Ingress/theirs")
    assert plan.notes == ()
    assert isinstance(refusal(plan, policy=POLICY), RouteTaken)


def test_a_new_path_that_is_live_elsewhere_is_noted_where_moves_are_allowed() -> None:
    plan = make_plan(desired(("r.yaml", ingress(HOST, "/old", "/new"))), live("/new"), policy=ALLOW)
    (said,) = texts(plan.notes)
    assert said.startswith("a.example.com/new of r.yaml is served in the cluster by Ingress/theirs")
    assert plan.taken == ()


@pytest.mark.parametrize("policy", [POLICY, ALLOW])
def test_a_path_that_both_serve_already_is_noted_and_not_refused(policy: Policy) -> None:
    plan = make_plan(desired(("r.yaml", ingress(HOST, "/old"))), live("/old"), policy=policy)
    assert len(plan.notes) == 1
    assert plan.taken == ()


def test_a_file_that_allows_the_clash_clashes_with_nothing_and_the_others_do() -> None:
    allowed = "# bcs-template-set: allow route-clash\n" + ingress(HOST, "/old", "/new")
    want = desired(("r.yaml", allowed), ("s.yaml", ingress(HOST, "/other")))
    plan = make_plan(want, live("/new"), policy=POLICY)
    assert (plan.taken, plan.notes) == ((), ())
    plan = make_plan(want, live("/other"), policy=POLICY)
    assert [said.partition(" is")[0] for said in texts(plan.taken)] == ["a.example.com/other of s.yaml"]


QCLOUD, INTERNAL = "kubernetes.io/ingress.class: qcloud", "kubernetes.io/ingress.class: internal"
BALANCER = "kubernetes.io/ingress.existLbId"
ONE_EACH = ("qcloud", "alb", "gce", "gce-internal")
ALB, GROUP = "kubernetes.io/ingress.class: alb", "alb.ingress.kubernetes.io/group.name"
CANARY = 'nginx.ingress.kubernetes.io/canary: "true"'


def at(annotations: str, path: str = "/new", *, name: str = "web", below: str = "") -> str:
    text = ingress(HOST, path).replace("{name: web}", f"{{name: {name}, annotations: {{{annotations}}}}}", 1)
    return text.replace("spec:\n", f"spec:\n{below}")


@pytest.mark.parametrize(
    ("ours", "theirs", "clashes"),
    [
        ("", "", True),
        (INTERNAL, INTERNAL, True),
        (INTERNAL, "", False),
        (INTERNAL, QCLOUD, False),
        (f"{QCLOUD}, {BALANCER}: lb-a", f"{QCLOUD}, {BALANCER}: lb-a", True),
        (f"{QCLOUD}, {BALANCER}: lb-a", f"{QCLOUD}, {BALANCER}: lb-b", False),
        *((QCLOUD.replace("qcloud", name), QCLOUD.replace("qcloud", name), False) for name in ONE_EACH),
        (f"{ALB}, {GROUP}: shop", f"{ALB}, {GROUP}: shop", True),
        (f"{ALB}, {GROUP}: shop", f"{ALB}, {GROUP}: forum", False),
        (CANARY, "", False),
        ("", CANARY, False),
        (CANARY, CANARY, True),
    ],
)
def test_a_path_is_taken_only_where_the_same_class_and_load_balancer_answer(
    ours: str, theirs: str, *, clashes: bool
) -> None:
    """In the folder and in the namespace alike; the paths are the same, or the same and of another type."""
    routes = routes_of(parse_documents(at(theirs, name="theirs"), source=""))
    held = existing(existing_file("r.yaml", version_of("# nothing")))
    folder = replace(held, others=(OtherFile("theirs.yaml", routes=routes),))
    namespace = replace(held, live=(LiveIngress("theirs", "front-ends/theirs.yaml", routes),))
    for found in (folder, namespace) if ours and theirs else (folder,):
        plan = make_plan(desired(("r.yaml", at(ours))), found, policy=POLICY)
        assert (len(plan.taken) == 1) is clashes
        exact = at(ours).replace("pathType: Prefix", "pathType: Exact")
        assert make_plan(desired(("r.yaml", exact)), found, policy=POLICY).taken == ()


@pytest.mark.parametrize(
    ("name", "clashes"),
    [
        *((name, True) for name in ("", "nginx", "ingress-nginx", "public-traefik", "kong")),
        *((name, False) for name in ("qcloud", "alb", "gce", "internal", "mse")),
    ],
)
def test_what_answers_any_host_is_one_place_only_at_an_address_that_all_share(
    name: str, *, clashes: bool
) -> None:
    annotation = f"kubernetes.io/ingress.class: '{name}'"
    ours, theirs = (
        at(annotation, name=who).replace(f"host: {HOST}", "host: ''") for who in ("web", "theirs")
    )
    others = (OtherFile("theirs.yaml", routes=routes_of(parse_documents(theirs, source=""))),)
    found = replace(existing(existing_file("r.yaml", version_of("# nothing"))), others=others)
    assert (len(make_plan(desired(("r.yaml", ours)), found, policy=POLICY).taken) == 1) is clashes


@pytest.mark.parametrize(
    ("ours", "theirs", "clashes"),
    [
        ("", "", True),
        ("", INTERNAL, True),
        (f"{QCLOUD}, {BALANCER}: lb-a", "", True),
        (f"{BALANCER}: lb-a", f"{QCLOUD}, {BALANCER}: lb-a", True),
        (f"{BALANCER}: lb-a", f"{QCLOUD}, {BALANCER}: lb-b", False),
        (CANARY, "", False),
        ("", CANARY, False),
    ],
)
def test_a_live_ingress_without_a_class_is_of_the_clusters_default_which_may_be_any(
    ours: str, theirs: str, *, clashes: bool
) -> None:
    routes = routes_of(parse_documents(at(theirs, name="theirs"), source=""))
    held = existing(existing_file("r.yaml", version_of("# nothing")))
    found = replace(held, live=(LiveIngress("theirs", "", routes),))
    assert (len(make_plan(desired(("r.yaml", at(ours))), found, policy=POLICY).taken) == 1) is clashes


def test_the_field_for_the_class_says_the_same_as_the_annotation() -> None:
    named = at("", below="  ingressClassName: internal\n")
    assert routes_of(parse_documents(named, source="")) == routes_of(parse_documents(at(INTERNAL), source=""))


def test_a_path_that_several_load_balancers_serve_is_taken_at_one_of_them_and_said_once() -> None:
    def balanced(*names: str) -> str:
        return "---\n".join(at(f"{QCLOUD}, {BALANCER}: {name}", name=f"i-{name}") for name in names)

    routes = routes_of(parse_documents(balanced("lb-b", "lb-c"), source=""))
    held = existing(
        existing_file("r.yaml", version_of("# nothing")), others=(OtherFile("theirs.yaml", routes=routes),)
    )
    want = desired(("r.yaml", balanced("lb-a", "lb-b", "lb-c")))
    assert len(make_plan(want, held, policy=POLICY).taken) == 1
    live = replace(held, others=(), live=(LiveIngress("theirs", "", routes),))
    assert len(make_plan(want, live, policy=POLICY).taken) == 1


@pytest.mark.parametrize(
    ("comment", "policy", "taken", "noted"),
    [
        ("", POLICY, ["a.example.com/new", "nodePort 30080"], []),
        ("# bcs-template-set: allow route-clash\n", POLICY, ["nodePort 30080"], []),
        ("# bcs-template-set: allow node-port\n", POLICY, ["a.example.com/new"], []),
        ("# bcs-template-set: allow route-clash, node-port\n", POLICY, [], []),
        ("", ALLOW, ["nodePort 30080"], ["a.example.com/new"]),
    ],
)
def test_what_another_file_of_the_folder_has_is_allowed_by_a_comment_and_a_path_may_move(
    comment: str, policy: Policy, taken: list[str], noted: list[str]
) -> None:
    theirs = parse_documents(ingress(HOST, "/new"), source="")
    others = (OtherFile("theirs.yaml", routes=routes_of(theirs), node_ports=(30080,)),)
    held = existing(existing_file("r.yaml", version_of("# nothing")), others=others)
    text = f"{comment}{ingress(HOST, '/new')}---\n{service(30080)}"
    plan = make_plan(desired(("r.yaml", text)), held, policy=policy)
    assert sorted(said.partition(" of r.yaml")[0] for said in texts(plan.taken)) == taken
    assert [said.partition(" of r.yaml")[0] for said in texts(plan.notes)] == noted
    refused = refusal(plan, policy=policy)
    for language in LANGUAGES:
        cure = "" if refused is None else "\n".join(refused.explain(language))
        assert not taken or "# bcs-template-set: allow route-clash" in cure
        assert not taken or "# bcs-template-set: allow node-port" in cure


def test_ingresses_that_may_not_be_looked_at_are_noted() -> None:
    plan = make_plan(desired(("a.yaml", A)), Existing(live_readable=False), policy=POLICY)
    assert texts(plan.notes) == [
        "The step could not look at the namespace's Ingresses, so it does not see clashes with what is live."
    ]


def test_files_of_others_are_noted_where_they_can_not_be_read_and_only_those() -> None:
    others = (OtherFile("x.yaml", readable=False), OtherFile("y.yaml"), OtherFile("z.yaml", readable=False))
    (said,) = texts(make_plan(desired(("a.yaml", A)), existing(others=others), policy=POLICY).notes)
    assert said.endswith("clashes with their routes: x.yaml, z.yaml.")
    assert make_plan(desired(("a.yaml", A)), existing(others=others[1:2]), policy=POLICY).notes == ()


# --- who serves what ------------------------------------------------------------------------------------


def owners(plan: Plan) -> list[tuple[str, str, int]]:
    return [(owned.file, owned.path, owned.build) for owned in plan.route_map]


def test_the_map_names_the_build_that_published_a_route_and_this_one_where_it_changes_the_file() -> None:
    held = existing_file("a.yaml", version_of(ingress(HOST, "/a")))
    same = make_plan(desired(("a.yaml", ingress(HOST, "/a"))), existing(held), policy=POLICY)
    assert owners(same) == [("a.yaml", "/a", 6)]
    changed = make_plan(desired(("a.yaml", ingress(HOST, "/a", "/b"))), existing(held), policy=POLICY)
    assert owners(changed) == [("a.yaml", "/a", 7), ("a.yaml", "/b", 7)]
    first = make_plan(
        desired(("a.yaml", ingress(HOST, "/a"))), existing(existing_file("a.yaml", None)), policy=POLICY
    )
    assert owners(first) == [("a.yaml", "/a", 7)]


def test_the_map_has_the_routes_of_others_with_their_claims() -> None:
    claims = ((HOST, Claim("/x/", "feature/x", "p-2", 3)),)
    routes = (Route(HOST, "/", "s", "i"), Route(HOST, "/x/", "s", "i"))
    other = OtherFile("theirs.yaml", routes=routes, claims=claims, origin=replace(OURS, build=5))
    plan = make_plan(desired(("a.yaml", A)), existing(others=(other,)), policy=POLICY)
    assert owners(plan) == [("theirs.yaml", "/", 5), ("theirs.yaml", "/x/", 3)]


# --- template set ---------------------------------------------------------------------------------------

OVERWRITE = Policy(overwrite_version=True)


def test_no_template_set_is_made_where_none_is_named() -> None:
    assert make_plan(desired(("a.yaml", A)), existing(), policy=POLICY).chart == "none"


def test_a_template_set_that_is_there_with_other_templates_is_named_in_the_conflict() -> None:
    want = desired(("a.yaml", A), template_set="web")
    plan = make_plan(want, replace(existing(), chart=chart(**{"a.yaml": B})), policy=POLICY)
    assert plan.chart == "conflict"
    assert texts(plan.conflicts) == ["template set web: version 1.0.7-main exists with other templates."]


def test_a_template_set_is_overwritten_only_where_one_is_there_and_that_was_asked_for() -> None:
    want = desired(("a.yaml", A), template_set="web")
    there = replace(existing(), chart=chart(**{"a.yaml": B}))
    plan = make_plan(want, there, policy=OVERWRITE)
    assert (plan.chart, plan.chart_overwrites) == ("create", True)
    plan = make_plan(want, existing(), policy=OVERWRITE)
    assert (plan.chart, plan.chart_overwrites) == ("create", False)
    plan = make_plan(want, replace(existing(), chart=chart(**{"a.yaml": A})), policy=OVERWRITE)
    assert (plan.chart, plan.chart_overwrites) == ("unchanged", False)


@pytest.mark.parametrize("current", [version_of(B, name="hotfix", number=9), None])
def test_a_retry_finishes_its_template_set_also_where_others_have_overtaken_its_files(
    current: Optional[TemplateVersion],
) -> None:
    ours = version_of(A, name="1.0.7-main", origin=OURS)
    found = replace(existing_file("a.yaml", current), same_name=ours)
    plan = make_plan(desired(("a.yaml", A), template_set="web"), existing(found), policy=POLICY)
    assert [change.action for change in plan.changes] == ["unchanged"]
    assert plan.chart == "create"


def test_what_others_published_under_this_name_begins_no_template_set() -> None:
    theirs = version_of(A, name="1.0.7-main")
    by_hand = theirs.replaced(description="by hand")
    for same in (theirs, by_hand):
        found = replace(existing_file("a.yaml", version_of(B, name="hotfix", number=9)), same_name=same)
        plan = make_plan(desired(("a.yaml", A), template_set="web"), existing(found), policy=POLICY)
        assert (plan.chart, plan.writes) == ("none", False)


# --- digest ---------------------------------------------------------------------------------------------


def test_a_plan_that_was_approved_has_the_same_digest_in_every_release() -> None:
    want = desired(("a.yaml", B), ("new.yaml", A), ("same.yaml", A))
    want = replace(want, target=replace(TARGET, space="前端"), inputs={"namespace": "test"})
    there = existing(
        existing_file("a.yaml", version_of(A)), existing_file("same.yaml", version_of(A, number=5))
    )
    assert make_plan(want, there, policy=POLICY).digest == "3936b84ae83ad0c5c4d8940794387697"


@pytest.mark.parametrize(
    ("held", "lost"),
    [
        (existing(), ""),
        (replace(existing(), chart=chart(**{"a.yaml": A})), ""),
        (replace(existing(), chart=chart(**{"a.yaml": B})), [["a.yaml", B]]),
    ],
    ids=["new", "the same", "another"],
)
def test_of_a_template_set_that_is_approved_it_is_said_what_is_lost(held: Existing, lost: object) -> None:
    plan = make_plan(
        desired(("a.yaml", A), template_set="web"), held, policy=replace(POLICY, overwrite_version=True)
    )
    kind, _, value = plan.parts[-1]
    assert (kind, json.loads(value)) == ("template_set", ["web", lost])


def test_of_a_version_that_is_rewritten_it_is_said_what_text_is_lost() -> None:
    current, same = version_of("x", number=3), version_of(A, name="1.0.7-main", number=2)
    there = existing(replace(existing_file("a.yaml", current), same_name=same))
    plan = make_plan(desired(("a.yaml", B)), there, policy=replace(POLICY, overwrite_version=True))
    (row,) = [json.loads(value) for kind, _, value in plan.parts if kind == "file"]
    assert row[-1] == content_digest(A)


def test_what_a_run_takes_away_is_approved_with_it_and_refused_where_it_is_too_much() -> None:
    plan = make_plan(desired(("a.yaml", B)), existing(), policy=POLICY)
    gone = OrphanFile("x.yaml", "t" * 24, "v" * 24)
    deleting = Pruning("delete", files=(gone,), lost=(CLAIMED,))
    with_it = taking_away(plan, deleting, policy=POLICY)
    assert (with_it.lost_routes, with_it.pruning) == ((CLAIMED,), deleting)
    assert with_it.parts == (*plan.parts, ("delete", "x.yaml", "v" * 24))
    assert with_it.digest == "6e58b5f316e3f34c66dd07b2370e637d"
    assert taking_away(plan, deleting, policy=ALLOW).lost_routes == ()
    report = replace(deleting, mode="report", everything=(CLAIMED,), too_many=(CLAIMED,))
    told = taking_away(plan, report, policy=POLICY)
    assert told == replace(plan, pruning=report)
    bare = replace(deleting, lost=())
    for refused, error in (
        (replace(bare, everything=(CLAIMED,)), PrunesEverything),
        (replace(bare, too_many=(CLAIMED,)), PrunesTooMuch),
    ):
        assert isinstance(refusal(taking_away(plan, refused, policy=POLICY), policy=POLICY), error)
    assert refusal(told, policy=POLICY) is None


def test_a_fact_that_decides_what_comes_of_a_plan_is_approved_with_it() -> None:
    plan = make_plan(desired(("a.yaml", B)), existing(), policy=POLICY)
    assert holding(plan, {}) == plan
    held = holding(plan, {"TAG": "前端", "A": "1"})
    assert held.parts == (*plan.parts, ("variable", "TAG", "前端"), ("variable", "A", "1"))
    assert (
        held.digest == holding(plan, {"A": "1", "TAG": "前端"}).digest == "f44d09cf18d92bd8a8a6b0ee5c384734"
    )


# --- the values themselves ------------------------------------------------------------------------------


def test_a_change_does_not_show_its_content_where_it_is_printed() -> None:
    text = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: canary}\n"
    plan = make_plan(desired(("a.yaml", text)), existing(), policy=POLICY)
    assert "canary" not in repr(plan)
    assert "canary" in plan.changes[0].content


def test_a_place_has_the_types_of_its_own_routes() -> None:
    kept, lost = Route("h", "/a", "s", "i", "Exact"), Route("h", "/b", "s", "i")
    change = Change(name="a", action="update", content="", digest="", routes=(kept,), routes_lost=(lost,))
    assert [*change.types_of(("h", "/a"))] == ["Exact"]
    assert [*change.types_of(("h", "/b"))] == ["ImplementationSpecific"]
    assert not change.types_of(("g", "/a"))


def test_what_a_plan_is_not_told_it_does_not_claim() -> None:
    change = Change(name="a.yaml", action="unchanged", content="", digest="")
    assert not change.writes
    assert (change.version, change.domain, change.diff) == ("", "", "")
    plan = Plan(TARGET, "", (change,), creates_space=False, chart="none", digest="")
    assert (plan.writes, plan.chart_overwrites, plan.acting_as) == (False, False, "")


def test_what_decides_is_not_shown_where_a_plan_is_printed() -> None:
    wanted = replace(desired(("a.yaml", A)), inputs={"variables": "canary"})
    plan = make_plan(wanted, existing(), policy=POLICY)
    assert "canary" in str(plan.parts)
    assert "canary" not in repr(wanted) + repr(plan)
