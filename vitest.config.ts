import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,transcripts,end-to-end}/**/*.test.ts'],
    // Each file has servers and stores of its own; what they wait for are events, so these bounds only end what hangs.
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
