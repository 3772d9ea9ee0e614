"""`check rules`, `check config` and `test rules` beside the real promtool: the same verdict on every file.

No server is started. Both programs see the same files in the same folder; exit codes must be equal, and for
tests that fail, what is printed about expected and found alerts and samples.
"""
import json
import os
import re
import subprocess
import tempfile

import harness

GROUP = "groups:\n- name: g\n  rules:\n"

# Rule files: what follows `rules:` of one group, or a whole file.
RULES = {
    "fine": "  - {alert: A, expr: up == 0, for: 1m, keep_firing_for: 5m, labels: {a: b}, annotations: {c: d}}\n",
    "recorded": "  - {record: 'a:b', expr: sum(up), labels: {a: b}}\n",
    "no name": "  - {expr: up}\n",
    "two names": "  - {alert: A, record: b, expr: up}\n",
    "no expression": "  - {alert: A}\n",
    "empty expression": "  - {alert: A, expr: ''}\n",
    "bad expression": "  - {alert: A, expr: 'up('}\n",
    "bad type": "  - {alert: A, expr: 'rate(up)'}\n",
    "string expression": "  - {alert: A, expr: '\"s\"'}\n",
    "unknown field": "  - {alert: A, expr: up, fro: 1m}\n",
    "bad for": "  - {alert: A, expr: up, for: 1 minute}\n",
    "negative for": "  - {alert: A, expr: up, for: -1m}\n",
    "for without unit": "  - {alert: A, expr: up, for: 5}\n",
    "for of a recording rule": "  - {record: r, expr: up, for: 1m}\n",
    "keep_firing_for of a recording rule": "  - {record: r, expr: up, keep_firing_for: 1m}\n",
    "annotations of a recording rule": "  - {record: r, expr: up, annotations: {a: b}}\n",
    "bad record name": "  - {record: 'r{a=\"b\"}', expr: up}\n",
    "metric name as label": "  - {alert: A, expr: up, labels: {__name__: b}}\n",
    "bad template": "  - {alert: A, expr: up, annotations: {a: '{{ .Labels.x '}}\n",
    "unknown function": "  - {alert: A, expr: up, annotations: {a: '{{ foo 1 }}'}}\n",
    "undefined variable": "  - {alert: A, expr: up, labels: {a: '{{ $foo }}'}}\n",
    "unclosed if": "  - {alert: A, expr: up, labels: {a: '{{ if .Value }}x'}}\n",
    "template in a recording rule": "  - {record: r, expr: up, labels: {a: '{{ foo }}'}}\n",
    "labels that are a list": "  - {alert: A, expr: up, labels: [a]}\n",
    "nested label": "  - {alert: A, expr: up, labels: {a: {b: c}}}\n",
    "number as label": "  - {alert: A, expr: up, labels: {a: 1}}\n",
    "number as expression": "  - {alert: A, expr: 1}\n",
    "duplicates": "  - {alert: A, expr: up}\n  - {alert: A, expr: up == 0}\n",
    "key twice": "  - {alert: A, alert: B, expr: up}\n",
    "rule that is a text": "  - up\n",
    "multi-line": "  - alert: A\n    expr: |\n      up\n        == 0\n",
    "comment in expression": "  - alert: A\n    expr: |\n      up # all of them\n      == 0\n",
}
FILES = {
    "empty": "",
    "null groups": "groups:\n",
    "no groups": "{}\n",
    "unknown at the top": "groups: []\nfoo: 1\n",
    "list": "- a\n",
    "tabs": "groups:\n\t- name: g\n",
    "group without name": "groups: [{rules: []}]\n",
    "group without rules": "groups: [{name: g}]\n",
    "group twice": "groups: [{name: g, rules: []}, {name: g, rules: []}]\n",
    "group with everything": "groups: [{name: g, interval: 5s, limit: 3, rules: [{alert: A, expr: up}]}]\n",
    "bad interval": "groups: [{name: g, interval: x}]\n",
    "bad limit": "groups: [{name: g, limit: x}]\n",
    "unknown in group": "groups: [{name: g, foo: x}]\n",
    "unclosed": "groups: [\n",
    "anchors": "groups:\n- name: g\n  rules:\n  - &a {alert: A, expr: up}\n  - <<: *a\n    alert: B\n",
    "JSON": '{"groups": [{"name": "g", "rules": [{"alert": "A", "expr": "up"}]}]}',
    "document markers": "---\ngroups: []\n...\n",
}

