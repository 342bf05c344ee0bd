"""The rules of the house, held by reading the source: import order, purity, names, sizes, and the line not crossed.

Nothing of the package is imported here, so a rule is checked even where the code cannot run.
"""

from __future__ import annotations

import ast
import hashlib
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "airvigil"

# Top to bottom is the way of the data. A room imports from itself and from the rooms above it.
ROOMS = (
    "errors",
    "units",
    "reports",
    "settings",
    "feeds",
    "tracking",
    "airspace",
    "incidents",
    "assessment",
    "state",
    "engine",
    "evidence",
    "store",
    "exports",
    "drivers",
    "server",
    "scenarios",
    "commands",
    "cli",
)
PURE_ROOMS = ROOMS[: ROOMS.index("evidence") + 1]

# A clock, chance, the machine or a wire: none of them may reach a result.
# (`io` is allowed: a buffer in memory is neither.)
IMPURE_MODULES = frozenset(
    {"time", "random", "secrets", "uuid"}
    | {"os", "subprocess", "signal", "tempfile", "shutil", "glob", "logging"}
    | {"socket", "ssl", "select", "urllib", "http", "requests"}
    | {"asyncio", "concurrent", "multiprocessing", "threading"}
    | {"sqlite3", "sqlalchemy", "pyspark"}
)
IMPURE_CALLS = frozenset({"open", "print", "input", "breakpoint"})
CLOCK_METHODS = frozenset({"now", "utcnow", "today"})

FORBIDDEN_STEMS = frozenset(
    {"util", "utils", "core", "common", "helper", "helpers", "manager", "managers"}
    | {"base", "misc", "data", "process", "stuff"}
)
UNSAFE_MODULES = frozenset({"pickle", "cPickle", "dill", "marshal", "shelve", "cloudpickle"})
UNSAFE_CALLS = frozenset({"eval", "exec", "compile", "__import__"})

MAX_MODULE_LINES = 400
# Counted from `def` to the last line, without the docstring: explaining more must not cost.
MAX_FUNCTION_LINES = 50
# These do one thing after another on many values at once, and would only pass them on: a kernel's arguments are its cost.
MAX_LONG_FUNCTION_LINES = 60
LONG_FUNCTIONS = frozenset(
    {
        "boundaries/build.py: main",
        "src/airvigil/airspace/index/measure.py: measure_block",
        "src/airvigil/tracking/admission.py: admit_rows",
        "src/airvigil/tracking/belief.py: believe",
    }
)

# Airvigil informs people. It neither declares anybody hostile nor has a part in the use of force.
FORBIDDEN_IN_NAMES = re.compile(
    r"hostile|weapon|firing|fire_(control|solution)|engagement|target_pairing|lethal|effector", re.IGNORECASE
)

# Escaped, so that this file does not hold what it forbids.
REGISTRY_HOSTS = re.compile(
    r"pypi\.org|pythonhosted\.org|registry\.(npmjs|yarnpkg)\.|npmjs\.(com|org)|crates\.io|conda\.anaconda\.org|"
    r"proxy\.golang\.org|deb\.debian\.org|archive\.ubuntu\.com|ghcr\.io|docker\.io|unpkg\.com|jsdelivr\.net|"
    r"raw\.githubusercontent\.com|codeload\.github\.com",
    re.IGNORECASE,
)
ARCHIVE_ADDRESS = re.compile(
    r"https?://[^\s\"'<>)]+\.(whl|tgz|zip|gz|xz|bz2|zst|deb|jar)\b|/releases[/]download/", re.IGNORECASE
)
MACHINE_PATHS = re.compile(r"(?<![\w.~-])/(work|home/\w+|Users/\w+)/")

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


def modules() -> list[Path]:
    """All modules of the package."""
    return sorted(PACKAGE.rglob("*.py"))


def scripts() -> list[Path]:
    """Our Python outside the package and its tests."""
    folders = ("bench", "boundaries", "fuzz", "samples", "docs")
    found = (p for folder in folders for p in (ROOT / folder).rglob("*.py") if "node_modules" not in p.parts)
    return sorted(found)


