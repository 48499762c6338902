"""Who may import whom: app.py -> components -> models -> nothing of ours, never in a circle; torch only where something is
trained."""

import ast
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = [path for folder in ("models", "components") for path in sorted((ROOT / folder).rglob("*.py"))]
FILES = [path for path in FILES if "node_modules" not in path.parts]
FILES += [path for path in [ROOT / "app.py"] if path.is_file()]
FORBIDDEN = {
    "models": {"streamlit", "plotly", "components", "app", "altair", "pandas"},
    "components": {"torch", "app"},
    "app.py": {"torch"},
}


def imports(path: Path) -> set[str]:
    """The first names of everything a file imports, wherever in it, except for the type checker alone."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    out = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            out.add(node.module or "")
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("__import__", "importlib.import_module"):
            out |= {str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)}
    return {name.partition(".")[0] for name in out}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nobody_imports_whom_they_may_not(path: Path) -> None:
    assert not imports(path) & FORBIDDEN[path.relative_to(ROOT).parts[0]]


MODULES = {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in FILES}


def imported_modules(name: str) -> set[str]:
    """Our modules that a module imports, wherever in it: within functions and for the type checker, too.

    Whoever imports a module of a package imports the package first. A package and what lies in it are not counted so:
    what is in it is imported while the package is, and must not ask for more of it than there is then.
    """
    out: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                out.add(full if full in MODULES else node.module or "")
    for one in list(out):
        parts = one.split(".")
        parents = {".".join(parts[:i]) for i in range(1, len(parts))}
        out |= {parent for parent in parents if not f"{name}.".startswith(f"{parent}.")}
    return out & set(MODULES) - {name}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Each circle that a walk through the graph meets, from the module where it begins to that module."""
    met: list[list[str]] = []
    done: set[str] = set()

    def walk(name: str, path: list[str]) -> None:
        if name in path:
            met.append([*path[path.index(name) :], name])
        elif name not in done:
            for other in sorted(graph[name]):
                walk(other, [*path, name])
            done.add(name)

    for name in graph:
        walk(name, [])
    return met


def test_no_imports_go_in_a_circle() -> None:
    graph = {name: imported_modules(name) for name in MODULES}
    assert {"models.data", "models.uploads"} <= graph["models.datasets"] and "models.runs" in graph[
        "models.engine.queue"
    ]
    assert "models.training" in graph["models.engine.tasks"]  # which a function imports
    found = circles(graph)
    assert not found, "\n".join(" -> ".join(circle) for circle in found)


def test_a_circle_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}) == [["b", "c", "b"]]
    assert circles({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("name", ["explained.py", "figures.py", "pictures.py"])
def test_what_draws_knows_no_page(name: str) -> None:
    path = ROOT / "components" / name
    assert "streamlit" not in imports(path)


def test_everything_in_models_opens_without_torch() -> None:
    """In a fresh process, as the web process is: only what trains may bring torch in, when it trains."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in FILES if "models" in path.parts]
    names = [name.removesuffix(".__init__") for name in names]
    own = ("models.training", "models.engine.preloaded", "models.estimator")  # the last is a class of scikit-learn's
    names = [name for name in names if not name.startswith(own)]
    assert {"models", "models.runs", "models.engine", "models.export", "models.architectures.deep"} <= set(names)
    lines = [
        "import importlib, sys",
        f"for name in {names!r}:",
        "    importlib.import_module(name)",
        "    assert 'torch' not in sys.modules, name",
        "from models import architectures, datasets, runs",
        "for architecture in architectures.available().values():",
        "    assert architecture.blueprint('image', (28, 28, 1), 2).steps()",
        "datasets.available(), runs.find()",
        "heavy = {'torch', 'sklearn', 'streamlit', 'plotly', 'skimage', 'pandas'} & set(sys.modules)",
        "assert not heavy, heavy",
    ]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("module", "error"), [("models.x", True), ("components", True), ("app", True), ("apple", False)]
)
def test_a_warning_from_our_own_packages_is_an_error(module: str, error: bool) -> None:
    code = compile("warnings.warn('look here')", "x", "exec")
    if error:
        with pytest.raises(UserWarning):
            exec(code, {"__name__": module, "warnings": warnings})
    else:
        with pytest.warns(UserWarning, match="look here"):
            exec(code, {"__name__": module, "warnings": warnings})


def test_the_first_start_asks_for_nothing() -> None:
    """On a fresh machine Streamlit would wait for an e-mail address, and tell its makers of every visit."""
    habits = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    assert habits["server"]["showEmailPrompt"] is False and habits["browser"]["gatherUsageStats"] is False
    assert habits["server"]["address"] == "localhost" and habits["client"]["showErrorDetails"] == "none"


def in_a_fresh_process(*lines: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], check=False, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_first_page_is_answered_before_anything_heavy_is_loaded() -> None:
    in_a_fresh_process(
        "import sys, streamlit.web.bootstrap, app",
        "heavy = {'numpy', 'onnx', 'pandas', 'models.runs', 'models.engine', 'models.uploads'} & set(sys.modules)",
        "assert not heavy, heavy",
    )


def test_an_explorer_is_drawn_without_pandas() -> None:
    """Streamlit loads it to look for tables in what a component is handed as an object."""
    in_a_fresh_process(
        "import json, sys",
        "from streamlit.components.v2.bidi_component import serialization",
        "from streamlit.proto.BidiComponent_pb2 import BidiComponent",
        "from components import explorer",
        "from components.explorer import assets",
        "payload = explorer.payload('run/a/b/', {'code': [0.5]})",
        "message = BidiComponent()",
        "serialization.serialize_mixed_data(assets.sent(payload), message)",
        "assert json.loads(message.json) == [payload] and 'pandas' not in sys.modules",
    )
