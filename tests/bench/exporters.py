#!/usr/bin/env python3
"""Our exporters beside the official ones: CPU a scrape, latency, memory. Same servers, same run, interleaved.

    tests/bench/exporters.py [--bin-dir build/release/bin] [--peers-dir /usr/bin] [--rounds 7] [--scrapes 60] [--keys 100000]

Starts its own PostgreSQL, Redis (with --keys keys) and PgBouncer on free ports, then scrapes ours and theirs in turn over
keep-alive connections without compression. The official exporters are found by their Debian names
(prometheus-node-exporter, …) in --peers-dir or on PATH; one that is absent is left out of the table.
CPU is the process's own clock (user and system); the ratio is the median over rounds, with its range. Memory is
resident and private-dirty after all rounds. A smaller page is no speed-up: the sample counts are printed too.
"""
import argparse
import http.client
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import harness  # noqa: E402


def cpu_seconds(pid):
    return time.clock_gettime((~pid << 3) | 2)  # clock_getcpuclockid(3): the whole process, nanoseconds.


def memory_kib(pid):
    fields = {}
    with open(f"/proc/{pid}/smaps_rollup") as f:
        for line in f:
            words = line.split()
            if len(words) == 3:
                fields[words[0][:-1]] = int(words[1])
    return fields["Rss"], fields["Private_Dirty"]


class Subject:
    def __init__(self, server):
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.cpu, self.latency, self.samples, self.bytes = [], [], 0, 0

    def scrape(self):
        start = time.perf_counter()
        self.connection.request("GET", "/metrics", headers={"Accept-Encoding": "identity"})
        answer = self.connection.getresponse()
        body = answer.read()
        took = time.perf_counter() - start
        assert answer.status == 200, f"{self.server.name}: HTTP {answer.status}"
        self.bytes = len(body)
        self.samples = sum(1 for line in body.splitlines() if line and not line.startswith(b"#"))
        return took

    def round(self, scrapes):
        before = cpu_seconds(self.server.process.pid)
        self.latency += [self.scrape() for _ in range(scrapes)]
        self.cpu.append((cpu_seconds(self.server.process.pid) - before) / scrapes)

    def percentile_ms(self, p):
        return sorted(self.latency)[int(p * (len(self.latency) - 1))] * 1000

    def row(self, name, ratio):
        rss, dirty = memory_kib(self.server.process.pid)
        return (f"| {name} | {statistics.median(self.cpu) * 1000:.3f} ms | {self.percentile_ms(0.5):.2f} / {self.percentile_ms(0.99):.2f} ms "
                f"| {rss / 1024:.1f} / {dirty / 1024:.1f} MiB | {self.samples}, {self.bytes / 1024:.0f} KiB | {ratio} |")


def compare(name, ours, theirs, rounds, scrapes):
    subjects = [Subject(ours)] + ([Subject(theirs)] if theirs else [])
    for subject in subjects:
        for _ in range(20):
            subject.scrape()
    for _ in range(rounds):
        for subject in subjects:
            subject.round(scrapes)
    ratio = "no peer here"
    if theirs:
        ratios = sorted(a / b for a, b in zip(subjects[0].cpu, subjects[1].cpu))
        ratio = f"CPU 1/{1 / statistics.median(ratios):.1f} (1/{1 / ratios[-1]:.1f} to 1/{1 / ratios[0]:.1f})"
    print(subjects[0].row(f"tarsier-{name}", ratio))
    if theirs:
        print(subjects[1].row(os.path.basename(theirs.name), ""))
    sys.stdout.flush()


def find_peer(folder, name):
    try:
        return harness.find_program(name, folder)
    except harness.Skip:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin-dir", default="build/release/bin")
    parser.add_argument("--peers-dir", default="/usr/bin")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--scrapes", type=int, default=60)
    parser.add_argument("--keys", type=int, default=100000)
    args = parser.parse_args()
    args.bin_dir = os.path.abspath(args.bin_dir)
    harness.ARGS = args
    with harness.Stack() as stack:
        pg, redis = stack.postgres(), stack.redis()
        bouncer = stack.pgbouncer(pg, {"ignore_startup_parameters": "extra_float_digits"})  # Only the official one needs it.
        if args.keys:
            redis.cli("EVAL", "for i=1,ARGV[1] do redis.call('SET','key:'..i,i) end", "0", str(args.keys))
        pg_dsn = pg.dsn()
        pairs = [
            ("host", [], {}, "prometheus-node-exporter", [], {}),
            ("postgres", [], {"DATA_SOURCE_NAME": pg_dsn}, "prometheus-postgres-exporter", ["--collector.stat_statements"], {"DATA_SOURCE_NAME": pg_dsn}),
            ("redis", [f"--redis.addr=redis://127.0.0.1:{redis.port}"], {}, "prometheus-redis-exporter", ["--redis.addr", f"redis://127.0.0.1:{redis.port}"], {}),
            ("pgbouncer", [f"--pgBouncer.connectionString={bouncer.dsn()}"], {}, "prometheus-pgbouncer-exporter",
             [f"--pgBouncer.connectionString={bouncer.dsn()}"], {}),
        ]
        print("| exporter | CPU a scrape | p50 / p99 | resident / private dirty | samples, page | median ratio (range) |")
        print("|---|---|---|---|---|---|")
        for name, our_args, our_env, peer, peer_args, peer_env in pairs:
            ours = stack.program(f"tarsier-{name}", our_args, env=our_env)
            path = find_peer(args.peers_dir, peer)
            theirs = stack.program(path, peer_args, env=peer_env, ready_path="/metrics") if path else None
            compare(name, ours, theirs, args.rounds, args.scrapes)


main()
