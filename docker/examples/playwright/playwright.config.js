import { defineConfig } from '@playwright/test';

export default defineConfig({
  testMatch: '*.spec.js',
  // Each test has a scope of its own, so any number of them may run side by side.
  fullyParallel: true,
  reporter: 'list',
  use: { baseURL: process.env.APPLICATION_URL },
});
