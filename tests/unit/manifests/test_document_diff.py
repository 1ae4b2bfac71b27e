from __future__ import annotations

import re
from difflib import unified_diff

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from bcs_template_set.manifests.document_diff import (
    MOST_LINES,
    NOT_SHOWN,
    count_lines,
    diff_documents,
    unified,
)
from bcs_template_set.manifests.masking import (
    AFTER,
    BEFORE,
    holding_secrets,
    holds_secret,
    masked_pair,
    masked_text,
    secret_values,
)
from bcs_template_set.manifests.parse import parse_documents, parse_foreign
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.same_things import only_difference
from bcs_template_set.manifests.yaml_reading import YamlValue

SERVICE = """\
# the front door
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
    - port: 80  # http
"""
SECRET = """\
apiVersion: v1
kind: Secret
metadata:
  name: key
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: '{"data":{"password":"canary"}}'
data:
  password: Y2FuYXJ5
  other: c2FtZQ==
stringData:
  token: canary-token
"""
HIDDEN = SECRET.replace("kind: Secret", r'kind: "S\x65cret"').replace("canary-token", "a")


def diff(before: str, after: str) -> str:
    old = parse_foreign(before) if before else ()
    return diff_documents(before, after, old=old or (), new=parse_documents(after, source="web.yaml"))


def test_the_same_text_has_no_difference() -> None:
    assert diff(SERVICE, SERVICE) == ""
    assert diff(SERVICE + "---\n" + SECRET, SERVICE + "---\n" + SECRET) == ""


def test_a_document_that_only_moved_is_shown_by_name_where_nothing_else_differs() -> None:
    assert diff(SERVICE + "---\n" + SECRET, SECRET + "---\n" + SERVICE) == (
        "--- (order of documents)\n+++ (order of documents)\n"
        "@@ -1,2 +1,2 @@\n+Secret/key\n Service/web\n-Secret/key\n"
    )
    other = SERVICE.replace("80", "81")
    assert "Secret" not in diff(SERVICE + "---\n" + SECRET, SECRET + "---\n" + other)


def test_a_change_is_shown_under_its_documents_name_with_its_comments() -> None:
    text = diff(SERVICE, SERVICE.replace("port: 80", "port: 81"))
    assert text.startswith("--- Service/web\n+++ Service/web\n")
    assert "-    - port: 80  # http\n+    - port: 81  # http\n" in text


def test_new_and_gone_documents_say_so() -> None:
    assert diff("", SERVICE).startswith("--- /dev/null\n+++ Service/web\n")
    gone = diff(SERVICE + "---\n" + SECRET, SECRET)
    assert gone.startswith("--- Service/web\n+++ /dev/null\n")
    assert "-# the front door\n" in gone


@given(st.text("ab\n\r\x0c\u2028"))
def test_a_text_that_comes_new_is_shown_as_difflib_shows_it(text: str) -> None:
    lines = unified_diff([], text.splitlines(keepends=True), fromfile="/dev/null", tofile="Service/web")
    expected = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    assert unified("", text, title="Service/web") == expected


def test_secret_values_are_masked_and_a_changed_one_is_visible() -> None:
    text = diff(SECRET, SECRET.replace("Y2FuYXJ5", "bmV3").replace("canary-token", "new-canary"))
    assert "-  password: '*** (before)'\n+  password: '*** (after)'\n" in text
    assert "   other: '***'\n" in text
    for canary in ("Y2FuYXJ5", "bmV3", "canary", "c2FtZQ"):
        assert canary not in text


def test_a_secret_within_a_list_is_masked_too() -> None:
    lines = "".join(f"    {line}\n" for line in SECRET.splitlines())
    listed = "apiVersion: v1\nkind: List\nitems:\n  -\n" + lines
    text = diff(listed, listed.replace("Y2FuYXJ5", "bmV3"))
    assert "*** (before)" in text
    for canary in ("Y2FuYXJ5", "bmV3", "canary"):
        assert canary not in text
    assert "canary" not in masked_text(parse_documents(listed, source="x")[0])