CONFIGS = {
    "empty": "",
    "rules": "rule_files: ['0.yml']\n",
    "no such rules": "rule_files: [nope.yml]\n",
    "no match": "rule_files: ['nope*.yml']\n",
    "broken rules": "rule_files: [broken.yml]\n",
    "unknown": "foo: 1\n",
    "job": "scrape_configs: [{job_name: a, static_configs: [{targets: ['a:1']}]}]\n",
    "job without a name": "scrape_configs: [{static_configs: [{targets: ['a:1']}]}]\n",
    "job twice": "scrape_configs: [{job_name: a}, {job_name: a}]\n",
    "timeout above interval": "global: {scrape_interval: 5s, scrape_timeout: 10s}\n",
    "bad duration": "global: {scrape_interval: 5}\n",
    "bad relabelling": "scrape_configs: [{job_name: a, relabel_configs: [{action: nope}]}]\n",
    "bad regex": "scrape_configs: [{job_name: a, relabel_configs: [{source_labels: [a], regex: '('}]}]\n",
    "no such token": "scrape_configs: [{job_name: a, bearer_token_file: nope}]\n",
    "no such targets": "scrape_configs: [{job_name: a, file_sd_configs: [{files: [nope.json]}]}]\n",
    "bad label": "global: {external_labels: {'': b}}\n",
    "text": "hello\n",
}

TESTED_RULES = """
groups:
- name: g
  rules:
  - {record: 'job:up:sum', expr: 'sum by (job) (up)'}
  - {record: doubled, expr: 'job:up:sum * 2', labels: {a: b}}
  - alert: Down
    expr: up == 0
    for: 2m
    labels: {severity: page, where: '{{ $labels.instance }}'}
    annotations: {summary: 'down {{ $value }}', ext: '{{ $externalLabels.c }} {{ $externalURL }}'}
  - {alert: Kept, expr: up == 0, keep_firing_for: 3m}
  - {alert: Now, expr: up > 1}
  - {alert: Firing, expr: 'ALERTS{alertname=~"Down|Kept|Now",alertstate="firing"}', labels: {of: '{{ $labels.alertname }}', alertstate: ''}}
  - {alert: Since, expr: 'ALERTS_FOR_STATE{alertname=~"Down|Kept|Now"}', labels: {of: '{{ $labels.alertname }}'}}
  - {alert: Missing, expr: absent(up)}
"""

UP = "  input_series: [{series: 'up{job=\"a\",instance=\"1\"}', values: '%s'}]\n"


def alerts(*checks):
    return "  alert_rule_test:\n" + "".join(f"  - {{{check}}}\n" for check in checks)


def expressions(*checks):
    return "  promql_expr_test:\n" + "".join(f"  - {{{check}}}\n" for check in checks)


# Tests: the body of one test; what every alert and sample is comes out in the failures.
EVERY = [f"eval_time: {minute}m, alertname: {name}, exp_alerts: [{{exp_labels: {{no: no}}}}]"
         for minute in range(0, 12) for name in ("Down", "Kept", "Now", "Firing", "Since", "Missing")]
