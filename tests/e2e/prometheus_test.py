"""The real Prometheus and its promtool judge the exporters' pages, and evaluate the same rules to the same alerts."""
import re
import subprocess

import harness
from harness import Stack, eventually, find_program, main
from monitored import Monitored

# What `promtool check metrics` finds wrong with names that the official exporters have too, and dashboards rely on.
OFFICIAL_NAMES = "tests/e2e/official_names.txt"


def lint(text):
    done = subprocess.run([find_program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 3), f"promtool: {done.stderr[-2000:]}"
    return [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]


def test_promtool_finds_only_what_the_official_names_have_wrong():
    with open(f"{harness.ARGS.source_dir}/{OFFICIAL_NAMES}") as f:
        known = re.compile("|".join(line.strip() for line in f if line.strip() and not line.startswith("#")))
    with Stack() as stack:
        monitored = Monitored(stack)
        unknown = []
        for exporter in monitored.exporters.values():
            page = exporter.metrics()
            assert len(page.samples) > 50, f"{exporter.name}: only {len(page.samples)} samples"
            unknown += [line for line in lint(page.text) if not known.fullmatch(line.split()[0])]
        assert not unknown, "promtool: " + "; ".join(unknown)


def test_prometheus_scrapes_every_exporter_without_a_warning():
    with Stack() as stack:
        monitored = Monitored(stack)
        prometheus = stack.prometheus(monitored.config())

        def all_up():
            ups = prometheus.query("up == 1")
            return len(ups) == len(monitored.exporters)
        eventually(all_up, "Prometheus has scraped all four")
        eventually(lambda: all(float(s["value"][1]) >= 3 for s in prometheus.query("count_over_time(up[1m])")), "three scrapes of each")
        complaints = [line for line in prometheus.process.log().splitlines() if "level=warn" in line or "level=error" in line]
        assert not complaints, complaints
        for query in ("pg_up", "redis_up", "pgbouncer_up", 'node_uname_info'):
            assert prometheus.query(query), f"{query} is empty"


def firing(server):
    """Firing alerts as comparable sets of labels."""
    return sorted(tuple(sorted(a["labels"].items())) for a in server.json("/api/v1/alerts")["data"]["alerts"] if a["state"] == "firing")


def test_prometheus_evaluates_the_same_rules_to_the_same_alerts():
    with Stack() as stack:
        monitored = Monitored(stack)
        rules = monitored.quick_rules()
        prometheus = stack.prometheus(monitored.config(rules))
        agent = monitored.agent(rules)
        monitored.redis.kill9()
        monitored.bouncer.kill9()
        monitored.exporters["postgres"].kill9()

        def agree():
            ours, theirs = firing(agent), firing(prometheus)
            names = {dict(labels)["alertname"] for labels in theirs}
            assert {"RedisDown", "PgbouncerDown"} <= names, f"Prometheus: {names}"
            assert ours == theirs, f"ours {ours}\ntheirs {theirs}"
            return True
        eventually(agree, "both fire the same alerts", timeout=60)
        for server in (agent, prometheus):
            sick = [r for g in server.json("/api/v1/rules")["data"]["groups"] for r in g["rules"] if r["health"] == "err"]
            assert not sick, sick


if __name__ == "__main__":
    main(globals())
