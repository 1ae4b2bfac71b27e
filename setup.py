"""The one place of metadata; tool settings live in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

# The store's package carries what the step runs on (release/wheel.py) and asks for nothing: not even for a
# Python, for pip would refuse it, and nobody would write an output.json. At a desk pip brings all of this.
IS_CARRIED = (HERE / "atom" / "bcs_template_set" / "parts.txt").is_file()
# Each lower bound is the lowest version that all tests pass with, on Python 3.9 in CI, and that has no known
# hole.
NEEDS = [
    # HTTP. 2.32.4 closes the last hole in what it does with a .netrc; brings urllib3, certifi, idna and
    # charset-normalizer.
    "requests>=2.32.4",
    # The connections under it, which note what was sent. 2.6.3 closes the last hole that is known, and is
    # the last version for Python 3.9.
    "urllib3>=2.6.3",
    # 2024.7.4 is the last to drop an authority that nobody should trust.
    "certifi>=2024.7.4",  # authorities to trust where the system has none to offer
    "PyYAML>=6.0",  # the manifests and values; its C loader keeps parsing cheap
    # templates in a sandbox (3.1.6 closes its last known escape), and the report; brings MarkupSafe
    "Jinja2>=3.1.6",
]

setup(
    name="bcs_template_set",
    version="0.1.0",
    description="A BK-CI step that publishes Kubernetes manifests as BCS template versions, as one user",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    python_requires=None if IS_CARRIED else ">=3.9",
    install_requires=[] if IS_CARRIED else NEEDS,
    # `templates/` stays a top-level folder of the repository but is shipped inside our one import
    # package: every atom of a build machine may share one site-packages, so no other top-level name
    # may come out of this wheel.
    package_dir={"": "atom", "bcs_template_set.templates": "templates"},
    packages=[*find_packages("atom"), "bcs_template_set.templates"],
    package_data={
        "bcs_template_set": ["py.typed", "parts.txt", "parts.zip", "parts/**/*"],
        "bcs_template_set.messages": ["*.json"],
        "bcs_template_set.manifests.schema": ["*.json"],
        "bcs_template_set.report": ["*.html.j2"],
        "bcs_template_set.templates": ["*/*.j2", "*/*.json"],
    },
    entry_points={"console_scripts": ["bcs-template-set = bcs_template_set:entry_point"]},
    classifiers=[
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: English",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.9",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
    ],
)