def room_of(path: Path) -> str:
    """The room that a module belongs to; empty for the package's own __init__ and __main__."""
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    return "" if first in ("__init__", "__main__") else first


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, absolute module name) of every import, relative ones resolved, wherever it stands."""
    package = ["airvigil", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            stem = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            full = ".".join(part for part in (stem, node.module or "") if part)
            for alias in node.names:
                yield node.lineno, f"{full}.{alias.name}"


def functions(path: Path) -> Iterator[FunctionNode]:
    for node in ast.walk(tree(path)):
        if isinstance(node, FunctionNode):
            yield node


def called_name(node: ast.Call) -> str:
    return node.func.id if isinstance(node.func, ast.Name) else ""


def strings_outside_docstrings(path: Path) -> Iterator[ast.Constant]:
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Module | ast.ClassDef | FunctionNode)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


@cache
def kept_files() -> tuple[Path, ...]:
    """The files that version control has or would take; without it, all but what make makes."""
    if (ROOT / ".git").exists():
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True).stdout
        candidates = [ROOT / name for name in listed.decode().split("\0") if name]
    else:
        made = {
            ".venv",
            ".cache",
            "node_modules",
            "__pycache__",
            ".mypy_cache",
            ".ruff_cache",
            "out",
            "build",
        }
        candidates = [path for path in ROOT.rglob("*") if not made.intersection(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in candidates if path.is_file() and not path.is_symlink()))


@cache
def kept_text() -> tuple[tuple[Path, str], ...]:
    contents = ((path, path.read_bytes()) for path in kept_files())
    return tuple((path, content.decode("utf-8")) for path, content in contents if b"\0" not in content)


def offences(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{named(path)}:{number}: {match.group(0)}"
        for path, text in kept_text()
        for number, line in enumerate(text.splitlines(), 1)
        if (match := pattern.search(line))
    ]


# ---- rooms ----


def test_every_module_belongs_to_a_room() -> None:
    homeless = [named(p) for p in modules() if room_of(p) not in ("", *ROOMS)]
    assert homeless == [], "not in the order of rooms; see ROOMS"


def test_a_room_imports_only_from_rooms_above_it() -> None:
    wrong = []
    for path in modules():
        room = room_of(path)
        for line, module in imports(path):
            parts = module.split(".")
            if parts[0] != "airvigil" or len(parts) < 2 or parts[1] == "__version__" or room == "":
                continue
            if parts[1] not in ROOMS or ROOMS.index(parts[1]) > ROOMS.index(room):
                wrong.append(f"{named(path)}:{line}: {room} imports {module}")
    assert wrong == []


def test_the_package_itself_imports_nothing() -> None:
    assert list(imports(PACKAGE / "__init__.py")) == [], "airvigil --help must stay quick"


def test_pure_rooms_import_no_clock_chance_or_machine() -> None:
    wrong = [
        f"{named(path)}:{line}: {module}"
        for path in modules()
        if room_of(path) in PURE_ROOMS
        for line, module in imports(path)
        if module.split(".")[0] in IMPURE_MODULES or module.startswith("numpy.random")
    ]
    assert wrong == []


def test_pure_rooms_call_no_clock_chance_or_machine() -> None:
    wrong = []
    for path in modules():
        if room_of(path) not in PURE_ROOMS:
            continue
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and called_name(node) in IMPURE_CALLS:
                wrong.append(f"{named(path)}:{node.lineno}: {called_name(node)}()")
            elif isinstance(node, ast.Attribute) and node.attr in CLOCK_METHODS:
                wrong.append(f"{named(path)}:{node.lineno}: .{node.attr}")
            elif isinstance(node, ast.Attribute) and ast.unparse(node) in ("np.random", "numpy.random"):
                wrong.append(f"{named(path)}:{node.lineno}: {ast.unparse(node)}")
    assert wrong == []


# ---- names and sizes ----


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    wrong = [
        named(path)
        for path in (*modules(), *scripts())
        if FORBIDDEN_STEMS.intersection(
            part.removesuffix(".py").lower() for part in path.relative_to(ROOT).parts
        )
    ]
    assert wrong == []


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {named(p): len(p.read_text(encoding="utf-8").splitlines()) for p in (*modules(), *scripts())}
    assert {name: n for name, n in lengths.items() if n > MAX_MODULE_LINES} == {}


def function_lines(node: FunctionNode) -> int:
    """Lines from `def` to the end, without the docstring."""
    assert node.end_lineno is not None
    total = node.end_lineno - node.lineno + 1
    if ast.get_docstring(node, clean=False) is None:
        return total
    docstring = node.body[0]
    assert docstring.end_lineno is not None
    return total - (docstring.end_lineno - docstring.lineno + 1)


def lines_of_functions() -> dict[str, int]:
    return {
        f"{named(path)}: {node.name}": function_lines(node)
        for path in (*modules(), *scripts())
        for node in functions(path)
    }


def test_no_function_is_longer_than_50_lines() -> None:
    allowed = dict.fromkeys(LONG_FUNCTIONS, MAX_LONG_FUNCTION_LINES)
    wrong = {name: n for name, n in lines_of_functions().items() if n > allowed.get(name, MAX_FUNCTION_LINES)}
    assert wrong == {}


def test_every_long_function_that_is_named_is_there() -> None:
    assert LONG_FUNCTIONS - lines_of_functions().keys() == set()


def test_all_our_python_is_looked_at() -> None:
    """A folder with scripts that is added must be named in `scripts`."""
    looked_at = {named(path) for path in (*modules(), *scripts())}
    ours = {
        named(path)
        for path in kept_files()
        if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts
    }
    assert ours - looked_at == set()


def public_nodes(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[int, str, bool]]:
    """(line, qualified name, has a docstring) of public classes, functions and methods."""
    for node in body:
        if isinstance(node, ast.ClassDef | FunctionNode) and not node.name.startswith("_"):
            yield node.lineno, prefix + node.name, ast.get_docstring(node) is not None
            if isinstance(node, ast.ClassDef):
                yield from public_nodes(node.body, prefix=f"{node.name}.")


def test_pure_rooms_document_every_public_name() -> None:
    wrong = []
    for path in modules():
        if room_of(path) not in PURE_ROOMS:
            continue
        if path.name != "__init__.py" and ast.get_docstring(tree(path)) is None:
            wrong.append(f"{named(path)}: the module")
        for line, name, documented in public_nodes(tree(path).body):
            if not documented:
                wrong.append(f"{named(path)}:{line}: {name}")
    assert wrong == []


# ---- safety ----


def test_no_pickle_and_no_code_from_strings() -> None:
    wrong = [
        f"{named(path)}:{line}: {module}"
        for path in modules()
        for line, module in imports(path)
        if module.split(".")[0] in UNSAFE_MODULES
    ]
    for path in modules():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and called_name(node) in UNSAFE_CALLS:
                wrong.append(f"{named(path)}:{node.lineno}: {called_name(node)}()")
            elif isinstance(node, ast.keyword) and node.arg == "allow_pickle":
                wrong.append(f"{named(path)}:{node.value.lineno}: allow_pickle")
    assert wrong == []


def test_no_fast_math() -> None:
    """Reassociated sums would make evidence depend on the compiler's mood."""
    wrong = [
        f"{named(path)}:{node.value.lineno}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.keyword) and node.arg == "fastmath"
    ]
    assert wrong == []