TESTS = {
    "zero": UP % "1x2 0x9" + alerts(*EVERY),
    "flapping": UP % "0x3 1x1 0x4 1x2 0x5" + alerts(*EVERY),
    "gaps": UP % "0 0 _ _ 0x2 _x4 0" + alerts(*EVERY),
    "stale": UP % "0x4 stale _x3 0x5" + alerts(*EVERY),
    "late": UP % "_x8 2 3 4" + alerts(*EVERY),
    "nothing": alerts(*EVERY),
    "counting": UP % "10-2x8" + alerts(*EVERY),
    "expected none": UP % "0x9" + alerts("eval_time: 5m, alertname: Down"),
    "expected": UP % "0x9" + alerts(
        "eval_time: 5m, alertname: Down, exp_alerts: [{exp_labels: {severity: page, where: 1, job: a, instance: 1}, "
        "exp_annotations: {summary: down 0, ext: ' '}}]"),
    "between two evaluations": UP % "0x9" + alerts("eval_time: 90s, alertname: Kept", "eval_time: 30s, alertname: Now"),
    "no alert name": UP % "0x9" + alerts("eval_time: 5m"),
    "unknown alert": UP % "0x9" + alerts("eval_time: 5m, alertname: Nope, exp_alerts: []"),
    "samples": UP % "1+1x9" + expressions(
        "expr: up, eval_time: 4m, exp_samples: []",
        "expr: 'doubled', eval_time: 3m",
        "expr: 'rate(up[3m])', eval_time: 7m",
        "expr: 'vector(NaN)', eval_time: 0m, exp_samples: [{value: .nan}]",
        "expr: '1/0', eval_time: 0m",
        "expr: '3', eval_time: 1m, exp_samples: [{value: 3}]",
        "expr: 'count by (alertname) (ALERTS{alertname=~`Kept|Now`})', eval_time: 1m",
        "expr: up, eval_time: 4m, exp_samples: [{labels: 'up{job=\"a\",instance=\"1\"}', value: 5}]"),
    "bad samples": expressions("expr: 'up(', eval_time: 4m", "expr: up, eval_time: 4m, exp_samples: [{labels: '}'}]",
                               "expr: '\"s\"', eval_time: 1m"),
    "externals": UP % "0x9" + "  external_labels: {c: d}\n  external_url: http://e/p\n" + alerts(EVERY[30]),
    "two series": "  input_series:\n  - {series: 'up{job=\"a\",instance=\"1\"}', values: '0x9'}\n"
                  "  - {series: 'up{job=\"a\",instance=\"2\"}', values: '1x2 0x9'}\n"
                  "  - {series: 'up{job=\"b\"}', values: '1x2 5x9'}\n" + alerts(*EVERY),
    "bad series": "  input_series: [{series: 'up{', values: '1'}]\n",
    "bad values": "  input_series: [{series: 'up', values: '1xx'}]\n",
    "unknown key": "  foo: 1\n",
    "bad time": alerts("eval_time: x, alertname: A"),
}


class Folder:
    """One folder with the files of all cases, in which both programs run."""

    def __init__(self, path):
        self.path = path
        self.differences = []
        self.ours = os.path.join(harness.ARGS.bin_dir, "tarsier-agent")
        self.theirs = os.environ.get("PROMTOOL") or harness.find_program("promtool")

    def write(self, name, text):
        with open(os.path.join(self.path, name), "w") as f:
            f.write(text)

    def run(self, program, command):
        done = subprocess.run([program, *command], cwd=self.path, capture_output=True, text=True, timeout=300)
        return done.returncode, done.stdout, done.stderr

    def compare(self, case, command, same_text=False):
        code, out, err = self.run(os.path.abspath(self.ours), command)
        their_code, their_out, their_err = self.run(self.theirs, command)
        if code != their_code:
            self.differences.append(f"{case}: exit {code}, promtool {their_code}\n{out}{err}\n"
                                    f"--- promtool\n{their_out}{their_err}")
        elif same_text and err != their_err:
            self.differences.append(f"{case}: printed\n{err}\n--- promtool\n{their_err}")


