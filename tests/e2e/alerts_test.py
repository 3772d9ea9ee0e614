"""Each of the six alerts that must exist fires for its cause, is delivered, and resolves when the cause is gone.

Nothing is faked: servers are stopped, connections held, queries slow, memory filled. The only short cut is `for: 1s`.
"""
import concurrent.futures
import datetime
import socket
import struct
import time

from harness import Stack, eventually, main
from monitored import Monitored

BODY_KEYS = {"version", "groupKey", "truncatedAlerts", "status", "receiver", "groupLabels", "commonLabels",
             "commonAnnotations", "externalURL", "alerts"}
ALERT_KEYS = {"status", "labels", "annotations", "startsAt", "endsAt", "generatorURL", "fingerprint"}


def fingerprint(labels):
    """FNV-1a 64 over the sorted labels, as Prometheus' common library defines it."""
    value = 14695981039346656037
    for name, text in sorted(labels.items()):
        for byte in name.encode() + b"\xff" + text.encode() + b"\xff":
            value = ((value ^ byte) * 1099511628211) % 2**64
    return f"{value:016x}"


def parse_time(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def check_body(body):
    assert BODY_KEYS <= set(body), f"missing: {BODY_KEYS - set(body)}"
    assert body["version"] == "4" and body["truncatedAlerts"] == 0
    assert body["alerts"], "a body without alerts"
    firing = any(a["status"] == "firing" for a in body["alerts"])
    assert body["status"] == ("firing" if firing else "resolved")
    for alert in body["alerts"]:
        assert ALERT_KEYS <= set(alert), f"missing: {ALERT_KEYS - set(alert)}"
        assert alert["fingerprint"] == fingerprint(alert["labels"])
        assert alert["labels"]["severity"] in ("warning", "critical"), alert["labels"]
        assert alert["annotations"]["summary"] and alert["annotations"]["description"], alert["annotations"]
        for text in alert["annotations"].values():
            assert "{{" not in text and "<error" not in text and "<no value>" not in text, text
        assert alert["generatorURL"].startswith("http") and "g0.expr=" in alert["generatorURL"], alert["generatorURL"]
        starts = parse_time(alert["startsAt"])
        assert abs((datetime.datetime.now(datetime.timezone.utc) - starts).total_seconds()) < 600
        if alert["status"] == "firing":
            assert alert["endsAt"] == "0001-01-01T00:00:00Z", alert["endsAt"]
        else:
            assert parse_time(alert["endsAt"]) >= starts
        for key, value in body["commonLabels"].items():
            assert alert["labels"][key] == value


class Session:
    """A PostgreSQL connection that is only held: protocol 3 start-up, trust authentication."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        body = struct.pack("!i", 196608) + b"user\0postgres\0database\0postgres\0\0"
        self.socket.sendall(struct.pack("!i", len(body) + 4) + body)
        received = b""
        while not received.endswith(b"Z\x00\x00\x00\x05I"):
            got = self.socket.recv(4096)
            assert got, f"the server closed the connection: {received!r}"
            received += got

    def close(self):
        self.socket.close()


class Watch:
    def __init__(self, stack, monitored):
        self.receiver = stack.receiver()
        self.agent = monitored.agent(monitored.quick_rules(), [f"--alert.webhook-url={self.receiver.url}"])

    def fires_then_resolves(self, alert, cause, cure, timeout=60):
        assert not self.receiver.alerts(alert, "firing"), f"{alert} fired before its cause"
        cause()
        firing = eventually(lambda: self.receiver.alerts(alert, "firing"), f"{alert} is delivered", timeout)[0]
        cure()
        resolved = eventually(lambda: [a for a in self.receiver.alerts(alert, "resolved") if a["labels"] == firing["labels"]],
                              f"{alert} is told to be over", timeout)[0]
        assert resolved["startsAt"] == firing["startsAt"]
        assert resolved["fingerprint"] == firing["fingerprint"]
        return firing

    def check_bodies(self):
        for body in self.receiver.bodies:
            check_body(body)


def test_servers_that_stop():
    with Stack() as stack:
        monitored = Monitored(stack)
        watch = Watch(stack, monitored)
        eventually(lambda: len(watch.agent.query("pg_up == 1 or redis_up == 1 or pgbouncer_up == 1")) == 3, "all three are up")
        watch.fires_then_resolves("PgbouncerDown", monitored.bouncer.stop, monitored.bouncer.start)
        watch.fires_then_resolves("RedisDown", monitored.redis.stop, monitored.redis.start)
        alert = watch.fires_then_resolves("PostgresqlDown", monitored.pg.stop, monitored.pg.start)
        assert alert["labels"]["instance"] == f"127.0.0.1:{monitored.exporters['postgres'].port}"
        assert alert["labels"]["severity"] == "critical"
        watch.check_bodies()


def test_more_than_180_of_200_connections():
    with Stack() as stack:
        monitored = Monitored(stack)
        watch = Watch(stack, monitored)
        sessions = []

        def hold():
            sessions.extend(Session(monitored.pg.port) for _ in range(170))
            eventually(lambda: watch.agent.query("sum(pg_stat_activity_count) > 170"), "170 connections are seen")
            time.sleep(3)
            assert not watch.receiver.alerts("PostgresqlTooManyConnections", "firing"), "170 is not more than 180"
            sessions.extend(Session(monitored.pg.port) for _ in range(18))

        def release():
            for session in sessions:
                session.close()
        watch.fires_then_resolves("PostgresqlTooManyConnections", hold, release)
        watch.check_bodies()


def test_queries_slower_than_a_second_on_average():
    with Stack() as stack:
        monitored = Monitored(stack)
        watch = Watch(stack, monitored)

        def slow():
            # The statement must be known before it becomes slow: a counter's first value is no increase.
            monitored.pg.sql("select pg_sleep(0.01)")
            eventually(lambda: watch.agent.query("pg_stat_statements_calls_total > 0"), "statements are seen")
            time.sleep(3)
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                for done in [pool.submit(monitored.pg.sql, "select pg_sleep(1.5)") for _ in range(8)]:
                    done.result()

        def fast():
            for _ in range(30):
                monitored.pg.sql(";".join(["select pg_sleep(0.0)"] * 20))
        watch.fires_then_resolves("PostgresqlSlowQueries", slow, fast, timeout=90)
        watch.check_bodies()


def test_redis_fuller_than_90_percent():
    with Stack() as stack:
        monitored = Monitored(stack, ["--maxmemory", "32mb", "--maxmemory-policy", "noeviction"])
        watch = Watch(stack, monitored)

        def fill():
            eventually(lambda: watch.agent.query("redis_memory_max_bytes > 0"), "maxmemory is seen")
            monitored.redis.cli("EVAL", "for i=1,58 do redis.call('SET','fill:'..i,string.rep('x',500000)) end", "0")
            used = int([l for l in monitored.redis.cli("INFO", "memory").splitlines() if l.startswith("used_memory:")][0].split(":")[1])
            assert 0.9 * 32 * 2**20 < used < 32 * 2**20, used
        watch.fires_then_resolves("RedisMemoryHigh", fill, lambda: monitored.redis.cli("FLUSHALL"))
        watch.check_bodies()


if __name__ == "__main__":
    main(globals())