def test_the_program_never_proposes_that_somebody_is_hostile() -> None:
    wrong = [
        f"{named(path)}:{node.lineno}: {node.value!r}"
        for path in modules()
        for node in strings_outside_docstrings(path)
        if str(node.value).strip().casefold() == "hostile"
    ]
    assert wrong == [], "hostile is declared, by a person (STANAG 1241)"


def test_no_name_has_a_part_in_the_use_of_force() -> None:
    wrong = [
        f"{named(path)}:{node.lineno}: {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef | FunctionNode) and FORBIDDEN_IN_NAMES.search(node.name)
    ]
    assert wrong == []


# ---- everything that is kept ----


def test_no_registry_host_is_named_anywhere() -> None:
    assert offences(REGISTRY_HOSTS) == []


def test_no_download_address_is_named_anywhere() -> None:
    assert offences(ARCHIVE_ADDRESS) == []


def test_no_path_of_one_machine_is_named_anywhere() -> None:
    assert offences(MACHINE_PATHS) == []


def test_nothing_is_left_to_do_later() -> None:
    marks = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
    assert offences(marks) == []


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    locks = sorted((ROOT / "locks").glob("*.lock"))
    assert [path.stem for path in locks] == ["bench", "dev", "runtime", "samples", "tools"]
    for path in locks:
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path.name
        assert not re.search(r"^\s*--(?!hash=sha256:[0-9a-f]{64})", text, re.MULTILINE), path.name
        pins = re.split(r"^(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE)
        for pin in filter(None, pins):
            assert re.match(r"[\w.-]+==\S+", pin), f"{path.name}: {pin.splitlines()[0]}"
            assert "--hash=sha256:" in pin, f"{path.name}: {pin.splitlines()[0]}"


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_every_make_target_that_a_page_names_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    asked = set(
        re.findall(r"(?:`|^\s*)make ([a-z]+)", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert asked - targets == set()


@pytest.mark.parametrize(
    "page", sorted(p for p in ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=named
)
def test_every_local_link_of_a_page_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


def test_every_page_that_the_source_cites_exists() -> None:
    wrong = [
        f"{named(path)}: {page}"
        for path in (*modules(), *scripts(), PACKAGE / "settings.toml")
        for page in re.findall(r"docs/[\w/-]+\.md", path.read_text(encoding="utf-8"))
        if not (ROOT / page).exists()
    ]
    assert wrong == []


def test_the_licence_is_the_unmodified_apache_licence() -> None:
    digest = hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest()
    assert digest == "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
