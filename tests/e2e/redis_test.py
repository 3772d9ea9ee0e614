"""tarsier-redis against real Redis servers: values, logins, outages, TLS."""
import os
import subprocess
import time

import harness
from harness import Stack, eventually, find_program

CANARY = "c4n4ry-Pass/wd@1"


def exporter_for(stack, server, arguments=(), env=None):
    return stack.exporter("tarsier-redis", [f"--redis.addr=redis://127.0.0.1:{server.port}", *arguments], env=env)


def binary():
    return os.path.join(harness.ARGS.bin_dir, "tarsier-redis")


def run(*arguments, env=None):
    done = subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})})
    return done.returncode, done.stdout + done.stderr


def reasons(page, family="redis_probe_failure"):
    return [labels["reason"] for labels, value in page.all(family) if value == 1]


def expect_down(exporter, reason):
    def down():
        page = exporter.metrics()
        assert page.value("redis_up") == 0
        assert reasons(page) == [reason], reasons(page)
        return page
    return eventually(down, f"redis_up 0 because of {reason}")


def expect_up(exporter):
    def up():
        page = exporter.metrics()
        assert page.value("redis_up") == 1 and reasons(page) == []
        return page
    return eventually(up, "redis_up 1")


def failed_collectors(page):
    return [labels["collector"] for labels, value in page.all("redis_scrape_collector_success") if value != 1]


def test_values_are_the_servers():
    with Stack() as stack:
        server = stack.redis(["--maxmemory", "100mb", "--databases", "3"])
        server.cli("SET", "a", "1")
        server.cli("SET", "b", "2", "EX", "1000")
        server.cli("GET", "nothing")
        server.cli("-n", "2", "SET", "c", "3")
        exporter = exporter_for(stack, server)
        page = expect_up(exporter)
        assert failed_collectors(page) == []
        assert page.value("redis_db_keys", db="db0") == 2
        assert page.value("redis_db_keys", db="db1") == 0
        assert page.value("redis_db_keys", db="db2") == 1
        assert page.value("redis_db_keys_expiring", db="db0") == 1
        assert page.value("redis_config_maxmemory") == page.value("redis_memory_max_bytes") == 100 << 20
        assert page.value("redis_config_maxclients") == page.value("redis_max_clients")
        assert page.value("redis_commands_total", cmd="set") == 3
        assert page.value("redis_keyspace_misses_total") == 1
        assert page.value("redis_instance_info", role="master", tcp_port=str(server.port)) == 1
        assert page.value("redis_total_system_memory_bytes") > 0
        assert page.value("redis_commands_latencies_usec_bucket", cmd="set", le="+Inf") == 3
        info = dict(line.split(":", 1) for line in server.cli("INFO").splitlines() if ":" in line)
        assert abs(page.value("redis_memory_used_bytes") - int(info["used_memory"])) < 2 << 20
        assert abs(page.value("redis_start_time_seconds") - (time.time() - int(info["uptime_in_seconds"]))) < 5


def test_scrapes_leave_no_marks_on_the_server():
    with Stack() as stack:
        server = stack.redis()
        exporter = exporter_for(stack, server)
        before = expect_up(exporter)
        for _ in range(5):
            after = exporter.metrics()
        assert after.value("redis_connections_received_total") == before.value("redis_connections_received_total")
        assert after.value("redis_start_time_seconds") == before.value("redis_start_time_seconds")
        assert after.all("redis_errors_total") == []
        assert after.value("redis_total_error_replies") == 0


def test_outages_are_seen_and_survived():
    with Stack() as stack:
        server = stack.redis()
        exporter = exporter_for(stack, server)
        expect_up(exporter)
        server.kill9()
        start = time.monotonic()
        expect_down(exporter, "refused")
        assert time.monotonic() - start < 5
        server.start()
        expect_up(exporter)


def test_a_hung_server_does_not_hang_the_scrape():
    with Stack() as stack:
        server = stack.redis()
        exporter = exporter_for(stack, server)
        expect_up(exporter)
        server.pause()
        for _ in range(2):  # On the kept connection, then on a new one.
            start = time.monotonic()
            page = exporter.metrics(headers={"X-Prometheus-Scrape-Timeout-Seconds": "2"})
            took = time.monotonic() - start
            assert page.value("redis_up") == 0 and reasons(page) == ["timeout"], reasons(page)
            assert took < 2.0, f"{took:.2f} s"
        server.resume()
        expect_up(exporter)


