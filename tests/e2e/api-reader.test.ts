/** The reader page of `/openapi.json` in a browser; it may load nothing from elsewhere. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NodeProcess, startNodeProcess } from '../support/node-process.ts';

const browserPath = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((folder) => join(folder, 'chromium'))
  .find((path) => existsSync(path));

let folder = '';
let node: NodeProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'quorate-api-reader-'));
  node = await startNodeProcess({ dataFolder: folder });
  const put = async (path: string, body: object) => {
    const { status } = await fetch(node.url + path, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(status, path).toBe(201);
  };
  await put('/shop', {});
  await put('/shop/_schemas', {});
  await put('/shop/_schemas/order?wm=upsert', { properties: { total: { type: 'number' } } });
  await put('/shop/orders', {
    jsonSchema: { schemaId: 'order' },
    aggrs: [{ uri: 'by-day', stages: [] }],
  });
  await put('/shop/receipts.files', {});
});
afterAll(async () => {
  await node.kill();
  rmSync(folder, { recursive: true, force: true });
});

describe('the description of a running node', () => {
  it.skipIf(browserPath === undefined)(
    'is shown, filtered and unfolded by its page (needs chromium on the PATH)',
    async () => {
      const browser = await chromium.launch({
        executablePath: browserPath ?? '',
        args: ['--no-sandbox'],
      });
      try {
        const page = await browser.newPage();
        const asked: string[] = [];
        const complaints: string[] = [];
        page.on('request', (request) => asked.push(request.url()));
        page.on('pageerror', (error) => complaints.push(error.message));
        page.on('console', (message) => {
          if (message.type() === 'error') complaints.push(message.text());
        });
        await page.goto(`${node.url}/docs`);
        await page.getByRole('heading', { name: /^Quorate/ }).waitFor();
        await page.getByRole('searchbox').fill('/shop/orders/{id}');
        const replace = page.locator('details', { hasText: 'Replaces a document' });
        await replace.and(page.locator(':visible')).first().locator('summary').click();
        await page.getByText('"total"').first().waitFor();
        expect(await page.locator('details:visible').count()).toBe(4);
        expect(new Set(asked.map((url) => new URL(url).origin))).toEqual(new Set([node.url]));
        expect(complaints.filter((text) => !/favicon/.test(text))).toEqual([]);
      } finally {
        await browser.close();
      }
    },
  );
});
