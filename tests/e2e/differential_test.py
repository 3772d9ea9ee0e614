"""The agent and a real Prometheus scrape the same page and answer the same generated queries alike.

More by hand:  DIFFERENTIAL_QUERIES=5000 DIFFERENTIAL_SEED=7 PROMETHEUS=/path/to/prometheus differential_test.py …

The page has the whole history of its series, with times of its own, so that both hold the same samples whenever they
scrape. Samples are 3 s after a multiple of 15 s, queries are asked 7 s after one: no sample is at the edge of a window,
where Prometheus 2 and 3 differ.
"""
import http.client
import http.server
import json
import math
import os
import random
import threading
import time
import urllib.parse

import harness
from harness import Stack, eventually, find_program, main

QUERIES = int(os.environ.get("DIFFERENTIAL_QUERIES", "300"))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))
STEP = 15
SAMPLES = 120


def make_series(rng):
    """name{labels} -> values, None for a gap."""
    series = {}
    for job in ("a", "b"):
        for i in range(4):
            labels = f'job="{job}",i="{i}"'
            total, values = 0.0, []
            for _ in range(SAMPLES):
                total = 0.0 if rng.random() < 0.02 else total + rng.choice((0, 1, 5, rng.random() * 100))
                values.append(None if rng.random() < 0.03 else total)
            series[f"c_total{{{labels}}}"] = values
            level, values = rng.uniform(-50, 50), []
            for _ in range(SAMPLES):
                level += rng.gauss(0, 5)
                values.append(None if rng.random() < 0.05 else math.nan if rng.random() < 0.01 else level)
            series[f"g{{{labels}}}"] = values
            counts = [0] * 5
            rows = [[] for _ in range(5)]
            for _ in range(SAMPLES):
                for _ in range(rng.randrange(4)):
                    bucket = rng.randrange(5)
                    for k in range(bucket, 5):
                        counts[k] += 1
                for k in range(5):
                    rows[k].append(float(counts[k]))
            for k, bound in enumerate(("0.1", "0.5", "2.5", "7.5", "+Inf")):
                series[f'h_bucket{{{labels},le="{bound}"}}'] = rows[k]
    for i in range(3):
        values = [None] * SAMPLES
        for k in range(i * 20, i * 20 + 50):
            values[k] = rng.randrange(5)
        series[f'sparse{{i="{i}"}}'] = values
    for i in range(4):
        series[f'build_info{{i="{i}",version="v{i % 2}",x="y"}}'] = [1.0] * SAMPLES
    return series


def make_page(series, last):
    lines = []
    for name, values in series.items():
        for k, value in enumerate(values):
            if value is not None:
                text = "NaN" if math.isnan(value) else repr(value)
                lines.append(f"{name} {text} {(last - (SAMPLES - 1 - k) * STEP) * 1000}")
    return "\n".join(lines) + "\n"


