"""Every query of every dashboard, run by Prometheus on the metrics of our exporters in front of real servers."""
import glob
import json
import os
import re
import subprocess
import time
import urllib.parse

import harness
import monitored

# Queries that are rightly empty while all is well.
EMPTY_IN_HEALTH = {
    ("overview", "Firing alerts"),  # Nothing fires.
}

# What Grafana would put in place of its variables: everything selected, the test's scrape interval of one second.
VARIABLES = {"__rate_interval": "10s", "__range": "30s", "__interval": "1s"}
SELECT_ALL = ".+"

LABEL_VALUES = re.compile(r"^label_values\((?:(.*), *)?([a-zA-Z_]\w*)\)$")


def dashboards():
    """{file name without .json: dashboard}"""
    paths = glob.glob(os.path.join(harness.ARGS.source_dir, "dashboards", "*.json"))
    assert paths, "there are no dashboards"
    found = {}
    for path in sorted(paths):
        with open(path) as f:
            found[os.path.basename(path)[:-len(".json")]] = json.load(f)
    return found


def panels(dashboard):
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            yield panel
        yield from panel.get("panels", [])


def resolve(expression, dashboard):
    names = {v["name"]: SELECT_ALL for v in dashboard["templating"]["list"] if v["type"] == "query"}
    names.update(VARIABLES)

    def value(match):
        name = match[1] or match[2]
        assert name in names, f"unknown variable ${name} in {expression}"
        return names[name]
    return re.sub(r"\$\{(\w+)\}|\$(\w+)", value, expression)


class Query:
    """One query of one panel. A panel that draws a range asks for a range."""

    def __init__(self, where, expression, instant):
        self.where, self.expression, self.instant = where, expression, instant

    def run(self, prometheus):
        """The number of series; raises when Prometheus refuses the query."""
        now = time.time()
        if self.instant:
            path, parameters = "/api/v1/query", {"query": self.expression, "time": now}
        else:
            path, parameters = "/api/v1/query_range", {"query": self.expression, "start": now - 30, "end": now, "step": 1}
        status, _, text = prometheus.get(path + "?" + urllib.parse.urlencode(parameters))
        assert status == 200, f"{self}: HTTP {status}: {text[:300]}"
        return len(json.loads(text)["data"]["result"])

    def __str__(self):
        return f"{' / '.join(self.where)}: {self.expression}"


def panel_queries(name, dashboard):
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield Query((name, panel["title"]), resolve(target["expr"], dashboard), target.get("instant", False))


def variable_queries(name, dashboard):
    """A variable offers something when series with its label exist."""
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            match = LABEL_VALUES.match(variable["query"]["query"])
            assert match, f"{name}: variable {variable['name']} is no label_values(…)"
            yield Query((name, f"${variable['name']}"), f"count by ({match[2]}) ({resolve(match[1], dashboard)})", True)


def annotation_queries(name, dashboard):
    for annotation in dashboard["annotations"]["list"]:
        yield Query((name, annotation["name"]), resolve(annotation["expr"], dashboard), False)


class Traffic:
    """Does a little of everything that the dashboards show."""

    def __init__(self, servers):
        self.servers = servers
        servers.pg.sql("create table orders (id int primary key, note text)")
        self.round = 0

    def __call__(self):
        self.round += 1
        through_bouncer = f"postgres://postgres@127.0.0.1:{self.servers.bouncer.port}/postgres"
        subprocess.run(["psql", "-X", "-q", "-d", through_bouncer, "-c", f"insert into orders values ({self.round}, 'new')",
                        "-c", "update orders set note = 'old'", "-c", "select count(*) from orders"],
                       check=True, capture_output=True, timeout=30)
        for words in (("SET", "key", "value"), ("SET", "brief", "value", "EX", "1"), ("GET", "key"), ("GET", "absent")):
            self.servers.redis.cli(*words)
        job = json.dumps({"class": "Mail", "enqueued_at": int(time.time() * 1000)})
        for words in (("SADD", "queues", "default"), ("LPUSH", "queue:default", job), ("INCR", "stat:processed")):  # Sidekiq's.
            self.servers.redis.cli(*words)


