#!/usr/bin/env node
// The `glassmail` command. Plain JavaScript, so that a Node that is too old is told so in one line.
const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    `glassmail needs Node 24 or newer; this is Node ${process.versions.node}. In a checkout, use npx glassmail or npm start: they bring their own.`,
  );
  process.exit(1);
}
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