class PageServer:
    """Serves the page once to each scraper, and then empty ones."""

    def __init__(self, page):
        self.served, self.lock = {}, threading.Lock()
        owner = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                agent = self.headers.get("User-Agent", "").split("/")[0]
                with owner.lock:
                    first = agent not in owner.served
                    owner.served[agent] = True
                body = (page if first else "").encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Generator:
    """Random expressions over the series, all of them valid to the parser; some fail when they are evaluated."""

    ELEMENT = ("abs", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn", "round", "sin", "cos", "tan", "atan", "sinh",
               "deg", "rad", "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year",
               "timestamp", "absent", "sort", "sort_desc")
    RANGE = ("rate", "increase", "delta", "idelta", "irate", "deriv", "changes", "resets", "avg_over_time", "sum_over_time",
             "min_over_time", "max_over_time", "count_over_time", "last_over_time", "present_over_time", "stddev_over_time",
             "stdvar_over_time", "absent_over_time")
    AGGREGATIONS = ("sum", "avg", "min", "max", "count", "group")

    # Where Prometheus before 2.53 is wrong by today's rules: names after atan2, extrapolation next to zero, the origin
    # of predict_linear with @.
    NEW = {"atan2", "rate", "increase", "predict_linear"}

    def __init__(self, rng, now, old):
        self.rng, self.now, self.old = rng, now, old

    def known(self, names):
        return [name for name in names if not self.old or name not in self.NEW]

    def pick(self, *choices):
        return self.rng.choice(choices)

    def number(self):
        return self.pick("0", "1", "2", "-1", "0.5", "10", "100", "1e3", "-0.25", "NaN", "Inf", "3600")

    def duration(self):
        return self.pick("30s", "45s", "1m", "90s", "2m", "5m", "7m30s", "10m", "20m")

    def matchers(self):
        found = []
        if self.rng.random() < 0.4:
            found.append(self.pick('job="a"', 'job!="a"', 'job=~"a|b"', 'job=~".*"', 'job!~"a.*"', 'job=""'))
        if self.rng.random() < 0.4:
            found.append(self.pick('i="0"', 'i!="1"', 'i=~"[0-2]"', 'i!~"3|0"', 'i=~".+"'))
        return "{" + ",".join(found) + "}" if found else ""

    def modifiers(self):
        text = ""
        if self.rng.random() < 0.1:
            text += " offset " + self.pick("1m", "5m", "-2m", "30s")
        if self.rng.random() < 0.07:
            text += " @ " + self.pick(str(self.now - 600), str(self.now - 300), "start()", "end()")
        return text

    def name(self):
        return self.rng.choices(("c_total", "g", "h_bucket", "sparse", "build_info", "nothing"), (5, 5, 2, 2, 1, 1))[0]

    def selector(self):
        return self.name() + self.matchers() + self.modifiers()

    def matrix(self, depth):
        if depth > 0 and self.rng.random() < 0.25:
            step = self.pick("", "30s", "1m", "45s")
            return f"({self.vector(depth - 1)})[{self.duration()}:{step}]{self.modifiers()}"
        return f"{self.name()}{self.matchers()}[{self.duration()}]{self.modifiers()}"

    def scalar(self, depth):
        kind = self.rng.random()
        if depth == 0 or kind < 0.5:
            return self.number()
        if kind < 0.6:
            return "time()"
        if kind < 0.8:
            return f"scalar({self.vector(depth - 1)})"
        return f"({self.scalar(depth - 1)} {self.pick('+', '-', '*', '/', '> bool', '== bool')} {self.scalar(depth - 1)})"

    def labels(self):
        return ", ".join(self.rng.sample(("job", "i", "le", "x"), self.rng.randrange(3)))

    def aggregation(self, depth):
        by = self.pick("", f" by ({self.labels()}) ", f" without ({self.labels()}) ")
        kind = self.rng.random()
        if kind < 0.7:
            return f"{self.pick(*self.AGGREGATIONS)}{by}({self.vector(depth - 1)})"
        if kind < 0.85:
            return f"{self.pick('topk', 'bottomk')}{by}({self.pick('1', '2', '3', '100')}, {self.pick('c_total', 'g')}{self.matchers()})"
        if kind < 0.95:
            return f"quantile{by}({self.pick('0', '0.1', '0.5', '0.9', '1', '2', '-1')}, {self.vector(depth - 1)})"
        if kind < 0.97:  # Prometheus 2 takes the deviation of one NaN for 0.
            return f"{self.pick('stddev', 'stdvar')}{by}({self.pick('c_total', 'h_bucket', 'sparse')}{self.matchers()})"
        return f"count_values{by}(\"v\", {self.pick('sparse', 'build_info', 'c_total')}{self.matchers()})"

    def binary(self, depth):
        # No remainders of computed numbers: they make much of the last digit.
        op = self.pick(*self.known(("+", "-", "*", "/", "^", "atan2", "==", "!=", "<", "<=", ">", ">=")))
        is_bool = " bool" if op in ("==", "!=", "<", "<=", ">", ">=") and self.rng.random() < 0.5 else ""
        kind = self.rng.random()
        if kind < 0.05:
            return f"({self.selector()} % {self.number()})"
        if kind < 0.25:
            return f"({self.vector(depth - 1)} {op}{is_bool} {self.scalar(depth - 1)})"
        if kind < 0.4:
            return f"({self.scalar(depth - 1)} {op}{is_bool} {self.vector(depth - 1)})"
        if kind < 0.6:
            on = self.pick("", " on (i)", " ignoring (job)", " on (job, i)", " on ()")
            return f"({self.vector(depth - 1)} {self.pick('and', 'or', 'unless')}{on} {self.vector(depth - 1)})"
        if kind < 0.75:
            side = self.pick("c_total", "g", "sum by (job, i) (c_total)")
            include = self.pick("", "version", "version, x")
            return f"({side}{self.matchers() if side != 'sum by (job, i) (c_total)' else ''} {op}{is_bool} on (i) group_left ({include}) build_info)"
        on = self.pick("", " on (i)", " ignoring (job)", " on (job, i)", " ignoring (x)")
        return f"({self.vector(depth - 1)} {op}{is_bool}{on} {self.vector(depth - 1)})"

    def call(self, depth):
        kind = self.rng.random()
        if kind < 0.35:
            return f"{self.pick(*self.known(self.RANGE))}({self.matrix(depth - 1)})"
        if kind < 0.6:
            name = self.pick(*self.ELEMENT)
            # Of great numbers these make much of the last digit.
            return f"{name}(g{self.matchers()})" if name in ("sin", "cos", "tan") else f"{name}({self.vector(depth - 1)})"
        if kind < 0.65:
            return f"quantile_over_time({self.pick('0', '0.3', '0.5', '0.99', '1.5')}, {self.matrix(depth - 1)})"
        if kind < 0.7:
            name = "deriv" if self.old else "predict_linear"
            argument = "" if self.old else f", {self.pick('60', '3600', '-60')}"
            return f"{name}({self.matrix(depth - 1)}{argument})"
        if kind < 0.78:
            return (f"histogram_quantile({self.pick('0', '0.1', '0.5', '0.9', '0.99', '1', '1.1', '-1')}, "
                    f"{self.pick('sum by (le) ', 'sum by (job, le) ', '')}({self.pick(*self.known(('irate', 'rate')))}(h_bucket{self.matchers()}[{self.duration()}])))")
        if kind < 0.84:
            return f"{self.pick('clamp_min', 'clamp_max', 'round')}({self.vector(depth - 1)}, {self.scalar(depth - 1)})"
        if kind < 0.88:
            return f"clamp({self.vector(depth - 1)}, {self.number()}, {self.number()})"
        if kind < 0.94:
            return (f"label_replace({self.vector(depth - 1)}, \"{self.pick('new', 'job', 'i', '__name__')}\", \"{self.pick('$1', 'x-$1', '', 'k')}\", "
                    f"\"{self.pick('job', 'i', 'none', '__name__')}\", \"{self.pick('(.*)', 'a', '(.)', '(a|0).*')}\")")
        if kind < 0.97:
            return f"label_join({self.vector(depth - 1)}, \"joined\", \"-\", \"job\", \"i\")"
        return f"vector({self.scalar(depth - 1)})"

    def vector(self, depth):
        kind = self.rng.random()
        if depth <= 0 or kind < 0.2:
            return self.selector()
        if kind < 0.45:
            return self.aggregation(depth)
        if kind < 0.7:
            return self.binary(depth)
        if kind < 0.95:
            return self.call(depth)
        return f"-{self.vector(depth - 1)}" if self.rng.random() < 0.5 else f"({self.vector(depth - 1)})"

    def broken(self):
        """What no parser takes."""
        text = self.vector(1)
        return self.pick(f"sum({text}", f"{text} +", f"rate({text})", f"{text}[5m]", f"nope({text})", f"{text} == bool", "sum by (job",
                         f"1 + on (i) {text}", f"{text} and 1", "1 > 2", '{job=~".*"}', 'g{job="a"', f"topk({text})", f"-\"x\"",
                         f"label_replace({text}, \"~~\", \"\", \"\", \"(\")", f"{text} offset x", "g @ x", f"count_values(1, {text})")