def test_passwords_are_checked_and_never_shown():
    with Stack() as stack:
        server = stack.redis(password=CANARY)
        url = f"redis://127.0.0.1:{server.port}"
        file = stack.write("password", CANARY + "\n", 0o600)
        table = stack.write("passwords.json", '{"%s": "%s"}' % (url, CANARY), 0o600)
        good = [stack.exporter("tarsier-redis", [f"--redis.addr={url}"], env={"REDIS_PASSWORD": CANARY}),
                stack.exporter("tarsier-redis", [f"--redis.addr={url}", f"--redis.password-file={file}"]),
                stack.exporter("tarsier-redis", [f"--redis.addr={url}"], env={"REDIS_PASSWORD_FILE": table}),
                stack.exporter("tarsier-redis", env={"REDIS_ADDR": "redis://:c4n4ry-Pass%%2Fwd%%401@127.0.0.1:%d" % server.port})]
        for exporter in good:
            expect_up(exporter)
        none = exporter_for(stack, server)
        expect_down(none, "noauth")
        wrong = exporter_for(stack, server, env={"REDIS_PASSWORD": CANARY + "x"})
        expect_down(wrong, "wrongpass")
        all_settings = exporter_for(stack, server, ["--include-config-metrics"], env={"REDIS_PASSWORD": CANARY})
        assert expect_up(all_settings).all("redis_config_key_value", key="maxmemory")
        for exporter in [*good, none, wrong, all_settings]:
            for path in ("/metrics", "/", "/-/healthy"):
                assert CANARY not in exporter.get(path)[2]
            assert CANARY not in exporter.process.log()
        for arguments in (["doctor"], ["--help"], ["--no-such-flag"]):
            for secret in ({"REDIS_PASSWORD": CANARY}, {"REDIS_PASSWORD": CANARY + "x"}):
                _, output = run(*arguments, env={"REDIS_ADDR": url, **secret})
                assert CANARY not in output, output


def test_the_doctors_rule_is_enough():
    with Stack() as stack:
        server = stack.redis()
        url = f"redis://127.0.0.1:{server.port}"
        code, report = run("doctor", f"--redis.addr={url}")
        assert code == 0, report
        rule = next(line for line in report.splitlines() if "ACL SETUSER" in line).split(">PASSWORD ")[1].split()
        assert server.cli("ACL", "SETUSER", "tarsier", "on", ">pw", *rule) == "OK"
        exporter = exporter_for(stack, server, ["--redis.user=tarsier"], env={"REDIS_PASSWORD": "pw"})
        page = expect_up(exporter)
        assert failed_collectors(page) == []
        assert page.all("redis_acl_access_denied_cmd_total") in ([], [({}, 0)])
        server.cli("ACL", "SETUSER", "small", "on", ">pw", "-@all", "+info")
        small = exporter_for(stack, server, ["--redis.user=small"], env={"REDIS_PASSWORD": "pw"})
        page = expect_up(small)
        assert set(failed_collectors(page)) == {"client_groups", "config", "latency_events", "latency_histogram", "slowlog", "slowlog_shapes"}
        denied = server.cli("ACL", "LOG").count("small")
        small.metrics()
        assert server.cli("ACL", "LOG").count("small") == denied, "what was refused must not be asked again at once"
        server.cli("ACL", "SETUSER", "none", "on", ">pw", "-@all")
        expect_down(exporter_for(stack, server, ["--redis.user=none"], env={"REDIS_PASSWORD": "pw"}), "noperm")


def test_replication_is_shown_from_both_sides():
    with Stack() as stack:
        master = stack.redis(["--repl-diskless-sync-delay", "0"])
        replica = stack.redis(["--replicaof", "127.0.0.1", str(master.port)])
        above, below = exporter_for(stack, master), exporter_for(stack, replica)

        def linked():
            page = below.metrics()
            port = str(master.port)
            assert page.value("redis_slave_info", master_host="127.0.0.1", master_port=port, read_only="1") == 1
            return page.value("redis_master_link_up", master_host="127.0.0.1", master_port=port) == 1
        eventually(linked, "the replica's link is up")

        def seen():
            page = above.metrics()
            assert page.value("redis_connected_slaves") == 1
            assert page.all("redis_connected_slave_lag_seconds", slave_state="online")
            return page.all("redis_connected_slave_offset_bytes", slave_port=str(replica.port))
        eventually(seen, "the master shows its replica")


