"""kill -9 of anything, at any moment: the rest goes on and recovers without help."""
import time

from harness import Stack, eventually, main
from monitored import Monitored


def up(agent, job):
    found = agent.query(f'up{{job="{job}"}}')
    return found and found[0]["value"][1] == "1"


def test_an_exporter_killed_is_down_alone_and_comes_back():
    with Stack() as stack:
        monitored = Monitored(stack)
        agent = monitored.agent()
        jobs = monitored.exporters
        eventually(lambda: all(up(agent, job) for job in jobs), "every target is up")
        for victim, server in jobs.items():
            server.kill9()
            eventually(lambda: not up(agent, victim), f"{victim} is seen down", timeout=10)
            assert all(up(agent, job) for job in jobs if job != victim), f"{victim}'s death took others with it"
            server.start()
            eventually(lambda: up(agent, victim), f"{victim} is seen up again", timeout=10)


def test_a_database_killed_costs_only_its_own_up_metric():
    with Stack() as stack:
        monitored = Monitored(stack)
        agent = monitored.agent()
        for server, job, metric in ((monitored.redis, "redis", "redis_up"), (monitored.bouncer, "pgbouncer", "pgbouncer_up"),
                                    (monitored.pg, "postgres", "pg_up")):
            def value():
                found = agent.query(metric)
                return found[0]["value"][1] if found else None
            eventually(lambda: value() == "1", f"{metric} is 1")
            server.kill9()
            eventually(lambda: value() == "0", f"{metric} is 0", timeout=10)
            assert up(agent, job), f"{job}: the exporter must answer while its server is dead"
            server.start()
            eventually(lambda: value() == "1", f"{metric} is 1 again", timeout=20)


def test_the_agent_killed_comes_back_and_scrapes_on():
    with Stack() as stack:
        monitored = Monitored(stack)
        agent = monitored.agent(rules=monitored.quick_rules())
        for _ in range(3):
            eventually(lambda: all(up(agent, job) for job in monitored.exporters), "every target is up", timeout=15)
            agent.kill9()
            for server in monitored.exporters.values():
                assert server.get()[0] == 200
            agent.start()
        eventually(lambda: agent.json("/api/v1/rules")["data"]["groups"], "rules are evaluated again")


def test_the_agent_killed_keeps_its_samples():
    with Stack() as stack:
        monitored = Monitored(stack)
        agent = monitored.agent()
        eventually(lambda: all(up(agent, job) for job in monitored.exporters), "every target is up", timeout=15)

        def writes():
            return agent.metrics().value("tarsier_store_journal_writes_total")
        before = writes()
        # The second one began after all of them were up.
        eventually(lambda: writes() >= before + 2, "the journal is written twice")
        then = time.time()
        agent.kill9()
        agent.start()
        kept = agent.query(f"last_over_time(up[1h] @ {then:.3f})")
        assert {one["metric"]["job"] for one in kept} >= set(monitored.exporters), f"lost with the kill: {kept}"


if __name__ == "__main__":
    main(globals())
