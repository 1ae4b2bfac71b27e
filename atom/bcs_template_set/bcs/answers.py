"""What BCS answers, as values with Python's names. Performs no I/O.

Unknown fields are ignored. A field without a default is one the step's correctness rests on: where an answer
lacks it, that is an error naming its path. Sources: bk-bcs (2026-07), cluster-resources `pkg/store/entity`
(`ToMap`), bcs-project-manager and bcs-helm-manager protos.
"""

from __future__ import annotations

from bcs_template_set.records.declared import Record, fresh


def _spelled_by_bcs(name: str) -> str:
    if name == "is_shared":
        return name  # the cluster manager's own spelling
    first, *rest = name.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in rest)


class _Answer(Record, named=_spelled_by_bcs):
    pass


class Project(_Answer):
    """A BCS project; `project_id` is its 32-hex id."""

    project_id: str
    project_code: str


class Cluster(_Answer):
    """A cluster that a project may use; `is_shared`: it is another project's."""

    cluster_id: str
    is_shared: bool = False


class Release(_Answer):
    """What the site's BCS was stamped with: often a tag, sometimes nothing."""

    version: str = ""


class TemplateSpace(_Answer):
    """A template space, the console's 文件夹. `bare` are those of v1.29: without tags and favourites."""

    id: str
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    bare: bool = False


class TemplateFile(_Answer):
    """A template file's metadata.

    `name` is as BCS lists it, and as a PUT sends it back: `space/name` in most dialects (dialect.py).
    `real_name` is the name alone; not every BCS says it, and `template_spaces.py` fills it in.
    `version` is the current version's name and `version_id` its id, "" where it points at none.
    `version_mode` 1 means pinned (facts/bcs.md, trap 4). Times are seconds since the epoch.
    """

    id: str
    name: str
    version: str
    version_id: str
    version_mode: int
    real_name: str = ""
    template_space: str = ""
    description: str = ""
    resource_type: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    creator: str = ""
    updator: str = ""
    create_at: int = 0
    update_at: int = 0
    is_draft: bool = False
    draft_version: str = ""
    draft_content: str = ""
    draft_edit_format: str = ""
    latest_deploy_version: str = ""
    latest_deployer: str = ""
    render_mode: str = ""


class TemplateVersion(_Answer):
    """A version of a template file with its content."""

    id: str
    version: str
    content: str
    creator: str = ""
    description: str = ""
    create_at: int = 0
    template_name: str = ""
    template_space: str = ""
    render_mode: str = ""
    draft: bool = False


class VersionName(_Answer):
    """A version by name and id, without content."""

    version: str
    version_id: str
    create_at: int = 0


class FileVersions(_Answer):
    """A file's versions by name; `template_name` is `space/name`."""

    template_name: str
    version_list: tuple[VersionName, ...] = ()


class ClusterNamespaces(_Answer):
    """Namespaces of one cluster that belong to an environment."""

    cluster_id: str
    namespaces: tuple[str, ...] = ()


class Environment(_Answer):
    """An environment of the project, by the namespaces it consists of."""

    cluster_namespaces: tuple[ClusterNamespaces, ...] = ()


class CreatedFile(_Answer):
    """The ids of a template file just made and of its first version."""

    id: str
    version_id: str


class Created(_Answer):
    """The id of what was just made."""

    id: str


class ChartFile(_Answer):
    """A file inside a chart; `path` begins with the chart's name."""

    path: str = ""
    content: str = ""


class ChartVersion(_Answer):
    """A chart, which is what a template set becomes; `contents` are its files by path."""

    name: str
    version: str
    contents: dict[str, ChartFile] = fresh(factory=dict)

    def template_contents(self) -> dict[str, str]:
        """Return the contents of the template files it was made of, by name.

        BCS names a chart's template like the file, without its space (`buildChart` of cluster-resources).
        """
        front = f"{self.name}/templates/"
        return {
            path[len(front) :]: file.content for path, file in self.contents.items() if path.startswith(front)
        }