class Client:
    """One connection that stays open."""

    def __init__(self, port):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, path, **parameters):
        self.connection.request("POST", path, urllib.parse.urlencode(parameters), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())


def same_number(a, b):
    x, y = float(a), float(b)
    if math.isnan(x) or math.isnan(y) or math.isinf(x) or math.isinf(y):
        return str(x) == str(y)
    return abs(x - y) <= max(1e-9 * max(abs(x), abs(y)), 1e-12)


def same_points(a, b):
    return len(a) == len(b) and all(p[0] == q[0] and same_number(p[1], q[1]) for p, q in zip(a, b))


def by_labels(result):
    return {json.dumps(one["metric"], sort_keys=True): one.get("values") or [one["value"]] for one in result}


def difference(query, ours, theirs):
    """What differs between two answers; None if nothing does."""
    if ours[0] != theirs[0] or ours[1]["status"] != theirs[1]["status"]:
        return f"HTTP {ours[0]} {ours[1].get('error', '')} / HTTP {theirs[0]} {theirs[1].get('error', '')}"
    if ours[1]["status"] == "error":
        return None if ours[1]["errorType"] == theirs[1]["errorType"] else f"{ours[1]} / {theirs[1]}"
    ours, theirs = ours[1]["data"], theirs[1]["data"]
    if ours["resultType"] != theirs["resultType"]:
        return f"{ours['resultType']} / {theirs['resultType']}"
    if ours["resultType"] in ("scalar", "string"):
        return None if same_points([ours["result"]], [theirs["result"]]) else f"{ours} / {theirs}"
    a, b = by_labels(ours["result"]), by_labels(theirs["result"])
    if a.keys() != b.keys() or len(ours["result"]) != len(theirs["result"]):
        return f"only ours: {sorted(a.keys() - b.keys())[:3]}, only theirs: {sorted(b.keys() - a.keys())[:3]}, {len(a)} / {len(b)} series"
    if query.startswith("sort") and list(a) != list(b) and len({p[0][1] for p in a.values()}) == len(a):
        return f"order: {list(a)} / {list(b)}"
    for labels, points in a.items():
        if not same_points(points, b[labels]):
            return f"{labels}: {points[:20]} / {b[labels][:20]}"
    return None


