"""The agent with no configuration: it finds the servers of this machine, serves what they say, and tells when one dies."""
import os
import signal
import urllib.parse

from harness import Stack, eventually, leave_network, main


class Found:
    """Real servers that nobody told the agent about, and the agent."""

    def __init__(self, stack):
        self.pg, self.redis = stack.postgres(), stack.redis()
        self.bouncer = stack.pgbouncer(self.pg)
        self.receiver = stack.receiver()
        self.agent = stack.program("tarsier-agent", ["--scrape.interval=1s", "--rules.interval=1s", f"--alert.webhook-url={self.receiver.url}"],
                                   ready_path="/-/ready")

    def value(self, query):
        result = self.agent.query(query)
        return float(result[0]["value"][1]) if len(result) == 1 else None

    def selector(self, metric, server):
        return f'{metric}{{instance=~".*:{server.port}"}}'


def test_it_finds_the_servers_that_listen_here():
    with Stack() as stack:
        found = Found(stack)
        for metric, server in (("pg_up", found.pg), ("redis_up", found.redis), ("pgbouncer_up", found.bouncer)):
            eventually(lambda: found.value(found.selector(metric, server)) == 1, f"{metric} of port {server.port} is 1")
        eventually(lambda: found.value("count(node_uname_info)") == 1, "the host itself is watched")
        log = found.agent.process.log()
        for word in ("PostgreSQL", "Redis", "PgBouncer", f":{found.pg.port}", f":{found.redis.port}", "rules", "look at http://"):
            assert word in log, f"{word!r} is not in what it prints:\n{log}"


def test_a_server_that_dies_is_told_and_one_that_comes_later_is_found():
    with Stack() as stack:
        found = Found(stack)
        eventually(lambda: found.value(found.selector("redis_up", found.redis)) == 1, "Redis is watched")
        found.redis.kill9()

        def told():
            return [a for a in found.receiver.alerts("RedisDown", "firing") if a["labels"]["instance"].endswith(f":{found.redis.port}")]
        alert = eventually(told, "RedisDown reaches the webhook", timeout=90)[0]
        assert "g0.expr=" in alert["generatorURL"]
        found.redis.start()
        eventually(lambda: [a for a in found.receiver.alerts("RedisDown", "resolved") if a["labels"] == alert["labels"]],
                   "its end is told too", timeout=60)
        later = stack.redis()
        eventually(lambda: found.value(found.selector("redis_up", later)) == 1, "a Redis started later is found", timeout=90)


def test_it_answers_what_grafana_and_promtool_ask():
    with Stack() as stack:
        found = Found(stack)
        agent = found.agent
        eventually(lambda: found.value(found.selector("pg_up", found.pg)) == 1, "PostgreSQL is watched")
        assert agent.query("1+1")[1] == "2"
        assert agent.json("/api/v1/status/buildinfo")["data"]["version"]
        assert "postgres" in agent.json("/api/v1/label/job/values")["data"]

        def targets_up():
            targets = agent.json("/api/v1/targets")["data"]["activeTargets"]
            return targets if any(t["health"] == "up" and t["labels"]["job"] == "node" for t in targets) else None
        targets = eventually(targets_up, "the host is a target that is up")
        groups = agent.json("/api/v1/rules")["data"]["groups"]
        names = {rule["name"] for group in groups for rule in group["rules"]}
        assert {"PostgresqlDown", "PostgresqlTooManyConnections", "PostgresqlSlowQueries", "RedisDown", "RedisMemoryHigh",
                "PgbouncerDown"} <= names
        eventually(lambda: all(r["health"] == "ok" for g in agent.json("/api/v1/rules")["data"]["groups"] for r in g["rules"]),
                   "every bundled rule evaluates")
        query = urllib.parse.urlencode({"query": "up", "start": targets[0]["lastScrape"], "end": targets[0]["lastScrape"], "step": "1s"})
        assert agent.json(f"/api/v1/query_range?{query}")["data"]["resultType"] == "matrix"
        for path in ("/", "/targets", "/alerts", "/rules"):
            status, headers, page = agent.get(path)
            assert status == 200 and "text/html" in headers["Content-Type"], path
            assert "default-src 'none'" in headers["Content-Security-Policy"] and "<script" not in page
        status, _, text = agent.get("/api/v1/query?query=up{")
        assert status == 400 and "parse error" in text, text


def test_it_stops_cleanly():
    with Stack() as stack:
        agent = Found(stack).agent
        agent.process.popen.send_signal(signal.SIGTERM)
        assert agent.process.popen.wait(15) == 0, agent.process.log()[-1000:]
        assert not os.path.exists(stack.path("core"))


if __name__ == "__main__":
    leave_network()  # Or it would find the servers of other tests; where that is not allowed, ctest runs this one alone.
    main(globals())
