import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/{unit,contract,transcripts,end-to-end}/**/*.test.ts'],
    // Each file has servers and stores of its own; what they wait for are events, so these bounds only end what hangs.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What has not come by then will not; a second, as it is otherwise, is short on a machine with much else to do.
    expect: { poll: { timeout: 15_000 } },
  },
});
