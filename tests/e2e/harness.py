"""Real servers for end-to-end tests: started on free loopback ports in a temporary folder, stopped for sure.

    with Stack() as stack:
        pg = stack.postgres(settings={"max_connections": 200})
        exporter = stack.exporter("tarsier-postgres", env={"DATA_SOURCE_NAME": pg.dsn()})
        page = exporter.metrics()

A test is a script with functions called test_*; `main()` runs them and prints a line for each. Python's
standard library only. Servers that refuse to run as root run as `postgres` (or `nobody`) when we are root.
"""
import argparse
import contextlib
import ctypes
import fcntl
import glob
import http.server
import json
import os
import pwd
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.error
import urllib.parse
import urllib.request

SKIPPED = 77  # ctest's SKIP_RETURN_CODE.


class Skip(Exception):
    """Raised when a test cannot run here; its text says what is missing."""


class Ports:
    """Ports below the ephemeral range, which no client socket takes by chance; each running script holds a block of its own."""

    FIRST, BLOCK, BLOCKS = 12000, 500, 40

    def __init__(self):
        self.next, self.end, self.lock = 0, 0, None

    def claim(self):
        for block in range(self.BLOCKS):
            lock = open(os.path.join(tempfile.gettempdir(), f"tarsier-e2e-ports-{os.getuid()}-{block}"), "w")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.close()
                continue
            self.lock = lock  # Held until this process ends.
            self.next = self.FIRST + block * self.BLOCK
            self.end = self.next + self.BLOCK
            return
        raise Skip(f"{self.BLOCKS} end-to-end scripts are running already")

    def free(self):
        if not self.lock:
            self.claim()
        while self.next < self.end:
            port, self.next = self.next, self.next + 1
            with socket.socket() as s, contextlib.suppress(OSError):
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind(("127.0.0.1", port))
                return port
        raise AssertionError(f"no free port is left in the block of {self.BLOCK} that ends before {self.end}")


PORTS = Ports()


def free_port():
    return PORTS.free()