def test_every_panel_is_complete():
    uids = {}
    for name, dashboard in dashboards().items():
        assert dashboard["uid"] not in uids, f"{name} and {uids[dashboard['uid']]} have the same uid"
        uids[dashboard["uid"]] = name
        assert dashboard["schemaVersion"] == 39 and dashboard["id"] is None, name
        ids = [p["id"] for p in dashboard["panels"]]
        assert len(ids) == len(set(ids)), f"{name}: an id is there twice"
        titles, queries = set(), set()
        for panel in panels(dashboard):
            where = f"{name} / {panel['title']}"
            assert len(panel["description"]) > 20, f"{where}: no description"
            assert panel["fieldConfig"]["defaults"]["unit"], f"{where}: no unit"
            assert (panel["type"], panel["title"]) not in titles, f"{where}: the title is there twice"
            titles.add((panel["type"], panel["title"]))
            expressions = tuple(t["expr"] for t in panel["targets"])
            assert expressions and expressions not in queries, f"{where}: shows what another panel shows"
            queries.add(expressions)
            for target in panel["targets"]:
                assert target["datasource"]["uid"] == "${datasource}", f"{where}: a fixed data source"


def test_panels_lie_side_by_side():
    for name, dashboard in dashboards().items():
        taken = {}
        for panel in dashboard["panels"]:
            box = panel["gridPos"]
            assert box["x"] + box["w"] <= 24, f"{name} / {panel['title']}: reaches beyond the right edge"
            for x in range(box["x"], box["x"] + box["w"]):
                for y in range(box["y"], box["y"] + box["h"]):
                    assert (x, y) not in taken, f"{name}: {panel['title']} lies on {taken[x, y]}"
                    taken[x, y] = panel["title"]
        for y in range(max(y for _, y in taken) + 1):
            width = sum((x, y) in taken for x in range(24))
            assert width == 24, f"{name}: line {y} is {width} of 24 columns wide"


def test_provisioning_names_what_the_dashboards_use():
    folder = os.path.join(harness.ARGS.source_dir, "dashboards", "provisioning")
    with open(os.path.join(folder, "datasources", "prometheus.yml")) as f:
        datasource = f.read()
    assert "uid: prometheus\n" in datasource and "url: $PROMETHEUS_URL\n" in datasource, datasource
    with open(os.path.join(folder, "dashboards", "tarsier.yml")) as f:
        provider = f.read()
    with open(os.path.join(harness.ARGS.source_dir, "docker-compose.monitoring.yml")) as f:
        compose = f.read()
    path = re.search(r"path: (\S+)", provider)[1]
    assert f"./dashboards:{path}:ro" in compose, f"compose mounts nothing on {path}"
    assert "PROMETHEUS_URL:" in compose


def test_every_query_returns_something():
    with harness.Stack() as stack:
        servers = monitored.Monitored(stack, ["--maxmemory", "100mb"])
        prometheus = stack.prometheus(servers.config())
        waiting, may_be_empty = [], []
        for name, dashboard in dashboards().items():
            waiting += variable_queries(name, dashboard)
            may_be_empty += annotation_queries(name, dashboard)
            for query in panel_queries(name, dashboard):
                (may_be_empty if query.where in EMPTY_IN_HEALTH else waiting).append(query)
        for query in may_be_empty:
            query.run(prometheus)
        total = len(waiting) + len(may_be_empty)
        traffic = Traffic(servers)

        def all_answered():
            traffic()
            waiting[:] = [q for q in waiting if q.run(prometheus) == 0]
            return not waiting
        try:
            harness.eventually(all_answered, "every query returns something", timeout=60, interval=1)
        except AssertionError:
            raise AssertionError(f"{len(waiting)} of {total} queries return nothing:\n" + "\n".join(map(str, waiting)))
        print(f"{total} queries")


if __name__ == "__main__":
    harness.main(globals())
