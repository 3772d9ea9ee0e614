"""tarsier-postgres against a real PostgreSQL: what it shows, what it survives, what it never does."""
import contextlib
import os
import signal
import subprocess
import threading
import time

import harness
from harness import Stack, eventually, main

DEFAULT_FAMILIES = """pg_up pg_up_failure_reason pg_static pg_settings_max_connections pg_settings_shared_buffers_bytes
pg_stat_activity_count pg_stat_activity_max_tx_duration pg_stat_database_xact_commit pg_stat_database_deadlocks
pg_stat_database_blks_hit pg_stat_database_numbackends pg_stat_statements_calls_total pg_stat_statements_seconds_total
pg_stat_statements_rows_total pg_locks_count pg_database_size_bytes pg_database_connection_limit
pg_stat_bgwriter_buffers_alloc_total pg_replication_is_replica pg_replication_lag_seconds pg_stat_archiver_archived_count
pg_stat_user_tables_n_live_tup pg_stat_user_tables_table_size_bytes pg_statio_user_tables_heap_blocks_hit pg_wal_segments
pg_wal_size_bytes pg_roles_connection_limit pg_stat_database_conflicts_confl_lock pg_exporter_scrapes_total
pg_scrape_collector_success pg_scrape_collector_duration_seconds""".split()

CANARY = "c4nary-S3cret"


def exporter_for(stack, pg, arguments=(), user="postgres", **more):
    return stack.exporter("tarsier-postgres", arguments, env={"DATA_SOURCE_NAME": pg.dsn(user=user, **more)})


def reason_of(page):
    return [labels["reason"] for labels, value in page.all("pg_up_failure_reason") if value == 1]


def timed_page(exporter, timeout_seconds):
    start = time.monotonic()
    page = exporter.metrics(headers={"X-Prometheus-Scrape-Timeout-Seconds": str(timeout_seconds)})
    return page, time.monotonic() - start


def our_backends(pg):
    return int(pg.sql("select count(*) from pg_stat_activity where application_name = 'tarsier-postgres'"))


def test_the_page_says_what_the_server_says():
    with Stack() as stack:
        pg = stack.postgres(settings={"max_connections": 123})
        pg.sql("create table t (a int primary key); insert into t select generate_series(1, 1000); analyze t")
        exporter = exporter_for(stack, pg)
        for _ in range(7):
            pg.sql("select 'counted by the test' from t limit 1")
        page = exporter.metrics()
        missing = [name for name in DEFAULT_FAMILIES if name not in page.names()]
        assert not missing, f"missing: {missing}"
        assert page.value("pg_up") == 1 and reason_of(page) == []
        assert page.value("pg_settings_max_connections") == 123
        # The server's own, not what our session set for itself.
        assert page.value("pg_settings_statement_timeout_seconds") == 0
        assert page.value("pg_settings_default_transaction_read_only") == 0
        assert page.value("pg_settings_transaction_read_only") == 0
        assert page.value("pg_database_size_bytes", datname="postgres") > 1e6
        assert page.value("pg_stat_user_tables_table_size_bytes", relname="t") == \
            float(pg.sql("select pg_table_size('t')"))
        query = pg.sql("select queryid from pg_stat_statements where query like '%from t limit%'")
        assert page.value("pg_stat_statements_calls_total", queryid=query) == 7
        assert page.value("pg_stat_statements_rows_total", queryid=query) == 7
        idle = sum(v for _, v in page.all("pg_stat_activity_count", datname="postgres", state="active"))
        assert idle == 1, f"the exporter's own session is the only active one, not {idle}"
        failed = [labels["collector"] for labels, v in page.all("pg_scrape_collector_success") if v == 0]
        assert failed == []


