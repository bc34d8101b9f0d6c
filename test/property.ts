/**
 * fast-check, with one seed for all runs: who repeats the suite repeats it exactly, and a change is judged by what it
 * changed. `FAST_CHECK_SEED=random` looks for new counterexamples, `FAST_CHECK_SEED=n` repeats those that a run found.
 */
import fc from 'fast-check';

const wanted = process.env.FAST_CHECK_SEED ?? '20261122';
if (wanted !== 'random' && !/^-?\d+$/.test(wanted)) {
  throw new Error(`FAST_CHECK_SEED is "${wanted}": a whole number or "random" is wanted`);
}
if (wanted !== 'random') fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: Number(wanted) });

export { fc };
