"""House rules that no linter knows: pure functions from the project's texts to the breaches they find.

tests/rules/test_house_rules.py names each rule, shows that it finds a planted breach, and holds the project to it.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40
MAX_PACKAGE_FILES = 12
VAGUE_NAMES = {"utils", "util", "helpers", "helper", "manager", "base", "common", "misc"}
CODE = ("opendata/", "deploy/", "migrations/")
# Written in pieces, so that this file obeys its own rule.
REGISTRIES = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "registry." + "npmjs",
    "proxy." + "golang",
    "sum." + "golang",
]
REGISTRIES += [
    "repo." + "maven",
    "repo1." + "maven",
    "deb." + "debian.org",
    "archive." + "ubuntu.com",
    "crates" + ".io",
]
MACHINE_PATHS = re.compile(
    r"(?<![\w./$}])/(?:" + "|".join(["ro" + "ot", "wo" + "rk", "fa" + "rm", "Us" + "ers"]) + r")/\w"
)
# The names that deploy/services gives to tests; a test that asks for another one would be skipped for ever.
SERVICE_VARIABLES = {"POSTGRES_URL", "S3_URL", "ELASTICSEARCH_URL", "CHROMIUM", "NGINX"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Source:
    path: str
    """Relative to the root, with forward slashes."""
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def lines(self) -> Iterator[tuple[int, str]]:
        return enumerate(self.text.splitlines(), start=1)

    def at(self, node: ast.AST, message: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 1)} {message}"


def python(sources: list[Source], *folders: str) -> Iterator[Source]:
    return (s for s in sources if s.path.endswith(".py") and s.path.startswith(folders or ("",)))


def nodes(sources: list[Source], *folders: str) -> Iterator[tuple[Source, ast.AST]]:
    return ((source, node) for source in python(sources, *folders) for node in ast.walk(source.tree))


def last_name(node: ast.AST) -> str:
    """`a.b.release` and `release` give `release`; anything else nothing."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def dotted(node: ast.AST) -> str:
    """`yaml.load` as text; only the last name where the front is no plain name."""
    if isinstance(node, ast.Attribute):
        front = dotted(node.value)
        return f"{front}.{node.attr}" if front else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def file_size(sources: list[Source]) -> Iterator[str]:
    for source in python(sources):
        count = len(source.text.splitlines())
        # A migration is a record of one step, written once.
        if count > MAX_FILE_LINES and not source.path.startswith("migrations/versions/"):
            yield f"{source.path}: {count} lines"


def function_size(sources: list[Source]) -> Iterator[str]:
    for source, node in nodes(sources, "opendata/", "deploy/"):
        if not isinstance(node, FUNCTIONS):
            continue
        # A docstring explains and costs the reader nothing: the body counts.
        first = node.body[0]
        text = first.end_lineno - first.lineno + 1 if ast.get_docstring(node) and first.end_lineno else 0
        count = (node.end_lineno or node.lineno) - node.lineno + 1 - text
        if count > MAX_FUNCTION_LINES:
            yield source.at(node, f"{node.name} has {count} lines")


def package_size(sources: list[Source]) -> Iterator[str]:
    paths = [PurePosixPath(source.path) for source in python(sources, "opendata/")]
    for folder, count in Counter(path.parent for path in paths if path.name != "__init__.py").items():
        if count > MAX_PACKAGE_FILES:
            yield f"{folder}: {count} files"


def clear_names(sources: list[Source]) -> Iterator[str]:
    for source in python(sources, "opendata/"):
        path = PurePosixPath(source.path)
        if {path.stem, path.parent.name} & VAGUE_NAMES:
            yield f"{source.path}: the name says nothing about what is inside"


def release_state(sources: list[Source]) -> Iterator[str]:
    for source, node in nodes(sources, "opendata/"):
        if source.path == "opendata/catalog/lifecycle.py" or source.path.startswith("opendata/publishing/"):
            continue
        if writes_state(node):
            yield source.at(node, "writes a release's state")


def writes_state(node: ast.AST) -> bool:
    """`release.state = …`, `setattr(release, "state", …)`, `update(Release).values(state=…)`."""
    if isinstance(node, ast.Assign):
        return any(is_release_state(part) for target in node.targets for part in ast.walk(target))
    if isinstance(node, ast.AnnAssign | ast.AugAssign):
        return is_release_state(node.target)
    if not isinstance(node, ast.Call):
        return False
    if dotted(node.func) == "setattr" and len(node.args) > 1:
        name = node.args[1]
        return is_release(node.args[0]) and isinstance(name, ast.Constant) and name.value == "state"
    sets_state = any(keyword.arg == "state" for keyword in node.keywords)
    return (
        sets_state
        and last_name(node.func) == "values"
        and any(is_release(part) for part in ast.walk(node.func))
    )