def test_collect_filters_and_unknown_collectors_are_refused():
    with Stack() as stack:
        pg = stack.postgres()
        exporter = exporter_for(stack, pg, ["--no-collector.roles", "--collector.postmaster"])
        page = exporter.metrics()
        assert "pg_roles_connection_limit" not in page.names()
        assert page.value("pg_postmaster_start_time_seconds") > 1e9
        only = exporter.metrics("/metrics?collect[]=locks")
        assert [l["collector"] for l, _ in only.all("pg_scrape_collector_success")] == ["locks"]
        assert only.value("pg_up") == 1
        assert exporter.get("/metrics?collect[]=nonsense")[0] == 400
        assert exporter.get("/metrics?collect[]=roles")[0] == 400


def test_a_server_that_stops_is_down_at_once_and_comes_back():
    with Stack() as stack:
        pg = stack.postgres()
        exporter = exporter_for(stack, pg)
        assert exporter.metrics().value("pg_up") == 1
        for _ in range(2):
            pg.stop()
            page, took = timed_page(exporter, 10)
            assert page.value("pg_up") == 0 and reason_of(page) == ["refused"], page.text
            assert took < 2, f"{took:.1f} s"
            assert not page.all("pg_stat_database_xact_commit"), "no stale values"
            pg.start()
            eventually(lambda: exporter.metrics().value("pg_up") == 1, "the server is up again", timeout=10)
        # A restart between two scrapes is not seen at all.
        pg.stop()
        pg.start()
        assert exporter.metrics().value("pg_up") == 1


def family_of(pid):
    """The process and its children."""
    children = [pid]
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                with open(f"/proc/{entry}/stat") as f:
                    if int(f.read().rsplit(")", 1)[1].split()[1]) == pid:
                        children.append(int(entry))
    return children


@contextlib.contextmanager
def hung(pg):
    stopped = family_of(pg.process.pid)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def test_a_server_that_hangs_costs_no_more_than_the_deadline():
    with Stack() as stack:
        pg = stack.postgres()
        exporter = exporter_for(stack, pg)
        assert exporter.metrics().value("pg_up") == 1
        with hung(pg):
            for _ in range(2):  # With the session there was, then without one.
                page, took = timed_page(exporter, 2)
                assert page.value("pg_up") == 0 and reason_of(page) == ["timeout"], page.text
                assert took < 2.2, f"{took:.1f} s"
            assert exporter.get("/-/healthy")[0] == 200
        eventually(lambda: exporter.metrics().value("pg_up") == 1, "the server is up again", timeout=10)
        eventually(lambda: our_backends(pg) == 1, "what was left in the server has ended", timeout=10)


def test_there_is_never_more_than_one_session_of_ours():
    with Stack() as stack:
        pg = stack.postgres()
        exporter = exporter_for(stack, pg, ["--sizes-interval=100ms"])
        done = threading.Event()
        errors = []

        def scrape(path):
            while not done.is_set():
                try:
                    assert exporter.metrics(path).value("pg_up") == 1
                except AssertionError as error:
                    errors.append(error)
        paths = ["/metrics", "/metrics?collect[]=locks", "/metrics?collect[]=database", "/metrics?collect[]=stat_activity"]
        threads = [threading.Thread(target=scrape, args=(paths[i % len(paths)],)) for i in range(12)]
        for thread in threads:
            thread.start()
        most = max(our_backends(pg) for _ in range(40))
        done.set()
        for thread in threads:
            thread.join()
        assert not errors, errors[0]
        assert most == 1, f"{most} sessions of ours"