@pytest.mark.parametrize(
    "slip", ["{password canary}", "{passwordcanary}", "{password, canary}", "canary", "[canary]"]
)
def test_a_secret_whose_colon_is_missing_or_mistyped_is_masked_too(slip: str) -> None:
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: passwords}}\nstringData: {slip}\n"
    assert "canary" not in masked_text(parse_documents(text, source="x")[0])


@pytest.mark.parametrize(
    ("held", "values"),
    [
        ("stringData: {a: one, b: 2}\ndata: {c: dHdv}", {"one", "dHdv", "two"}),
        (r'data: {c: "dH\ndv\r\n"}', {"dH\ndv\r\n", "two"}),
        ("data: {c: dH dv}", {"dH dv"}),
        ("stringDat: [one, 2]", {"one"}),
        ("stringData: {a: {b: one, c: [two]}}", {"one", "two"}),
        ("stringData: one", {"one"}),
        ("type: Opaque", set()),
    ],
)
def test_the_values_of_a_secret_are_its_texts_whatever_holds_them(held: str, values: set[str]) -> None:
    text = f"apiVersion: v1\nkind: Secret\nmetadata: {{name: passwords}}\n{held}\n"
    (document,) = parse_documents(text, source="x")
    assert set(secret_values(dict(document.body))) == values


def test_a_secret_that_became_something_else_is_not_shown_either() -> None:
    text = diff(SECRET, SECRET.replace("kind: Secret", "kind: ConfigMap"))
    assert "+kind: ConfigMap" in text
    before = text[: text.index("+kind")]
    assert "canary" not in before.replace("canary-token", "")


@pytest.mark.parametrize(
    ("before", "after", "shown", "only"),
    [
        (
            "--- {kind: ConfigMap, data: {k: one}}\n",
            "--- {kind: ConfigMap, data: {k: two}}\n",
            "+{kind: C",
            None,
        ),
        ("# one\n---\n" + SERVICE, "# two\n---\n" + SERVICE, "-# one\n+# two\n", "comments"),
        (
            SERVICE,
            "# bcs-template-set: allow image-tag\n" + SERVICE,
            "+# bcs-template-set: allow",
            "comments",
        ),
        (SERVICE, SERVICE.replace("web", "'web'"), "+  name: 'web'", "quotes"),
        (SERVICE, SERVICE.replace("web", "'web' # x"), "+  name: 'web' # x", "quotes_comments"),
        (SERVICE, SERVICE.replace("web\n", "web  \n"), "+  name: web  \n", "blanks"),
        (SERVICE, SERVICE + "\n\n", "+\n+\n", "blanks"),
        (SERVICE, SERVICE.rstrip("\n"), "-    - port: 80  # http\n+    - port: 80  # http\n", "line_ends"),
        (SERVICE, SERVICE.replace("\n", "\r\n"), "+kind: Service\r\n", "line_ends"),
        (SERVICE, SERVICE + "---\n", "+---\n", "writing"),
        ("{kind: A, b: 1}\n", "{b: 1, kind: A}\n", "+{b: 1, kind: A}\n", "writing"),
        ("{a: &x [1], b: *x}\n", "{a: [1], b: [1]}\n", "+{a: [1], b: [1]}\n", "writing"),
        (SERVICE + "---\nkind: A\n", "kind: A\n---\n" + SERVICE, "+?/?\n".replace("?/?", "A/?"), "order"),
        (SERVICE + "---\nkind: A\n", "# a\nkind: A\n---\n" + SERVICE, "+# a\n", "writing"),
        ("# a Secret\nkind: A\nb: c\n", "# a Secret\nkind: A\nb: 'c'\n", "+b: 'c'\n", "writing"),
        ("# one\n", "# two\n", "-# one\n+# two\n", None),
        (SERVICE, SERVICE.replace("80", "81"), "port: 81", None),
        (SERVICE, "# none\n", "+++ /dev/null", None),
        ("", "# none\n", "+# none\n", None),
        ("{k: 1}\n", "{k: true}\n", "+{k: true}", None),
        ("k: |\n  a  \nl: 1\n", "k: |\n  a\nl: 1\n", "-  a  \n+  a\n", "blanks"),
        ("kind: Secret\ndata: {k: 'a  '}\n", "kind: Secret\ndata: {k: 'a '}\n", "-  k: '*** (before)'", None),
        # Of a Secret its keys are shown, and in words what else there is.
        (SECRET, "# one\n" + SECRET, "--- Secret/key\n+++ Secret/key\n# not shown: comments, q", "comments"),
        (SECRET, SECRET.replace("c2FtZQ==", "'c2FtZQ=='"), "# not shown: comments, quotes", "writing"),
        (HIDDEN, HIDDEN.replace("c2FtZQ==", "'c2FtZQ=='"), "# not shown: comments, quotes", "writing"),
        (SECRET, SECRET + "---\n", "--- (whole file)\n+++ (whole file)\n# not shown: comm", "writing"),
        (SECRET, SECRET.replace("canary-token", "|\n    canary"), "+  token: '*** (after)'", None),
        (SECRET, SECRET.replace("canary-token", "|\n    canary\n\n"), "+  token: '*** (after)'", None),
        ("{kind: Secret, data: {k: 1}}", "{kind: Secret, data: {k: true}}", "-  k: '*** (before)'", None),
        (
            "{kind: Secret, data: {a b: x, c d: y}}",
            "{kind: Secret, data: {a b: z, c d: y}}",
            "values of a",
            None,
        ),
    ],
)
def test_every_change_shows_a_line_or_says_in_words_what_it_is(
    before: str, after: str, shown: str, only: str | None
) -> None:
    text, old, new = diff(before, after), parse_foreign(before) or (), parse_documents(after, source="x")
    assert shown in text
    assert only_difference(before, after, old=old, new=new) == only
    for canary in ("Y2FuYXJ5", "canary", "c2FtZQ"):
        assert canary not in text


