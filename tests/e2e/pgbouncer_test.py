"""tarsier-pgbouncer against a real PgBouncer: values, logins, outages, TLS."""
import os
import subprocess
import time

import harness
from harness import Stack, eventually
from redis_test import make_certificates, reasons

CANARY = "c4n4ry-Pass/wd@1"
CANARY_ENCODED = "c4n4ry-Pass%2Fwd%401"


def exporter_for(stack, dsn, arguments=(), env=None):
    return stack.exporter("tarsier-pgbouncer", arguments, env={"PGBOUNCER_EXPORTER_CONNECTION_STRING": dsn, **(env or {})})


def run(*arguments, env=None):
    done = subprocess.run([os.path.join(harness.ARGS.bin_dir, "tarsier-pgbouncer"), *arguments], capture_output=True,
                          text=True, timeout=60, env={**os.environ, **(env or {})})
    return done.returncode, done.stdout + done.stderr


def expect_down(exporter, *allowed):
    def down():
        page = exporter.metrics()
        assert page.value("pgbouncer_up") == 0
        found = reasons(page, "pgbouncer_probe_failure")
        assert len(found) == 1 and found[0] in allowed, found
        return page
    return eventually(down, f"pgbouncer_up 0 because of {allowed}")


def expect_up(exporter):
    def up():
        page = exporter.metrics()
        assert page.value("pgbouncer_up") == 1 and reasons(page, "pgbouncer_probe_failure") == []
        assert [l for l, v in page.all("pgbouncer_scrape_collector_success") if v != 1] == []
        return page
    return eventually(up, "pgbouncer_up 1")


def query(bouncer, sql, database="postgres", user="postgres"):
    return subprocess.run(["psql", "-X", "-qAt", "-d", bouncer.dsn(user, database), "-c", sql], capture_output=True, text=True, timeout=60)


def test_values_are_the_servers():
    with Stack() as stack:
        pid_file = stack.path("pgbouncer.pid")
        os.chmod(stack.directory, 0o777)
        bouncer = stack.pgbouncer(stack.postgres(), {"default_pool_size": 7, "max_client_conn": 123, "pidfile": pid_file})
        for _ in range(3):
            assert query(bouncer, "select 1").stdout.strip() == "1"
        exporter = exporter_for(stack, bouncer.dsn(), [f"--pgBouncer.pid-file={pid_file}"])
        page = expect_up(exporter)
        assert page.value("pgbouncer_config_max_client_connections") == 123
        assert page.value("pgbouncer_config_max_client_conn") == 123
        for prefix in ("pgbouncer_stats_", "pgbouncer_stats_totals_"):
            assert page.value(prefix + "queries_pooled_total", database="postgres") == 3
            assert page.value(prefix + "queries_duration_seconds_total", database="postgres") > 0
        assert page.value("pgbouncer_databases_pool_size", database="postgres") == 7
        assert page.value("pgbouncer_pools_server_idle_connections", database="postgres", user="postgres") == 1
        assert page.value("pgbouncer_pools") == 2
        version = subprocess.run(["pgbouncer", "--version"], capture_output=True, text=True).stdout.splitlines()[0]
        assert page.value("pgbouncer_version_info", version=version) == 1
        assert page.value("pgbouncer_process_resident_memory_bytes") > 0


def test_waiting_clients_are_seen_within_the_second():
    with Stack() as stack:
        bouncer = stack.pgbouncer(stack.postgres(), {"default_pool_size": 1})
        exporter = exporter_for(stack, bouncer.dsn())
        sleepers = [stack.spawn(f"psql{i}", ["psql", "-X", "-d", bouncer.dsn(database="postgres"), "-c", "select pg_sleep(20)"])
                    for i in range(2)]

        def waiting():
            page = exporter.metrics()
            assert page.value("pgbouncer_pools_client_waiting_connections", database="postgres") == 1
            return page.value("pgbouncer_pools_client_maxwait_seconds", database="postgres") % 1 != 0
        eventually(waiting, "a client waits for a fraction of a second")
        assert all(s.running() for s in sleepers)