def prometheus_program():
    given = os.environ.get("PROMETHEUS")
    return given if given else find_program("prometheus")


def is_old(peer):
    version = peer.json("/api/v1/status/buildinfo")["data"]["version"]
    return [int(part) for part in version.split("+")[0].split(".")[:2]] < [2, 53]


def test_the_agent_answers_as_prometheus_does():
    program = prometheus_program()
    rng = random.Random(SEED)
    # Samples must be neither in the future nor more than an hour old.
    last = int(time.time()) // STEP * STEP - 2 * STEP + 3
    pages = PageServer(make_page(make_series(rng), last))
    config = f"""
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: generated
    honor_labels: true
    static_configs: [{{targets: ["127.0.0.1:{pages.port}"]}}]
    metric_relabel_configs: [{{regex: instance, action: labeldrop}}]
"""
    try:
        with Stack() as stack:
            path = stack.write("prometheus.yml", config)
            agent = stack.program("tarsier-agent", [f"--config.file={path}", "--storage.path="])
            peer = stack.program(program, [f"--config.file={path}", f"--storage.tsdb.path={stack.path('data')}"], ready_path="/-/ready")
            for server in (agent, peer):
                eventually(lambda server=server: len(server.query(f"c_total @ {last}")) == 8, f"{server.name} has the page", timeout=60)
            ours, theirs = Client(agent.port), Client(peer.port)
            now = last + 4
            generator = Generator(rng, now, is_old(peer))
            differences, errors = [], 0
            for k in range(QUERIES):
                at = now - rng.randrange(0, 40) * STEP
                if k % 10 == 9:
                    query = generator.broken()
                else:
                    query = generator.vector(3)
                if k % 3 == 2:
                    parameters = {"start": at - 600, "end": at, "step": rng.choice((15, 60, 90, 150))}
                    path = "/api/v1/query_range"
                else:
                    parameters = {"time": at}
                    path = "/api/v1/query"
                answers = [client.ask(path, query=query, **parameters) for client in (ours, theirs)]
                errors += answers[1][1]["status"] == "error"
                found = difference(query, *answers)
                if found:
                    differences.append(f"{query}  {parameters}\n      {found[:600]}")
            print(f"  {QUERIES} queries with seed {SEED}, {errors} of them refused by Prometheus, {len(differences)} answered differently")
            assert not differences, "\n   ".join([f"{len(differences)} differ (ours / theirs)"] + differences[:40])
            assert errors < QUERIES / 2
    finally:
        pages.close()


if __name__ == "__main__":
    main(globals())