def test_a_locked_table_holds_up_nothing():
    with Stack() as stack:
        pg = stack.postgres()
        pg.sql("create table held (a int); create table free (a int)")
        exporter = exporter_for(stack, pg, ["--sizes-interval=100ms"])
        exporter.metrics()
        locker = subprocess.Popen(["psql", "-X", "-q", "-d", pg.dsn()], stdin=subprocess.PIPE, text=True)
        try:
            locker.stdin.write("begin; lock table held in access exclusive mode;\n")
            locker.stdin.flush()
            eventually(lambda: pg.sql("select count(*) from pg_locks where mode = 'AccessExclusiveLock'") == "1", "locked")
            for _ in range(5):
                page, took = timed_page(exporter, 10)
                assert page.value("pg_up") == 1 and took < 2, f"{took:.1f} s"
            assert page.all("pg_stat_user_tables_seq_scan", relname="held"), "its statistics need no lock"
            eventually(lambda: not exporter.metrics().all("pg_stat_user_tables_table_size_bytes", relname="held"),
                       "its size is left out")
            assert exporter.metrics().all("pg_stat_user_tables_table_size_bytes", relname="free")
        finally:
            locker.stdin.close()
            locker.wait(10)


def test_other_databases_are_looked_into_and_a_blocker_is_named():
    with Stack() as stack:
        pg = stack.postgres()
        pg.sql("create database app")
        pg.sql("create table orders (a int primary key)", database="app")
        exporter = exporter_for(stack, pg, ["--databases-interval=1s"])
        eventually(lambda: exporter.metrics().all("pg_stat_user_tables_n_live_tup", datname="app", relname="orders"),
                   "the table of the other database", timeout=60)
        assert our_backends(pg) <= 2, "one for scrapes, one for the other databases"
        assert exporter.metrics().value("pg_database_visit_success", datname="app") == 1

        sessions = []
        try:
            for name, sql in (("holder", "begin; lock table orders;"), ("waiter", "select * from orders;")):
                session = subprocess.Popen(["psql", "-X", "-q", "-d", pg.dsn(database="app") + f"&application_name={name}"],
                                           stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
                sessions.append(session)
                session.stdin.write(sql + "\n")
                session.stdin.flush()
                eventually(lambda: pg.sql("select count(*) from pg_stat_activity where application_name = "
                                          f"'{name}' and query like '%orders%'") == "1", name, timeout=60)
            eventually(lambda: exporter.metrics().value("pg_blocked_sessions") == 1, "the blocked session", timeout=60)
            page = exporter.metrics()
            assert page.value("pg_blocking_roots") == 1 and page.value("pg_blocking_depth") == 1
            assert page.value("pg_blocking_root_sessions", application_name="holder", state="idle in transaction") == 1
            assert page.value("pg_lock_waits", datname="app", mode="accesssharelock") == 1
        finally:
            for session in sessions:
                session.kill()
                session.wait(30)


def test_custom_queries_and_names_of_the_users_choice():
    with Stack() as stack:
        pg = stack.postgres()
        queries = stack.write("queries.yaml", """
pg_answer:
  query: "SELECT 'x' AS what, 42 AS value, now() AS at"
  metrics:
    - what: {usage: "LABEL", description: "What."}
    - value: {usage: "GAUGE", description: "The answer."}
pg_never:
  query: "SELECT 1 AS value"
  runonserver: "<9.6.0"
  metrics: [value: {usage: "GAUGE", description: "Not asked."}]
""")
        exporter = exporter_for(stack, pg, [f"--extend.query-path={queries}", "--constantLabels=team=db", "--metric-prefix=mine"])
        page = exporter.metrics()
        assert page.value("pg_answer_value", what="x", team="db") == 42
        assert abs(page.value("pg_answer_at", what="x") - time.time()) < 600
        assert "pg_never_value" not in page.names()
        assert page.value("mine_up", team="db") == 1 and "pg_up" not in page.names()
        assert page.value("mine_exporter_user_queries_load_error") == 0


def test_a_user_without_rights_sees_what_it_may_and_is_told_what_to_grant():
    with Stack() as stack:
        pg = stack.postgres()
        for statement in ("create role low login", "create database closed", "revoke connect on database closed from public"):
            pg.sql(statement)
        exporter = exporter_for(stack, pg, user="low")
        for _ in range(5):
            page = exporter.metrics()
        assert page.value("pg_up") == 1
        assert page.value("pg_stat_database_xact_commit", datname="postgres") > 0
        assert page.value("pg_scrape_collector_success", collector="wal") == 0
        assert page.value("pg_scrape_collector_success", collector="database") == 1
        assert not page.all("pg_wal_segments")
        assert page.all("pg_database_size_bytes", datname="postgres")
        assert not page.all("pg_database_size_bytes", datname="closed"), "no value, no sample"
        log = exporter.process.log()
        assert log.count('GRANT pg_monitor TO \\"low\\"') == 2, log  # For wal and archive_backlog, once each.
        assert page.value("pg_scrape_collector_off", collector="wal", reason="permission_denied") == 1
        doctor = run_doctor(pg, "low")
        assert doctor.returncode == 1 and 'GRANT pg_monitor TO "low"' in doctor.stdout, doctor.stdout
        pg.sql("grant pg_monitor to low")
        assert run_doctor(pg, "low").returncode == 0


def run_doctor(pg, user, database="postgres", password=None):
    return subprocess.run([os.path.join(harness.ARGS.bin_dir, "tarsier-postgres"), "doctor"], text=True, timeout=30,
                          capture_output=True, env={"DATA_SOURCE_NAME": pg.dsn(user, database, password)})


def test_a_missing_extension_is_named_and_found_once_it_is_there():
    with Stack() as stack:
        pg = stack.postgres()
        pg.sql("create database app")
        exporter = exporter_for(stack, pg, database="app")
        page = exporter.metrics()
        assert page.value("pg_scrape_collector_success", collector="stat_statements") == 0
        assert "CREATE EXTENSION pg_stat_statements" in exporter.process.log()
        assert "CREATE EXTENSION pg_stat_statements" in run_doctor(pg, "postgres", "app").stdout
        pg.sql("create schema \"odd schema\"; create extension pg_stat_statements schema \"odd schema\"", database="app")
        eventually(lambda: exporter.metrics().all("pg_stat_statements_calls_total"), "the extension is found", timeout=5)


def test_the_password_is_nowhere():
    with Stack() as stack:
        pg = stack.postgres()
        pg.sql(f"create role careful login password '{CANARY}'; grant pg_monitor to careful")
        hba = os.path.join(pg.socket_directory, "data", "pg_hba.conf")
        with open(hba, "r+") as f:
            rest = f.read()
            f.seek(0)
            f.write("host all careful 127.0.0.1/32 scram-sha-256\n" + rest)
        pg.sql("select pg_reload_conf()")
        secret = stack.write("password", CANARY + "\n")
        right = {"DATA_SOURCE_URI": f"127.0.0.1:{pg.port}/postgres?sslmode=disable", "DATA_SOURCE_USER": "careful",
                 "DATA_SOURCE_PASS_FILE": secret}
        wrong = {"DATA_SOURCE_NAME": pg.dsn("careful", password=CANARY + "-wrong")}
        broken = {"DATA_SOURCE_NAME": pg.dsn("careful", password=CANARY + "%zz")}
        for env, up in ((right, 1), (wrong, 0)):
            exporter = stack.exporter("tarsier-postgres", ["--log.level=debug"], env=env)
            page = eventually(exporter.metrics, "a page")
            assert page.value("pg_up") == up, exporter.process.log()
            if not up:
                assert reason_of(page) == ["auth"], page.text
            outputs = [page.text, exporter.get("/")[2], exporter.process.log(),
                       subprocess.run(["ps", "-ww", "-o", "args", "-p", str(exporter.process.pid)], capture_output=True, text=True).stdout]
            assert not [o for o in outputs if CANARY in o], "the password leaked"
        for env in (wrong, broken):
            for arguments in (["doctor"], ["--web.listen-address=127.0.0.1:0", "--log.level=nonsense"], ["--help"]):
                done = subprocess.run([os.path.join(harness.ARGS.bin_dir, "tarsier-postgres"), *arguments], env=env, text=True,
                                      capture_output=True, timeout=30)
                assert CANARY not in done.stdout + done.stderr, f"{arguments}: {done.stdout}{done.stderr}"


def test_behind_a_transaction_pooler_nothing_leaks_to_other_clients():
    with Stack() as stack:
        pg = stack.postgres()
        for settings in ({}, {"ignore_startup_parameters": "options,extra_float_digits"}):
            bouncer = stack.pgbouncer(pg, settings={"default_pool_size": "1", **settings})
            dsn = bouncer.dsn(database="postgres")
            exporter = stack.exporter("tarsier-postgres", env={"DATA_SOURCE_NAME": dsn})
            for _ in range(3):
                page = exporter.metrics()
                assert page.value("pg_up") == 1, exporter.process.log()
            failed = [l["collector"] for l, v in page.all("pg_scrape_collector_success") if v == 0]
            assert failed == [], exporter.process.log()
            assert page.value("pg_settings_statement_timeout_seconds") == 0
            for setting, expected in (("default_transaction_read_only", "off"), ("statement_timeout", "0"),
                                      ("lock_timeout", "0"), ("search_path", '"$user", public')):
                found = subprocess.run(["psql", "-X", "-qAt", "-d", dsn, "-c", f"show {setting}"], capture_output=True, text=True,
                                       timeout=30, check=True).stdout.strip()
                assert found == expected, f"{setting} leaked: {found}"


def test_probe_scrapes_the_server_that_the_request_names():
    with Stack() as stack:
        pg, other = stack.postgres(), stack.postgres()
        config = stack.write("postgres_exporter.yml", "auth_modules:\n  main:\n    type: userpass\n    userpass: "
                             f"{{username: postgres, password: {CANARY}}}\n    options: {{sslmode: disable}}\n")
        exporter = exporter_for(stack, pg, [f"--config.file={config}"])
        for target in (pg, other):
            page = exporter.metrics(f"/probe?target=127.0.0.1:{target.port}/postgres&auth_module=main")
            assert page.value("pg_up") == 1
            assert page.all("pg_static")[0][0]["server"] == f"127.0.0.1:{target.port}"
            assert CANARY not in page.text
            eventually(lambda: our_backends(target) == 0, "the probe's session ends with it")
        other.stop()
        page = exporter.metrics(f"/probe?target=127.0.0.1:{other.port}/postgres&auth_module=main")
        assert page.value("pg_up") == 0 and reason_of(page) == ["refused"]
        assert exporter.get("/probe")[0] == 400
        assert exporter.get(f"/probe?target=127.0.0.1:{pg.port}&auth_module=nope")[0] == 400
        assert exporter.get("/probe?target=host=db1+passfile=/etc/passwd")[0] == 400
        assert CANARY not in exporter.process.log()


def test_what_is_not_supported_is_refused_by_name():
    program = os.path.join(harness.ARGS.bin_dir, "tarsier-postgres")

    def refused(needle, arguments=(), env=None, code=2):
        done = subprocess.run([program, "--web.listen-address=127.0.0.1:0", *arguments], env=env or {}, text=True,
                              capture_output=True, timeout=30)
        assert done.returncode == code and needle in done.stderr, f"{done.returncode}: {done.stderr}"
    refused("extend.query-path", ["--extend.query-path=queries.yaml"])
    refused("collector.nonsense", ["--collector.nonsense"])
    refused("constantLabels", env={"PG_EXPORTER_CONSTANT_LABELS": "nonsense"})
    refused("several servers", env={"DATA_SOURCE_NAME": "postgres://a/b,postgres://c/d"})
    refused("DATA_SOURCE_PASS_FILE", env={"DATA_SOURCE_URI": "db1", "DATA_SOURCE_PASS_FILE": "/nonexistent"}, code=1)
    refused("collector.stat_statements.limit", ["--collector.stat_statements.limit=0"])


if __name__ == "__main__":
    main(globals())