PIECES = (
    *("kind: ConfigMap\n", "kind: ConfigMap # x\ndata: {a: 'b'}\n", "--- {kind: ConfigMap, name: x}\n"),
    *(
        "---\n",
        "...\n",
        "# note\n",
        "\n",
        "---\n# note\n",
        "--- # note\n",
        "%YAML 1.1\n---\n",
        "---\r\nkind: B\r\n",
    ),
    *("---\nkind: Secret\ndata: {a: CANARY}\n", "--- {kind: Secret, data: {a: CANARY}}\n"),
    "---\nkind: Secret\ndata:\n  # CANARY\n  b: CANARY  \n",
    *("\r\n", "\u2028", "---\nkind: A\nb: {{ \u2028 }}\nc: {{ \u2028 }}\n", "{{ \u2028 }}\n"),
)


@example("", "kind: Secret\ndata: {a: CANARY}\n--- {kind: ConfigMap}\n")
@example("", "---\nkind: Secret\ndata: {a: CANARY}\n...\nkind: ConfigMap\n")
@example("", "kind: A\na: {{ \u2028 }}{{ \u2028 }}\n---\nkind: Secret\nb: CANARY\n---\nkind: B\n")
@example("{{ \u2028 }}\n{{ \r }}\nkind: A\n---\nkind: Secret\nb: CANARY\n---\nkind: B\n", "kind: A\n")
@given(*[st.lists(st.sampled_from(PIECES), max_size=6).map("".join)] * 2)
def test_a_difference_is_empty_only_where_the_texts_are_the_same(before: str, after: str) -> None:
    try:
        new = parse_documents(after, source="x")
    except YamlUnreadable:
        reject()
    text = diff_documents(before, after, old=parse_foreign(before) or (), new=new)
    assert bool(text) == (before != after)
    assert "CANARY" not in text


def test_what_can_not_be_parsed_is_compared_as_text_unless_it_may_hold_a_secret() -> None:
    broken = "kind: Service\n  : x:\n{{{\n"
    assert parse_foreign(broken) is None
    assert "-  : x:" in diff(broken, SERVICE)
    assert diff(broken.replace("Service", "Secret"), SERVICE) == NOT_SHOWN
    assert diff(broken, SECRET) == NOT_SHOWN


