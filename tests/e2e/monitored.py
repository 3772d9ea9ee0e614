"""The whole product on real servers, for the tests that need all of it: PostgreSQL, Redis, PgBouncer, the exporters, the agent."""
import glob
import os
import re

import harness

JOBS = {"postgres": "tarsier-postgres", "redis": "tarsier-redis", "pgbouncer": "tarsier-pgbouncer", "node": "tarsier-host"}


class Monitored:
    """Attributes: pg, redis, bouncer (servers); exporters (job name → server)."""

    def __init__(self, stack, redis_arguments=()):
        self.stack = stack
        self.pg = stack.postgres()
        self.redis = stack.redis(redis_arguments)
        self.bouncer = stack.pgbouncer(self.pg)
        self.exporters = {
            "postgres": stack.exporter("tarsier-postgres", env={"DATA_SOURCE_NAME": self.pg.dsn()}),
            "redis": stack.exporter("tarsier-redis", [f"--redis.addr=redis://127.0.0.1:{self.redis.port}", "--queues=sidekiq"]),
            "pgbouncer": stack.exporter("tarsier-pgbouncer", [f"--pgBouncer.connectionString={self.bouncer.dsn()}"]),
            "node": stack.exporter("tarsier-host"),
        }

    def quick_rules(self):
        """The bundled rules with `for` cut to a second, so that a test need not wait minutes. Nothing else changes."""
        paths = []
        for path in sorted(glob.glob(os.path.join(harness.ARGS.source_dir, "alerts", "*.yml"))):
            if not path.endswith("_test.yml"):
                with open(path) as f:
                    text = f.read()
                text = re.sub(r"(?m)^(\s*for:\s*).*$", r"\g<1>1s", text)
                text = re.sub(r"(?m)^\s*(keep_firing_for|interval):.*\n", "", text)
                paths.append(self.stack.write("quick-" + os.path.basename(path), text))
        return paths

    def config(self, rules=()):
        """A prometheus.yml for the agent and for Prometheus alike: everything once a second."""
        lines = ["global:", "  scrape_interval: 1s", "  scrape_timeout: 1s", "  evaluation_interval: 1s", "rule_files:"]
        lines += [f"  - {path}" for path in rules] or ["  []"]
        lines += ["scrape_configs:"]
        for job, server in self.exporters.items():
            lines += [f"  - job_name: {job}", f"    static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]"]
        return "\n".join(lines) + "\n"

    def agent(self, rules=(), arguments=(), port=None):
        path = self.stack.write("agent.yml", self.config(rules))
        return self.stack.program("tarsier-agent", [f"--config.file={path}", *arguments], ready_path="/-/ready", port=port)
