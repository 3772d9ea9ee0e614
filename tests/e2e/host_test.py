"""tarsier-host as a program: exit codes, what it prints, its pages, its end. The same main serves every exporter."""
import os
import signal
import subprocess

import harness


def binary():
    return os.path.join(harness.ARGS.bin_dir, "tarsier-host")


def run(*arguments):
    done = subprocess.run([binary(), *arguments], capture_output=True, text=True, timeout=30)
    return done.returncode, done.stdout, done.stderr


class Running:
    """A started exporter on a free port."""

    def __init__(self, *arguments):
        self.port = harness.free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen([binary(), f"--web.listen-address={self.address}", *arguments],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def __enter__(self):
        harness.eventually(lambda: self.get("/-/healthy")[0] == 200, "healthy")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()

    def get(self, path, **headers):
        return harness.http_get(f"http://{self.address}{path}", headers=headers)


def test_help_and_version():
    status, out, err = run("--help")
    assert status == 0 and err == "", (status, err)
    for text in ("--web.listen-address", "--no-collector.cpu", "healthcheck", "Default: :9100"):
        assert text in out, text
    status, out, _ = run("--version")
    assert status == 0 and out.startswith("tarsier-host, version "), out


def test_bad_usage_exits_2_and_names_the_nearest():
    for arguments, expected in (
            (["--web.listen-adress=:1"], "did you mean --web.listen-address?"),
            (["--collector.diskstats.device-exclude=("], "--collector.diskstats.device"),
            (["--collector.systemd"], "no such collector"),
            (["--log.level=loud"], "log level"),
            (["--web.telemetry-path=metrics"], "starts with"),
            (["--web.listen-address=nonsense"], "--web.listen-address"),
            (["halthcheck"], 'did you mean "healthcheck"?')):
        status, _, err = run(*arguments)
        assert status == 2, (arguments, status, err)
        assert expected in err, (arguments, err)


def test_switching_off_what_is_not_there_is_fine():
    with Running("--no-collector.systemd", "--no-collector.infiniband") as exporter:
        assert "node_load1 " in exporter.get("/metrics")[2]


def test_port_in_use_exits_1_with_the_address():
    with Running() as exporter:
        status, _, err = run(f"--web.listen-address={exporter.address}")
        assert status == 1, (status, err)
        assert exporter.address in err and "in use" in err.lower(), err
        assert len(err.strip().splitlines()) == 1, err


def test_pages():
    with Running() as exporter:
        status, headers, body = exporter.get("/metrics")
        assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), headers
        page = harness.Page(body)
        assert page.value("node_exporter_build_info") == 1
        assert page.value("node_scrape_collector_success", collector="meminfo") == 1
        assert page.value("node_memory_MemTotal_bytes") == 1024 * int(
            next(l for l in open("/proc/meminfo") if l.startswith("MemTotal")).split()[1])
        assert page.value("node_uname_info") == 1
        assert exporter.get("/metrics?collect[]=loadavg&collect[]=stat")[0] == 200
        assert exporter.get("/metrics?collect[]=nope")[0::2] == (400, "missing collector: nope\n")
        assert exporter.get("/metrics?collect[]=cpu&exclude[]=cpu")[0] == 400
        assert exporter.get("/nope")[0] == 404
        assert "<title>tarsier-host</title>" in exporter.get("/")[2]
        _, headers, body = exporter.get("/metrics", Accept="application/openmetrics-text")
        assert headers["Content-Type"].startswith("application/openmetrics-text") and body.endswith("# EOF\n")


def test_healthcheck_tells_life_from_death():
    with Running() as exporter:
        assert run("healthcheck", f"--web.listen-address={exporter.address}")[0] == 0
        assert run("healthcheck", f"--web.listen-address=:{exporter.port}")[0] == 0
    status, _, err = run("healthcheck", f"--web.listen-address=127.0.0.1:{harness.free_port()}")
    assert status == 1 and "unhealthy" in err, (status, err)


def test_signals_end_it_with_0():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Running() as exporter:
            exporter.process.send_signal(number)
            assert exporter.process.wait(timeout=10) == 0, exporter.process.returncode


if __name__ == "__main__":
    harness.main(globals())