@given(
    st.dictionaries(st.sampled_from("abc"), st.text("xyz", min_size=1, max_size=3), max_size=3),
    st.dictionaries(st.sampled_from("abc"), st.text("xyz", min_size=1, max_size=3), max_size=3),
)
def test_there_is_a_difference_exactly_where_the_values_of_a_secret_differ(
    old: dict[str, str], new: dict[str, str]
) -> None:
    def secret(values: dict[str, str]) -> str:
        lines = "".join(f"  {key}: CANARY{value}\n" for key, value in sorted(values.items()))
        return "apiVersion: v1\nkind: Secret\nmetadata: {name: key}\n" + (
            f"stringData:\n{lines}" if lines else ""
        )

    text = diff(secret(old), secret(new))
    assert bool(text) == (old != new)
    assert "CANARY" not in text


# --- Secrets at any depth ---------------------------------------------------------------------------------

INNER = "{apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {key: canary-text}}"
NESTED = {
    "Template": f"kind: Template\nmetadata: {{name: t}}\nobjects: [{INNER}]\n",
    "ManifestWork": f"kind: ManifestWork\nmetadata: {{name: t}}\nspec: {{workload: {{list: [{INNER}]}}}}\n",
    "KubeVela": (
        "kind: Application\nmetadata: {name: t}\n"
        f"spec: {{components: [{{type: k8s-objects, properties: {{objects: [{INNER}]}}}}]}}\n"
    ),
    "list": f"kind: List\nmetadata: {{name: t}}\nitems: [{INNER}]\n",
    "list of lists": f"kind: List\nmetadata: {{name: t}}\nitems: [{{kind: SecretList, items: [{INNER}]}}]\n",
    "text": f"kind: ConfigMap\nmetadata: {{name: t}}\ndata: {{secret.yaml: '{INNER}'}}\n",
    "JSON": (
        "kind: ConfigMap\nmetadata: {name: t}\n"
        'data: {a: \'{"kind": "Secret", "stringData": {"key": "canary-text"}}\'}\n'
    ),
    "annotation": (
        "kind: Secret\nmetadata: {name: t, annotations: {example.com/copy: canary-text, "
        'kubectl.kubernetes.io/last-applied-configuration: \'{"data": "canary-text"}\'}}\n'
    ),
    "managed fields": (
        "kind: Secret\nmetadata: {name: t, labels: {a: canary-text}, managedFields: [{manager: canary-text}]}"
    ),
    "type": "kind: Secret\nmetadata: {name: t}\ntype: canary-text\nimmutable: canary-text\n",
    "list without kinds": (
        "kind: SecretList\nmetadata: {name: t, uid: u}\n"
        "items: [{metadata: {name: s}, stringData: {key: canary-text}}]\n"
    ),
    "named like a reference": (
        "kind: ConfigMap\nmetadata: {name: t}\n"
        "spec: {a: {kind: Secret, metadata: {name: s}, name: n, stringData: {key: canary-text}}}\n"
    ),
    "whole, of a reference's fields": "kind: Secret\nname: canary-text\n",
    "version": "kind: Secret\nmetadata: {name: t, uid: [canary-text]}\napiVersion: {key: canary-text}\n",
}


@pytest.mark.parametrize("how", NESTED)
def test_a_secret_at_any_depth_shows_its_name_and_keys_alone(how: str) -> None:
    (document,) = parse_documents(NESTED[how], source="x")
    assert holds_secret(document)
    shown = masked_text(document)
    assert "canary" not in shown
    assert "***" in shown
    assert "canary" not in diff(NESTED[how], NESTED[how].replace("canary-text", "canary-other"))
    if "metadata: {name: s}" in NESTED[how] and how != "text":
        assert "name: s" in shown
        assert "key: '***'" in shown


@pytest.mark.parametrize("how", [how for how in NESTED if how not in ("managed fields", "version")])
def test_the_values_of_a_secret_at_any_depth_are_known(how: str) -> None:
    (document,) = parse_documents(NESTED[how], source="x")
    assert [value for value in secret_values(dict(document.body)) if "canary-text" in value]