def is_release_state(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "state" and is_release(node.value)


def is_release(node: ast.AST) -> bool:
    return "release" in last_name(node).lower() or last_name(node).lower() == "draft"


def imports_on_top(sources: list[Source]) -> Iterator[str]:
    for source, node in nodes(sources, "opendata/"):
        if isinstance(node, FUNCTIONS):
            for inner in ast.walk(node):
                if isinstance(inner, ast.Import | ast.ImportFrom):
                    yield source.at(inner, f"import inside {node.name}")


def no_addresses(sources: list[Source]) -> Iterator[str]:
    for source in sources:
        for number, line in source.lines():
            if any(host in line for host in REGISTRIES):
                yield f"{source.path}:{number} names a package registry"
            if MACHINE_PATHS.search(line):
                yield f"{source.path}:{number} names a path of one machine"


def package_door(sources: list[Source]) -> Iterator[str]:
    for source in python(sources, "opendata/"):
        if not source.path.endswith("/__init__.py"):
            continue
        if not ast.get_docstring(source.tree):
            yield f"{source.path}: no paragraph on what this room is for"
        for node in source.tree.body[1:]:
            names_offer = isinstance(node, ast.Assign) and last_name(node.targets[0]) in (
                "__all__",
                "__version__",
            )
            if (
                not names_offer
                and not isinstance(node, ast.Import | ast.ImportFrom)
                and not _loads_late(node)
            ):
                yield source.at(node, "holds code; only a docstring and re-exports belong here")


def _loads_late(node: ast.stmt) -> bool:
    """docs/decisions/0007: a short module `__getattr__`, and the imports that tell mypy what it gives."""
    if isinstance(node, ast.If):
        return last_name(node.test) == "TYPE_CHECKING" and all(
            isinstance(n, ast.ImportFrom) for n in node.body
        )
    return (
        isinstance(node, FUNCTIONS)
        and node.name == "__getattr__"
        and (node.end_lineno or 0) - node.lineno < 5
    )


FORBIDDEN_CALLS = {
    "Markup",
    "markupsafe.Markup",
    "eval",
    "exec",
    "yaml.load",
    "yaml.unsafe_load",
    "os.system",
    "tempfile.mktemp",
}
FORBIDDEN_MODULES = {"pickle", "cPickle", "dill", "shelve", "marshal"}
FORBIDDEN_KEYWORDS = {"verify": False, "shell": True, "autoescape": False}
UNSAFE_TEMPLATE = re.compile(r"\|\s*safe\b|autoescape\s+false")


def no_dangers(sources: list[Source]) -> Iterator[str]:
    for source, node in nodes(sources, "opendata/"):
        yield from (source.at(node, danger) for danger in dangers(node))
    for source in sources:
        if source.path.startswith("opendata/") and source.path.endswith((".html", ".xml", ".txt", ".j2")):
            yield from (
                f"{source.path}:{n} switches escaping off"
                for n, line in source.lines()
                if UNSAFE_TEMPLATE.search(line)
            )


def dangers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (f"imports {alias.name}" for alias in node.names if alias.name in FORBIDDEN_MODULES)
    if isinstance(node, ast.ImportFrom) and node.module in FORBIDDEN_MODULES:
        yield f"imports {node.module}"
    if isinstance(node, ast.Call):
        if dotted(node.func) in FORBIDDEN_CALLS:
            yield f"calls {dotted(node.func)}"
        for keyword in node.keywords:
            unsafe = FORBIDDEN_KEYWORDS.get(keyword.arg or "")
            if (
                unsafe is not None
                and isinstance(keyword.value, ast.Constant)
                and keyword.value.value is unsafe
            ):
                yield f"passes {keyword.arg}={unsafe}"


IGNORE = re.compile(r"#\s*type:\s*ignore(?P<code>\[[\w, -]+\])?(?P<reason>\s*#\s*\w+.*)?")
# Not "noqa" in one piece: ruff would read the pattern as one.
NOQA = re.compile(
    r"#\s*no" + r"qa(?P<code>:\s*[A-Z]+[0-9]+(?:\s*,\s*[A-Z]+[0-9]+)*)?(?P<reason>\s*[-#]\s*\w+.*|\s+\w+.*)?"
)


def reasoned_exceptions(sources: list[Source]) -> Iterator[str]:
    for source in python(sources, *CODE):
        for number, line in source.lines():
            for pattern in (IGNORE, NOQA):
                found = pattern.search(line)
                if found and not (found["code"] and found["reason"]):
                    yield f"{source.path}:{number} an exception without its code and its reason"


def known_services(sources: list[Source]) -> Iterator[str]:
    for source in python(sources, "tests/"):
        for name in re.findall(r"OPENDATA_TEST_([A-Z0-9_]+)", source.text):
            if name not in SERVICE_VARIABLES and source.path != "tests/rules/test_house_rules.py":
                yield f"{source.path}: nobody sets OPENDATA_TEST_{name}"


@cache
def project() -> list[Source]:
    """Every text file of the project that git tracks or would add."""
    command = [
        "git",
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout.split("\0")
    found = []
    for name in sorted({name for name in names if name}):
        try:
            found.append(Source(name, (ROOT / name).read_text("utf-8")))
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # pictures and samples in other encodings; files deleted and not yet committed
    return found
