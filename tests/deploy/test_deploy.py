"""What is deployed parses, names what exists, runs as nobody and holds no secret."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from arena.cli import app
from arena.meters import Meters

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
METRIC = re.compile(r"\b(?:tradefloor_[a-z_]+|up)\b")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def dockerfile() -> list[str]:
    """The instructions, one a line, without comments."""
    lines = (ROOT / "Dockerfile").read_text("utf-8").replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def exported() -> set[str]:
    """Every name of a sample that the meters can export."""
    families = Meters().registry.collect()
    suffixes = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}
    return {family.name + suffix for family in families for suffix in suffixes[family.type]}


def words_of(line: str) -> list[str]:
    return json.loads(line.partition("[")[1] + line.partition("[")[2])


def serve_options() -> set[str]:
    verb = get_command(app).commands["serve"]
    return {option for parameter in verb.params for option in parameter.opts}


# -- the image -----------------------------------------------------------------------------------------------------


def test_the_image_ends_as_nobody_in_particular(dockerfile: list[str]):
    user = [line for line in dockerfile if line.startswith("USER ")][-1].removeprefix("USER ")
    number, group = user.split(":")
    assert int(number) >= 1_000
    assert int(group) >= 1_000
    after = dockerfile[dockerfile.index(f"USER {user}") :]
    assert not [line for line in after if line.startswith(("RUN", "COPY", "ADD"))]


def test_the_image_installs_what_is_locked_and_nothing_else(dockerfile: list[str]):
    installs = re.findall(r"pip install ([^&\n]*)", "\n".join(dockerfile))
    assert len(installs) == 3
    for words in installs:
        if "--editable ." in words:
            assert "--no-deps" in words
            assert "--no-build-isolation" in words
            continue
        assert {"--require-hashes", "--no-deps"} <= set(words.split())
        lock = ROOT / words.split("--requirement ")[1].strip()
        assert lock.is_file()
        assert any(lock.name in line for line in dockerfile if line.startswith("COPY requirements"))


def test_the_image_is_of_a_python_that_the_project_supports(dockerfile: list[str]):
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["requires-python"]
    bases = {line.split()[1] for line in dockerfile if line.startswith("FROM ")}
    assert bases == {"python:3.11-slim"}
    assert declared.startswith(">=3.11")


def test_the_image_starts_a_command_that_exists_and_asks_for_its_health(dockerfile: list[str]):
    entry = next(line for line in dockerfile if line.startswith("ENTRYPOINT"))
    command = next(line for line in dockerfile if line.startswith("CMD"))
    health = next(line for line in dockerfile if line.startswith("HEALTHCHECK"))
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    assert set(words_of(entry)) == set(scripts)
    verb, *options = words_of(command)
    assert verb == "serve"
    assert {word for word in options if word.startswith("--")} <= serve_options()
    port = next(line for line in dockerfile if line.startswith("EXPOSE ")).split()[1]
    assert f"http://127.0.0.1:{port}/healthz" in health
    compile(words_of(health)[-1], "health", "exec")


def test_the_image_keeps_everything_in_its_volume(dockerfile: list[str]):
    volume = next(line for line in dockerfile if line.startswith("VOLUME ")).split()[1]
    assert f"TRADEFLOOR_HOME={volume}" in " ".join(dockerfile)


def test_only_what_is_named_goes_into_the_image():
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    named = [line.removeprefix("!") for line in rules if line.startswith("!")]
    assert all((ROOT / name).exists() for name in named)
    assert not {".env", ".git", ".tradefloor", "deploy", "tests"} & set(named)
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert {name.lstrip("/") for name in wheel["include"]} <= set(named)


@pytest.mark.parametrize(
    "path", sorted(path for path in DEPLOY.rglob("*") if path.is_file()), ids=lambda path: path.name
)
def test_no_file_holds_a_secret(path: Path):
    text = path.read_text("utf-8")
    assert not re.search(r"(?i)(password|token|secret|api_key)\s*[:=]\s*[\"']?[A-Za-z0-9+/_-]{16,}", text)
    assert "sk-" not in text
    assert "tf_" not in text.replace("tf_$", "")


# -- compose -------------------------------------------------------------------------------------------------------


def test_every_file_that_compose_mounts_is_there(compose: dict[str, Any]):
    for name, service in compose["services"].items():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), f"{name}: {source}"
            else:
                assert source in compose["volumes"], f"{name}: {source}"
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
        assert set(service.get("depends_on", ())) <= set(compose["services"])
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    for secret in compose["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    assert "deploy/secrets/" in ignored


def test_the_app_can_change_nothing_but_its_volume(compose: dict[str, Any]):
    service = compose["services"]["app"]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "home:/var/lib/tradefloor" in service["volumes"]
    assert (DEPLOY / service["build"]["context"] / "Dockerfile").is_file()


def test_the_app_is_started_by_options_that_exist(compose: dict[str, Any]):
    verb, *options = compose["services"]["app"]["command"]
    assert verb == "serve"
    assert {option.partition("=")[0] for option in options} <= serve_options()


def test_only_the_proxy_is_reached_from_elsewhere_and_only_it_is_believed(compose: dict[str, Any]):
    for name, service in compose["services"].items():
        for port in service.get("ports", ()):
            assert name == "proxy" or str(port).startswith("127.0.0.1:"), f"{name}: {port}"
    proxy = compose["services"]["proxy"]["networks"]["house"]["ipv4_address"]
    assert f"--trusted-proxy={proxy}" in compose["services"]["app"]["command"]


def test_what_is_not_needed_waits_for_its_profile(compose: dict[str, Any]):
    profiles = {name: service.get("profiles") for name, service in compose["services"].items()}
    assert profiles.pop("app") is None
    assert all(profiles.values())
    images = [service["image"] for name, service in compose["services"].items() if name != "app"]
    assert all(re.search(r":v?\d+(\.\d+)+$", image) for image in images), "a version, not latest"


def test_the_proxy_leads_to_the_app(compose: dict[str, Any]):
    text = (DEPLOY / "Caddyfile").read_text("utf-8")
    assert "reverse_proxy app:7860" in text
    assert text.count("{") == text.count("}")
    assert "TRADEFLOOR_NAME" in compose["services"]["proxy"]["environment"]


# -- metrics -------------------------------------------------------------------------------------------------------


def test_every_metric_of_the_dashboard_is_exported(exported: set[str]):
    board = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    asked = {
        name for panel in board["panels"] for target in panel["targets"] for name in METRIC.findall(target["expr"])
    }
    assert len(asked) > 10
    assert asked - {"up"} <= exported
    assert {name for name in exported if name.endswith(("_total", "_bucket"))} <= asked, "and all are shown"


def test_panels_lie_side_by_side():
    board = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])


def test_alerts_ask_for_metrics_and_labels_that_exist(exported: set[str]):
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    assert len(rules) >= 5
    for rule in rules:
        asked = set(METRIC.findall(rule["expr"]))
        assert asked
        assert asked - {"up"} <= exported, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert {"summary", "do"} <= set(rule["annotations"])


def test_queries_ask_for_labels_that_their_metrics_have():
    collectors = [one for one in vars(Meters()).values() if hasattr(one, "_labelnames")]
    labels = {one._name: set(one._labelnames) for one in collectors}
    board = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    for query in [*queries, *(rule["expr"] for rule in rules)]:
        asked = {each.strip() for group in re.findall(r"by \(([^)]*)\)", query) for each in group.split(",")}
        for metric in METRIC.findall(query):
            stem = re.sub(r"_(total|bucket|sum|count)$", "", metric)
            has = labels.get(stem, {"job"}) | ({"le"} if metric.endswith("_bucket") else set())
            assert asked <= has, query


def test_prometheus_comes_with_a_token_and_scrapes_the_app(compose: dict[str, Any]):
    document = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
    (job,) = document["scrape_configs"]
    assert job["metrics_path"] == "/metrics"
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert f"--allow-host={host}" in compose["services"]["app"]["command"]
    assert port == "7860"
    secret = Path(job["authorization"]["credentials_file"]).name
    assert secret in compose["services"]["prometheus"]["secrets"]
    assert document["rule_files"] == ["alerts.yml"]


def test_grafana_finds_its_source_and_its_board():
    source = yaml.safe_load((DEPLOY / "grafana/datasources/tradefloor.yaml").read_text("utf-8"))["datasources"][0]
    board = json.loads((DEPLOY / "grafana.json").read_text("utf-8"))
    assert {panel["datasource"]["uid"] for panel in board["panels"]} == {source["uid"]}
    assert source["url"] == "http://prometheus:9090"