REFERENCE = (
    "{apiVersion: v1, fieldPath: a, group: a, key: a, kind: Secret, name: a, namespace: a, optional: true, "
    "resourceVersion: a, targetPath: a, uid: a, valuesKey: a}"
)


@pytest.mark.parametrize(
    "text",
    [
        "kind: Gateway\nmetadata: {name: g}\nspec: {certificateRefs: [{kind: Secret, name: tls-cert}]}\n",
        "kind: HelmRelease\nmetadata: {name: g}\nvaluesFrom: [{kind: Secret, name: v, valuesKey: k}]\n",
        "kind: ConfigMap\nmetadata: {name: g}\ndata: {a: a Secret of ours}\n",
        "kind: ConfigMap\nmetadata: {name: g}\ndata: {a: \"kind: '{{ KIND }}'\\nb: c\"}\n",
        "a: b\n",
        "kind: Certificate\nmetadata: {name: g}\nspec: {secretRef: {kind: Secret, name: v}}\n",
        f"kind: Certificate\nmetadata: {{name: g}}\nspec: {{ref: {REFERENCE}}}\n",
    ],
)
def test_what_only_names_a_secret_is_shown(text: str) -> None:
    (document,) = parse_documents(text, source="x")
    assert not holds_secret(document)
    assert "***" not in masked_text(document)
    assert not set(secret_values(dict(document.body)))


SPELLED = {
    "as it is": "kind: Secret",
    "in capitals and spaces": "kind: ' SECRET '",
    "on the next line": "kind:\n  secret",
    "by an escape": r'kind: "\x53ecret"',
    "over a break": 'kind: "Sec\\\n  ret"',
    "by an anchor": "a: &secret Secret\nkind: *secret",
    "by BCS": "kind: {{ KIND }}",
    "in a text": "kind: ConfigMap\ndata: {a: 'kind: \"Secret\"'}",
    "in a text, its s long": "kind: ConfigMap\ndata: {a: 'kind: \u017fecret'}",
    "in a list": "kind: SecretList",
    "nowhere, in a list": "kind: IngressList",
}


@pytest.mark.parametrize("how", SPELLED)
def test_a_secret_is_found_however_it_is_spelled(how: str) -> None:
    before = "kind: Deployment\nspec: {imagePullSecrets: [{name: a}], volumes: [{secretName: b}]}\n"
    text = f"{before}---\n{SPELLED[how]}\n"
    assert holding_secrets(text, parse_documents(text, source="x")) == [False, True]
    assert holding_secrets(before, parse_documents(before, source="x")) == [False]


def test_what_a_list_of_others_holds_is_shown() -> None:
    text = "kind: ConfigMapList\nmetadata: {name: t}\nitems: [{data: {key: a}}]\n"
    (document,) = parse_documents(text, source="x")
    assert "***" not in masked_text(document)
    assert not set(secret_values(dict(document.body)))


def test_of_a_list_of_secrets_only_the_items_are_masked() -> None:
    (document,) = parse_documents(NESTED["list without kinds"], source="x")
    assert masked_text(document) == (
        "kind: SecretList\nmetadata:\n  name: t\n  uid: u\n"
        "items:\n- metadata:\n    name: s\n  stringData:\n    key: '***'\n"
    )
    assert set(secret_values(dict(document.body))) == {"canary-text"}


def test_the_values_of_the_copy_that_kubectl_leaves_are_known_too() -> None:
    copy = '{"kind": "Secret", "stringData": {"key": "canary-text"}}'
    annotations: YamlValue = {"kubectl.kubernetes.io/last-applied-configuration": copy}
    found = set(secret_values({"kind": "Secret", "metadata": {"annotations": annotations}}))
    assert found == {copy, "canary-text"}


def test_where_a_secret_has_what_it_should_not_have_that_is_masked() -> None:
    text = (
        "kind: Secret\nmetadata: {name: {a: canary}, uid: canary, namespace: ns}\n"
        "immutable: 5\nstringData: true\n"
    )
    (document,) = parse_documents(text, source="x")
    assert masked_text(document) == (
        "kind: Secret\nmetadata:\n  name:\n    a: '***'\n  uid: '***'\n  namespace: ns\n"
        "immutable: '***'\nstringData: '***'\n"
    )


