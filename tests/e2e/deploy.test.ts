/** What is in deploy/ is what its readers take it for: charts that render, manifests and templates that validate. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const CHART = join(ROOT, 'deploy/helm/quorate');
/** What .ci/run installs: a venv of the project, tools built outside the tree. */
const FOLDERS = [
  join(ROOT, '.venv/bin'),
  join(homedir(), '.cache/quorate-tools'),
  ...(process.env['PATH'] ?? '').split(delimiter),
];

function find(program: string): string | undefined {
  return FOLDERS.map((folder) => join(folder, program)).find((path) => existsSync(path));
}

function run(program: string, args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(find(program) ?? program, args, {
    encoding: 'utf8',
    maxBuffer: 32 * 1024 * 1024,
  });
  return { status, output: `${stdout}${stderr}${error ?? ''}`, stdout };
}

const folder = mkdtempSync(join(tmpdir(), 'quorate-deploy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Values that switch everything on. */
const FULL_VALUES = `
autoscaling: { enabled: true }
networkPolicy: { enabled: true, ingress: [{ from: [{ podSelector: {} }] }], egress: [{}] }
ingress: { enabled: true }
configuration: { mongo: { mongo-mounts: [{ what: "*", where: "/" }] } }
priorityClassName: high
podAnnotations: { a: b }
env: [{ name: RHO, value: "" }]
mongodb: { uri: "mongodb://a,b,c/?replicaSet=rs0" }
`;

function render(values: string): string {
  const file = join(folder, 'values.yaml');
  writeFileSync(file, values);
  const { status, output, stdout } = run('helm', ['template', 'q', CHART, '-f', file]);
  expect(status, output).toBe(0);
  return stdout;
}

describe.skipIf(find('helm') === undefined)('the Helm chart (needs helm)', () => {
  it('is without fault', () => {
    const { status, output } = run('helm', ['lint', '--strict', CHART]);
    expect(status, output).toBe(0);
  });

  it('gives the pod longer than preStop and drain together, and probes the right endpoints', () => {
    const text = render('mongodb: { uri: "mongodb://a" }');
    const seconds = Number(/terminationGracePeriodSeconds: (\d+)/.exec(text)?.[1]);
    // preStop 5, drain delay 5, requests 60
    expect(seconds).toBeGreaterThan(70);
    for (const probe of ['startup', 'live', 'ready']) expect(text).toContain(`/health/${probe}`);
    expect(text).toContain('kind: PodDisruptionBudget');
    expect(text).toContain('topologySpreadConstraints');
    expect(text).not.toContain('kind: HorizontalPodAutoscaler');
  });

  it.skipIf(find('kubernetes-validate') === undefined)(
    'renders what Kubernetes takes (needs kubernetes-validate)',
    () => {
      for (const values of ['mongodb: { uri: "mongodb://a" }', FULL_VALUES]) {
        const file = join(folder, 'rendered.yaml');
        writeFileSync(file, render(values));
        const { status, output } = run('kubernetes-validate', [file]);
        expect(status, output).toBe(0);
      }
      const text = render(FULL_VALUES);
      expect(text).toContain('kind: HorizontalPodAutoscaler');
      expect(text).toContain('kind: NetworkPolicy');
      expect(text).toContain('kind: Ingress');
    },
  );
});

describe('deploy/', () => {
  it.skipIf(find('kubernetes-validate') === undefined)(
    'has manifests that Kubernetes takes (needs kubernetes-validate)',
    () => {
      const { status, output } = run('kubernetes-validate', [
        join(ROOT, 'deploy/kubernetes/quorate.yaml'),
      ]);
      expect(status, output).toBe(0);
    },
  );

  it.skipIf(find('cfn-lint') === undefined)(
    'has a CloudFormation template without fault (needs cfn-lint)',
    () => {
      const { status, output } = run('cfn-lint', [join(ROOT, 'deploy/ecs/quorate.yaml')]);
      expect(status, output).toBe(0);
    },
  );

  it.skipIf(find('systemd-analyze') === undefined)(
    'has a unit that systemd takes (needs systemd-analyze)',
    () => {
      const unit = join(ROOT, 'deploy/systemd/quorate.service');
      const { status, output } = run('systemd-analyze', ['verify', '--man=no', unit]);
      expect(status, output).toBe(0);
      expect(output).not.toContain('quorate.service:');
    },
  );

  it.skipIf(find('hadolint') === undefined)(
    'has a Dockerfile without fault (needs hadolint)',
    () => {
      const { status, output } = run('hadolint', [join(ROOT, 'deploy/docker/Dockerfile')]);
      expect(status, output).toBe(0);
    },
  );

  it('has an image that runs as nobody, is probed without curl, and gets the signal itself', () => {
    const text = readFileSync(join(ROOT, 'deploy/docker/Dockerfile'), 'utf8');
    expect(text.match(/^FROM /gm)).toHaveLength(2);
    expect(text).toMatch(/^USER 1000/m);
    expect(text).toMatch(/HEALTHCHECK/);
    expect(text).not.toMatch(/\b(curl|wget) -/);
    expect(text).toMatch(/^ENTRYPOINT \[/m);
  });

  it('waits longer than a drain everywhere', () => {
    const read = (path: string) => readFileSync(join(ROOT, 'deploy', path), 'utf8');
    const seconds = (path: string, pattern: RegExp) => Number(pattern.exec(read(path))?.[1]);
    const waits = [
      seconds('systemd/quorate.service', /TimeoutStopSec=(\d+)/),
      seconds('ecs/quorate.yaml', /StopTimeout: (\d+)/),
      seconds('ecs/quorate.yaml', /deregistration_delay.timeout_seconds, Value: "(\d+)"/),
      seconds('kubernetes/quorate.yaml', /terminationGracePeriodSeconds: (\d+)/),
      seconds('compose/cluster.yml', /stop_grace_period: (\d+)s/),
    ];
    for (const wait of waits) expect(wait).toBeGreaterThan(65);
  });
});