def with_folder(test):
    def run():
        with tempfile.TemporaryDirectory(prefix="tarsier-promtool-") as path:
            folder = Folder(path)
            test(folder)
            assert not folder.differences, "\n\n".join(folder.differences)
    run.__name__ = test.__name__
    return run


@with_folder
def test_bundled_tests_have_the_same_verdict(folder):
    rules = os.path.abspath(os.path.join(harness.ARGS.source_dir, "alerts"))
    # The large ones run on our engine in rules_test and on promtool's in tests/alerts.
    files = [os.path.join(rules, f"{name}_test.yml") for name in ("agent", "pgbouncer", "redis")]
    folder.compare("bundled", ["test", "rules", *files], same_text=True)


@with_folder
def test_rule_files_have_the_same_verdict(folder):
    files = {name: GROUP + rules for name, rules in RULES.items()}
    files.update(FILES)
    for name, text in files.items():
        folder.write("case.yml", text)
        folder.compare(name, ["check", "rules", "case.yml"])
        folder.compare(name, ["check", "rules", "--lint-fatal", "case.yml"])


@with_folder
def test_configurations_have_the_same_verdict(folder):
    folder.write("0.yml", GROUP + RULES["duplicates"])
    folder.write("broken.yml", GROUP + RULES["bad expression"])
    for name, text in CONFIGS.items():
        folder.write("case.yml", text)
        folder.compare(name, ["check", "config", "case.yml"])
        folder.compare(name, ["check", "config", "--lint-fatal", "case.yml"])
        folder.compare(name, ["check", "config", "--syntax-only", "case.yml"])


@with_folder
def test_unit_tests_have_the_same_verdict_and_say_the_same(folder):
    folder.write("rules.yml", TESTED_RULES)
    for name, test in TESTS.items():
        folder.write("case.yml", f"rule_files: [rules.yml]\ntests:\n- interval: 1m\n  name: {name}\n{test}")
        # Wordings of errors differ; what alerts and samples there are does not.
        said_alike = not name.startswith(("bad", "unknown"))
        folder.compare(name, ["test", "rules", "case.yml"], same_text=said_alike)


@with_folder
def test_templates_expand_to_the_same_text(folder):
    path = os.path.join(harness.ARGS.source_dir, "tests/agent/template/testdata/alert_templates.json")
    with open(path) as f:
        # A promtool built with an old Go knows neither.
        recorded = [case for case in json.load(f) if not re.search(r"range \d|else with", case[0])]
    annotations = "".join(f"      a{i:04}: {json.dumps(text)}\n" for i, (text, _) in enumerate(recorded))
    folder.write("rules.yml", GROUP + "  - alert: A\n    expr: m\n    annotations:\n" + annotations)
    folder.write("case.yml", """
rule_files: [rules.yml]
tests:
- interval: 1m
  external_labels: {c: prod}
  external_url: http://agent.example:9095/path
  input_series: [{series: 'm{job="x-y",instance="db1.example.org:9100"}', values: '1234.5678'}]
  alert_rule_test: [{eval_time: 0m, alertname: A}]
""")
    texts = []
    for program in (os.path.abspath(folder.ours), folder.theirs):
        code, out, err = folder.run(program, ["test", "rules", "case.yml"])
        assert code == 1, f"{program}: exit {code}\n{out}{err[-2000:]}"
        # Empty annotations are none to us; errors name the place in other words.
        found = dict(re.findall(r'(a\d{4})="((?:[^"\\]|\\.)*)"', err))
        assert len(found) > len(recorded) / 2, err[-2000:]
        texts.append({name: "<error" if text.startswith("<error") else text
                      for name, text in found.items() if text})
    ours, theirs = texts
    for name in sorted(ours.keys() | theirs.keys()):
        if ours.get(name) != theirs.get(name):
            folder.differences.append(f"{recorded[int(name[1:])][0]}: {ours.get(name)!r}, promtool {theirs.get(name)!r}")


if __name__ == "__main__":
    harness.main(globals())