def test_outages_are_seen_and_survived():
    with Stack() as stack:
        bouncer = stack.pgbouncer(stack.postgres())
        exporter = exporter_for(stack, bouncer.dsn())
        expect_up(exporter)
        bouncer.kill9()
        expect_down(exporter, "refused")
        bouncer.start()
        expect_up(exporter)
        bouncer.pause()
        start = time.monotonic()
        page = exporter.metrics(headers={"X-Prometheus-Scrape-Timeout-Seconds": "2"})
        took = time.monotonic() - start
        assert page.value("pgbouncer_up") == 0 and reasons(page, "pgbouncer_probe_failure") == ["timeout"]
        assert took < 2.0, f"{took:.2f} s"
        bouncer.resume()
        expect_up(exporter)


def test_scrapes_do_not_hold_back_a_shutdown():
    with Stack() as stack:
        bouncer = stack.pgbouncer(stack.postgres())
        exporter = exporter_for(stack, bouncer.dsn())
        expect_up(exporter)
        page = exporter.metrics()
        assert page.value("pgbouncer_used_clients") == 1, "only the connection of the scrape itself"


def test_every_login_works_and_no_password_is_shown():
    with Stack() as stack:
        postgres = stack.postgres()
        users = stack.write("users.txt", f'"stats" "{CANARY}"\n"app" "{CANARY}"\n', 0o644)
        for scheme in ("plain", "md5", "scram-sha-256"):
            bouncer = stack.pgbouncer(postgres, {"auth_type": scheme, "auth_file": users, "log_connections": 0})
            address = f"127.0.0.1:{bouncer.port}/pgbouncer?sslmode=disable"
            good = [exporter_for(stack, f"postgres://stats:{CANARY_ENCODED}@{address}"),
                    exporter_for(stack, f"postgres://stats@{address}", env={"PGPASSWORD": CANARY}),
                    exporter_for(stack, f"host={bouncer.socket_directory} port={bouncer.port} user=stats password='{CANARY}'")]
            for exporter in good:
                expect_up(exporter)
                expect_up(exporter)  # With remembered keys.
            wrong = exporter_for(stack, f"postgres://stats:{CANARY_ENCODED}x@{address}")
            expect_down(wrong, "auth")
            none = exporter_for(stack, f"postgres://stats@{address}", env={"HOME": stack.directory})
            expect_down(none, "auth")
            nobody = exporter_for(stack, f"postgres://app:{CANARY_ENCODED}@{address}")
            expect_down(nobody, "not_stats_user")
            for exporter in [*good, wrong, none, nobody]:
                for path in ("/metrics", "/"):
                    assert CANARY not in exporter.get(path)[2]
                assert CANARY not in exporter.process.log()
            for arguments in (["doctor"], ["--help"], ["--no-such-flag"]):
                _, output = run(*arguments, env={"PGBOUNCER_EXPORTER_CONNECTION_STRING": f"postgres://stats:{CANARY_ENCODED}@{address}"})
                assert CANARY not in output and CANARY_ENCODED not in output, output
            bouncer.stop()


def test_another_database_is_not_mistaken_for_the_console():
    with Stack() as stack:
        bouncer = stack.pgbouncer(stack.postgres())
        expect_down(exporter_for(stack, bouncer.dsn(database="postgres")), "bad_database")
        code, report = run("doctor", env={"PGBOUNCER_EXPORTER_CONNECTION_STRING": bouncer.dsn(database="postgres")})
        assert code == 1 and "/pgbouncer" in report, report


def test_tls_is_verified():
    with Stack() as stack:
        folder = make_certificates(stack)
        bouncer = stack.pgbouncer(stack.postgres(), {"client_tls_sslmode": "require",
                                                     "client_tls_cert_file": os.path.join(folder, "server.pem"),
                                                     "client_tls_key_file": os.path.join(folder, "server.key")})

        def exporter(host, mode):
            return exporter_for(stack, f"host={host} port={bouncer.port} user=postgres sslmode={mode} "
                                       f"sslrootcert={os.path.join(folder, 'ca.pem')}")
        for host, mode in (("127.0.0.1", "prefer"), ("127.0.0.1", "require"), ("127.0.0.1", "verify-ca"), ("localhost", "verify-full")):
            expect_up(exporter(host, mode))
        expect_down(exporter("127.0.0.1", "verify-full"), "tls")
        expect_down(exporter("127.0.0.1", "disable"), "tls", "error")


def test_bad_usage_ends_with_2():
    for arguments in (["--no-such-flag"], ["--pgBouncer.connectionString=nonsense"],
                      ["--pgBouncer.connectionString=postgres://x/?sslmode=maybe"]):
        code, output = run(*arguments)
        assert code == 2, f"{arguments}: {code} {output}"


if __name__ == "__main__":
    harness.main(globals())
