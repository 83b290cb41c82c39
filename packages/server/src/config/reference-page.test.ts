import { expect, it } from 'vitest';
import { configurationPage } from './reference-page.ts';

it('is what docs/reference/configuration.md says', async () => {
  const page = new URL('../../../../docs/reference/configuration.md', import.meta.url);
  await expect(configurationPage()).toMatchFileSnapshot(page.pathname);
});