def test_unix_sockets_and_namespaces():
    with Stack() as stack:
        folder = stack.folder("sockets", harness.unprivileged_user())
        path = os.path.join(folder, "redis.sock")
        stack.redis(["--unixsocket", path, "--unixsocketperm", "777"])
        exporter = stack.exporter("tarsier-redis", [f"--redis.addr=unix://{path}", "--namespace=cache"])
        page = exporter.metrics()
        assert page.value("cache_up") == 1
        assert not [name for name in page.names() if name.startswith("redis_") and not name.startswith("redis_exporter_build_info")]


def make_certificates(stack):
    """ca.pem, server.pem/.key for localhost, client.pem/.key, in a folder the server can read."""
    openssl = find_program("openssl")
    folder = stack.folder("tls", harness.unprivileged_user())

    def call(*words):
        done = subprocess.run([openssl, *words], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
    call("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority")
    for name, extension in (("server", "subjectAltName=DNS:localhost"), ("client", "subjectAltName=DNS:client")):
        call("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        with open(os.path.join(folder, f"{name}.ext"), "w") as file:
            file.write(extension + "\n")
        call("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
             "-extfile", f"{name}.ext", "-out", f"{name}.pem")
    for name in os.listdir(folder):
        os.chmod(os.path.join(folder, name), 0o644)
    return folder


def test_tls_is_verified():
    with Stack() as stack:
        folder = make_certificates(stack)
        tls_port = harness.free_port()

        def file(name):
            return os.path.join(folder, name)
        stack.redis(["--tls-port", str(tls_port), "--tls-cert-file", file("server.pem"), "--tls-key-file", file("server.key"),
                     "--tls-ca-cert-file", file("ca.pem"), "--tls-auth-clients", "yes"])
        own = [f"--tls-client-cert-file={file('client.pem')}", f"--tls-client-key-file={file('client.key')}"]
        trust = [f"--tls-ca-cert-file={file('ca.pem')}"]

        def exporter(host, *arguments):
            return stack.exporter("tarsier-redis", [f"--redis.addr=rediss://{host}:{tls_port}", *arguments])
        page = expect_up(exporter("localhost", *own, *trust))
        assert page.value("redis_instance_info") == 1
        expect_up(exporter("127.0.0.1", *own, *trust, "--tls-server-name=localhost"))
        expect_up(exporter("127.0.0.1", *own, "--skip-tls-verification"))
        expect_down(exporter("127.0.0.1", *own, *trust), "tls")  # Made out to localhost only.
        expect_down(exporter("localhost", *own), "tls")  # Signed by nobody we know.
        lost = exporter("localhost", *trust)  # No certificate of ours: TLS 1.3 tells only afterwards.
        page = eventually(lambda: lost.metrics(), "an answer")
        assert page.value("redis_up") == 0 and reasons(page)[0] in ("tls", "closed"), reasons(page)
        expect_down(exporter("localhost", *own, "--tls-ca-cert-file=/nonexistent"), "tls")
        plain = stack.exporter("tarsier-redis", [f"--redis.addr=redis://localhost:{tls_port}"])
        page = eventually(lambda: plain.metrics(), "an answer")
        assert page.value("redis_up") == 0 and reasons(page)[0] in ("closed", "protocol"), reasons(page)


def test_keys_streams_and_queues():
    with Stack() as stack:
        server = stack.redis()
        now = time.time()
        for words in (("SET", "user:1", "a"), ("SET", "user:2", "b"), ("SET", "n", "42"), ("RPUSH", "list", "1", "2", "3"),
                      ("XADD", "events", "1000-0", "k", "v"), ("XGROUP", "CREATE", "events", "g", "0"),
                      # Laravel.
                      ("RPUSH", "app_database_queues:mail", '{"createdAt":%d}' % (now - 100), '{"createdAt":%d}' % now),
                      ("ZADD", "app_database_queues:mail:delayed", str(now - 300), "late", str(now + 300), "soon"),
                      ("ZADD", "app_database_queues:mail:reserved", str(now - 5), "lost"),
                      # Sidekiq 8.
                      ("SADD", "queues", "default", "empty"), ("LPUSH", "queue:default", '{"enqueued_at":%d}' % ((now - 50) * 1000)),
                      ("SET", "stat:processed", "7"), ("ZADD", "dead", "1", "x")):
            server.cli(*words)
        exporter = exporter_for(stack, server, ["--check-keys=user:*", "--check-single-keys=n,list,gone", "--count-keys=user:*,nobody:*",
                                                "--check-key-groups=^(user):", "--check-single-streams=events", "--discover-queues"])

        def walked():
            page = expect_up(exporter)
            assert failed_collectors(page) == [], failed_collectors(page)
            assert page.value("redis_keys_count", db="db0", key="user:*") == 2
            return page
        page = eventually(walked, "the walk is complete")
        assert page.value("redis_keys_count", db="db0", key="nobody:*") == 0
        assert page.value("redis_key_group_count", db="db0", key_group="user") == 2
        assert page.value("redis_key_size", db="db0", key="list") == 3
        assert page.value("redis_key_size", db="db0", key="gone") == 0
        assert page.value("redis_key_value", db="db0", key="n") == 42
        assert page.value("redis_key_memory_usage_bytes", db="db0", key="user:1") > 0
        assert page.value("redis_stream_length", db="db0", stream="events") == 1
        assert page.value("redis_stream_group_lag", db="db0", stream="events", group="g") == 1

        def queue(name, **labels):
            return page.value(f"redis_queue_{name}", db="db0", **labels)
        mail = {"system": "laravel", "queue": "mail"}
        assert queue("depth", **mail) == 2 and queue("delayed_jobs", **mail) == 2 and queue("running_jobs", **mail) == 1
        assert queue("overdue_jobs", **mail) == 1 and queue("expired_reservations", **mail) == 1
        assert 99 <= queue("oldest_job_age_seconds", **mail) < 200
        assert queue("depth", system="sidekiq", queue="default") == 1 and queue("depth", system="sidekiq", queue="empty") == 0
        assert 49 <= queue("oldest_job_age_seconds", system="sidekiq", queue="default") < 150
        assert queue("processed_total", system="sidekiq") == 7 and queue("failed_jobs", system="sidekiq") == 1
        # Worked off, it says 0: a queue that vanishes looks like one that is well.
        server.cli("DEL", "app_database_queues:mail")
        page = expect_up(exporter)
        assert queue("depth", **mail) == 0 and queue("drain_seconds", **mail) == 0
        commands = {labels["cmd"] for labels, _ in page.all("redis_commands_total")}
        assert not commands & {"keys", "eval", "evalsha", "smembers", "hgetall", "lrange|all"}, commands


def test_targets_get_no_password_that_is_not_theirs():
    with Stack() as stack:
        main, other = stack.redis(password=CANARY), stack.redis(password="other")
        urls = [f"redis://127.0.0.1:{server.port}" for server in (main, other)]
        exporter = stack.exporter("tarsier-redis", [f"--redis.addr={urls[0]}"], env={"REDIS_PASSWORD": CANARY})

        def scrape(target, status=200, of=exporter):
            got, _, body = of.get(f"/scrape?target={target}")
            assert got == status, f"{target}: {got} {body}"
            return body
        assert "redis_up 1" in scrape(urls[0])
        assert 'redis_probe_failure{reason="noauth"} 1' in scrape(urls[1])
        assert other.cli("INFO", "errorstats").count("WRONGPASS") == 0, "the password of the one went to the other"
        scrape("", 400)
        scrape("unix:///etc/passwd", 403)
        assert eventually(lambda: exporter.metrics(), "a page").value("redis_target_scrape_request_errors_total") == 2
        table = stack.write("passwords.json", '{"%s": "other", "redis://10.0.0.*:6379": "%s"}' % (urls[1], CANARY), 0o600)
        bound = stack.exporter("tarsier-redis", [f"--redis.addr={urls[0]}", f"--redis.password-file={table}",
                                                 f"--scrape.allow-target=127.0.0.1:{other.port}"])
        assert "redis_up 1" in scrape(urls[1], of=bound)
        scrape("redis://127.0.0.1:1", 403, of=bound)


def test_bad_usage_ends_with_2():
    for arguments in (["--script=a.lua"], ["--is-tile38"], ["--check-keys=dbx=a"], ["--check-key-groups=("], ["--queues=resque"], ["--redis.addr=http://x"], ["--connection-timeout=0s"], ["--no-redact-config-metrics"],
                      ["--connection-timeout=soon"]):
        code, output = run(*arguments)
        assert code == 2, f"{arguments}: {code} {output}"
        assert output.strip(), arguments


if __name__ == "__main__":
    harness.main(globals())