def eventually(check, what, timeout=30.0, interval=0.1):
    """Calls check() until it returns something true, and returns that. Assertion errors count as "not yet"."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = check()
            if value:
                return value
        except (AssertionError, OSError, urllib.error.URLError, subprocess.CalledProcessError) as error:
            last = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout:g} s: {what}" + (f" (last: {last})" if last else ""))
        time.sleep(interval)


def http_get(url, headers=None, timeout=30):
    """(status, headers, text) of any answer, errors included."""
    request = urllib.request.Request(url, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s(\S+)(?:\s\S+)?$")
LABEL = re.compile(r'([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"')


class Page:
    """A parsed text page: page.value("pg_up"), page.value("x", datname="postgres"), page.all("x")."""

    def __init__(self, text):
        self.text = text
        self.samples = []
        for line in text.splitlines():
            if line and not line.startswith("#"):
                match = SAMPLE.match(line)
                assert match, f"not a sample line: {line!r}"
                self.samples.append((match[1], dict(LABEL.findall(match[2] or "")), float(match[3])))

    def all(self, name, **labels):
        return [(l, v) for n, l, v in self.samples
                if n == name and all(l.get(k) == w for k, w in labels.items())]

    def value(self, name, **labels):
        found = self.all(name, **labels)
        assert len(found) == 1, f"{name}{labels}: {len(found)} series, one expected"
        return found[0][1]

    def names(self):
        return {n for n, _, _ in self.samples}


def leave_network():
    """Moves this process into a network of its own, where only its own servers listen. False where that is not allowed."""
    CLONE_NEWNET, SIOCSIFFLAGS, IFF_UP = 0x40000000, 0x8914, 1
    if ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    return True


def unprivileged_user():
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Skip("there is neither a user postgres nor a user nobody")


class Process:
    """A child process in its own session, with its log in a file."""

    def __init__(self, stack, name, command, env=None, as_user=None, port=None):
        self.name = name
        self.log_path = os.path.join(stack.directory, f"{name}-{len(stack.processes)}.log")
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DATA_SOURCE", "REDIS_"))}
        # What a program keeps, it keeps here; two of one name never meet.
        environment["STATE_DIRECTORY"] = os.path.join(stack.directory, f"state-{name}-{port or len(stack.processes)}")
        environment.update(env or {})
        extra = {}
        if as_user and os.getuid() == 0:
            extra = {"user": as_user.pw_uid, "group": as_user.pw_gid, "extra_groups": []}
        with open(self.log_path, "wb") as log:
            self.popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                                          env=environment, start_new_session=True, cwd=stack.directory, **extra)

    @property
    def pid(self):
        return self.popen.pid

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def running(self):
        return self.popen.poll() is None

    def signal_group(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, number)

    def kill9(self):
        self.signal_group(signal.SIGKILL)
        self.popen.wait()

    def pause(self):
        self.signal_group(signal.SIGSTOP)

    def resume(self):
        self.signal_group(signal.SIGCONT)

    def stop(self, timeout=10):
        if self.running():
            self.resume()
            self.popen.terminate()
            try:
                self.popen.wait(timeout)
            except subprocess.TimeoutExpired:
                self.kill9()
        return self.popen.returncode


class Server:
    """A server that can be stopped and started again on the same port with the same data."""

    def __init__(self, stack, name, command, ready, port, as_user=None, env=None):
        self.stack, self.name, self.command, self.ready = stack, name, command, ready
        self.port, self.as_user, self.env = port, as_user, env
        self.process = None
        self.start()

    def start(self):
        self.process = self.stack.spawn(self.name, self.command, env=self.env, as_user=self.as_user, port=self.port)

        def up():
            if not self.process.running():
                raise RuntimeError(f"{self.name} ended: {self.process.log()[-2000:]}")
            return self.ready(self)
        eventually(up, f"{self.name} answers on port {self.port}")

    def stop(self):
        return self.process.stop()

    def kill9(self):
        self.process.kill9()

    def pause(self):
        self.process.pause()

    def resume(self):
        self.process.resume()


class Postgres(Server):
    def dsn(self, user="postgres", database="postgres", password=None):
        secret = f":{password}" if password else ""
        return f"postgresql://{user}{secret}@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def sql(self, text, user="postgres", database="postgres"):
        done = subprocess.run(["psql", "-X", "-qAt", "-v", "ON_ERROR_STOP=1", "-d", self.dsn(user, database), "-c", text],
                              capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def stop(self):
        # SIGINT is the fast shutdown; SIGTERM would wait for clients, ours among them.
        self.process.resume()
        self.process.popen.send_signal(signal.SIGINT)
        self.process.popen.wait(30)


class HttpServer(Server):
    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def get(self, path="/", headers=None, timeout=30):
        return http_get(self.url + path, headers, timeout)

    def metrics(self, path="/metrics", headers=None):
        status, _, text = self.get(path, headers)
        assert status == 200, f"{self.name}{path}: HTTP {status}: {text[:300]}"
        return Page(text)

    def json(self, path):
        status, _, text = self.get(path)
        assert status == 200, f"{self.name}{path}: HTTP {status}: {text[:300]}"
        return json.loads(text)

    def query(self, promql):
        """The result of an instant query."""
        return self.json("/api/v1/query?" + urllib.parse.urlencode({"query": promql}))["data"]["result"]


class Receiver:
    """A webhook receiver: keeps every body it was sent. `answer` may be changed while it runs."""

    def __init__(self):
        self.bodies, self.headers, self.answer = [], [], 200
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if receiver.answer == 200:
                    receiver.headers.append(dict(self.headers))
                    receiver.bodies.append(json.loads(body))
                self.send_response(receiver.answer)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def alerts(self, name, status):
        return [a for body in list(self.bodies) for a in body["alerts"]
                if a["labels"]["alertname"] == name and a["status"] == status]

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def find_program(name, *folders):
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, name)), reverse=True):
            if os.access(path, os.X_OK):
                return path
    found = shutil.which(name)
    if not found:
        raise Skip(f"{name} is not installed")
    return found


class Stack:
    """Everything one test starts. Leaving the `with` block stops it all and removes the folder."""

    def __init__(self):
        self.processes, self.receivers = [], []
        self.directory = tempfile.mkdtemp(prefix="tarsier-e2e-")
        os.chmod(self.directory, 0o755)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        for process in reversed(self.processes):
            if kind is not None and kind is not Skip:
                print(f"--- log of {process.name}, its end:\n{process.log()[-1500:]}", file=sys.stderr)
            process.signal_group(signal.SIGCONT)
            process.signal_group(signal.SIGKILL)
            process.popen.wait()
        for receiver in self.receivers:
            receiver.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.directory, name)

    def write(self, name, text, mode=0o644):
        path = self.path(name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def folder(self, name, owner=None):
        path = self.path(name)
        os.mkdir(path)
        if owner and os.getuid() == 0:
            os.chown(path, owner.pw_uid, owner.pw_gid)
        return path

    def spawn(self, name, command, env=None, as_user=None, port=None):
        process = Process(self, name, command, env, as_user, port)
        self.processes.append(process)
        return process

    def receiver(self):
        self.receivers.append(Receiver())
        return self.receivers[-1]

    def postgres(self, settings=None, port=None):
        """Trust authentication on loopback; pg_stat_statements is loaded and created."""
        user = unprivileged_user()
        bin_dir = "/usr/lib/postgresql/*/bin"
        initdb, postgres = find_program("initdb", bin_dir), find_program("postgres", bin_dir)
        port = port or free_port()
        base = self.folder(f"pg-{port}", user)
        data = os.path.join(base, "data")
        made = self.spawn("initdb", [initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], as_user=user)
        assert made.popen.wait(120) == 0, f"initdb: {made.log()}"
        options = {"listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": base, "fsync": "off",
                   "shared_preload_libraries": "pg_stat_statements", "max_connections": 200, "shared_buffers": "16MB",
                   "track_io_timing": "on", "log_min_messages": "warning", **(settings or {})}
        command = [postgres, "-D", data] + [x for k, v in options.items() for x in ("-c", f"{k}={v}")]

        def ready(server):
            return server.sql("select 1") == "1"

        def retrying(server):
            with contextlib.suppress(RuntimeError):
                return ready(server)
        server = Postgres(self, "postgres", command, retrying, port, as_user=user)
        server.socket_directory = base
        server.sql("create extension if not exists pg_stat_statements")
        return server

    def redis(self, arguments=(), port=None, password=None):
        program = find_program("redis-server")
        port = port or free_port()
        user = unprivileged_user()
        folder = self.folder(f"redis-{port}", user)
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", *arguments]
        if password:
            command += ["--requirepass", password]

        def ready(server):
            return "PONG" in server.cli("PING")
        return Redis(self, "redis", command, ready, port, as_user=user, env={"REDISCLI_AUTH": password} if password else None)

    def pgbouncer(self, postgres, settings=None, port=None):
        """In front of `postgres`, for every database; the admin console is open to user `postgres`."""
        program = find_program("pgbouncer", "/usr/sbin")
        port = port or free_port()
        user = unprivileged_user()
        folder = self.folder(f"pgbouncer-{port}", user)
        options = {"listen_addr": "127.0.0.1", "listen_port": port, "unix_socket_dir": folder, "auth_type": "any",
                   "admin_users": "postgres", "stats_users": "stats", "pool_mode": "transaction", **(settings or {})}
        config = self.write(f"pgbouncer-{port}/pgbouncer.ini",
                            f"[databases]\n* = host=127.0.0.1 port={postgres.port} user=postgres\n[pgbouncer]\n"
                            + "".join(f"{k} = {v}\n" for k, v in options.items()))

        def ready(server):
            with socket.create_connection(("127.0.0.1", server.port), 1):
                return True
        server = PgBouncer(self, "pgbouncer", [program, config], ready, port, as_user=user)
        server.socket_directory = folder
        return server

    def program(self, name, arguments=(), env=None, port=None, ready_path="/-/healthy", listen=True):
        """One of our binaries, or anything else with --web.listen-address."""
        port = port or free_port()
        path = name if os.path.isabs(name) else os.path.join(ARGS.bin_dir, name)
        command = [path] + ([f"--web.listen-address=127.0.0.1:{port}"] if listen else []) + list(arguments)

        def ready(server):
            return server.get(ready_path, timeout=5)[0] == 200
        return HttpServer(self, os.path.basename(name), command, ready, port, env=env)

    exporter = program

    def prometheus(self, config, arguments=()):
        program = find_program("prometheus")
        path = self.write(f"prometheus-{len(self.processes)}.yml", config)
        data = self.path(f"prometheus-data-{len(self.processes)}")
        return self.program(program, [f"--config.file={path}", f"--storage.tsdb.path={data}", *arguments], ready_path="/-/ready")


class Redis(Server):
    def cli(self, *words):
        done = subprocess.run(["redis-cli", "-h", "127.0.0.1", "-p", str(self.port), *words], capture_output=True, text=True,
                              timeout=60, env={**os.environ, **(self.env or {})})
        return done.stdout.strip()


class PgBouncer(Server):
    def dsn(self, user="postgres", database="pgbouncer"):
        return f"postgres://{user}@127.0.0.1:{self.port}/{database}?sslmode=disable"


ARGS = None


def main(tests):
    """Runs every test_* function of a script's globals(), or those named on the command line."""
    global ARGS
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin-dir", required=True)
    parser.add_argument("--source-dir", required=True)
    parser.add_argument("only", nargs="*")
    ARGS = parser.parse_args()
    ARGS.bin_dir = os.path.abspath(ARGS.bin_dir)
    ARGS.source_dir = os.path.abspath(ARGS.source_dir)
    chosen = [f for n, f in tests.items() if n.startswith("test_") and (not ARGS.only or n in ARGS.only)]
    failed = skipped = 0
    for test in chosen:
        start = time.monotonic()
        try:
            test()
            verdict = "ok"
        except Skip as reason:
            skipped += 1
            verdict = f"SKIPPED: {reason}"
        except Exception:
            failed += 1
            traceback.print_exc()
            verdict = "FAILED"
        print(f"{test.__name__}: {verdict} ({time.monotonic() - start:.1f} s)", flush=True)
    print(f"{len(chosen) - failed - skipped} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else SKIPPED if skipped and skipped == len(chosen) else 0)
