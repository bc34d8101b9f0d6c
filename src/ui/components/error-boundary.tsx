import { Component, type ReactNode } from 'react';
import { texts } from '../texts.ts';

/** A bug of ours shows its words instead of a blank page. Only a class can catch it. */
export class ErrorBoundary extends Component<{ readonly children: ReactNode }, { readonly error: unknown }> {
  override state: { readonly error: unknown } = { error: undefined };

  static getDerivedStateFromError(error: unknown): { readonly error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    const { error } = this.state;
    if (error === undefined) return this.props.children;
    return (
      <main className="blank">
        <h1>{texts.problems.crashed}</h1>
        <p>{texts.problems.ours(error instanceof Error ? error.message : texts.problems.unknown)}</p>
        <p>
          <a href="/mail">{texts.problems.reload}</a>
        </p>
      </main>
    );
  }
}
