import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['test/browser/build-pages.ts'],
    include: ['test/browser/**/*.test.ts'],
    // One browser at a time: they take most of a small machine.
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // What has not come by then will not; a second, as it is otherwise, is short on a machine with much else to do.
    expect: { poll: { timeout: 15_000 } },
  },
});
