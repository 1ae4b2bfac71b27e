"""Values are values: what a dataclass of the step holds does not change, but for the few that are records."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import bcs_template_set

CHANGES = {
    "publish.turns.Turns": "the files that others write too, until the turn of each",
    "publish.take_away._Way": "how far a deletion is, object by object",
    "run.finish.Keep": "the files of a run, while they are left, and what could not be",
    "run.prune_phase._Deleting": "the old versions of a run, while they are deleted",
    "report.topology._Host": "what a host leads to, while it is gathered",
    "report.topology._Objects": "the objects of a plan, while they are gathered",
    "rollout.deploy_files._Sending": "the calls of a deployment, while they are sent",
    "rollout.watch._Watch": "a wait, and whether all that is waited for can be looked at",
    "rollout.wait_state.WaitState": "what is known of a workload while it is waited for",
    "run.record._Write": "a write under way in its thread",
    "run.record.RunRecord": "what a run has come to know so far",
    "run.run_progress._Row": "the files and workloads of a row, while they are gathered",
    "system.http_client.Transport": "the kept connections of whoever has requests to send",
    "system.http_pools.Attempt": "a request under way in its thread",
}
"""The dataclasses that change while a run goes on, and what they are."""


def dataclasses_of_the_step() -> dict[str, type]:
    modules = [
        module.name for module in pkgutil.walk_packages(bcs_template_set.__path__, "bcs_template_set.")
    ]
    return {
        f"{module.partition('.')[2]}.{name}": kind
        for module in modules
        for name, kind in inspect.getmembers(importlib.import_module(module), inspect.isclass)
        if kind.__module__ == module and "__dataclass_params__" in vars(kind)
    }


def test_only_records_of_what_goes_on_can_change() -> None:
    found = dataclasses_of_the_step()
    assert len(found) > 50
    changing = {name for name, kind in found.items() if "__setattr__" not in vars(kind)}
    assert changing == set(CHANGES)


def test_none_is_compiled_while_it_is_imported() -> None:
    found = dataclasses_of_the_step().items()
    assert {name for name, kind in found if vars(kind)["__dataclass_params__"].init} == set()