def pair(old: str, new: str) -> tuple[str, str]:
    before, after = (parse_documents(text, source="x")[0] if text else None for text in (old, new))
    return masked_pair(before, after)


def test_of_two_documents_what_is_the_same_is_told_from_what_is_not_wherever_it_stands() -> None:
    def listed(*items: str) -> str:
        return f"kind: List\nitems: [{', '.join(items)}]\n"

    first, second, third = (INNER.replace("canary-text", f"canary-{n}") for n in (1, 2, 3))
    before, after = pair(listed(first, second), listed(first, third))
    assert [line.strip() for line in before.splitlines() if "key:" in line] == [
        "key: '***'",
        f"key: '{BEFORE}'",
    ]
    assert [line.strip() for line in after.splitlines() if "key:" in line] == [
        "key: '***'",
        f"key: '{AFTER}'",
    ]
    for old, new in (
        (listed(first, second), listed(first)),
        (listed(first), "kind: List\nitems:\n"),
        (listed(first), listed("a text")),
        (listed(first), ""),
    ):
        assert "canary" not in "".join((*pair(old, new), *pair(new, old)))
    assert pair("", NESTED["whole, of a reference's fields"]) == ("", f"kind: Secret\nname: '{AFTER}'\n")
    assert pair(NESTED["whole, of a reference's fields"], "") == (f"kind: Secret\nname: '{BEFORE}'\n", "")


def test_of_a_secret_kind_names_types_and_keys_are_shown() -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: s, namespace: ns, generateName: s-}\n"
        "type: kubernetes.io/tls\nimmutable: true\ndata: {tls.key: Y2FuYXJ5}\n"
    )
    (document,) = parse_documents(text, source="x")
    assert masked_text(document) == (
        "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n  namespace: ns\n  generateName: s-\n"
        "type: kubernetes.io/tls\nimmutable: true\ndata:\n  tls.key: '***'\n"
    )


def test_of_a_difference_that_is_too_long_the_beginning_is_kept_and_the_rest_counted() -> None:
    lines = [f"{number}\n" for number in range(MOST_LINES)]
    changed = [f"new {line}" for line in lines[:4000]] + lines[4000:-1] + ["last\n"]
    diff = unified("".join(lines), "".join(changed), title="a").splitlines()
    assert diff[:4] == ["--- a", "+++ a", "@@ -1,4003 +1,4003 @@", "-0"]
    assert diff[-2:] == ["+new 998", "# not shown: 1 lines removed, 3002 added"]
    assert len(diff) == 3 + 4999 + 1
    assert count_lines("\n".join(diff)) == len(diff) + 3003


def test_of_documents_that_are_called_the_same_each_is_compared_with_its_own() -> None:
    old, new = ("\n---\n".join(f"kind: A\nx: {x}" for x in several) for several in ((1, 2), (3, 2)))
    assert diff(old, new) == "--- A/\n+++ A/\n@@ -1,2 +1,2 @@\n kind: A\n-x: 1\n+x: 3\n"


def test_what_comes_first_is_new_and_what_is_gone_comes_last() -> None:
    old, new = "kind: A\n---\nkind: B\n", "kind: C\n---\nkind: B\nb: 1\n"
    diff = diff_documents(
        old, new, old=parse_documents(old, source="a"), new=parse_documents(new, source="a")
    )
    assert re.findall(r"(?m)^(?:---|\+\+\+) .*", diff) == [
        *("--- /dev/null", "+++ C/", "--- B/", "+++ B/", "--- A/", "+++ /dev/null"),
    ]


def test_of_blanks_within_a_secrets_value_nothing_is_told() -> None:
    before = "kind: Secret\nstringData:\n  k: |\n    a  \n    b\n"
    after = before.replace("a  ", "a")
    old, new = (parse_documents(text, source="x") for text in (before, after))
    assert only_difference(before, after, old=old, new=new) is None
    as_config = [text.replace("Secret", "Config") for text in (before, after)]
    old, new = (parse_documents(text, source="x") for text in as_config)
    assert only_difference(*as_config, old=old, new=new) == "blanks"
