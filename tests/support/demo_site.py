"""The site of `make demo`, which the documents show too: lisi, her app, and wangwu, who starts the build."""

from __future__ import annotations

from tests.emulator import Emulator


def people_of(emulator: Emulator) -> None:
    """Set the scene of the documented failure (facts/manifests.md, "The permission mismatch")."""
    emulator.state.add_project("web", viewers={"lisi"})
    emulator.state.add_app("lisi_app", "lisi-app-secret", vouches_for={"lisi", "wangwu"})


def regions_of(emulator: Emulator) -> dict[str, dict[str, object]]:
    """Return the private settings: one region, whose app is lisi's."""
    app = {"app_code": "lisi_app", "app_secret": "lisi-app-secret", "owner": "lisi"}
    return {"gz": {"gateway": emulator.url, **app}}
